"""Article files -> articles: every reader there is, found by suffix and by content."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from json import JSONDecoder
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from . import dump, feed, files, html, json_feed, jsonl, markdown, packed, sitemap
from .origin import UTF_16, Origin, Read, Refused, begun

__all__ = ["READERS", "Origin", "Read", "Refused", "read", "read_stream", "sniff"]

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
SNIFF = 64 * 1024
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
    """Every article in files, folders, archives and (`-`) standard input, in order; what is none is refused, and why.

    In folders and archives hidden files and files of suffixes that no reader answers to are left out, and so is JSON
    and XML that holds no articles. `section` is that of the whole import. `timezone` is that of dates without a zone.
    """
    for path in paths:
        if str(path) == "-":
            origin = Origin("standard input", "-", section, timezone, shared=True)
            yield from _read(lambda: nullcontext(stdin or sys.stdin.buffer), "", origin)
            continue
        for found in files.find(path, _is_wanted):
            if isinstance(found, Refused):
                yield found
                continue
            origin = Origin(str(found.path), found.below, section, timezone, root=found.root)
            yield from _read(partial(found.path.open, "rb"), found.path.suffix, origin, is_named=found.is_named)


def _read(
    open_it: Callable[[], Any], suffix: str, origin: Origin, *, is_named: bool = True
) -> Iterator[Read | Refused]:
    try:
        yield from read_stream(open_it(), suffix, origin, is_named=is_named)
    except OSError as error:
        yield files.unreadable(origin.file, error)


def read_stream(
    opened: AbstractContextManager[BinaryIO], suffix: str, origin: Origin, *, is_named: bool = True
) -> Iterator[Read | Refused]:
    """Every article of one stream: unpacked, then by the reader of this suffix, else by its content.

    `is_named`: it was asked for itself. What was only found, in a folder or an archive, may hold no articles.

    Raises:
        OSError: it cannot be read to its end.
    """
    with opened as stream:
        budget = packed.Budget()
        yield from _unpack(packed.counted(stream, budget), suffix.lower(), origin, is_named, budget)


def _unpack(
    stream: BinaryIO, suffix: str, origin: Origin, is_named: bool, budget: packed.Budget, within: tuple[str, ...] = ()
) -> Iterator[Read | Refused]:
    """The articles of a stream that may be packed, `within` what it came out of."""
    if suffix not in packed.SUFFIXES and suffix not in _ANYTHING:
        yield from _articles(stream, suffix, origin, is_named)
        return
    head, stream = begun(stream, SNIFF)
    unpack, members = packed.compression(head), packed.archive(head)
    if unpack and within[-1:] != ("compressed",):
        name = packed.inner(origin.path)
        stream, suffix = packed.unpacked(unpack(stream), budget), PurePosixPath(name).suffix.lower()
        yield from _unpack(stream, suffix, replace(origin, path=name), is_named, budget, (*within, "compressed"))
    elif members and "archive" not in within:
        yield from _members(members(stream, budget), origin, is_named, budget, (*within, "archive"))
    elif unpack or members:
        what = "compressed twice" if unpack else "an archive in an archive"
        yield Refused(origin.file, None, f"{what}: unpack the outer one first")
    elif suffix in packed.SUFFIXES:
        yield Refused(origin.file, None, f"no {suffix}: its content is something else" if head else "empty")
    else:
        yield from _articles(stream, suffix, origin, is_named)


def _members(
    found: Iterator[packed.Member | packed.Unfit],
    origin: Origin,
    is_named: bool,
    budget: packed.Budget,
    within: tuple[str, ...],
) -> Iterator[Read | Refused]:
    """The articles of an archive, as if it were unpacked into a folder of its name."""
    name = "" if origin.path == "-" else PurePosixPath(origin.path).stem
    folder = PurePosixPath() if is_named else PurePosixPath(origin.path).with_name(name)
    for member in found:
        parts = [part for part in PurePosixPath(member.path).parts if part not in ("/", "..")]
        if member.path and (any(part.startswith(".") for part in parts) or not _is_wanted(parts[-1])):
            continue
        file = "/".join((origin.file, *parts))
        if isinstance(member, packed.Unfit):
            yield Refused(file, None, "cannot be read: " * member.is_damaged + member.reason, unread=member.is_damaged)
            continue
        below = folder.joinpath(*parts[parts[0] == name and len(parts) > 1 :])  # as of `tar -cf a.tar a`
        inside = replace(origin, file=file, path=str(below), root=name if is_named else origin.root, shared=False)
        try:
            yield from _unpack(member.stream, below.suffix.lower(), inside, False, budget, within)
        except OSError as error:
            yield files.unreadable(file, error)


def _articles(stream: BinaryIO, suffix: str, origin: Origin, is_named: bool) -> Iterator[Read | Refused]:
    reader = READERS.get(suffix)
    if reader is None or suffix in _ANYTHING:
        head, stream = begun(stream, SNIFF)
        reader = sniff(head) or (dump.read if suffix in _ANYTHING else None)
        if not is_named and suffix in _BY_CONTENT and reader is not json_feed.read and reader not in _XML.values():
            yield from _left_out(head, origin)
            return
    if reader is not None:
        yield from reader(stream, origin)
    elif is_named:
        reason = f"no reader for {suffix} (there are readers for {', '.join(READERS)}: convert it, or rename it)"
        yield Refused(origin.file, None, reason)


def _is_wanted(name: str) -> bool:
    """Whether a file that was found may hold articles, by its name."""
    suffix = PurePosixPath(packed.inner(name)).suffix.lower()
    return suffix in READERS or suffix in _BY_CONTENT or suffix in packed.ARCHIVES


def _left_out(head: bytes, origin: Origin) -> Iterator[Refused]:
    """Articles in a file of a suffix that anything may have: not read, and not passed over in silence."""
    head = _text(head)
    fields = {field for field in (b"title", b"body") if re.search(rb'"%s"\s*:' % field, head)}
    if head.startswith(b"[") and head[1:].lstrip().startswith(b"{") and fields:
        yield Refused(origin.file, None, f"an array of JSON: {jsonl.ARRAY} into a .jsonl")
    elif head.startswith(b"{") and len(fields) == 2:
        yield Refused(origin.file, None, f"articles in .json: {jsonl.LINES} into a .jsonl")


def sniff(head: bytes) -> Reader | None:
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
