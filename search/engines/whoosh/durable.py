"""Write files that are whole or absent after a crash, and after a power cut too."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Replace the file in one step: readers see the old content or the new one, never a part."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    rename(temporary, path)


def rename(source: Path, target: Path) -> None:
    """Rename, and make the new name last."""
    source.rename(target)
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make the folder if absent. Whoosh unpickles what lies in it, so that it is its owner's alone: mode 0700."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last: an fsync of a file keeps its bytes, not its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
