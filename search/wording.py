"""A query in words: how each part of it was read, and what that asks of an article."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from search import fields
from search.article import iso
from search.clauses import Clause, Either, Near, Phrase, Prefix, Word, is_free, leaves
from search.explanation import Wanted, beside, name
from search.query import Query

NEEDED, WANTED, OUT = "must be there", "wanted", "must not be there"
ADDS = "adds to the score"
SPARED = "need not be there, beside other words"


@dataclass(frozen=True, slots=True)
class Read:
    """A part of the query: as a reader would type it, what its words were stemmed to, what is found by it, what for."""

    name: str
    stems: tuple[tuple[str, str], ...]
    weight: float
    kind: str
    effect: str


def lines(query: Query, wanted: Wanted, is_unquoted: bool) -> Iterator[str]:
    """All of it as text."""
    if is_unquoted:
        yield "No article has what was quoted, word for word; its words are asked for."
    pairs = [beside(pair) for pair in query.near]
    yield from (_line(part) for part in read(query, wanted) if part.name not in pairs)
    if pairs:
        yield f"{', '.join(pairs)}: {_adds_to_best()}"
    yield from conditions(query)
    yield from enough(wanted)


def read(query: Query, wanted: Wanted) -> Iterator[Read]:
    """The clauses."""
    some = WANTED if wanted.minimum < wanted.words else NEEDED
    for clause in query.required:
        if leaves((clause,)) and clause != Phrase(()):  # which stands for nothing that could be used
            yield _read(clause, some if is_free(clause) else NEEDED)
    yield from (_read(clause, OUT) for clause in query.excluded)
    yield from (_read(word, SPARED) for word in query.spared)
    yield from (_read(clause, ADDS) for clause in query.optional)
    yield from (Read(beside(pair), stems(pair), 1.0, _kind(pair), _adds_to_best()) for pair in query.near)


def conditions(query: Query) -> Iterator[str]:
    """The dates and the filters, and what could not be used."""
    if query.required == (Phrase(()),):
        yield "nothing of it could be used, so nothing is found"
    elif not (query.required or query.optional):
        yield "no word: every article that passes the rest"
    if query.after or query.before:
        yield f"published {' and '.join(span(query.after, query.before))} (typed)"
    if query.filters.from_date or query.filters.until:
        yield f"published {' and '.join(span(query.filters.from_date, query.filters.until))} (filter)"
    for filter in fields.FILTERS:
        if chosen := getattr(query.filters, filter):
            yield f"{filter} {' or '.join(chosen)} (filter)"
    for part in query.ignored:
        yield f"not used: {part.text!r} ({part.reason})"


def enough(wanted: Wanted) -> Iterator[str]:
    """How many of the words must be there, and why."""
    if wanted.words < 2:
        return
    whole = wanted.having[-1]
    have = "1 article has" if whole == 1 else f"{whole:,} articles have" if whole else "no article has"
    if wanted.minimum == wanted.words:
        every = "Both" if wanted.words == 2 else f"All {wanted.words}"
        yield f"{every} words must be there: {have} all."
        return
    why = f"fewer than {wanted.enough:,} articles have more" if wanted.enough > 1 else "no article has more"
    yield f"{wanted.minimum} of the {wanted.words} words must be there: {why}."
    steps = list(enumerate(wanted.having, 1))[wanted.minimum - 1 : -1]
    fewer = [f"{n} or more: {count:,}" for n, count in reversed(steps)]
    yield f"How many articles have all words: {', '.join([f'{whole:,}', *fewer])}."


def span(start: datetime | None, until: datetime | None) -> tuple[str, ...]:
    """From when and before when, as far as that is said."""
    return (*((f"from {iso(start)}",) if start else ()), *((f"before {iso(until)}",) if until else ()))


def stems(clause: Clause) -> tuple[tuple[str, str], ...]:
    """The words of a clause, and the stem of each."""
    found: dict[str, str] = {}
    for leaf in leaves((clause,)):
        words = (leaf,) if isinstance(leaf, Word) else () if isinstance(leaf, Prefix) else leaf.words
        found |= {word.form: word.stem for word in words}
    return tuple(found.items())


def _adds_to_best() -> str:
    return f"{ADDS} of the best {fields.POOL}"


def _read(clause: Clause, effect: str) -> Read:
    weight = clause.weight if isinstance(clause, Word) else 1.0
    return Read(name(clause), stems(clause), weight, _kind(clause), effect)


def _line(read: Read) -> str:
    weight = f", weight {read.weight:.2f}" if read.weight != 1 else ""
    stems = ", ".join(stem if len(read.stems) == 1 else f"{form} → {stem}" for form, stem in read.stems)
    label = "stem" if len(read.stems) == 1 else "stems:"
    told = f" ({label} {stems}{weight})" if stems else ""
    return f"{read.name}{told}: {f'{read.kind}; ' if read.kind else ''}{read.effect}"


def _kind(clause: Clause) -> str:
    match clause:
        case Word():
            return ""
        case Phrase(exact=True):
            return "word for word"
        case Phrase():
            return "side by side, in any form"
        case Near(slop=0):
            return "side by side, in any order and form"
        case Near():
            return f"{clause.slop} other words between them at most, in any order and form"
        case Prefix():
            return "any word that begins so"
        case Either(spellings=True):
            return "ways to write one word, of which the one that says most counts"
        case Either():
            return "any of these"
    return "all of these"
