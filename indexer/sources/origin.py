"""Where a reader's bytes come from, and what it hands back: an article read or a file refused."""

from __future__ import annotations

import codecs
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from search.article import FIELDS, Article, ArticleError, from_dict, whole

from .mapping import Names

# The longest novel is 10 MB of text: what is longer is a log, a database or an accident.
LARGEST = 32 * 2**20
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BUFFER = 64 * 1024  # bytes that are joined at once
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_AND = re.compile(r"\s*;\s*|\s+(?:and|&)\s+")
_YEAR = re.compile(r"[\d._-]+")
_STORES = {
    *("articles", "content", "corpus", "data", "dump", "dumps", "export", "exports", "files", "html", "pages", "posts"),
    *("text", "texts", "txt"),
}
_CHECKED = frozenset(FIELDS) - {"extra", "related"}  # `from_dict` looks at them
# Control characters that no text holds; tab, line feed, form feed and carriage return are text.
_BINARY = frozenset(map(chr, range(32))) - set("\t\n\f\r\v\x1a\x1b")


@dataclass(frozen=True, slots=True)
class Read:
    """An article was read. `notes` say what the report should say about it."""

    article: Article
    file: str
    line: int | None
    notes: tuple[str, ...] = ()
    from_path: bool = False  # neither an id nor a url: another file of the same name elsewhere has the same id
    is_teaser: bool = False  # it has no text of its own, which another source may have


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a line of one, is no article, and why. `unread`: nobody knows what it holds, as it cannot be read."""

    file: str
    line: int | None
    reason: str
    unread: bool = False


class NotAnArticle(ValueError):
    """What was given is refused, for this reason. `line`: where in the file it stands, if that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Origin:
    """One file as its reader knows it."""

    file: str  # as named to ops
    path: str  # below the folder given on the command line: what says the section, and that a post is a draft
    section: str | None = None  # of the whole import, as ops say
    timezone: tzinfo = UTC
    shared: bool = False  # several articles have this path: the lines of a file, what comes in on standard input
    url: str | None = None  # where it was fetched
    defaults: Mapping[str, Any] = field(default_factory=dict)  # what its folders say of all their files
    mapping: Names | None = None  # of the fields of foreign JSON and CSV
    told: Mapping[str, Any] = field(default_factory=dict)  # fields that its site says of it elsewhere, which come first
    root: str = ""  # the name of that folder: part of the ids, since two folders may hold files of the same names

    @property
    def folder(self) -> str:
        """The folder below the given one that says what the file is about: not a year and not a place to keep files."""
        named = (part for part in reversed(PurePosixPath(self.path).parent.parts) if not _YEAR.fullmatch(part))
        folder = next(named, "")
        return "" if folder.lower() in _STORES else folder

    def article(self, data: Mapping[str, Any], notes: Iterable[str] = (), *, line: int | None = None) -> Read:
        """The article that `data` describes, as read.

        Raises:
            NotAnArticle: with every reason.
        """
        if self.told:
            data = {**data, **self.told}
        if not data.get("section"):
            data = {**data, "section": self.section}
        key = f"{self.root}/{self.path}" if self.root else self.path
        if self.shared:
            # Not the line number: a line added at the top would make every article below it another one.
            key += f"#{data.get('published') or ''} {data.get('title') or ''}"
        try:
            article = from_dict(_plain(data), timezone=self.timezone, path=whole(key))
        except ArticleError as error:
            raise NotAnArticle("; ".join(map(_remedied, error.reasons))) from None
        given = data.get("id")
        from_path = not article.url and (given is None or not str(given).strip())
        return Read(article, self.file, line, tuple(notes), from_path)


def begun(stream: BinaryIO, size: int) -> tuple[bytes, BinaryIO]:
    """The first bytes, and the stream with them."""
    head = stream.read(size)
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    return head, joined(head, stream)


def joined(head: bytes, rest: BinaryIO) -> BinaryIO:
    """The bytes that were read already, and then the rest of the stream."""
    return io.BufferedReader(_Joined(head, rest), _BUFFER)


@contextmanager
def seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The same bytes, with a way back: a stream that has none is copied to a file without a name."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy


def utf_8(stream: BinaryIO) -> BinaryIO:
    """A stream of UTF-16 with its byte order mark as one of UTF-8; any other as it is.

    Reading raises UnicodeDecodeError where the UTF-16 is broken.
    """
    mark = stream.read(2)
    stream = joined(mark, stream)
    return io.BufferedReader(_Recoded(stream)) if mark in UTF_16 else stream


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


def _remedied(reason: str) -> str:
    return f"{reason} (write 2025-08-06 or 2025-08-06T14:30:00Z)" if reason.endswith(", not a date") else reason


def people(text: str) -> list[str]:
    """The names in a line of them."""
    return [name for name in _AND.split(text.strip()) if name]


def _plain(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same data, where what is kept and not searched is surely fit for JSON in UTF-8."""
    if _CHECKED.issuperset(data):
        return data
    loose = {k: v for k, v in data.items() if k not in _CHECKED}
    try:
        text = json.dumps(loose, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, TypeError, RecursionError) as error:
        raise NotAnArticle(f"holds what JSON cannot: {error}") from None
    return {**data, **json.loads(whole(text))}


class _Joined(io.RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Recoded(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            data = self._stream.read(len(buffer))
            self._left = self._decoder.decode(data, final=not data).encode()
            if not data:
                break
        part = self._left[: len(buffer)]
        self._left = self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
