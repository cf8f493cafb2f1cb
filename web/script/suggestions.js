// What may be meant, below the search box of the page: articles to go to, and sections, topics and authors to choose.

import { Asking } from "../widget/asking.js";
import { Combobox } from "../widget/combobox.js";
import { address, make, marked } from "../widget/nodes.js";
import { STATUSES } from "../widget/results.js";

// What is suggested, and by which parameter a value is chosen.
const KINDS = { sections: "section", tags: "tag", authors: "author" };
const FILTERS = ["section", "tag", "author", "language"];

// `names` are those of the kinds and of the badges, in the language of the page.
export function offerSuggestions(form, names) {
  const box = form.elements.q;
  const list = make("div", { class: "suggestions", hidden: "", tabindex: -1 });
  const status = make("p", { class: "hidden", role: "status" });
  form.append(list, status);
  list.setAttribute("aria-label", box.labels[0].textContent);
  const combobox = new Combobox(box, list);
  // A suggestion that fails is none: the form searches all the same.
  const asking = new Asking(
    () => true,
    (what, found) => show(what === "answer" ? groups(found) : []),
  );
  let asked = box.value;

  function show(found) {
    list.replaceChildren(...found);
    const told = found.map((group) => `${group.getAttribute("aria-label")}: ${group.children.length - 1}`);
    status.textContent = told.join(", ");
    if (found.length && document.activeElement === box) combobox.open();
    else combobox.close();
  }

  function groups(found) {
    const articles = found.articles.map(({ url, highlight, status }) => {
      const option = link(address(url, document.baseURI), highlight.title);
      if (STATUSES.includes(status)) option.append(make("span", { class: `badge ${status}` }, names[status]));
      return option;
    });
    const kinds = Object.entries(KINDS).map(([kind, parameter]) => {
      const values = found[kind].map(({ value, count, highlight }) => link(chosen(parameter, value), highlight, count));
      return group(kind, values);
    });
    return [group("articles", articles.filter((one) => one.href)), ...kinds].filter(Boolean);
  }

  function group(kind, links) {
    const name = make("span", { class: "kind", "aria-hidden": true }, names[kind]);
    return links.length && make("div", { class: kind, role: "group", "aria-label": names[kind] }, name, ...links);
  }

  function chosen(parameter, value) {
    const url = new URL(form.action);
    url.searchParams.set(parameter, value);
    return url.href;
  }

  function ask() {
    if (box.value === asked) return;
    asked = box.value;
    if (!asked.trim()) return show([]), asking.stop();
    const url = new URL(form.dataset.suggest, document.baseURI);
    url.searchParams.set("q", asked);
    for (const [name, value] of new FormData(form)) if (FILTERS.includes(name)) url.searchParams.append(name, value);
    asking.ask(url.href);
  }

  function close() {
    asking.stop();
    combobox.close();
  }

  box.addEventListener("input", (event) => event.isComposing || ask());
  box.addEventListener("compositionend", ask);
  form.addEventListener("submit", close);
  form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || close());
  // What was typed led to the suggestion, and is no part of what it leads to.
  list.addEventListener("click", (event) => {
    if (!event.target.closest("a") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    asked = box.value = box.defaultValue;
    close();
  });
}

function link(href, html, count) {
  const option = make("a", { role: "option", "aria-selected": false, tabindex: -1, href }, make("span", { dir: "auto" }, ...marked(html)));
  if (count) option.append(make("span", { class: "count" }, count.toLocaleString(document.documentElement.lang)));
  return option;
}
