"""What the system refuses when files of an index are read or written, and what helps."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.engines import EngineUnavailable, IndexCorrupt

REMEDY = "`broadsheet reindex` makes a new index from the articles, which are kept apart"

# What was accepted is in the store.
REMEDIES = {
    errno.ENOSPC: "make room and run it again, what was accepted is kept",
    errno.EDQUOT: "make room and run it again, what was accepted is kept",
    errno.EIO: "the disk fails: move the index to another one",
    errno.EROFS: "it may not be written: mount it for writing",
    errno.EACCES: "run it as the owner of the folder",
    errno.EPERM: "run it as the owner of the folder",
    errno.EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
    errno.ENFILE: "too many files are open: raise the limit (`sysctl fs.file-max`)",
}


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """What a disk refuses becomes EngineUnavailable here; SQLite's refusals do in the store."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in REMEDIES:
            raise
        raise EngineUnavailable(f"{folder}: {problem.strerror}; {REMEDIES[problem.errno]}") from problem


def of_reading(path: Path, problem: OSError) -> EngineUnavailable:
    """What to raise: the file is gone, or the disk fails, or there is nothing wrong with the file."""
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return IndexCorrupt(f"{path} is not there: {REMEDY}")
    if problem.errno == errno.EIO:
        return IndexCorrupt(f"{path} cannot be read, the disk fails: {REMEDY}")
    return EngineUnavailable(f"{path}: {problem.strerror}; {REMEDIES.get(problem.errno or 0, 'try again')}")
