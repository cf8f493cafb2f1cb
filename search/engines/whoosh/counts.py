"""Say of each hit how often the words asked for stand in its body: what its snippets have to find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search import query as queries
from search.engines.whoosh.arrays import Array
from search.engines.whoosh.leaves import stands
from search.engines.whoosh.order import Place
from search.engines.whoosh.postings import FIELD_NAMES
from search.engines.whoosh.snapshot import Snapshot, View
from search.query import Phrase, Prefix, Query, Word

BODY = FIELD_NAMES.index("body")


def counts(query: Query, snapshot: Snapshot, places: Sequence[Place]) -> list[dict[str, int]]:
    """By hit: of each stem asked for, and of each prefix (as `begin*`), how many words of the body are of it."""
    found: list[dict[str, int]] = [{} for _ in places]
    stems, prefixes = _asked(query)
    for number in {place.segment for place in places}:
        view = snapshot.views[number]
        hits = sorted((place.doc, i) for i, place in enumerate(places) if place.segment == number)
        docs = np.array([doc for doc, _ in hits])
        for stem in stems:
            for (_, hit), count in zip(hits, _of_stem(view, stem, docs), strict=True):
                found[hit][stem] = count
        for prefix in prefixes:
            body = Prefix(prefix.text, "body")
            for (_, hit), count in zip(hits, _of_prefix(view, body, docs), strict=True):
                found[hit][f"{prefix.text}*"] = count
    return found


def forms(query: Query, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The surface forms of each stem asked for, wherever in the index they stand."""
    return {
        stem: tuple(sorted({form for view in snapshot.views for form in view.words.forms_of(view.words.stem(stem))}))
        for stem in _asked(query)[0]
    }


def _asked(query: Query) -> tuple[list[str], list[Prefix]]:
    stems: dict[str, None] = {}
    prefixes = []
    for term in queries.terms(query):
        match term:
            case Word(stem):
                stems[stem] = None
            case Phrase(words):
                stems |= dict.fromkeys(word.stem for word in words)
            case Prefix():
                prefixes.append(term)
    return list(stems), prefixes


def _of_stem(view: View, stem: str, docs: Array) -> list[int]:
    term = view.postings.term(BODY, view.words.stem(stem))
    if term is None:
        return [0] * len(docs)
    places, held = _places(view.postings.docs(term), docs)
    return [int(count) for count in np.where(held, view.postings.frequencies(term, places), 0)]


def _of_prefix(view: View, prefix: Prefix, docs: Array) -> list[int]:
    for stand in stands(prefix, view):
        places, held = _places(stand.docs, docs)
        return [int(count) for count in np.where(held, stand.frequencies(places), 0)]
    return [0] * len(docs)


def _places(among: Array, docs: Array) -> tuple[Array, Array]:
    """Where these documents stand among others (somewhere, where they do not), and whether they do."""
    places = among.searchsorted(docs.astype(among.dtype))
    places[places == len(among)] = 0
    return places, among[places] == docs
