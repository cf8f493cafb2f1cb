// What someone sees: the box, the panel below it with options or a message, and the modal around both.

import { Combobox } from "./combobox.js";
import { icon, make } from "./nodes.js";

const GLASS = "M8.5 3a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M12.5 12.5 17 17";
const CROSS = "M5 5l10 10M15 5 5 15";
const LONGEST_QUERY = 512; // characters that the service reads

export class View {
  constructor(texts, words, label) {
    this.box = make("input", {
      part: "box", name: "q", placeholder: words, "aria-label": label, maxlength: LONGEST_QUERY, dir: "auto",
      autocomplete: "off", autocapitalize: "none", spellcheck: false, enterkeyhint: "search", inputmode: "search",
    });
    this.form = make("form", { part: "form", role: "search", "aria-label": label }, icon(GLASS), this.box);
    this.list = make("div", { part: "list", "aria-label": label, tabindex: -1 }); // browsers make what scrolls a stop of Tab
    // A screen reader hears the status, which is there from the start, and meets no message twice.
    this.message = make("p", { part: "message", "aria-hidden": true, dir: "auto" });
    this.status = make("p", { class: "unseen", role: "status" });
    this.again = make("button", { part: "again", type: "button" }, texts.again);
    this.fallback = make("slot");
    this.panel = make("div", { part: "panel" }, this.list, this.message, this.again, this.fallback);
    this.combobox = new Combobox(this.box, this.list, this.panel);
    this.nodes = [this.form, this.panel, this.status];
    this.show([]);
  }

  // Options or a message, or neither; `status` is what a screen reader is told of them.
  show(options, { message = "", status = message, again = false, fallback = false } = {}) {
    this.list.replaceChildren(...options);
    this.list.hidden = !options.length;
    this.list.scrollTop = 0;
    this.wait(false);
    this.message.textContent = message;
    this.message.hidden = !message;
    this.status.textContent = status;
    this.again.hidden = !again;
    this.fallback.hidden = !fallback || !this.fallback.assignedElements().length;
    if (options.length || message) this.combobox.open();
    else this.combobox.close();
  }

  wait(isWaiting) {
    this.list.setAttribute("aria-busy", isWaiting);
  }
}

// The button and the dialog that it opens, around a view.
export function modal(view, texts, keys) {
  const button = make("button", { part: "button", type: "button", "aria-haspopup": "dialog" }, icon(GLASS), texts.open);
  if (keys) {
    button.setAttribute("aria-keyshortcuts", keys);
    button.append(make("kbd", { part: "key", "aria-hidden": true }, "/"));
  }
  const closer = make("button", { part: "close", type: "button", "aria-label": texts.close }, icon(CROSS));
  view.form.append(closer);
  const dialog = make("dialog", { part: "dialog", "aria-label": texts.search }, ...view.nodes);
  closer.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // One Escape closes it, whatever the list would make of the key.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation(), true);
  return [button, dialog];
}
