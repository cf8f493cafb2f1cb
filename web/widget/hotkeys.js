// The keys that open a search from anywhere in a document: / and mod+K, with Ctrl or the Mac's Command for mod.

export const HOTKEYS = "/ Control+K Meta+K"; // as aria-keyshortcuts has it

const WRITABLE = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

const isSlash = (event) => event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isWriting(event);
const isModK = (event) =>
  event.key.toLowerCase() === "k" && event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey;

// Whether the key is meant as a character; the first of the path is the node in the focus, in whatever shadow tree.
function isWriting(event) {
  const [focused] = event.composedPath();
  return focused instanceof Element && focused.matches(WRITABLE);
}

// Call `open` until the signal aborts. Of several on a page the first takes the key: the others see it as handled.
export function listen(open, signal) {
  const hear = (event) => {
    if (event.defaultPrevented || event.isComposing || !(isSlash(event) || isModK(event))) return;
    event.preventDefault();
    open();
  };
  document.addEventListener("keydown", hear, { signal });
}
