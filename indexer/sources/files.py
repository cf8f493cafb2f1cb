"""What a path on the command line stands for: a file, the files of a folder, those that a pattern matches."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from .origin import Refused


@dataclass(frozen=True, slots=True)
class File:
    """A file that was found. `is_named`: it was asked for itself, so it must be an article or be refused."""

    path: Path
    below: str  # the way there from the folder that was given
    root: str  # the name of that folder
    is_named: bool = False


def find(path: str | Path, is_wanted: Callable[[str], bool]) -> Iterator[File | Refused]:
    """The files of a path, in order; of folders those whose names are wanted and not hidden."""
    root = Path(path)
    try:
        is_folder = root.is_dir()
        # Resolved, since `.` and `sub/..` have a name too. A file has that of its folder: it has the same id
        # whether it is named or the folder is.
        if is_folder:
            yield from _walk(root, root.resolve().name, is_wanted)
        elif root.exists():
            yield File(root, root.name, root.parent.resolve().name, is_named=True)
        elif is_pattern(path):
            yield from _matches(str(path), is_wanted)
        else:
            yield Refused(str(path), None, "there is no such file or folder")
    except (OSError, ValueError) as error:
        yield unreadable(path, error)


def is_pattern(path: str | Path) -> bool:
    """Whether it names files by a pattern: a file that is really called `[a]` is no pattern."""
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def source(path: str | Path) -> str:
    """The path from the root on: the same however it is written. Of a pattern the folder that it begins with."""
    if not is_pattern(path):
        return str(Path(path).resolve())
    base, rest = _parted(str(path))
    return str(base.resolve() / rest)


def folder(source: str) -> PurePath:
    """Where what has this source lies: of a pattern the folder that it begins with."""
    parts = PurePath(source).parts
    plain = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return PurePath(*parts[:plain])


def unreadable(path: str | Path, error: OSError | ValueError) -> Refused:
    """Nobody knows what it holds, and why."""
    return Refused(str(path), None, f"cannot be read: {getattr(error, 'strerror', None) or error}", unread=True)


def _parted(pattern: str) -> tuple[Path, str]:
    """The folder that a pattern begins with, and the pattern from there on."""
    parts = Path(pattern).parts
    plain = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:plain]), str(Path(*parts[plain:]))


def _matches(pattern: str, is_wanted: Callable[[str], bool]) -> Iterator[File | Refused]:
    """A pattern is its folder with fewer files: each has the same id as in the whole folder."""
    base, rest = _parted(pattern)
    name = base.resolve().name
    # Not by pathlib: there `**` names no files before Python 3.13, and `*` what is hidden.
    found = sorted(glob.glob(rest, root_dir=base, recursive=True))  # noqa: PTH207
    files = [below for below in found if not (base / below).is_dir()]
    if not files:
        what = "folders alone (write FOLDER/** for the files in them)" if found else "no file"
        yield Refused(pattern, None, f"this pattern matches {what}")
    for below in files:
        if is_wanted(below):
            yield File(base / below, PurePath(below).as_posix(), name)


def _walk(root: Path, name: str, is_wanted: Callable[[str], bool]) -> Iterator[File | Refused]:
    """The files below a folder in sorted order, each with its path from there. Each folder is entered once."""
    entered: set[tuple[int, int]] = set()

    def walk(folder: Path, below: str) -> Iterator[File | Refused]:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                return
            entered.add((status.st_dev, status.st_ino))
            paths = sorted(folder.iterdir(), key=lambda path: path.name)
        except OSError as error:
            yield unreadable(folder, error)
            return
        for path in paths:
            if path.name.startswith("."):
                continue
            try:
                is_folder, is_file = path.is_dir(), path.is_file() or path.is_symlink()
            except OSError as error:  # a folder may be listed by one who may not go into it
                yield unreadable(path, error)
                continue
            if is_folder:
                yield from walk(path, f"{below}{path.name}/")
            elif is_file and is_wanted(path.name):
                yield File(path, below + path.name, name)

    return walk(root, "")
