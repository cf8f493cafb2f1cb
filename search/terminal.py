"""An answer as text for a terminal, and as JSON with the names of the API; and how times and sizes are written."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

import click

from search.answer import Answer, Result
from search.article import iso
from search.engines import DateFacet, Facet
from search.snippets import Snippet, to_html

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Text for a terminal: an article's escape sequences would be obeyed there."""
    return _CONTROL.sub(" ", text)


def day(moment: datetime, timezone: tzinfo) -> str:
    """The day of a moment, there."""
    try:
        return moment.astimezone(timezone).date().isoformat()
    except OverflowError:  # the first and the last day that there are
        return moment.date().isoformat()


def minute(moment: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def size(of: float) -> str:
    """So many bytes, in the unit that fits."""
    for unit in ("bytes", "kB", "MB"):
        if of < 1000:
            return f"{of:.0f} {unit}"
        of /= 1000
    return f"{of:,.1f} GB"


def as_json(data: Any) -> str:
    """Plain data and moments, to be read by people too."""
    return json.dumps(data, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat())


def lines(found: Answer) -> Iterator[str]:
    """The answer as text. What matched is bold on a terminal, in brackets elsewhere."""
    for part in found.query.ignored:
        yield plain(f"Not used: {part.text!r} ({part.reason})")
    if found.is_unquoted:
        yield "No article has what was quoted together with all else; these were found by its words."
    if found.relaxed:
        whole = f"{found.whole:,} {'has' if found.whole == 1 else 'have'}" if found.whole else "No article has"
        yield f"{whole} all the words; these have {found.minimum} or more of them."
    page = f"page {found.query.page} of {found.pages}, " if found.pages > 1 else ""
    yield f"{found.total:,} {'article' if found.total == 1 else 'articles'} ({page}{found.took_ms} ms)"
    first = (found.query.page - 1) * found.query.per_page + 1
    for number, result in enumerate(found.results, first):
        yield ""
        yield from _result(number, result, found.query.timezone)
    counted = [(name, _facet(facet)) for name, facet in found.facets.items()]
    if any(text for _, text in counted):
        yield ""
        yield from (f"{name}: {text}" for name, text in counted if text)


def _result(number: int, result: Result, timezone: tzinfo) -> Iterator[str]:
    article = result.article
    margin = " " * (len(str(number)) + 2)
    about = (
        article.section,
        day(article.published, timezone) if article.published else "undated",
        article.url or article.id,
        f"score {result.score:.2f}" if result.score is not None else None,
    )
    yield f"{number}. {_marked(result.title) or plain(article.id)}"
    yield margin + plain(" · ".join(part for part in about if part))
    for snippet in result.snippets:
        yield margin + _marked(snippet)


def _marked(snippet: Snippet) -> str:
    parts, end = [], 0
    for start, stop in snippet.marks:
        word = plain(snippet.text[start:stop])
        parts += [plain(snippet.text[end:start]), click.style(word, bold=True) if sys.stdout.isatty() else f"[{word}]"]
        end = stop
    return " ".join("".join([*parts, plain(snippet.text[end:])]).split())


def _facet(facet: Facet | DateFacet) -> str:
    values = [f"{plain(item.value)} {item.count:,}{' (chosen)' if item.selected else ''}" for item in facet.values]
    if isinstance(facet, Facet) and facet.other:
        values.append(f"others {facet.other:,}")
    if facet.missing:
        values.append(f"none {facet.missing:,}")
    inside = [_facet(item.inside) for item in facet.values if item.inside] if isinstance(facet, DateFacet) else []
    return "; ".join([", ".join(values), *inside])


def data(found: Answer) -> dict[str, Any]:
    """The answer as JSON, with the names of the API."""
    return {
        "query": {
            "q": found.query.text,
            "sort": found.query.sort,
            "ignored": [{"text": part.text, "reason": part.reason} for part in found.query.ignored],
            "relaxed": found.relaxed,
            "unquoted": found.is_unquoted,
        },
        "total": found.total,
        "groups": found.groups,
        "page": found.query.page,
        "per_page": found.query.per_page,
        "pages": found.pages,
        "took_ms": found.took_ms,
        "results": [_result_data(result) for result in found.results],
        "facets": {name: _facet_data(facet) for name, facet in found.facets.items()},
    }


def _result_data(result: Result) -> Mapping[str, Any]:
    article = result.article
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "summary": article.summary,
        "section": article.section,
        "authors": article.authors,
        "tags": article.tags,
        "published": iso(article.published) if article.published else None,
        "status": article.status,
        "score": result.score,
        "highlight": {"title": to_html(result.title), "snippets": [to_html(part) for part in result.snippets]},
    }


def _facet_data(facet: Facet | DateFacet) -> dict[str, Any]:
    values = [{"value": item.value, "count": item.count, "selected": item.selected} for item in facet.values]
    if isinstance(facet, Facet):
        return {"values": values, "other": facet.other, "missing": facet.missing}
    for value, period in zip(values, facet.values, strict=True):
        if period.inside:
            value["inside"] = _facet_data(period.inside)
    return {"interval": facet.interval, "values": values, "missing": facet.missing}
