"""The entries of a file that holds several articles -> articles, each refused by itself, each note said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .origin import NotAnArticle, Origin, Read, Refused

NO_ID = "no id and no url: the id is made of the file's name, the date and the title"
Fields = Callable[[Any, Origin], tuple[Mapping[str, Any], list[str]]]


def articles(entries: Iterable[tuple[int | str, Any]], fields: Fields, origin: Origin) -> Iterator[Read | Refused]:
    """Each entry as `fields` reads it. Before it stands its line, or what it is called.

    Raises:
        NotAnArticle: what `entries` raises, which ends the file.
    """
    origin = replace(origin, shared=True)
    said: set[str] = set()
    for place, entry in entries:
        line = place if isinstance(place, int) else None
        try:
            data, notes = fields(entry, origin)
            read = origin.article(data, line=line)
        except NotAnArticle as refusal:
            yield Refused(origin.file, line, str(refusal) if line else f"{place}: {refusal}")
            continue
        if read.from_path:
            notes.append(NO_ID)
        # Once a file is enough: a million entries of the same export have the same unknown fields.
        if not said.issuperset(notes):
            read = replace(read, notes=tuple(note for note in notes if note not in said))
            said.update(notes)
        yield read


def without(found: Iterable[Read | Refused], left_out: Counter[str], origin: Origin) -> Iterator[Read | Refused]:
    """The same, and with the last of them how many of which kind were left out."""
    last: Read | Refused | None = None
    for item in found:
        if last:
            yield last
        last = item
    notes = [f"{count:,} left out: {what}" for what, count in left_out.most_common()]
    if isinstance(last, Read):
        yield replace(last, notes=(*last.notes, *notes))
    elif last:
        yield last
    else:
        yield Refused(origin.file, None, "; ".join(["nothing in it is published", *notes]))
