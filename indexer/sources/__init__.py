"""Article files -> articles: every reader there is, found by suffix and by content."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, tzinfo
from json import JSONDecoder
from pathlib import Path
from typing import BinaryIO

from . import dump, feed, html, json_feed, jsonl, markdown, sitemap
from .origin import UTF_16, Origin, Read, Refused, joined

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
    ".rss": feed.read,
    ".atom": feed.read,
    ".rdf": feed.read,
}
_BY_CONTENT = (".json", ".xml")  # these may hold anything: in a folder they are read if they hold articles
_ANYTHING = frozenset({"", ".txt"})  # these suffixes promise no format: the content decides
_SNIFF = 64 * 1024
_PAGE = re.compile(rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|article)\b", re.I | re.S)
_XML: dict[bytes, Reader] = {  # by the root element, without its prefix
    b"rss": feed.read,
    b"feed": feed.read,
    b"RDF": feed.read,
    b"urlset": sitemap.read,
    b"sitemapindex": sitemap.read,
}
_ROOT = re.compile(rb"(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>\s*)*<(?:[\w.-]+:)?([\w.-]+)", re.S)
_FRONT = re.compile(rb"(---|\+\+\+)[ \t]*\r?\n.*?^\1[ \t]*\r?$", re.S | re.M)


def read(
    paths: Iterable[str | Path], *, section: str | None = None, timezone: tzinfo = UTC, stdin: BinaryIO | None = None
) -> Iterator[Read | Refused]:
    """Every article in files, folders and (`-`) standard input, in order; what is none is refused with its reason.

    In folders, hidden files and files of suffixes that no reader answers to are left out; articles in `.json` are
    refused.
    `section` is that of the whole import. `timezone` is that of dates without a zone.
    """
    for path in paths:
        if str(path) == "-":
            origin = Origin("standard input", "-", section, timezone, shared=True)
            yield from _read(nullcontext(stdin or sys.stdin.buffer), "", origin)
            continue
        root = Path(path)
        try:
            is_folder = root.is_dir()
            if not root.exists():
                yield Refused(str(path), None, "there is no such file or folder")
                continue
            # Resolved, since `.` and `sub/..` have a name too. A file has that of its folder: it has the same id
            # whether it is named or the folder is.
            name = (root if is_folder else root.parent).resolve().name
        except (OSError, ValueError) as error:
            yield _unreadable(path, error)
            continue
        found: Iterable[tuple[Path, str] | Refused] = _walk(root) if is_folder else [(root, root.name)]
        for item in found:
            if isinstance(item, Refused):
                yield item
                continue
            file, below = item
            origin = Origin(str(file), below, section, timezone, root=name)
            try:
                if is_folder and file.suffix.lower() in _BY_CONTENT and not _is_known(file):
                    yield from _left_out(file)
                else:
                    yield from _read(file.open("rb"), file.suffix.lower(), origin)
            except OSError as error:
                yield _unreadable(file, error)


def _walk(root: Path) -> Iterator[tuple[Path, str] | Refused]:
    """The files below a folder in sorted order, each with its path from there. Each folder is entered once."""
    entered: set[tuple[int, int]] = set()

    def walk(folder: Path, below: str) -> Iterator[tuple[Path, str] | Refused]:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                return
            entered.add((status.st_dev, status.st_ino))
            paths = sorted(folder.iterdir(), key=lambda path: path.name)
        except OSError as error:
            yield _unreadable(folder, error)
            return
        for path in paths:
            if path.name.startswith("."):
                continue
            try:
                is_folder, is_file = path.is_dir(), path.is_file() or path.is_symlink()
            except OSError as error:  # a folder may be listed by one who may not go into it
                yield _unreadable(path, error)
                continue
            if is_folder:
                yield from walk(path, f"{below}{path.name}/")
            elif is_file and path.suffix.lower() in (*READERS, *_BY_CONTENT):
                yield path, below + path.name

    return walk(root, "")


def _unreadable(path: str | Path, error: OSError | ValueError) -> Refused:
    return Refused(str(path), None, f"cannot be read: {getattr(error, 'strerror', None) or error}", unread=True)


def _is_known(file: Path) -> bool:
    with file.open("rb") as stream:
        reader = _sniff(stream.read(_SNIFF))
    return reader is json_feed.read or reader in _XML.values()


def _left_out(file: Path) -> Iterator[Refused]:
    """Articles in a file of a suffix that anything may have: not read, and not passed over in silence."""
    with file.open("rb") as stream:
        head = _text(stream.read(_SNIFF))
    fields = {field for field in (b"title", b"body") if re.search(rb'"%s"\s*:' % field, head)}
    if head.startswith(b"[") and head[1:].lstrip().startswith(b"{") and fields:
        yield Refused(str(file), None, f"an array of JSON: {jsonl.ARRAY} into a .jsonl")
    elif head.startswith(b"{") and len(fields) == 2:
        yield Refused(str(file), None, f"articles in .json: {jsonl.LINES} into a .jsonl")


def _read(opened: AbstractContextManager[BinaryIO], suffix: str, origin: Origin) -> Iterator[Read | Refused]:
    with opened as stream:
        reader = READERS.get(suffix)
        if reader is None or suffix in _ANYTHING:
            head = stream.read(_SNIFF)
            stream = joined(head, stream)
            reader = _sniff(head) or (dump.read if suffix in _ANYTHING else None)
        if reader is None:
            reason = f"no reader for {suffix} (there are readers for {', '.join(READERS)}: convert it, or rename it)"
            yield Refused(origin.file, None, reason)
            return
        yield from reader(stream, origin)


def _sniff(head: bytes) -> Reader | None:
    """The reader that the beginning of a file asks for."""
    text = _text(head)
    if _PAGE.match(text):
        return html.read
    if _FRONT.match(text):
        return markdown.read
    if (root := _ROOT.match(text)) and root[1] in _XML:
        return _XML[root[1]]
    if text.startswith(b"{"):
        if json_feed.MARK.search(text):
            return json_feed.read
        return markdown.read if _json_front(text.decode("utf-8", "replace")) else jsonl.read
    return jsonl.read if text.startswith(b"[{") else None


def _text(head: bytes) -> bytes:
    """The beginning of a file in UTF-8 and without its byte order mark."""
    if head.startswith(UTF_16):
        head = head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


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
