"""What a run tells: lines for people, or a JSON object a line for cron and collectors of logs.

Both are made of the same events, each a name and values of plain data.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from indexer import progress
from indexer.report import Report
from search import ending
from search.article import iso
from search.cli import DONE, NOTHING_DONE, PARTLY
from search.engines import EngineError, Progress, Run
from search.terminal import plain

Values = Mapping[str, Any]
COUNTED = ("added", "changed", "unchanged", "removed")


class Teller:
    """Tells events: results on standard output and the rest on standard error; as JSON all on standard output."""

    def __init__(self, quiet: bool, as_json: bool) -> None:
        self._quiet = quiet
        self._as_json = as_json

    def tell(self, event: str, values: Values) -> None:
        """Tell one event, unless nobody wants to know of it."""
        how = EVENTS[event]
        if self._quiet and not (how.is_wrong or (how.is_last and self._as_json)):
            return
        if self._as_json:  # in ASCII: names of files may be no text
            click.echo(json.dumps({"event": event, "time": iso(datetime.now(UTC)), **values}))
            return
        for line in how.lines(values):
            click.echo(plain(line), err=how.is_wrong or not how.is_last)

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """What is told how far it is; None where nobody wants to know."""
        if self._quiet:
            yield None
            return
        shown = (
            progress.Bar()
            if sys.stderr.isatty() and not self._as_json
            else progress.Steps(lambda step: self.tell("progress", step))
        )
        try:
            yield shown
        finally:
            shown.close()

    def report(self, report: Report, problem: BaseException | None, asked: bool) -> int:
        """Tell what a run did and how it ended; the exit code. `asked`: whether it was to read anything."""
        for event, values in events(report):
            self.tell(event, values)
        event, code, reason = _verdict(report, problem, asked)
        self.tell(event, {**counts(report), "generation": report.generation, "reason": reason, "code": code})
        return code


def broken_off(run: Run) -> dict[str, Any]:
    """That a run did not come to its end, as values."""
    return {
        "run": run.number,
        "command": run.command,
        "sources": list(run.sources),
        "outcome": run.outcome,
        "when": f"{'at' if run.ended else 'after'} {iso(run.ended or run.changed or run.started)}",
        "changes": run.changes,
    }


def broken_off_line(run: Values) -> str:
    """The same in words."""
    of = f" of {' '.join(run['sources'])}" if run["sources"] else ""
    kept = (
        f"the {run['changes']:,} changes that it had accepted are kept" if run["changes"] else "it had accepted nothing"
    )
    return f"run {run['run']} ({run['command']}{of}) did not come to its end: {run['outcome']}, {run['when']}; {kept}"


def events(report: Report) -> Iterator[tuple[str, Values]]:
    """What is to be said of a run."""
    for run in report.broken_off:
        yield "broken_off", broken_off(run)
    for item in report.refused:
        yield "refused", {"file": item.file, "line": item.line, "reason": item.reason}
    for twice in report.duplicates:
        first = {"file": twice.before.file, "line": twice.before.line}
        yield "twice", {"file": twice.file, "line": twice.line, "id": twice.id, "same": twice.same, "first": first}
    if report.read:
        for path in report.silent:
            yield "silent", {"path": path}
    if report.removed > report.gone and report.refused:
        yield "removed_with_refused", {"removed": report.removed, "refused": len(report.refused)}
    for note, (count, first_file) in report.notes.items():
        yield "note", {"note": note, "file": first_file, "times": count}


def counts(report: Report) -> dict[str, int]:
    """What a run did, in numbers."""
    return {name: getattr(report, name) for name in COUNTED} | {"refused": len(report.refused)}


def _verdict(report: Report, problem: BaseException | None, asked: bool) -> tuple[str, int, str | None]:
    """How it ended: the event, the exit code, the reason if it did not do all."""
    if isinstance(problem, KeyboardInterrupt):
        return "failed", ending.code(problem), ending.said(problem)
    if isinstance(problem, EngineError):
        return "failed", NOTHING_DONE, str(problem)
    if asked and not (report.read or report.removed):
        return "failed", NOTHING_DONE, "no article could be read; nothing was done"
    return "done", PARTLY if report.refused else DONE, None


# The events as lines.


def _progress(step: Values) -> Iterator[str]:
    left = f" of about {step['of']:,}, {step['left']:,} s left" if step["left"] is not None else ""
    yield f"{step['stage']}: {step['done']:,}{left}, {step['rate']:,} {step['unit']}/s"


def _refused(item: Values) -> Iterator[str]:
    yield f"refused {_place(item)}: {item['reason']}"


def _twice(item: Values) -> Iterator[str]:
    said = "the same article twice" if item["same"] else "the same id again with another text, which replaces the first"
    yield f"twice {_place(item)}: {said}; first seen {_place(item['first'])} (id {item['id']})"


def _silent(item: Values) -> Iterator[str]:
    yield f"nothing could be read from {item['path']}: what came from it before stays"


def _removed_with_refused(_: Values) -> Iterator[str]:
    yield "an article whose file is refused now counts as removed: mend the file and run it again"


def _note(item: Values) -> Iterator[str]:
    more = f" and {item['times'] - 1:,} more" if item["times"] > 1 else ""
    yield f"note: {item['note']} ({item['file']}{more})"


def _broken_off(run: Values) -> Iterator[str]:
    yield f"note: {broken_off_line(run)}"


def _followed(done: Values) -> Iterator[str]:
    yield f"{done['path']}: {_counts(done)}"


def _poll_failed(item: Values) -> Iterator[str]:
    yield f"{item['path']}: {item['reason']}; tried again in {item['again']:.0f} s"


def _done(end: Values) -> Iterator[str]:
    if _is_read(end):
        yield _counts(end)
    if end["generation"]:
        yield f"Switched to generation {end['generation']}."


def _failed(end: Values) -> Iterator[str]:
    if _is_read(end):
        yield _counts(end)
        yield "broadsheet: stopped before the end; what was accepted is kept, and the next run makes it searchable"
    yield f"broadsheet: {end['reason']}"


def _is_read(end: Values) -> bool:
    """Whether any article was; a rebuild without a path reads none."""
    return any(end[name] for name in COUNTED)


def _counts(end: Values) -> str:
    return ", ".join(f"{end[name]:,} {name}" for name in (*COUNTED, "refused"))


def _place(item: Values) -> str:
    return item["file"] if item["line"] is None else f"{item['file']}:{item['line']}"


@dataclass(frozen=True, slots=True)
class _Event:
    """How an event is told as text. `is_wrong`: of a quiet run too. `is_last`: each run ends with one such."""

    lines: Callable[[Values], Iterator[str]]
    is_wrong: bool = False
    is_last: bool = False


EVENTS = {
    "progress": _Event(_progress),
    "broken_off": _Event(_broken_off, is_wrong=True),
    "refused": _Event(_refused, is_wrong=True),
    "twice": _Event(_twice, is_wrong=True),
    "silent": _Event(_silent, is_wrong=True),
    "removed_with_refused": _Event(_removed_with_refused, is_wrong=True),
    "note": _Event(_note),
    "followed": _Event(_followed),
    "poll_failed": _Event(_poll_failed, is_wrong=True),
    "done": _Event(_done, is_last=True),
    "failed": _Event(_failed, is_wrong=True, is_last=True),
}
