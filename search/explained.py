"""Why an article stands where it does: asked of an engine, and told as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from search import explanation as states
from search import fields, wording
from search.answer import NOTHING, ask, usable
from search.article import iso
from search.clauses import Word, is_free
from search.engines import ArticleMissing, Engine
from search.explanation import Barrier, Explanation, InField, Part
from search.query import Query
from search.terminal import day

MARGIN = " " * 11

# Of an article of which nothing else may be told: what is said, and how to see more.
HIDDEN = {
    states.TAKEN_DOWN: "It is taken down, and found by nothing; `broadsheet takedowns` says why, "
    "`broadsheet takedowns --undo {id}` undoes it.",
    states.WITHDRAWN: "It is withdrawn by its status, and found by nothing; its source has the status: "
    "change it there and index it again.",
    states.EMBARGOED: "It is under embargo until {until}, and found by nothing; then it appears by itself.",
    states.PENDING: "It is accepted and not searchable yet; `broadsheet index` or `broadsheet reindex` makes it so.",
}
ORDERS = {"relevance": "", "newest": ", the newest first", "oldest": ", the oldest first"}


def explain(engine: Engine, query: Query, article: str) -> Explanation:
    """Why the article of this id or URL stands where it does in the answer to the query, as a reader would get it.

    Raises:
        ArticleMissing: nothing of that id or URL was ever accepted.
        EngineUnavailable, IndexMissing: as for an answer.
    """
    asked, _, is_unquoted = ask(engine, replace(query, per_page=0, facets=(), highlight=False))
    found = engine.explain(usable(asked), article)
    if found.state == states.UNKNOWN:
        raise ArticleMissing(
            f"there is no article {article!r}, not even one that is not searchable yet: `broadsheet search` shows the "
            "address or id of each, `broadsheet index PATH` adds it"
        )
    return replace(found, is_unquoted=is_unquoted)


def lines(found: Explanation) -> Iterator[str]:
    """The explanation as text."""
    yield from _heading(found)
    yield ""
    if found.article is None:
        until = iso(found.hidden_until) if found.hidden_until else "its time"
        yield HIDDEN[found.state].format(id=found.id, until=until)
    else:
        yield _standing(found)
        if found.changed:
            yield "Another version of it is accepted and not searchable yet; this is of the one that readers find."
        if found.rank is None:
            yield from (f"- {reason}" for reason in _reasons(found))
    yield ""
    yield "The query, as it was read:"
    yield from (f"  {text}" for text in wording.lines(found.query, found.wanted, found.is_unquoted))
    if parts := list(_parts(found)):
        yield from ("", *parts)


def _heading(found: Explanation) -> Iterator[str]:
    article = found.article
    if article is None:
        yield found.id
        return
    published = day(article.published, found.query.timezone) if article.published else "undated"
    yield article.title or article.id
    yield " · ".join(part for part in (article.section, published, article.id, article.url) if part)


def _standing(found: Explanation) -> str:
    if found.rank is None:
        return f"It is not among the {found.total:,} found:" if found.total else "It is not found, and nothing is:"
    rank = f"Rank {found.rank:,} of {found.total:,}"
    if found.score is not None:
        return f"{rank}, score {found.score:.3f}."
    article = found.article
    date = article.published if article else None
    of = f"published {iso(date)}" if date else "undated, so after all that have a date"
    return f"{rank}{ORDERS[found.query.sort]}: {of}. Nothing is scored."


# What keeps it out.


def _reasons(found: Explanation) -> Iterator[str]:
    if found.query.required == (NOTHING,):
        yield "nothing of the query could be used"
        return
    wanted = found.wanted
    missing = [part for part in found.parts if part.role == "required" and not part.matches]
    free = [part for part in missing if part.clause and is_free(part.clause)]
    if wanted.has < wanted.minimum and wanted.words > 1:
        yield f"it has {wanted.has} of the {wanted.words} words, and {wanted.minimum} must be there"
    for part in missing:
        if part not in free or wanted.has < wanted.minimum:
            yield _lacks(part)
    for part in found.excluded:
        if part.matches:
            yield f"it has {part.name}, which is excluded{_where(part)}"
    yield from map(_barrier, found.barriers)


def _lacks(part: Part) -> str:
    close = f"; it has {', '.join(part.close)}" if part.close else ""
    stem = f" (any word of the stem {part.clause.stem})" if isinstance(part.clause, Word) else ""
    inside = [of.name for of in part.of if of.matches]
    return f"it lacks {part.name}{stem}{close}{f'; it has {chr(44).join(inside)}' if inside else ''}"


def _where(part: Part) -> str:
    of = part.fields or [found for inside in part.of for found in inside.fields]
    return f": {', '.join(dict.fromkeys(found.field for found in of))}" if of else ""


def _barrier(barrier: Barrier) -> str:
    has = ", ".join(barrier.has)
    if "date" in barrier.name:
        date = f"was published {has}" if has else "is undated, and no filter of dates finds it"
        return f"it {date}; asked for is what was published {' and '.join(barrier.wanted)}"
    return f"its {barrier.name} is {has or 'none'}; asked for is {' or '.join(barrier.wanted)}"


# What makes its score.


def _parts(found: Explanation) -> Iterator[str]:
    if found.score is None:
        there = [part for part in found.parts if part.matches]
        if there:
            yield "What it has of the query:"
        for part in there:
            yield f"  {part.name}: {'; '.join(map(_counts, part.fields)) or _of(part)}"
        return
    yield "The score, part by part:"
    apart = [part.name for part in found.parts if part.role == "nearness" and not part.matches]
    for part in found.parts:
        if part.name not in apart:
            yield from _part(found, part, part.score)
    if apart:
        yield f"{0:9.3f}  nowhere in it: {', '.join(apart)}"
    yield f"{found.score:9.3f}  together"
    if found.again is not None:
        which = "It is among" if found.again else "It is not among"
        yield f"{which} the best {fields.POOL} by their words, which are scored again for what is near and alike."


def _part(found: Explanation, part: Part, score: float | None, margin: str = "") -> Iterator[str]:
    begin = f"{score:9.3f}  " if score is not None else f"{MARGIN}{margin}"
    yield begin + STEPS.get(part.role, _of_clause)(found, part)
    yield from (f"{MARGIN}{margin}  {_in_field(where)}" for where in part.fields)
    for inside in part.of:
        yield from _part(found, inside, None, f"{margin}  ")


def _of_clause(found: Explanation, part: Part) -> str:
    if part.articles is None:
        return f"{part.name}{_said(part)}"
    known = f"{part.name}{_said(part)}: in {part.articles:,} of {found.articles:,} articles"
    weight = f", weight {part.weight:.2f}" if part.weight != 1 else ""
    return f"{known}, idf {part.idf:.3f}{weight}, tf {part.tf:.3f}" if part.matches else known


def _said(part: Part) -> str:
    return " is not there" + (f" (it has {', '.join(part.close)})" if part.close else "") if not part.matches else ""


def _of_nearness(_found: Explanation, part: Part) -> str:
    return f"{part.name}: idf {part.idf:.3f} together, weight {part.weight:.2f}, tf {part.tf:.3f}"


def _of_feedback(_found: Explanation, part: Part) -> str:
    if not part.matches:
        return f"nothing of what the best {fields.FEEDBACK_ARTICLES} have in common"
    shared = ", ".join(f"{stem} {score:.3f}" for stem, score in part.shared)
    return f"words that the best {fields.FEEDBACK_ARTICLES} have in common, by stem: {shared}"


def _of_freshness(_found: Explanation, part: Part) -> str:
    return f"the subject is in the news, where the new scores more: × {part.weight:.3f}"


STEPS = {"freshness": _of_freshness, "nearness": _of_nearness, "feedback": _of_feedback}


def _of(part: Part) -> str:
    return "; ".join(f"{inside.name} {', '.join(map(_counts, inside.fields))}" for inside in part.of if inside.matches)


def _counts(where: InField) -> str:
    forms = ", ".join(f"{form.count} × {form.form}" for form in where.forms) or f"{where.count} ×"
    return f"{where.field} {forms}"


def _in_field(where: InField) -> str:
    forms = ", ".join(
        f"{form.count} × {form.form}{f' at {form.counts:g}' if form.counts != 1 else ''}" for form in where.forms
    )
    length = f"{where.length:,} words, mean {where.mean:,.1f}, weight {where.weight:g}"
    often = f"{forms or f'{where.count} ×'}: {where.frequency:g} × {where.factor:.3f}"
    return f"{where.field} {often} ({length})"


# For programs.


def data(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON."""
    article = found.article
    return {
        "id": found.id,
        "state": found.state,
        "hidden_until": iso(found.hidden_until) if found.hidden_until else None,
        "title": article.title if article else None,
        "url": article.url if article else None,
        "published": iso(article.published) if article and article.published else None,
        "rank": found.rank,
        "total": found.total,
        "articles": found.articles,
        "score": found.score,
        "again": found.again,
        "changed": found.changed,
        "query": {
            "q": found.query.text,
            "sort": found.query.sort,
            "unquoted": found.is_unquoted,
            "ignored": [{"text": part.text, "reason": part.reason} for part in found.query.ignored],
            "read": [_read_data(read) for read in wording.read(found.query, found.wanted)],
            "asked": [*wording.conditions(found.query), *wording.enough(found.wanted)],
        },
        "wanted": asdict(found.wanted),
        "reasons": list(_reasons(found)) if article and found.rank is None else [],
        "barriers": [asdict(barrier) for barrier in found.barriers],
        "parts": [_data(part) for part in found.parts],
        "excluded": [_data(part) for part in found.excluded],
    }


def _data(part: Part) -> dict[str, Any]:
    said = asdict(replace(part, clause=None, of=()))
    del said["clause"]
    stems = wording.stems(part.clause) if part.clause else ()
    said["shared"] = dict(part.shared)
    return said | {"stems": dict(stems), "of": [_data(inside) for inside in part.of]}


def _read_data(read: wording.Read) -> dict[str, Any]:
    return asdict(read) | {"stems": dict(read.stems)}
