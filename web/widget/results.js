// An answer as options of a list: each a real link, made of a template, under its section if that is wished.

import { address, make, marked } from "./nodes.js";

export const STATUSES = ["corrected", "retracted"]; // what an article says of itself by a badge

// What a template may show, by its data-field.
const FIELDS = {
  title: (result) => marked(result.highlight.title || result.url || "–"),
  snippet: (result) => marked(result.highlight.snippets[0] ?? ""),
  notice: (result) => [result.notice ?? ""],
  section: (result, { isGrouped }) => [isGrouped ? "" : (result.section ?? "")], // their group says it
  date: (result, { day }) => [result.published ? day.format(new Date(result.published)) : ""],
  authors: (result) => [result.authors.join(", ")],
  status: (result, { texts }) => [STATUSES.includes(result.status) ? texts[result.status] : ""],
  image: (result) => [result.image ?? ""],
};

// The template where the site gives none; an article goes its own direction.
export function plain() {
  const field = (name) => make("span", { part: name, "data-field": name });
  const about = ["status", "section", "date"].map((part) => make("span", { part }, make("bdi", { "data-field": part })));
  return make("span", { dir: "auto" }, field("title"), make("span", { part: "about" }, ...about), field("notice"), field("snippet"));
}

// `look`: texts, day (a date format), base, template, isGrouped.
export function options(results, look) {
  if (!look.isGrouped) return results.map((result) => option(result, look));
  const groups = Map.groupBy(results, (result) => result.section ?? "");
  return [...groups].map(([section, inside]) => {
    const found = inside.map((result) => option(result, look));
    if (!section) return make("div", { part: "group", role: "group" }, ...found);
    const name = make("span", { part: "group-name", "aria-hidden": true, dir: "auto" }, section);
    return make("div", { part: "group", role: "group", "aria-label": section }, name, ...found);
  });
}

export function option(result, look) {
  const inside = look.template.cloneNode(true);
  for (const place of inside.querySelectorAll("[data-field]")) fill(place, result, look);
  const href = address(result.url, look.base);
  const link = make("a", { part: "result", role: "option", "aria-selected": false, tabindex: -1 }, inside);
  // An article without an address of the web can be read about, not gone to.
  link.setAttribute(...(href ? ["href", href] : ["aria-disabled", true]));
  link.result = result;
  return link;
}

function fill(place, result, look) {
  const name = place.dataset.field;
  if (!FIELDS[name]) console.error(`broadsheet-search: no data-field "${name}"; there is ${Object.keys(FIELDS).join(", ")}`);
  const content = FIELDS[name]?.(result, look) ?? [];
  if (content.join("") === "") place.remove();
  else if (place.localName === "img") place.src = address(content[0], look.base);
  else place.replaceChildren(...content);
}
