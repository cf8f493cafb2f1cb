"""An object of JSON or a row of CSV, however its fields are called -> the fields of an article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from search.article import FIELDS

from . import dates, markup
from .mapping import Names
from .origin import NotAnArticle, Origin, people

# What most exports call them; taken where the field itself is not filled, and said.
ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("headline",),
    "body": ("content", "text", "articlebody"),
    "summary": ("description", "excerpt"),
    "authors": ("author", "byline"),
    "published": ("date", "published_at", "date_published", "pubdate"),
    "updated": ("modified", "updated_at", "date_modified", "lastmod"),
    "url": ("link", "permalink"),
    "section": ("category",),
    "tags": ("keywords",),
}
_LISTS = frozenset(("authors", "tags", "subheads", "related"))
_DATES = frozenset(("published", "updated", "embargo_until"))
_KNOWN = frozenset(FIELDS)
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_MARKS = ("|", ";", ",")  # what parts several in one cell: the first of these that is there
_HTML = re.compile(r"</(?:p|div|a|h[1-6]|li|em|strong)>|<br\s*/?>", re.I)
HTML = 'the text looks like HTML (a mapping file with html = ["body"] makes text of it)'
_MILLISECONDS = 100_000_000_000  # as seconds these would lie in the year 5138


def fields(record: Any, origin: Origin, *, in_cells: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The fields of an article, and what there is to note. `in_cells`: what is a list comes as one text."""
    if not isinstance(record, dict):
        raise NotAnArticle("not an article: it is JSON, but no object")
    data, notes = mapped(record, origin.mapping) if origin.mapping else aliased(record, origin)
    names = origin.mapping or Names()
    for name in data.keys() & _LISTS if in_cells else ():
        data[name] = _parted(name, data[name], names.separator)
    for name in data.keys() & _DATES:
        data[name] = _date(data[name], names.date_format, origin)
    for name in data.keys() & set(names.html):
        _to_text(name, data)
    if "body" not in names.html and isinstance(body := data.get("body"), str) and _HTML.search(body):
        notes.append(HTML)
    notes += unknown(data)
    return data, notes


def unknown(data: Mapping[str, Any]) -> list[str]:
    """A note on each field that is none of an article's."""
    return [f"unknown field {name!r} kept in extra" for name in sorted(data.keys() - _KNOWN)]


def aliased(record: dict[str, Any], origin: Origin) -> tuple[dict[str, Any], list[str]]:
    """The record with its fields called as ours where others call them otherwise, and that this was done."""
    if _KNOWN.issuperset(record):
        return record, []
    data, notes = dict(record), []
    names = {_plain(name): name for name in reversed(record)}
    for field in FIELDS:
        for other in (field, *ALIASES.get(field, ())):
            name = names.get(other, field)
            if name == field or data.get(field) not in _NOTHING:
                continue
            if (value := _fit(field, data.pop(name), origin)) is None:
                data[name] = record[name]
            elif value not in _NOTHING:
                data[field] = value
                if other != field:
                    notes.append(f"field {name!r} read as {field!r}")
    return data, notes


def mapped(record: Mapping[str, Any], names: Names) -> tuple[dict[str, Any], list[str]]:
    """The fields as the mapping file has it; those that it does not tell of stay what they are."""
    used = {path if path in record else path.split(".")[0] for paths in names.fields.values() for path in paths}
    data = {name: value for name, value in record.items() if name not in used}
    notes = []
    for field, paths in names.fields.items():
        values = (_pick(record, [path] if path in record else path.split(".")) for path in paths)
        data[field] = _shaped(field, next((value for value in values if value not in _NOTHING), None), names.separator)
        if not any((path if path in record else path.split(".")[0]) in record for path in paths):
            there = ", ".join(map(str, list(record)[:20]))
            notes.append(
                f"the mapping has {field!r} from {' or '.join(map(repr, paths))}, which is not there ({there})"
            )
    data.update(names.constants)
    return data, notes


def texts(names: Iterable[str], mapping: Names | None) -> set[str]:
    """Which of title and body records of these fields have."""
    there = {_plain(name) for name in names}
    mapping = mapping or Names()
    known = {
        field: {field, *ALIASES[field], *(_plain(path.split(".")[0]) for path in mapping.fields.get(field, ()))}
        for field in ("title", "body")
    }
    return {field for field, called in known.items() if there & called or field in mapping.constants}


def may_be_articles(names: Iterable[str], mapping: Names | None) -> bool:
    """Whether that is said by the names alone: both a title and a body, or one where a mapping file names it."""
    return len(texts(names, mapping)) >= (1 if mapping else 2)


@lru_cache(maxsize=1_000)
def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def _fit(field: str, value: Any, origin: Origin) -> Any:
    """The value as that of this field; None if it cannot be that."""
    if value in _NOTHING:
        return ""
    if field in _LISTS:
        if isinstance(value, str):
            return people(value) if field == "authors" else value
        return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None
    if not isinstance(value, str) or (field == "url" and not value.startswith(("http://", "https://"))):
        return None
    return dates.parse(value, origin.timezone) if field in _DATES else value


def _pick(value: Any, steps: list[str]) -> Any:
    """What lies there: of a list a step with a number is an item of it, any other goes into each of its items."""
    for n, step in enumerate(steps):
        if isinstance(value, list):
            if step.isdecimal():
                value = value[int(step)] if int(step) < len(value) else None
                continue
            return [found for item in value if (found := _pick(item, steps[n:])) not in _NOTHING]
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _shaped(field: str, value: Any, separator: str) -> Any:
    """A list where the field has several; one text of several where it has one."""
    if field in _LISTS:
        return _parted(field, value, separator) if separator or field == "authors" else value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n\n".join(value) if field == "body" else value[0]
    return value


def _parted(field: str, value: Any, separator: str) -> Any:
    if not isinstance(value, str):
        return value
    marks = _MARKS[:2] if field == "authors" else _MARKS  # a comma is also between the names of one
    mark = separator or next((mark for mark in marks if mark in value), "")
    if not mark:
        return people(value) if field == "authors" else [value]
    return [part.strip() for part in value.split(mark) if part.strip()]


def _date(value: Any, written: str, origin: Origin) -> Any:
    if value in _NOTHING or not isinstance(value, str | int | float):
        return value
    if written == "unix":
        try:
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
        except (ValueError, OverflowError, OSError):
            raise NotAnArticle(f"{value!r} is no Unix time") from None
    if not isinstance(value, str):
        return value
    if written:
        try:
            moment = datetime.strptime(value.strip(), written)
        except ValueError:
            raise NotAnArticle(f"{value!r} is no date of the form {written!r}") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=origin.timezone)
    return dates.parse(value, origin.timezone) or value


def _to_text(name: str, data: dict[str, Any]) -> None:
    value = data[name]
    if name == "body" and isinstance(value, str):
        data["body"], heads = markup.paragraphs(value)
        data["subheads"] = data.get("subheads") or heads
    elif isinstance(value, str):
        data[name] = markup.line(value)
    elif isinstance(value, list):
        data[name] = [markup.line(item) if isinstance(item, str) else item for item in value]
