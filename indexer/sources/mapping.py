"""The mapping file: which fields of a foreign JSON or CSV are which of ours, as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from search.article import FIELDS

_TEXT, _TEXTS = "a text", "a list of texts"


class MappingError(ValueError):
    """The mapping file is wrong, and how."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a mapping file says."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # ours -> theirs, the first that is filled
    constants: Mapping[str, Any] = field(default_factory=dict)
    html: tuple[str, ...] = ()  # of ours: these come as HTML
    articles: str = ""  # where in JSON the list of articles lies
    separator: str = ""  # between several in one text
    date_format: str = ""  # as strptime has it, or `unix`


def load(path: str | Path) -> Names:
    """Read a mapping file.

    Raises:
        MappingError: naming what is wrong, and the nearest right name.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # of TOML, and of UTF-8
        raise MappingError(f"{path} is no TOML: {error}") from None
    try:
        return _names(data)
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from None


def _names(data: Mapping[str, Any]) -> Names:
    _check(data, [known.name for known in fields(Names)], "key")
    theirs = {ours: _texts(f"fields.{ours}", value) for ours, value in _table("fields", data).items()}
    constants = _table("constants", data)
    for both in theirs.keys() & constants.keys():
        raise MappingError(f"{both!r} stands in [fields] and in [constants]")
    html = _texts("html", data.get("html", []))
    _check(html, FIELDS, "field in html:")
    texts = {name: data.get(name, "") for name in ("articles", "separator", "date_format")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise MappingError(f"{name} is not {_TEXT}")
    if not (theirs or constants or any(texts.values()) or html):
        raise MappingError('it says nothing: write [fields] and, for example, title = "headline" below it')
    return Names(theirs, constants, html, **texts)


def _table(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise MappingError(f"{name} is no table: write [{name}] and what belongs to it below")
    _check(table, FIELDS, f"field in [{name}]:")
    return table


def _texts(name: str, value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise MappingError(f"{name} is neither {_TEXT} nor {_TEXTS}")
    return tuple(texts)


def _check(names: Iterable[str], known: Iterable[str], what: str) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            near = get_close_matches(name.lower(), known, 1, 0.5)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise MappingError(f"unknown {what} {name!r}: {meant}there are {', '.join(known)}")
