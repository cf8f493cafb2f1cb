// Answer links and forms of the search page by fetching what they lead to: the same address, and nothing reloads.

import { make } from "../widget/nodes.js";

const LINKS = "main a[href], .suggestions a[href]";
const FEEDS = "head link[rel=alternate]";
const REST = 150; // ms without scrolling until the place is kept

// `form` is the search of the page, `shown` is called with every page. Gives the function that goes to an address.
export function visitWithin(form, shown) {
  const box = form.elements.q;
  const status = document.body.appendChild(make("p", { class: "hidden", role: "status" }));
  let here = withoutHash(location.href); // what is shown
  let asked = new AbortController();

  const isOurs = (url) => url.origin === location.origin && url.pathname === new URL(form.action).pathname && !url.hash;

  async function go(url, { isBack = false, stays = false } = {}) {
    asked.abort();
    keepPlace();
    const { signal } = (asked = new AbortController());
    document.querySelector("main").setAttribute("aria-busy", true);
    const page = await fetched(url, signal);
    if (signal.aborted) return;
    if (!page) return isBack ? location.reload() : location.assign(url); // whatever failed, the browser tells it best
    if (!isBack) history.pushState({}, "", url);
    here = withoutHash(url);
    show(page, stays);
    if (!stays) scrollTo(0, history.state?.y ?? 0);
  }

  function show(page, stays) {
    const focused = document.activeElement;
    document.title = page.title;
    document.querySelectorAll(FEEDS).forEach((link) => link.remove());
    document.head.append(...page.querySelectorAll(FEEDS));
    document.querySelector("main").replaceWith(page.querySelector("main"));
    renew(page.querySelector("form.search"));
    focus(stays && focused);
    status.textContent = document.querySelector("h1").textContent.replace(/\s+/g, " ").trim();
    shown();
  }

  // The form takes along what the new page is narrowed to; words that were typed meanwhile stay.
  function renew(other) {
    const isTyping = box.value !== box.defaultValue;
    box.defaultValue = other.elements.q.defaultValue;
    if (!isTyping) box.value = box.defaultValue;
    form.querySelectorAll("[type=hidden]").forEach((input) => input.remove());
    box.after(...other.querySelectorAll("[type=hidden]"));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(LINKS);
    if (!link || link.hasAttribute("target") || event.defaultPrevented || event.button) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.getAttribute("href"), document.baseURI);
    if (!isOurs(url)) return;
    event.preventDefault();
    go(url.href);
  });

  document.addEventListener("submit", (event) => {
    const url = new URL(event.target.action);
    if (event.defaultPrevented || !isOurs(url)) return;
    event.preventDefault();
    const pairs = [...new FormData(event.target)].filter(([, value]) => value);
    url.search = new URLSearchParams(pairs);
    if (event.target === form) box.defaultValue = box.value; // they are asked for now
    go(url.href, { stays: event.target.contains(document.activeElement) && event.target !== form });
  });

  // Who ticks needs no button.
  document.addEventListener("change", ({ target }) => target.matches("main form [type=checkbox]") && target.form.requestSubmit());

  addEventListener("popstate", () => withoutHash(location.href) !== here && go(location.href, { isBack: true }));

  // A page that a browser kept in its memory is asked for again: what it shows may have been taken down since.
  addEventListener("pageshow", ({ persisted }) => persisted && go(location.href, { isBack: true, stays: true }));

  // A browser brings one back to a place before the page is there: that is done here, when it is.
  history.scrollRestoration = "manual";
  if (history.state?.y) scrollTo(0, history.state.y);
  let resting;
  addEventListener("scroll", () => {
    clearTimeout(resting);
    resting = setTimeout(keepPlace, REST);
  });

  // The entry of the history is of what is shown, unless someone has just gone back from it.
  function keepPlace() {
    if (withoutHash(location.href) === here) history.replaceState({ ...history.state, y: scrollY }, "");
  }

  shown();
  return go;
}

function withoutHash(address) {
  return address.split("#")[0];
}

// The page at the address; null if it cannot be had, or is another than was asked for.
async function fetched(url, signal) {
  try {
    const response = await fetch(url, { signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return response.ok && page.querySelector("main") && page.querySelector("form.search") ? page : null;
  } catch {
    return null;
  }
}

// Who ticks a box goes on from there; everyone else from the beginning of what is new.
function focus(focused) {
  const fields = [...document.querySelectorAll("main [name]")];
  const same = focused && fields.find(({ name, value }) => name === focused.name && value === focused.value);
  (same || document.querySelector("main")).focus({ preventScroll: true });
}
