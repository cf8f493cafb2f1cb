// A text box with a list of options, by keyboard and for assistive technology: the combobox of the ARIA Authoring
// Practices with list autocomplete and manual selection. Its state lives in ARIA; no option is chosen beforehand.

let combos = 0;

// What a key does; false leaves the key to the browser.
const KEYS = {
  ArrowDown: (combo, event) => combo.step(1, event.altKey),
  ArrowUp: (combo, event) => (event.altKey ? combo.close() : combo.step(-1)),
  Home: (combo) => combo.active && combo.activate(combo.options[0]),
  End: (combo) => combo.active && combo.activate(combo.options.at(-1)),
  ArrowLeft: (combo) => combo.activate(null),
  ArrowRight: (combo) => combo.activate(null),
  Escape: (combo) => combo.close(),
  Enter: (combo, event) => combo.follow(event),
};

export class Combobox {
  #box;
  #list;
  #popup;
  #id = `broadsheet-${++combos}`;

  // `popup` holds the list and what is said about it; both are shown and hidden together.
  constructor(box, list, popup = list) {
    this.#box = box;
    this.#list = list;
    this.#popup = popup;
    list.id = this.#id;
    list.setAttribute("role", "listbox");
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-controls", this.#id);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-expanded", false);
    box.addEventListener("keydown", (event) => this.#key(event));
    // Whoever clicks stays in the box; a field that is slotted into the popup may take the focus.
    popup.addEventListener("mousedown", (event) => popup.contains(event.target) && event.preventDefault());
  }

  get options() {
    return [...this.#list.querySelectorAll("[role=option]:not([aria-disabled])")];
  }

  get active() {
    return this.#list.querySelector("[aria-selected=true]");
  }

  get isOpen() {
    return !this.#popup.hidden;
  }

  open() {
    this.options.forEach((option, number) => (option.id = `${this.#id}-${number}`));
    this.#popup.hidden = false;
    this.#box.setAttribute("aria-expanded", this.options.length > 0);
  }

  close() {
    const wasOpen = this.isOpen;
    this.activate(null);
    this.#popup.hidden = true;
    this.#box.setAttribute("aria-expanded", false);
    return wasOpen;
  }

  // After the last option comes the box itself, and before the first too.
  step(by, only = false) {
    const options = this.options;
    if (!options.length) return false;
    if (!this.isOpen) this.open();
    if (only) return true;
    const places = options.length + 1;
    const next = (options.indexOf(this.active) + 1 + by + places) % places;
    this.activate(options[next - 1]);
    return true;
  }

  // Always false where there is none to activate: the key is the box's own.
  activate(option) {
    this.active?.setAttribute("aria-selected", false);
    if (!option) {
      this.#box.removeAttribute("aria-activedescendant");
      return false;
    }
    option.setAttribute("aria-selected", true);
    this.#box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    return true;
  }

  // As a click would, with the same keys held: a new tab stays a new tab.
  follow({ ctrlKey, metaKey, shiftKey }) {
    const { active } = this; // the click may close the list
    const click = { bubbles: true, cancelable: true, composed: true, ctrlKey, metaKey, shiftKey };
    active?.dispatchEvent(new MouseEvent("click", click));
    return Boolean(active);
  }

  #key(event) {
    // Safari ends a composition before the key that ended it: 229 is all that tells it apart.
    if (event.isComposing || event.keyCode === 229) return;
    if (KEYS[event.key]?.(this, event)) event.preventDefault();
  }
}
