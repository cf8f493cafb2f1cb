"""Generations: complete indexes side by side, the name of the live one, and the counter that tells of every change.

DIR/generations/<time>-<id>/   one index and its manifest.json; without a manifest it is half made
                               and where it was found damaged a file DAMAGED that says how
DIR/CURRENT                    the name of the live one; where that is damaged, the newest that is not takes its place
DIR/epoch                      8 bytes, little-endian; every process maps it, every request reads it;
                               then two bytes, 1 while a writer may have changed what it has not told of yet;
                               then, from byte 16, the number of the newest row that readers have seen
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
import secrets
import shutil
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from search.engines import EngineUnavailable, IndexCorrupt, IndexMissing, NothingBefore, Progress
from search.engines.whoosh import damage, durable
from search.engines.whoosh.refusals import REMEDY, of_reading

FORMAT = 3  # raised when an index that lies on disk could no longer be read; the remedy is then a rebuild
KEEP = 3  # the live one and two to go back to
STAMP = "%Y%m%dT%H%M%S%f"  # of one width: names sort as instants do
FOLDER, CURRENT, MANIFEST, EPOCH = "generations", "CURRENT", "manifest.json", "epoch"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a generation: bytes, and SHA-256 of them in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds. `last`: the number of the store's newest row in it.

    `run`: whose rebuild made it; `previous`: the generation that was live then; `began`: its `last` at first.
    """

    created: datetime
    last: int
    articles: int
    files: Mapping[str, File] = field(default_factory=dict)
    format: int = FORMAT
    run: int | None = None
    previous: str | None = None
    began: int = 0


def create(folder: Path) -> Path:
    """A new, empty generation."""
    parent = folder / FOLDER
    durable.make_folder(parent)
    # Its name comes after every other: the order of the names is that of making, also where the clock was set back.
    made = max([datetime.now(UTC), *(_made(path.name) + timedelta(microseconds=1) for path in parent.iterdir())])
    generation = parent / f"{made:{STAMP}}-{secrets.token_hex(3)}"
    durable.make_folder(generation)
    return generation


def _made(name: str) -> datetime:
    """When a generation was made, as its name says; long ago where it is no name of ours."""
    try:
        return datetime.strptime(name.partition("-")[0], STAMP).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def names(folder: Path) -> list[str]:
    """The complete generations that are not known to be damaged, oldest first."""
    return [name for name in complete(folder) if not damage.is_noted(folder / FOLDER / name)]


def damaged(folder: Path) -> list[tuple[str, str]]:
    """The complete generations that are asked no more, and why."""
    found = ((name, damage.reason(folder / FOLDER / name)) for name in complete(folder))
    return [(name, reason) for name, reason in found if reason]


def complete(folder: Path) -> list[str]:
    """The complete generations, damaged ones too, oldest first."""
    return sorted(manifest.parent.name for manifest in (folder / FOLDER).glob(f"*/{MANIFEST}"))


def current(folder: Path) -> str:
    """The name of the live generation: that of `CURRENT`, or where that is damaged the newest that is not.

    Raises:
        IndexMissing: there never was one.
        IndexCorrupt: there is none left.
    """
    name, sound = named(folder), names(folder)
    if name not in sound and not sound:
        raise IndexCorrupt(f"{folder / CURRENT} names {name!r}, which is not there or damaged: {REMEDY}")
    return name if name in sound else sound[-1]


def named(folder: Path) -> str:
    """What `CURRENT` says, whatever that is. Raises IndexMissing."""
    try:
        return (folder / CURRENT).read_text("ascii", "replace").strip()
    except FileNotFoundError:
        if (folder / "articles.db").exists():
            raise IndexMissing(f"the articles in {folder} are in no index yet: {REMEDY}") from None
        raise IndexMissing(f"there is no index at {folder}: `broadsheet index PATH` makes one") from None
    except OSError as problem:
        raise of_reading(folder / CURRENT, problem) from problem


def switch(folder: Path, name: str) -> None:
    """Make this complete generation the live one; readers see the old name or the new one. Hold the writer lock."""
    if name not in names(folder):
        raise IndexCorrupt(
            f"there is no complete generation {name!r} in {folder}: {', '.join(names(folder)) or 'none'}"
        )
    durable.write(folder / CURRENT, f"{name}\n".encode())


def before(folder: Path) -> str:
    """The generation that was live before the one that is. Raises NothingBefore where it is not kept, or never was."""
    live = current(folder)
    previous = read_manifest(folder / FOLDER / live).previous
    if previous not in names(folder):
        raise NothingBefore(f"no generation before {live} is kept in {folder}: there is none to go back to")
    return str(previous)


def write_manifest(generation: Path, manifest: Manifest) -> None:
    """Say what the generation holds. Its files must be durable before: this is what makes it complete."""
    data = {**asdict(manifest), "created": manifest.created.isoformat()}
    data["check"] = _digest(data)
    durable.write(generation / MANIFEST, json.dumps(data, indent=1, sort_keys=True).encode())


def read_manifest(generation: Path) -> Manifest:
    """What the generation holds.

    Raises:
        IndexCorrupt: nothing says so.
        EngineUnavailable: it is of a format that this version does not read.
    """
    try:
        data = json.loads((generation / MANIFEST).read_bytes())
        if data["format"] != FORMAT:
            raise EngineUnavailable(
                f"{generation} is of format {data['format']}, this version reads {FORMAT}: {REMEDY}"
            )
        if data.pop("check") != _digest(data):
            raise ValueError("it is not as it was written")
        files = {name: File(**entry) for name, entry in data["files"].items()}
        return Manifest(
            datetime.fromisoformat(data["created"]),
            int(data["last"]),
            int(data["articles"]),
            files,
            run=data.get("run"),
            previous=data.get("previous"),
            began=int(data.get("began", 0)),
        )
    except OSError as problem:
        raise of_reading(generation / MANIFEST, problem) from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise IndexCorrupt(f"{generation / MANIFEST} cannot be read ({problem!r}): {REMEDY}") from problem


def measure(generation: Path, files: Iterable[str], known: Mapping[str, File] | None = None) -> dict[str, File]:
    """Size and checksum of these files; those in `known` are taken from there, as files of an index never change."""
    known = known or {}
    return {name: known.get(name) or _measure(generation / name) for name in files}


def check(generation: Path, progress: Progress | None = None) -> Manifest:
    """Read every file again and compare: the manifest, if all is as it was written.

    Raises:
        IndexCorrupt: naming every file that is missing or changed.
    """
    manifest = read_manifest(generation)
    damaged = []
    for number, (name, file) in enumerate(manifest.files.items(), 1):
        if _measured(generation / name) != file:
            damaged.append(name)
        if progress:
            progress("checking", number, len(manifest.files))
    if damaged:
        raise IndexCorrupt(f"damaged in {generation}: {', '.join(sorted(damaged))}; {REMEDY}")
    return manifest


def is_whole(generation: Path) -> bool:
    """Whether every byte is as it was written. Hold the writer lock."""
    try:
        check(generation)
    except IndexCorrupt:
        return False
    return True


def damages(folder: Path, progress: Progress | None = None) -> dict[str, str]:
    """By complete generation that is not as it was written what is wrong with it. Hold the writer lock.

    What was noted as damaged and is whole after all may be asked again.
    """
    found = {}
    kept = complete(folder)
    for number, name in enumerate(kept):
        generation = folder / FOLDER / name
        try:
            check(generation)
            damage.clear(generation)
        except EngineUnavailable as problem:
            found[name] = str(problem)
        if progress:
            progress("generations", number + 1, len(kept))
    return found


def prune(folder: Path, keep: int = KEEP) -> list[str]:
    """Remove the oldest generations, so that `keep` stay; the names that went. Damaged ones stay.

    The live one is kept, and the one before it: after a rollback others may be newer than that.
    """
    live = current(folder)
    previous = read_manifest(folder / FOLDER / live).previous
    by_use = sorted(names(folder), key=lambda name: (name == live, name == previous, name))
    gone = by_use[: max(0, len(by_use) - keep)]
    for name in gone:
        remove(folder / FOLDER / name)
    return gone


def oldest(folder: Path) -> int:
    """The row at which the oldest began of those that lie here: what was replaced before that, none needs."""
    try:
        return min((read_manifest(folder / FOLDER / name).began for name in complete(folder)), default=0)
    except EngineUnavailable:  # one that cannot be read may need everything
        return 0


def sweep(folder: Path) -> list[str]:
    """Remove what a crash left half made. Hold the rebuild lock: one that is being filled looks the same."""
    whole = set(complete(folder))
    left = sorted(path.name for path in (folder / FOLDER).glob("*") if path.name not in whole)
    for name in left:
        remove(folder / FOLDER / name)
    return left


def remove(generation: Path) -> None:
    """Remove one that is not live.

    The manifest goes first: a removal cut short leaves what the next sweep takes, never what looks complete.
    """
    (generation / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(generation, ignore_errors=True)


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _measure(path: Path) -> File:
    with path.open("rb") as file:
        return File(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _measured(path: Path) -> File | None:
    try:
        return _measure(path)
    except OSError:
        return None


COMMITS, TAKEDOWNS, SEEN, EPOCH_SIZE = 8, 9, 16, 24  # places in the epoch's file


class Epoch:
    """A counter shared by all processes: reading it costs a look at the file's name, so that every request can."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / EPOCH
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise IndexMissing(f"there is no index at {folder}: `broadsheet index PATH` makes one") from None
        except OSError as problem:
            raise EngineUnavailable(f"cannot open {self.path}: {problem.strerror}") from problem
        try:
            if os.fstat(descriptor).st_size < EPOCH_SIZE:
                os.ftruncate(descriptor, EPOCH_SIZE)  # a new file reads as 0; two processes at once do no harm
            self._map = mmap.mmap(descriptor, EPOCH_SIZE, access=mmap.ACCESS_READ)
            self._file = os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> int:
        """The number now."""
        return int(struct.unpack_from("<Q", self._map)[0])

    def seen(self) -> int:
        """The newest row that readers have seen: a generation that is behind it takes the place of another."""
        return int(struct.unpack_from("<Q", self._map, SEEN)[0])

    def show(self, seq: int) -> None:
        """Readers are to see the rows up to this one. Hold the writer lock."""
        with self.path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), struct.pack("<Q", max(self.seen(), seq)), SEEN)

    def moved(self) -> bool:
        """Whether the file at this path is another one now, or gone. While mapped, it keeps its number."""
        try:
            return not os.path.samestat(self._file, self.path.stat())
        except OSError:
            return True

    def bump(self) -> int:
        """Add one, and tell every process; the new number.

        It has a lock of its own, as a takedown must not wait for a writer.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            number = self.read() + 1
            os.pwrite(descriptor, struct.pack("<Q", number), 0)
            return number
        finally:
            os.close(descriptor)

    def owed(self, what: int) -> bool:
        """Whether a bump was promised and has not come yet."""
        return bool(self._map[what])

    def owe(self, what: int) -> bool:
        """Promise a bump before changing anything; whether one was promised and never came. Hold the lock for `what`.

        A process that is killed between its change and its bump has told nobody: of COMMITS the next writer does, and
        while TAKEDOWNS are owed readers look at them with every request.
        """
        with self.path.open("r+b", buffering=0) as file:
            owed = self.owed(what)
            os.pwrite(file.fileno(), b"\1", what)
        return owed

    def settle(self, what: int) -> None:
        """The bump was made, or there was nothing to tell."""
        with self.path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), b"\0", what)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
