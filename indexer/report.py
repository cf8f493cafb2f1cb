"""What a run did, as it is told at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.acceptance import Findings
from indexer.plan import Duplicate
from indexer.sources import Refused
from search.engines import Run


@dataclass(slots=True)
class Report:
    """What a run did. `is_kept`: whether what it counts is in the index; else it was only tried, or taken back."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0  # of the removed those whose site says so
    refused: list[Refused] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    notes: dict[str, tuple[int, str]] = field(default_factory=dict)  # what -> how often, and the file of the first
    silent: list[str] = field(default_factory=list)  # paths from which nothing was read
    again: float = 0.0  # seconds for which the sites ask not to be asked again
    findings: Findings | None = None  # how the new generation answers, where it was asked
    objections: list[str] = field(default_factory=list)  # why it should not go on
    generation: str | None = None  # the new one, of a rebuild
    broken_off: list[Run] = field(default_factory=list)  # runs before that did not come to their end
    pending: int = 0  # changes that were accepted before, and are not searchable
    is_kept: bool = True
    is_tried: bool = False  # on a copy, to see what would be
    is_refused: bool = False  # it would be

    def note(self, text: str, file: str) -> None:
        """Say something once, with the first file and how often it holds."""
        times, first = self.notes.get(text, (0, file))
        self.notes[text] = (times + 1, first)

    @property
    def read(self) -> int:
        """Articles that were read."""
        return self.added + self.changed + self.unchanged


class Stopped(Exception):
    """The run was cut short, by its cause. What `report` counts is accepted and kept, if it says so."""

    def __init__(self, report: Report) -> None:
        super().__init__("stopped")
        self.report = report
