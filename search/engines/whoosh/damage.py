"""Generations that cannot be trusted: noted in their folder, asked no more, and left there for somebody to look at."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from search.engines.whoosh import durable

FILE = "DAMAGED"


def note(generation: Path, reason: str) -> None:
    """From now on nobody asks this generation. Raises OSError."""
    file = generation / FILE
    if file.exists():
        return
    file.touch()  # this alone counts: on a full disk nothing more can be said
    with suppress(OSError):
        durable.write(file, reason.encode())
    durable.sync_folder(generation)


def reason(generation: Path) -> str | None:
    """What was noted of the generation, if anything."""
    try:
        return (generation / FILE).read_text("utf-8", "replace") or "damaged"
    except OSError:
        return None


def is_noted(generation: Path) -> bool:
    """Whether anything was."""
    return (generation / FILE).exists()


def clear(generation: Path) -> None:
    """It was read through and is whole after all."""
    if is_noted(generation):
        (generation / FILE).unlink()
        durable.sync_folder(generation)
