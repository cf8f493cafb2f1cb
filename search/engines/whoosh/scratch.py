"""Folders for what is in the making: each gone with its process, however that ends.

Who makes one holds a lock on it (flock(2), which the kernel frees), and removes those below the same parent that nobody
holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


class Scratch:
    """A folder of this process below `parent`, its owner's alone; its name begins with `prefix`."""

    def __init__(self, parent: Path, prefix: str = "") -> None:
        for left in parent.glob(f"{prefix}*"):
            _sweep(left)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=parent))
            with suppress(FileNotFoundError):  # another process has swept it away before it was held
                self._lock = _opened(self.path)
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                if self.path.exists():
                    return
                os.close(self._lock)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(left: Path) -> None:
    """Remove it, if it is ours and nobody is at it."""
    try:
        descriptor = _opened(left)
    except OSError:  # another user's, or gone
        return
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
