// The script of the search page: without it everything works, with it nothing reloads.

import { offerRange } from "./range.js";
import { offerSuggestions } from "./suggestions.js";
import { visitWithin } from "./visits.js";

const form = document.querySelector("form.search");
const visit = visitWithin(form, () => offerRange(document.querySelector("figure.timeline"), (url) => visit(url)));
offerSuggestions(form, document.querySelector(".masthead").dataset);
