"""Read JSONL, the canonical form: one article a line, in constant memory, however long the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from . import dates, entries, foreign
from .origin import LARGEST, NotAnArticle, Origin, Read, Refused, utf_8

_RENAME = "name it .json, or write one object a line"
_BOM = b"\xef\xbb\xbf"
_OPEN = (b"{", b"[", b",", b":")  # a line that ends so goes on in the next
# As feeds write it, RFC 822 with its zone: nothing in it is a guess.
_FEED = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC?|Z|[+-]\d{4})")


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every line, as an article or refused with its number."""
    number = 0

    def numbered() -> Iterator[tuple[int, bytes]]:
        nonlocal number
        is_first = True
        for number, line in enumerate(_lines(utf_8(stream)), start=1):
            line = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
            if not line:
                continue
            if is_first and (reason := _is_no_jsonl(line)):
                raise NotAnArticle(reason, number)
            is_first = False
            yield number, line
        if is_first:
            raise NotAnArticle("empty")

    try:
        yield from entries.articles(numbered(), _fields, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal))
    except UnicodeDecodeError as error:
        reason = f"broken encoding: not {error.encoding.upper()} after this line (iconv -f UTF-16 -t UTF-8 says where)"
        yield Refused(origin.file, number or None, reason)


def _is_no_jsonl(line: bytes) -> str | None:
    """Why the whole file is none, by its first line: said once, not of every line of it."""
    if line.startswith((b"{\0", b"\0{")):
        return f"UTF-16 without its byte order mark (iconv -f UTF-16{'LE' if line[0] else 'BE'} -t UTF-8 FILE)"
    if not line.startswith((b"{", b"[")):
        # No text has these; most binary files have them at their beginning.
        return "a binary file, not text" if b"\0" in line or _BINARY.search(line[:64]) else None
    if line == b"[{" or line.endswith(_OPEN):
        return f"JSON over several lines: {_RENAME}"
    return None


_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]|\x89PNG")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; of one that is far too long its first bytes, by which it is refused."""
    while line := stream.readline(LARGEST + 1):
        rest = line
        while len(rest) > LARGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LARGEST + 1)
        yield line


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LARGEST:
        raise NotAnArticle(f"longer than {LARGEST // 2**20} MiB, which no article is")
    try:
        data = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotAnArticle(
            f"broken encoding: not UTF-8 at byte {error.start} of the line (iconv -f WINDOWS-1252 -t UTF-8)"
        ) from None
    except json.JSONDecodeError as error:
        raise NotAnArticle(f"not JSON: {error.msg.removesuffix(' at')} at column {error.colno}") from None
    except ValueError as error:
        raise NotAnArticle(f"not JSON: {error}") from None
    except RecursionError:
        raise NotAnArticle("not an article: nested too deeply") from None
    if isinstance(data, list) and data and isinstance(data[0], dict):
        raise NotAnArticle(f"an array of JSON: {_RENAME}")
    if not isinstance(data, dict):
        raise NotAnArticle("not an article: the line is JSON, but no object")
    return data


def _fields(line: bytes, origin: Origin) -> tuple[dict[str, Any], list[str]]:
    data = _object(line)
    if origin.mapping:
        return foreign.fields(data, origin)
    data, notes = foreign.aliased(data, origin)
    for name in ("published", "updated", "embargo_until"):
        if isinstance(text := data.get(name), str) and _FEED.fullmatch(text):
            data[name] = dates.parse(text) or text
    return data, notes + foreign.unknown(data)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
