"""Say of each hit how often the words asked for stand in its texts: what its snippets have to find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from search import query as queries
from search.clauses import Phrase, Prefix, Word
from search.engines.whoosh.arrays import Array, places_of
from search.engines.whoosh.leaves import stands
from search.engines.whoosh.order import Place
from search.engines.whoosh.postings import FIELD_NAMES
from search.engines.whoosh.snapshot import Snapshot, View
from search.query import Query

TEXTS = {FIELD_NAMES.index(name): name for name in ("title", "summary", "body")}

Counts = dict[str, dict[str, int]]
Forms = Mapping[str, tuple[str, ...]]


def counts_and_forms(
    query: Query, snapshot: Snapshot, places: Sequence[Place]
) -> tuple[Sequence[Counts | None], Forms]:
    """By hit and field how often each stem and prefix stands there (`Hit.counts`); and the forms of each stem.

    The forms are those of the segments that the hits lie in.
    """
    if not query.highlight:
        return [None] * len(places), {}
    found: list[Counts] = [{name: {} for name in TEXTS.values()} for _ in places]
    stems, prefixes = _asked(query)
    forms: dict[str, set[str]] = {stem: set() for stem in stems}
    for number in {place.segment for place in places}:
        view = snapshot.views[number]
        hits = sorted((place.doc, i) for i, place in enumerate(places) if place.segment == number)
        docs = [doc for doc, _ in hits]
        for stem in stems:
            for field, i, count in _of_stem(view, stem, docs, forms[stem]):
                found[hits[i][1]][field][stem] = count
        for prefix in prefixes:
            for field, i, count in _of_prefix(view, prefix, docs):
                found[hits[i][1]][field][f"{prefix}*"] = count
    return found, {stem: tuple(sorted(of_stem)) for stem, of_stem in forms.items()}


def _asked(query: Query) -> tuple[list[str], list[str]]:
    """The stems and the prefixes."""
    stems: dict[str, None] = {}
    prefixes: dict[str, None] = {}
    for term in queries.terms(query):
        match term:
            case Word(stem):
                stems[stem] = None
            case Phrase(words):
                stems |= dict.fromkeys(word.stem for word in words)
            case Prefix(text):
                prefixes[text] = None
    return list(stems), list(prefixes)


def _of_stem(view: View, stem: str, docs: list[int], forms: set[str]) -> Iterator[tuple[str, int, int]]:
    """The field, which of the documents, and how often; its forms go to the others."""
    number = view.words.stem(stem)
    if number is None:
        return
    forms.update(view.words.forms_of(number))
    for field, term in view.postings.terms_of(number):
        if field in TEXTS:
            which, places = _places(view.postings.docs(term), docs)
            if which:
                for i, count in zip(which, view.postings.frequencies(term, np.array(places)).tolist(), strict=True):
                    yield TEXTS[field], i, count


def _of_prefix(view: View, prefix: str, docs: list[int]) -> Iterator[tuple[str, int, int]]:
    for stand in stands(Prefix(prefix), view):
        if stand.field in TEXTS:
            which, places = _places(stand.docs, docs)
            if which:
                for i, count in zip(which, stand.frequencies(np.array(places)).tolist(), strict=True):
                    yield TEXTS[stand.field], i, int(count)


def _places(among: Array, docs: list[int]) -> tuple[list[int], list[int]]:
    """Which of these documents are among others, and at what places there."""
    places, held = places_of(np.array(docs), among)
    which = held.nonzero()[0].tolist()
    return which, places[which].tolist()
