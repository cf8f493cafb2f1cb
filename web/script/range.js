// Choose a range on the timeline by two bars, the first and the last; and go along the bars with the arrow keys.

const MOVES = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

export function offerRange(figure, visit) {
  if (!figure) return;
  const bars = [...figure.querySelectorAll("a.bar")];
  const button = figure.querySelector("button.range");
  let from = null;

  // One stop on the way through the page, not as many as there are bars.
  function rest(bar) {
    for (const each of bars) each.setAttribute("tabindex", each === bar ? 0 : -1);
  }

  function choose(isChoosing) {
    button.setAttribute("aria-pressed", isChoosing);
    figure.classList.toggle("choosing", isChoosing);
    from?.classList.remove("from");
    from = null;
  }

  function take(bar) {
    if (!from) {
      from = bar;
      bar.classList.add("from");
      return;
    }
    const [first, last] = [from, bar].sort((one, other) => bars.indexOf(one) - bars.indexOf(other));
    const url = new URL(figure.dataset.base, document.baseURI);
    url.searchParams.set("from_date", first.dataset.from);
    url.searchParams.set("to_date", last.dataset.to);
    choose(false);
    visit(url.href);
  }

  button.hidden = bars.length < 2;
  button.addEventListener("click", () => choose(button.getAttribute("aria-pressed") === "false"));
  rest(figure.querySelector("a.chosen") ?? bars.at(-1));

  figure.addEventListener("click", (event) => {
    const bar = event.target.closest("a.bar");
    if (!bar || button.getAttribute("aria-pressed") === "false") return;
    event.preventDefault();
    take(bar);
  });

  figure.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(false);
    const at = bars.indexOf(event.target);
    if (at < 0 || !MOVES[event.key]) return;
    event.preventDefault();
    const later = bars.at(-1).getBoundingClientRect().x < bars[0].getBoundingClientRect().x ? -1 : 1; // which way time goes
    const by = Math.abs(MOVES[event.key]) === 1 ? MOVES[event.key] * later : MOVES[event.key];
    const next = bars[Math.min(Math.max(at + by, 0), bars.length - 1)];
    rest(next);
    next.focus();
  });
}
