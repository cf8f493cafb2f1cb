"""Where a reader's bytes come from, and what it hands back: an article read or a file refused."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from search.article import FIELDS, Article, ArticleError, from_dict

# The longest novel is 10 MB of text: what is longer is a log, a database or an accident.
LARGEST = 32 * 2**20
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_AND = re.compile(r"\s*;\s*|\s+(?:and|&)\s+")
_YEAR = re.compile(r"[\d._-]+")
_STORES = {
    *("articles", "content", "corpus", "data", "dump", "dumps", "export", "exports", "files", "html", "pages", "posts"),
    *("text", "texts", "txt"),
}
# Control characters that no text holds; tab, line feed, form feed and carriage return are text.
_BINARY = frozenset(map(chr, range(32))) - set("\t\n\f\r\v\x1a\x1b")


@dataclass(frozen=True, slots=True)
class Read:
    """An article was read. `notes` say what the report should say about it."""

    article: Article
    file: str
    line: int | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a line of one, is no article, and why."""

    file: str
    line: int | None
    reason: str


class NotAnArticle(ValueError):
    """What was given is refused, for this reason."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One file as its reader knows it."""

    file: str  # as named to ops
    path: str  # below the path given on the command line: the same folder elsewhere gives the same ids
    section: str | None = None  # of the whole import, as ops say
    timezone: tzinfo = UTC
    shared: bool = False  # several articles have this path: the lines of a file, what comes in on standard input

    @property
    def folder(self) -> str:
        """The folder below the given one that says what the file is about: not a year and not a place to keep files."""
        named = (part for part in reversed(PurePosixPath(self.path).parent.parts) if not _YEAR.fullmatch(part))
        folder = next(named, "")
        return "" if folder.lower() in _STORES else folder

    def article(self, data: Mapping[str, Any]) -> Article:
        """The article that `data` describes.

        Raises:
            NotAnArticle: with every reason.
        """
        data = {**data, "section": data.get("section") or self.section}
        key = self.path
        if self.shared:
            # Not the line number: a line added at the top would make every article below it another one.
            key += f"#{data.get('published') or ''} {data.get('title') or ''}"
        try:
            return from_dict(_plain(data), timezone=self.timezone, path=_text(key))
        except ArticleError as error:
            raise NotAnArticle(str(error)) from None


def load(stream: BinaryIO) -> bytes:
    """The whole of one file.

    Raises:
        NotAnArticle: if it is empty or far too large.
    """
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NotAnArticle(f"larger than {LARGEST // 2**20} MiB, which no article is")
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise NotAnArticle("empty")
    return data


def decode(data: bytes) -> str:
    """Text of UTF-8, or of the encoding that its byte order mark names, with line feeds only.

    Another encoding is not guessed: a wrong guess goes into the index unseen.

    Raises:
        NotAnArticle: for broken encoding and for binary files.
    """
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    if not mark and b"\0" in data:
        raise NotAnArticle("a binary file, not text")
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise NotAnArticle(
            f"broken encoding: not {encoding.upper()} at byte {error.start + len(mark)}"
            " (convert it, for example with iconv -f WINDOWS-1252 -t UTF-8)"
        ) from None
    if _BINARY.intersection(text):
        raise NotAnArticle("a binary file, not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def people(text: str) -> list[str]:
    """The names in a line of them."""
    return [name for name in _AND.split(text.strip()) if name]


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same data, where what is kept and not searched is surely fit for JSON in UTF-8."""
    loose = {k: v for k, v in data.items() if k not in FIELDS or k in ("extra", "related")}
    try:
        text = json.dumps(loose, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, TypeError, RecursionError) as error:
        raise NotAnArticle(f"holds what JSON cannot: {error}") from None
    return {**data, **json.loads(_text(text))} if loose else dict(data)


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
