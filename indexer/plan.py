"""Compare what is there with what is wanted: what to put, and what is the same already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from indexer.sources import Read, Refused, files
from search import article
from search.engines import Held, Put

TAKEN = (
    "another article with this path came from {}: give them ids or urls, or index the folder above both; "
    "if this one took its place, `broadsheet reindex` of this path replaces it"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Where an article stood when it was read in this run, and its digest: all that is remembered of it."""

    file: str
    line: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same article a second time in one run. `same`: word for word; else this one replaces the one before."""

    id: str
    file: str
    line: int | None
    before: Seen
    same: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a batch. An article counts once in a run, however often it is read."""

    put: tuple[Put, ...]
    added: int
    changed: int
    unchanged: int
    duplicates: tuple[Duplicate, ...]
    refused: tuple[Refused, ...] = ()


def compare(
    batch: Iterable[Read], held: Mapping[str, Held], seen: dict[str, Seen], source: str, *, adopt: bool = False
) -> Plan:
    """What to do, where `held` is what the engine has of these articles and `seen` what this run has read of them.

    `seen` is added to. `adopt`: an article that is the same but came from elsewhere belongs to this source from now
    on, so that a folder that was renamed keeps its articles, and loses them when their files go. Without it an article
    known by its path alone is refused where another source has a different one of that path: neither is lost. A teaser
    never replaces what another source has, which may be the whole text.
    """
    wanted: dict[str, tuple[Read, bytes, str, bool]] = {}
    duplicates = []
    for read in batch:
        line = article.to_line(read.article)
        id, digest = read.article.id, article.digest_of(line)
        before = seen.get(id)
        if before:
            duplicates.append(Duplicate(id, read.file, read.line, before, before.digest == digest))
            if before.digest == digest:
                continue
        counts = wanted[id][3] if id in wanted else before is None
        wanted[id] = (read, line, digest, counts)
        seen[id] = Seen(read.file, read.line, digest)

    put, refused, tally = [], [], {"added": 0, "changed": 0, "unchanged": 0}
    for id, (read, line, digest, counts) in wanted.items():
        there = held.get(id)
        if there and there.digest != digest and read.from_path and not (adopt or _one_place(there.source, source)):
            refused.append(Refused(read.file, read.line, TAKEN.format(there.source)))
            continue
        same = there and (there.digest == digest or (read.is_teaser and there.source != source))
        verdict = "added" if there is None else "unchanged" if same else "changed"
        tally[verdict] += counts
        if verdict != "unchanged" or (adopt and there and there.source != source):
            put.append(Put(read.article, source, line, digest))
    return Plan(tuple(put), duplicates=tuple(duplicates), refused=tuple(refused), **tally)


def _one_place(source: str, other: str) -> bool:
    """The same folder or file, or one within the other: a file may be named by itself after its folder was."""
    here, there = files.folder(source), files.folder(other)
    return here.is_relative_to(there) or there.is_relative_to(here)
