"""Read CSV: one article a row, under a row that names its fields."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from . import entries, foreign
from .mapping import Names
from .origin import LARGEST, NotAnArticle, Origin, Read, Refused, begun, utf_8

_MARKS = ",;\t|"
_HEAD = 64 * 1024  # bytes in which the row of names ends
csv.field_size_limit(LARGEST)  # one for the whole process; the library's own is shorter than a long article


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every row, as an article or refused with its line."""
    rows = _Rows(utf_8(stream))
    try:
        yield from entries.articles(rows.records(origin), _fields, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal), unread=rows.line > 1)


def may_hold_articles(head: bytes, mapping: Names | None = None) -> bool:
    """Whether a table that begins so looks like articles, by its row of names."""
    names = _names(head)
    return len(names) > 1 and foreign.may_be_articles(names, mapping)


class _Rows:
    def __init__(self, stream: BinaryIO) -> None:
        head, self._stream = begun(stream, _HEAD)
        self._mark = _mark(head)
        self.line = 0  # the last that was read

    def records(self, origin: Origin) -> Iterator[tuple[int, tuple[list[str], list[str]]]]:
        """Each row that is not empty with the names of its cells, and the line where it begins."""
        text = io.TextIOWrapper(self._stream, encoding="utf-8-sig", newline="")
        # Strictly: a quotation mark that does not close would take all rows behind it for one cell.
        reader = csv.reader(text, delimiter=self._mark, strict=True)
        names: list[str] = []
        is_any = False
        try:
            for row in reader:
                begins, self.line = self.line + 1, reader.line_num
                if not any(map(str.strip, row)):
                    continue
                if not names:
                    names = _checked(row, origin)
                else:
                    is_any = True
                    yield begins, (names, row)
        except csv.Error as error:
            raise NotAnArticle(f"not CSV, and not read on from here: {error}", self.line + 1) from None
        except UnicodeDecodeError:
            reason = "broken encoding: not UTF-8 soon after this line (iconv -f WINDOWS-1252 -t UTF-8)"
            raise NotAnArticle(reason, self.line or 1) from None
        if not names:
            raise NotAnArticle("empty")
        if not is_any:
            raise NotAnArticle("names of fields, and no row below them", 1)


def _checked(names: list[str], origin: Origin) -> list[str]:
    """The names of the columns.

    Raises:
        NotAnArticle: none of them is a title or a text.
    """
    names = [name.strip() for name in names]
    if not foreign.texts(names, origin.mapping):
        there = ", ".join(filter(None, names[:20]))
        raise NotAnArticle(f"no column is a title or a body: there are {there} (--mapping says which is which)", 1)
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise NotAnArticle(f"several columns are called {twice[0]!r}", 1)
    return names


def _fields(named: tuple[list[str], list[str]], origin: Origin) -> tuple[dict[str, Any], list[str]]:
    names, row = named
    if len(row) > len(names):
        raise NotAnArticle(f"{len(row)} cells under {len(names)} names (a text with commas or lines belongs in quotes)")
    filled = {name: cell for name, cell in zip(names, row, strict=False) if name and cell.strip()}
    return foreign.fields(filled, origin, in_cells=True)


def _mark(head: bytes) -> str:
    """What parts the cells: that which parts the first line into most."""
    line = _first(head)
    return max(_MARKS, key=line.count)


def _names(head: bytes) -> list[str]:
    try:
        return next(csv.reader([_first(head)], delimiter=_mark(head), strict=True), [])
    except csv.Error:
        return []


def _first(head: bytes) -> str:
    return re.split(r"[\r\n]", head.decode("utf-8-sig", "replace").lstrip("\r\n"), maxsplit=1)[0]
