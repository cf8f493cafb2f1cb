"""Article files -> articles: every reader there is, found by suffix and by content."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from json import JSONDecoder
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from . import (
    dump,
    eleventy,
    feed,
    files,
    ghost,
    html,
    json_feed,
    json_list,
    jsonl,
    markdown,
    ninjs,
    nitf,
    packed,
    sitemap,
    table,
    template,
    wxr,
)
from .mapping import Names
from .origin import UTF_16, Origin, Read, Refused, begun

__all__ = ["READERS", "SNIFF", "Names", "Origin", "Read", "Refused", "is_wanted", "read", "read_stream", "sniff"]

Reader = Callable[[BinaryIO, Origin], Iterator[Read | Refused]]

READERS: dict[str, Reader] = {
    ".jsonl": jsonl.read,
    ".ndjson": jsonl.read,
    ".csv": table.read,
    ".tsv": table.read,
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".njk": template.read,
    ".liquid": template.read,
    ".html": html.read,
    ".htm": html.read,
    ".xhtml": html.read,
    ".txt": dump.read,
    ".rss": feed.read,
    ".atom": feed.read,
    ".rdf": feed.read,
}
_BY_CONTENT = (".json", ".xml")  # these may hold any format: the content decides
_MAY_HOLD = {".json": json_list.may_hold_articles, ".csv": table.may_hold_articles, ".tsv": table.may_hold_articles}
_TEMPLATES = (".html", ".htm", ".njk", ".liquid")  # with front matter they are no pages yet
_IN_SITES = (".md", ".markdown", *_TEMPLATES)  # of which the folders of a site may say something
_ANYTHING = frozenset({"", ".txt"})  # these suffixes promise no format: the content decides
_LINES = (".jsonl", ".ndjson")  # agencies send lines of ninjs, too
SNIFF = 64 * 1024  # bytes of the beginning, by which a format is told
_PAGE = re.compile(rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|article)\b", re.I | re.S)
_XML: dict[bytes, Reader] = {  # by the root element, without its prefix
    b"rss": feed.read,
    b"feed": feed.read,
    b"RDF": feed.read,
    b"urlset": sitemap.read,
    b"sitemapindex": sitemap.read,
    b"nitf": nitf.read,
}
_OBJECTS: dict[re.Pattern[bytes], Reader] = {  # by what stands in them
    json_feed.MARK: json_feed.read,
    ghost.MARK: ghost.read,
    ninjs.MARK: ninjs.read,
}
_KNOWN = frozenset((wxr.read, *_XML.values(), *_OBJECTS.values()))
_LIST = re.compile(rb"\[\s*[{\]]")
_ROOT = re.compile(rb"(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>\s*)*<(?:[\w.-]+:)?([\w.-]+)", re.S)
_FRONT = re.compile(rb"(---|\+\+\+)[ \t]*\r?\n.*?^\1[ \t]*\r?$", re.S | re.M)


def read(
    paths: Iterable[str | Path],
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    only: Collection[Path] | None = None,
) -> Iterator[Read | Refused]:
    """Every article in files, folders, archives and (`-`) standard input, in order; what is none is refused, and why.

    In folders and archives hidden files and files of suffixes that no reader answers to are left out, and so are JSON,
    XML and tables that hold no articles. `section` is that of the whole import, `timezone` that of dates without a
    zone; `mapping` says how foreign JSON and CSV call the fields. `only`: of the files these alone, each as if all were
    read.
    """
    folders = eleventy.Folders()
    for path in paths:
        if str(path) == "-":
            origin = Origin("standard input", "-", section, timezone, shared=True, mapping=mapping)
            yield from _read(lambda: nullcontext(stdin or sys.stdin.buffer), "", origin)
            continue
        for found in files.find(path, is_wanted):
            if isinstance(found, Refused):
                yield found
                continue
            if only is not None and found.path not in only:
                continue
            origin = Origin(str(found.path), found.below, section, timezone, mapping=mapping, root=found.root)
            if found.path.suffix.lower() in _IN_SITES:
                origin = replace(origin, defaults=folders.of(found.path, found.below))
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
        if member.path and (any(part.startswith(".") for part in parts) or not is_wanted(parts[-1])):
            continue
        file = "/".join((origin.file, *parts))
        if isinstance(member, packed.Unfit):
            yield Refused(file, None, "cannot be read: " * member.is_damaged + member.reason, unread=member.is_damaged)
            continue
        below = folder.joinpath(*parts[parts[0] == name and len(parts) > 1 :])  # as of `tar -cf a.tar a`
        root = name if is_named else origin.root
        inside = replace(origin, file=file, path=str(below), root=root, shared=False, url=None)
        try:
            yield from _unpack(member.stream, below.suffix.lower(), inside, False, budget, within)
        except OSError as error:
            yield files.unreadable(file, error)


def _articles(stream: BinaryIO, suffix: str, origin: Origin, is_named: bool) -> Iterator[Read | Refused]:
    reader = READERS.get(suffix)
    if suffix in _TEMPLATES:
        head, stream = begun(stream, SNIFF)
        has_fields = bool(_FRONT.match(_text(head)))
        if not has_fields and reader is template.read and not is_named:
            return  # a layout, or a part of one
        reader = template.read if has_fields else reader
    if suffix in _LINES and not origin.mapping:
        head, stream = begun(stream, SNIFF)
        reader = ninjs.read if ninjs.MARK.search(_text(head)) else reader
    if reader is None or suffix in _ANYTHING or (suffix in _MAY_HOLD and not is_named):
        head, stream = begun(stream, SNIFF)
        if suffix in _ANYTHING or reader is None:
            reader = sniff(head, origin.mapping) or (dump.read if suffix in _ANYTHING else None)
        if not is_named and not _holds_articles(reader, suffix, _text(head), origin.mapping):
            return
    if reader is not None:
        yield from reader(stream, origin)
    elif is_named:
        reason = f"no reader for {suffix} (there are readers for {', '.join(READERS)}: convert it, or rename it)"
        yield Refused(origin.file, None, reason)


def _holds_articles(reader: Reader | None, suffix: str, head: bytes, mapping: Names | None) -> bool:
    """Whether what was found in a folder, and may be anything, holds articles."""
    if suffix in _ANYTHING or reader in _KNOWN:
        return True
    return suffix in _MAY_HOLD and _MAY_HOLD[suffix](head, mapping)


def is_wanted(name: str) -> bool:
    """Whether a file that was found may hold articles, by its name."""
    suffix = PurePosixPath(packed.inner(name)).suffix.lower()
    return suffix in READERS or suffix in _BY_CONTENT or suffix in packed.ARCHIVES


def sniff(head: bytes, mapping: Names | None = None) -> Reader | None:
    """The reader that the beginning of a file asks for."""
    text = _text(head)
    if _PAGE.match(text):
        return html.read
    if _FRONT.match(text):
        return markdown.read
    if (root := _ROOT.match(text)) and root[1] in _XML:
        return wxr.read if wxr.MARK.search(text) else _XML[root[1]]
    if text.startswith(b"{"):
        return _sniff_object(text)
    if _LIST.match(text):
        return ninjs.read if ninjs.MARK.search(text) else json_list.read
    return table.read if table.may_hold_articles(text, mapping) else None


def _sniff_object(text: bytes) -> Reader:
    for mark, reader in _OBJECTS.items():
        if mark.search(text):
            return reader
    if _json_front(text.decode("utf-8", "replace")):
        return markdown.read
    line, end, _ = text.partition(b"\n")
    # A broken line among lines is refused by itself; an object that goes on in the next line is none of theirs.
    return json_list.read if end and not line.rstrip().endswith(b"}") else jsonl.read


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
