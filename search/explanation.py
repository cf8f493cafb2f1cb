"""What is said of where one article stands in an answer: each part of its score, or what keeps it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from search import analysis, fields
from search.article import Article
from search.clauses import Both, Clause, Either, Near, Phrase, Prefix, Word
from search.query import Query

# Where an article can be. What is hidden says nothing of itself.
VISIBLE, WITHDRAWN, EMBARGOED, TAKEN_DOWN, PENDING, UNKNOWN = (
    "visible",
    "withdrawn",
    "embargoed",
    "taken down",
    "pending",  # accepted, and not searchable yet
    "unknown",
)
CLOSE, ALIKE = 3, 0.75  # so many words of the article are named for one that it lacks, so alike (difflib) or more
SHORTEST = 4  # letters of such a word: much is like `or`


@dataclass(frozen=True, slots=True)
class Form:
    """A word as it stands in a field: how often, and what each time counts."""

    form: str
    count: int
    counts: float


@dataclass(frozen=True, slots=True)
class InField:
    """Where a clause stands in one field of the article.

    `frequency` is `count`, with less for other words of the stem. It is multiplied by `factor`, which `weight` and the
    `length` of the field against its `mean` make.
    """

    field: str
    count: int
    frequency: float
    length: int
    mean: float
    weight: float
    factor: float
    forms: tuple[Form, ...] = ()  # of words and prefixes


@dataclass(frozen=True, slots=True)
class Part:
    """What one clause, or one step of the ranking, adds to the score.

    `role`: required | optional | excluded, or a step of the ranking: freshness (which multiplies what came before by
    `weight`), nearness, feedback, or another one of the engine. `matches`: whether the article has it. `articles` hold
    it, which makes its `idf`; `tf` is the sum over `fields`. `of`: the parts of a group, which score together; of ways
    to write one word the best alone. `close`: words of the article that are like one that it lacks. `shared`: of
    feedback, the stems that add most.
    """

    role: str
    name: str
    clause: Clause | None = None
    matches: bool = True
    score: float = 0.0
    weight: float = 1.0
    articles: int | None = None
    idf: float | None = None
    tf: float | None = None
    fields: tuple[InField, ...] = ()
    of: tuple[Part, ...] = ()
    close: tuple[str, ...] = ()
    shared: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many of the words that may be missing must be there.

    `minimum` of `words`, as fewer than `enough` articles have more of them. `having`:
    how many articles have one or more, two or more, and so on, filters aside. `has`: how many this one has.
    """

    words: int = 0
    minimum: int = 0
    enough: int = 0
    having: tuple[int, ...] = ()
    has: int = 0


@dataclass(frozen=True, slots=True)
class Barrier:
    """A filter or a date that the article does not pass: a name of `fields.FILTERS`, `date`, or `typed date`."""

    name: str
    wanted: tuple[str, ...]
    has: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where an article stands in the answer to `query`, as it was asked in the end, and why.

    `rank` of `total`, of all the `articles` that may be seen; None where it is not found. `score` is the sum of those
    of `parts`; None where it is not found, or nothing is scored. `again`: whether it was among the best that are
    scored again; None where none is. `hidden_until`: when an embargo ends. `changed`: another version of it is
    accepted, and not searchable yet. `is_unquoted`: no article has what was quoted, so its words were asked for.
    """

    id: str
    state: str
    query: Query
    article: Article | None = None
    articles: int = 0
    total: int = 0
    rank: int | None = None
    score: float | None = None
    again: bool | None = None
    parts: tuple[Part, ...] = ()
    excluded: tuple[Part, ...] = ()
    wanted: Wanted = Wanted()
    barriers: tuple[Barrier, ...] = ()
    hidden_until: datetime | None = None
    changed: bool = False
    is_unquoted: bool = False


def name(clause: Clause) -> str:
    """The clause as a reader would type it."""
    match clause:
        case Either(of, spellings):
            return (" or " if spellings else " OR ").join(map(name, of))
        case Both(of):
            return f"({' '.join(map(name, of))})"
    words = " ".join(word.form for word in getattr(clause, "words", ()))
    field = f"{clause.field}:" if clause.field else ""
    match clause:
        case Word():
            return field + clause.form
        case Prefix():
            return f"{field}{clause.text}*"
        case Near():
            return f'{field}"{words}"~{clause.slop}'
        case Phrase(exact=True):
            return f'{field}"{words}"'
    return field + words


def beside(pair: Near) -> str:
    """Two neighbours in the query, as they add to the score where they stand near each other."""
    return (" near " if pair.slop else " beside ").join(word.form for word in pair.words)


def forms(article: Article, field: str | None = None) -> list[str]:
    """The words of the article, or of one field of it, folded, in the order of the text; one may come twice."""
    found = []
    for searched in fields.SEARCHED:
        if searched.name == field or (field is None and searched.weight):
            value = getattr(article, searched.name)
            for text in (value,) if isinstance(value, str) else value or ():
                found += [token.form for token in analysis.tokens(text)]
    return found


def close(article: Article, word: Word) -> tuple[str, ...]:
    """Words of the article that are like one that it lacks: spelled alike, or of the same beginning."""
    form = word.form.lower()
    if len(form) < SHORTEST:
        return ()
    there = {each.lower(): None for each in forms(article, word.field)}
    begin = form[: max(SHORTEST, len(word.stem) - 2)]
    alike = get_close_matches(form, there, CLOSE, ALIKE)
    same = [each for each in there if each.startswith(begin)]
    return tuple(dict.fromkeys((*alike, *same)))[:CLOSE]
