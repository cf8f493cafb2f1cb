"""How many articles a run will read, told from how much it has read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from indexer import sources
from indexer.items import Known
from indexer.sources import Read, Refused


class Reckoning:
    """How many articles there will be, by the share of the bytes that were read."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.done = 0
        self.pages = 0  # that sitemaps list
        self._total = sum(_size(path) for path in paths)
        self._before = 0  # bytes of the files that are done
        self._file = ""
        self._size = 0
        self._within = 0  # characters read of this one

    def count(self, item: Read | Refused | Known) -> None:
        self.done += 1
        if item.file != self._file:
            self._before += self._size
            self._file, self._size, self._within = item.file, _size(item.file), 0
        if isinstance(item, Read):
            self._within += len(item.article.body)

    def expected(self) -> int:
        """0 where there is no telling, as with standard input."""
        if self.pages:
            return max(self.done, self.pages)
        read = self._before + min(self._within, self._size)
        return max(self.done, round(self.done * self._total / read)) if read else 0


def _size(path: str) -> int:
    """Bytes of a file, or of the files of a folder that a reader answers to."""
    try:
        if not Path(path).is_dir():
            is_packed = Path(path).suffix.lower() in sources.packed.SUFFIXES  # to how much nobody knows before
            return 0 if is_packed else Path(path).stat().st_size
        size, folders = 0, [path]
        while folders:  # one entry at a time: `rglob` keeps them all
            with suppress(OSError), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif Path(entry.name).suffix.lower() in sources.READERS:
                        size += entry.stat().st_size
        return size
    except OSError:  # it is reported when it is read
        return 0
