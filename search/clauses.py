"""What a query is made of: words, phrases, prefixes, and how they are combined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `stem` finds it, `form` is the word as typed, folded; capitals in it only for an acronym (`US`).

    `field` is a name of `fields.SEARCHED`, or None: any of them with a weight. Its score is multiplied by `weight`.
    """

    stem: str
    form: str
    field: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side in one field. `exact`: as typed (quoted); else any word of each stem."""

    words: tuple[Word, ...]
    exact: bool = True
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """Words that stand in one field with `slop` other places between them at most, in any order, in any form."""

    words: tuple[Word, ...]
    slop: int
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word whose folded form, in small letters, begins with `text`."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these. `spellings`: they are ways to write one word, as `e-mail` and `email`."""

    of: tuple[Clause, ...]
    spellings: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    """All of these: what stands between two ORs, or in parentheses."""

    of: tuple[Clause, ...]


Leaf = Word | Phrase | Near | Prefix
Clause = Leaf | Either | Both


def leaves(clauses: Iterable[Clause]) -> Iterator[Leaf]:
    """The words, phrases and prefixes, without what combines them."""
    for clause in clauses:
        if isinstance(clause, Either | Both):
            yield from leaves(clause.of)
        else:
            yield clause


def is_free(clause: Clause) -> bool:
    """Typed without quotes, OR or a field: the reader did not insist on it."""
    match clause:
        case Word(field=None) | Prefix(field=None) | Phrase(exact=False, field=None):
            return True
        case Either(of, spellings=True):
            return all(is_free(spelling) for spelling in of)
    return False
