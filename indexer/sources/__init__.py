"""Article files -> articles: every reader there is, found by suffix and by content."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, tzinfo
from json import JSONDecoder
from pathlib import Path
from typing import BinaryIO

from . import dump, html, jsonl, markdown
from .origin import Origin, Read, Refused

__all__ = ["READERS", "Read", "Refused", "read"]

Reader = Callable[[BinaryIO, Origin], Iterator[Read | Refused]]

READERS: dict[str, Reader] = {
    ".jsonl": jsonl.read,
    ".ndjson": jsonl.read,
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".html": html.read,
    ".htm": html.read,
    ".xhtml": html.read,
    ".txt": dump.read,
}
_ANYTHING = frozenset({"", ".txt"})  # these suffixes promise no format: the content decides
_SNIFF = 64 * 1024
_PAGE = re.compile(rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|article)\b", re.I | re.S)
_FRONT = re.compile(rb"(---|\+\+\+)[ \t]*\r?\n.*?^\1[ \t]*\r?$", re.S | re.M)


def read(
    paths: Iterable[str | Path], *, section: str | None = None, timezone: tzinfo = UTC, stdin: BinaryIO | None = None
) -> Iterator[Read | Refused]:
    """Every article in files, folders and (`-`) standard input, in order; what is none is refused with its reason.

    In folders, hidden files and files of suffixes that no reader answers to are left out.
    `section` is that of the whole import. `timezone` is that of dates without a zone.
    """
    for path in paths:
        if str(path) == "-":
            origin = Origin("standard input", "-", section, timezone, shared=True)
            yield from _read(nullcontext(stdin or sys.stdin.buffer), "", origin)
            continue
        root = Path(path)
        try:
            found: Iterable[tuple[Path, str]] = [(root, root.name)] if not root.is_dir() else _walk(root)
            if not root.exists():
                yield Refused(str(path), None, "there is no such file or folder")
                continue
        except (OSError, ValueError) as error:
            yield Refused(str(path), None, f"cannot be read: {error}")
            continue
        for file, below in found:
            origin = Origin(str(file), below, section, timezone)
            try:
                yield from _read(file.open("rb"), file.suffix.lower(), origin)
            except OSError as error:
                yield Refused(str(file), None, f"cannot be read: {error.strerror or error}")


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """The files below a folder in sorted order, each with its path from there. Each folder is entered once."""
    entered: set[tuple[int, int]] = set()

    def walk(folder: Path, below: str) -> Iterator[tuple[Path, str]]:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in entered:
            return
        entered.add((status.st_dev, status.st_ino))
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from walk(path, f"{below}{path.name}/")
            elif path.suffix.lower() in READERS and (path.is_file() or path.is_symlink()):
                yield path, below + path.name

    return walk(root, "")


def _read(opened: AbstractContextManager[BinaryIO], suffix: str, origin: Origin) -> Iterator[Read | Refused]:
    with opened as stream:
        reader = READERS.get(suffix)
        if reader is None or suffix in _ANYTHING:
            head = stream.read(_SNIFF)
            stream = io.BufferedReader(_Joined(head, stream))
            reader = _sniff(head) or (dump.read if suffix in _ANYTHING else None)
        if reader is None:
            reason = f"no reader for {suffix} (there are readers for {', '.join(READERS)}: convert it, or rename it)"
            yield Refused(origin.file, None, reason)
            return
        yield from reader(stream, origin)


def _sniff(head: bytes) -> Reader | None:
    """The reader that the beginning of a file asks for."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PAGE.match(text):
        return html.read
    if _FRONT.match(text):
        return markdown.read
    if text.startswith(b"{"):
        return markdown.read if _json_front(text.decode("utf-8", "replace")) else jsonl.read
    return jsonl.read if text.startswith(b"[{") else None


def _json_front(text: str) -> bool:
    """An object over several lines and then something else is front matter with its text."""
    if text.split("\n", 1)[0].strip() != "{":
        return False
    try:
        end = JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return False
    rest = text[end:].strip()
    return bool(rest) and not rest.startswith("{")


class _Joined(io.RawIOBase):
    """The bytes that were read to see what they are, and then the rest of the stream: a pipe cannot be rewound."""

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
