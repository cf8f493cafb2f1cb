"""Read JSONL, the canonical form: one article a line, in constant memory, however long the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from search.article import FIELDS

from .origin import LARGEST, NotAnArticle, Origin, Read, Refused, people

_BOM = b"\xef\xbb\xbf"
_PRETTY = {b"{": "jq -c .", b"[": "jq -c '.[]'", b"[{": "jq -c '.[]'"}


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every line, as an article or refused with its number."""
    said: set[str] = set()
    anything = False
    for number, line in enumerate(_lines(stream), start=1):
        line = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
        if not line:
            continue
        if not anything and line in _PRETTY:
            reason = f"JSON over several lines: write one object a line ({_PRETTY[line]} FILE)"
            yield Refused(origin.file, number, reason)
            return
        anything = True
        try:
            data, notes = _object(line)
            article = origin.article(data)
        except NotAnArticle as refusal:
            yield Refused(origin.file, number, str(refusal))
            continue
        if not (data.get("id") or data.get("url")):
            notes.append("no id and no url: the id is made of the file's name, the date and the title")
        # Once a file is enough: a million lines of the same export have the same unknown fields.
        new = tuple(note for note in notes if note not in said)
        said.update(new)
        yield Read(article, origin.file, number, new)
    if not anything:
        yield Refused(origin.file, None, "empty")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; of one that is far too long its first bytes, by which it is refused."""
    while line := stream.readline(LARGEST + 1):
        rest = line
        while len(rest) > LARGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LARGEST + 1)
        yield line


def _object(line: bytes) -> tuple[dict[str, Any], list[str]]:
    if len(line) > LARGEST:
        raise NotAnArticle(f"longer than {LARGEST // 2**20} MiB, which no article is")
    try:
        data = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise NotAnArticle(f"broken encoding: not UTF-8 at byte {error.start} of the line") from None
    except json.JSONDecodeError as error:
        raise NotAnArticle(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise NotAnArticle(f"not JSON: {error}") from None
    except RecursionError:
        raise NotAnArticle("not an article: nested too deeply") from None
    if not isinstance(data, dict):
        raise NotAnArticle("not an article: the line is JSON, but no object")
    notes = []
    author = data.get("author")
    if author in (None, ""):
        data.pop("author", None)
    elif isinstance(author, str) and not data.get("authors"):
        # Most exports have one name in `author`; the field is `authors`.
        data["authors"] = people(data.pop("author"))
        notes.append("field 'author' read as 'authors'")
    unknown = sorted(name for name in data if name not in FIELDS)
    return data, [*notes, *(f"unknown field {name!r} kept in extra" for name in unknown)]


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
