// Make nodes: never by parsing HTML, so that it works under Trusted Types and whatever a text holds stays text.

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'" };

export function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  node.append(...children);
  return node;
}

export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

// The service escapes a text and puts <mark> around what was asked for: nothing else is read as HTML.
export function marked(html) {
  return html.split(/<\/?mark>/).map((part, number) => {
    const text = part.replace(/&[#\w]+;/g, (sign) => SIGNS[sign] ?? sign);
    return number % 2 ? make("mark", {}, text) : text;
  });
}

// An address that may be followed, seen from `base`: an article may have come with javascript:.
export function address(url, base) {
  const found = url ? new URL(url, base) : null;
  return found && /^https?:$/.test(found.protocol) ? found.href : "";
}
