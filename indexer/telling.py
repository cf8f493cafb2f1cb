"""What a run tells: lines for people, or a JSON object a line for cron and collectors of logs.

Both are made of the same events, each a name and values of plain data.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from indexer import progress
from indexer.acceptance import Findings
from indexer.events import COUNTED, EVENTS, MOST_SHOWN, Values
from indexer.report import Report
from search import ending
from search.article import iso
from search.cli import DONE, NOTHING_DONE, PARTLY
from search.engines import EngineError, Progress, RebuildRefused, Run
from search.terminal import plain


class Teller:
    """Tells events: results on standard output and the rest on standard error; as JSON all on standard output."""

    def __init__(self, quiet: bool, as_json: bool) -> None:
        self._quiet = quiet
        self._as_json = as_json
        self._planned: dict[str, list[Values]] = {}
        self._more: Counter[str] = Counter()

    def tell(self, event: str, values: Values) -> None:
        """Tell one event, unless nobody wants to know of it."""
        how = EVENTS[event]
        if self._quiet and not (how.is_wrong or (how.is_last and self._as_json)):
            return
        if self._as_json:  # in ASCII: names of files may be no text
            click.echo(json.dumps({"event": event, "time": iso(datetime.now(UTC)), **values}))
            return
        for line in how.lines(values):
            click.echo(plain(line), err=not how.is_result)

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

    def planned(self, what: str, id: str, title: str) -> None:
        """An article that would be added, changed or removed: told at once as JSON, the first of them as text later."""
        one = {"id": id, "title": title}
        if self._as_json:
            self.tell("planned", {"what": what, "first": [one], "more": 0})
        elif len(first := self._planned.setdefault(what, [])) < MOST_SHOWN:
            first.append(one)
        else:
            self._more[what] += 1

    def report(self, report: Report, problem: BaseException | None, asked: bool) -> int:
        """Tell what a run did and how it ended; the exit code. `asked`: whether it was to read anything."""
        for event, values in events(report):
            self.tell(event, values)
        for what, first in self._planned.items():
            self.tell("planned", {"what": what, "first": first, "more": self._more[what]})
        for event, values in _found(report.findings):
            self.tell(event, values)
        if not isinstance(problem, RebuildRefused):  # which says it itself
            for objection in report.objections:
                self.tell("objection", {"reason": objection})
        event, code, how = _verdict(report, problem, asked)
        self.tell(event, {**counts(report), **how, "code": code})
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


def _found(findings: Findings | None) -> Iterator[tuple[str, Values]]:
    if findings and (judged := findings.judged):
        changes = [{"query": one.question, "before": one.before, "after": one.after} for one in judged.changes]
        sums = {"questions": judged.same + len(changes), "better": judged.better, "worse": judged.worse}
        yield "judged", {"before": judged.before, "after": judged.after, **sums, "changes": changes}
    if findings and findings.asked:
        changes = [
            {
                **asdict(one.query),
                "before": asdict(one.before),
                "after": asdict(one.after),
                "came": one.came,
                "left": one.left,
            }
            for one in findings.changed
        ]
        sums = {"asked": len(findings.asked), "changed": len(changes), "lost": len(findings.lost)}
        yield "queries", {**sums, "changes": changes}


def _verdict(report: Report, problem: BaseException | None, asked: bool) -> tuple[str, int, Values]:
    """How it ended: the event, the exit code, and what only that event says."""
    if isinstance(problem, KeyboardInterrupt):
        return "failed", ending.code(problem), {"kept": report.is_kept, "reason": ending.said(problem)}
    if isinstance(problem, EngineError):
        return "failed", NOTHING_DONE, {"kept": report.is_kept, "reason": str(problem)}
    if asked and not (report.read or report.removed):
        return "failed", NOTHING_DONE, {"kept": False, "reason": "no article could be read; nothing was done"}
    code = PARTLY if report.refused else DONE
    if report.is_tried:
        return "rehearsed", NOTHING_DONE if report.is_refused else code, {"pending": report.pending}
    return "done", code, {"generation": report.generation}
