// <broadsheet-search>: a search box with its results below it, or with `modal` a button that opens both.

import { Asking } from "./asking.js";
import { HOTKEYS, listen } from "./hotkeys.js";
import { make } from "./nodes.js";
import { options, plain } from "./results.js";
import style from "./style.css" with { type: "css" };
import { texts } from "./texts.js";
import { modal, View } from "./view.js";

const SEVERAL = "|"; // between sections, as a name may hold a comma

class BroadsheetSearch extends HTMLElement {
  static observedAttributes = ["hotkey", "lang", "modal", "placeholder", "section"];

  #asking = new Asking(
    (url) => this.#emit("search", { q: this.#asked, url }) || this.#view.show([]),
    (what, detail) => this.#tell(what, detail),
  );
  #asked = "";
  #shown = ""; // what the list answers
  #view;
  #texts;
  #button;
  #dialog;
  #gone = new AbortController();

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [style];
    // The modal keeps the focus by itself, and stays while someone looks into another window.
    this.addEventListener("focusout", (event) => this.#dialog || this.contains(event.relatedTarget) || this.#close());
  }

  connectedCallback() {
    this.#build();
  }

  disconnectedCallback() {
    this.#asking.stop();
    this.#gone.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected && this.#view) this.#build();
  }

  #build() {
    this.disconnectedCallback();
    this.#texts = texts(this.closest("[lang]")?.lang || document.documentElement.lang);
    const section = this.getAttribute("section")?.replaceAll(SEVERAL, ", ");
    const words = this.getAttribute("placeholder") ?? this.#texts.search;
    const view = new View(this.#texts, words, section ? `${words} – ${section}` : words);
    view.box.value = this.#view?.box.value ?? "";
    this.#view = view;
    this.#asked = this.#shown = "";
    this.#listen(view);
    this.#button = this.#dialog = null;
    const nodes = this.hasAttribute("modal") ? this.#modal(view) : view.nodes;
    const { language, direction } = this.#texts;
    this.shadowRoot.replaceChildren(make("div", { part: "frame", lang: language, dir: direction }, ...nodes));
  }

  #listen({ box, form, list, again, combobox }) {
    box.addEventListener("input", (event) => event.isComposing || this.#typed());
    box.addEventListener("compositionend", () => this.#typed());
    box.addEventListener("focus", () => (this.#shown ? combobox.open() : this.#typed()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const url = this.#results(box.value);
      if (this.#emit("select", { q: box.value, url, result: null })) location.assign(url);
    });
    again.addEventListener("click", () => {
      box.focus();
      this.#ask();
    });
    for (const click of ["click", "auxclick"]) list.addEventListener(click, (event) => this.#choose(event));
  }

  #modal(view) {
    const keys = this.getAttribute("hotkey") === "off" ? "" : HOTKEYS;
    const open = () => {
      if (!this.#dialog.open) this.#dialog.showModal();
      view.box.focus();
      view.box.select();
    };
    const [button, dialog] = modal(view, this.#texts, keys);
    this.#dialog = dialog;
    button.addEventListener("click", open);
    dialog.addEventListener("close", () => this.#close());
    this.#gone = new AbortController();
    if (keys) listen(open, this.#gone.signal);
    return [button, dialog];
  }

  #typed() {
    const q = this.#view.box.value;
    if (q === this.#asked) return;
    // Older results stay, dimmed, while their words are written on; below other words they would be a wrong answer.
    if (!q.startsWith(this.#shown) && !this.#shown.startsWith(q)) this.#show([]);
    this.#asked = q;
    if (q.trim()) {
      this.#ask();
    } else {
      this.#asking.stop();
      this.#show([]);
    }
  }

  #ask() {
    this.#view.combobox.activate(null);
    this.#view.wait(true);
    const url = this.#address(new URL("api/v1/search", this.#service), this.#asked);
    url.searchParams.set("prefix", true);
    url.searchParams.set("per_page", this.getAttribute("per-page") ?? 8);
    url.searchParams.set("facets", "section");
    this.#asking.ask(url.href);
  }

  #tell(what, detail) {
    if (what === "answer") return this.#answer(detail);
    if (what === "failed") console.error("broadsheet-search:", detail);
    const isOver = what === "away" || what === "failed";
    const message = this.#texts.fill(this.#texts[what], { n: detail });
    this.#show([], { message, again: isOver, fallback: what !== "slow" });
    if (isOver) this.#handOver();
  }

  #answer({ total, results, timezone }) {
    const { fill, all, none, found, day } = this.#texts;
    if (!total) return this.#show([], { message: fill(none, { q: this.#asked.trim() }) });
    const look = {
      texts: this.#texts,
      day: day(timezone ?? "UTC"),
      base: this.#service,
      template: this.querySelector("template[slot=result]")?.content ?? plain(),
      isGrouped: this.hasAttribute("group"),
    };
    const href = this.#results(this.#asked, true);
    const rest = make("a", { part: "all", role: "option", "aria-selected": false, tabindex: -1, href });
    rest.append(fill(all, { n: total }));
    this.#show([...options(results, look), rest], { status: fill(found, { n: total }) });
    this.#shown = this.#asked;
  }

  #show(found, said) {
    this.#shown = "";
    this.#view.show(found, said);
  }

  // The words go on into the form that the site wrapped.
  #handOver() {
    const field = this.querySelector("form input:is([type=search], [type=text], :not([type]))");
    if (field) field.value ||= this.#asked;
  }

  #choose(event) {
    const chosen = event.target.closest("[role=option]");
    if (!chosen?.href || event.button > 1) return;
    if (!this.#emit("select", { q: this.#asked, url: chosen.href, result: chosen.result ?? null })) event.preventDefault();
    const isHere = event.type === "click" && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (isHere) this.#dialog ? this.#dialog.close() : this.#close();
  }

  // What was not answered is asked anew when someone comes back.
  #close() {
    this.#asking.stop();
    this.#asked = this.#shown;
    if (!this.#dialog) this.#view.combobox.close();
  }

  get #service() {
    const own = this.getAttribute("service");
    return own === null ? new URL(".", import.meta.url) : new URL(own.replace(/\/*$/, "/"), document.baseURI);
  }

  // `isBeginning`: the page finds what the list does, to which the last word may be the beginning of one.
  #results(q, isBeginning = false) {
    const own = this.getAttribute("results-url");
    const url = own === null ? new URL("search", this.#service) : new URL(own, document.baseURI);
    this.#address(url, q);
    if (own === null && isBeginning) url.searchParams.set("prefix", true);
    return url.href;
  }

  #address(url, q) {
    url.searchParams.set("q", q);
    const sections = this.getAttribute("section")?.split(SEVERAL) ?? [];
    for (const section of sections) url.searchParams.append("section", section.trim());
    if (this.hasAttribute("language")) url.searchParams.set("language", this.getAttribute("language"));
    return url;
  }

  #emit(name, detail) {
    const event = { bubbles: true, composed: true, cancelable: true, detail };
    return this.dispatchEvent(new CustomEvent(`broadsheet:${name}`, event));
  }
}

customElements.define("broadsheet-search", BroadsheetSearch);
