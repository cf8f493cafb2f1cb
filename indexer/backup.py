"""One file with all that cannot be made again: a tar of what the engine keeps and of the settings, with checksums."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from search.engines import Engine, EngineUnavailable, Progress, Restored

FORMAT = 1
CONTENTS = "backup.json"  # first in the tar: what else is in it, with sizes and SHA-256
SETTINGS = "settings.json"
PREFIX = "BROADSHEET_"
UNFINISHED = ".backup-"
FULL = (errno.ENOSPC, errno.EDQUOT)
BLOCK = 2**20  # bytes copied at once


def write(engine: Engine, path: Path, settings: Mapping[str, str], progress: Progress | None = None) -> list[str]:
    """Back up into this file, whole or not at all; a line for each article version that was damaged before.

    `settings`: the environment, of which those of Broadsheet are kept.

    Raises:
        EngineUnavailable: it cannot be written there.
    """
    with _translated(path), _workshop(path.parent) as folder:
        kept = folder / "kept"
        kept.mkdir()
        damages = engine.backup(kept, progress)
        ours = {name: value for name, value in sorted(settings.items()) if name.startswith(PREFIX)}
        (kept / SETTINGS).write_text(json.dumps(ours, ensure_ascii=False, indent=1), "utf-8")
        files = {file.name: _measured(file) for file in sorted(kept.iterdir())}
        made = {"format": FORMAT, "made": datetime.now(UTC).isoformat(timespec="seconds"), "files": files}
        (folder / CONTENTS).write_text(json.dumps(made, indent=1), "utf-8")
        new = folder / "new.tar"
        with tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as tar:
            for file in (folder / CONTENTS, *(kept / name for name in files)):
                tar.add(file, file.name, filter=_nobodys)
        new.chmod(0o600)  # articles that nobody may read yet, and settings
        with new.open("rb") as written:
            os.fsync(written.fileno())
        new.replace(path)
        _sync(path.parent)
    return damages


def restore(engine: Engine, path: Path, progress: Progress | None = None) -> tuple[Restored, dict[str, str]]:
    """Put back what the file holds, in place of all that is there; and the settings of that time.

    Nothing is touched before every byte of the file has been read and found as it was written.

    Raises:
        EngineUnavailable: it is no backup, or damaged, or cut short; the message names what of it.
    """
    with _translated(path), tarfile.open(path, "r:") as tar:
        files = _contents(tar, path)
        for name, right in files.items():
            if _read(tar, path, name) != right:
                raise EngineUnavailable(f"{path}: {name} is not as it was written; use another backup")
        with _member(tar, path, SETTINGS) as stream:
            settings = json.load(stream)
        return engine.restore(partial(_member, tar, path), progress), settings


@contextmanager
def _workshop(parent: Path) -> Iterator[Path]:
    """A folder beside the file to be; those of backups that were killed are removed."""
    with ExitStack() as kept:
        with _locked(parent):  # else another backup could remove this folder before it is held
            for left in parent.glob(f"{UNFINISHED}*"):
                with suppress(OSError), _locked(left, fcntl.LOCK_NB):
                    shutil.rmtree(left, ignore_errors=True)
            made = TemporaryDirectory(dir=parent, prefix=UNFINISHED, ignore_cleanup_errors=True)
            folder = Path(kept.enter_context(made))
            kept.enter_context(_locked(folder))
        yield folder


@contextmanager
def _locked(folder: Path, how: int = 0) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(descriptor)


def _contents(tar: tarfile.TarFile, path: Path) -> dict[str, tuple[int, str]]:
    """By file that is in it size and checksum."""
    try:
        first = tar.next()
        stream = tar.extractfile(first) if first and first.name == CONTENTS else None
        if stream is None:
            raise EngineUnavailable(f"{path} is no backup of Broadsheet")
        data: dict[str, Any] = json.loads(stream.read(BLOCK))
        if data["format"] != FORMAT:
            raise EngineUnavailable(f"{path} has the format {data['format']}, this version reads {FORMAT}")
        files = {name: (entry["size"], entry["sha256"]) for name, entry in data["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise EngineUnavailable(f"{path}: {CONTENTS} is not as it was written; use another backup") from problem
    if SETTINGS not in files or any(Path(name).name != name or name.startswith(".") for name in files):
        raise EngineUnavailable(f"{path} is no backup of Broadsheet")
    return files


def _member(tar: tarfile.TarFile, path: Path, name: str) -> IO[bytes]:
    try:
        stream = tar.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise EngineUnavailable(f"{path}: {name} is missing in it; use another backup")
    return stream


def _read(tar: tarfile.TarFile, path: Path, name: str) -> tuple[int, str]:
    """Size and checksum of a file in it."""
    size, digest = 0, hashlib.sha256()
    with _member(tar, path, name) as stream:
        while block := stream.read(BLOCK):
            size += len(block)
            digest.update(block)
    return size, digest.hexdigest()


def _measured(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        return {"size": file.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as problem:
        raise EngineUnavailable(f"{path} is no backup, or was cut short ({problem}); use another one") from problem
    except OSError as problem:
        remedy = "make room and run it again" if problem.errno in FULL else "use another place"
        raise EngineUnavailable(f"{path}: {problem.strerror}; nothing was changed: {remedy}") from problem
