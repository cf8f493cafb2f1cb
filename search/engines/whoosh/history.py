"""The runs of a store: what each brought, and how one is undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from search.engines import DONE, KILLED, REFUSED, NothingBefore, Run
from search.engines.whoosh.database import Connection

BATCH = 500


@dataclass(frozen=True, slots=True)
class Before:
    """What an article was before a run; `seq` is the number of that version, None where there was none."""

    id: str
    seq: int | None


def begin(db: Connection, command: str, sources: Sequence[str], now: str) -> int:
    """A new run, and its number."""
    row = (command, json.dumps(list(sources), ensure_ascii=False), now)
    found = db.execute("INSERT INTO runs (command, sources, started) VALUES (?, ?, ?) RETURNING run", row)
    return int(found.fetchone()[0])


def end(db: Connection, run: int, outcome: str, now: str) -> None:
    """The run is at its end."""
    db.execute("UPDATE runs SET ended = ?, outcome = ? WHERE run = ?", (now, outcome, run))


def runs(db: Connection, lasts: Callable[[int], bool], only: Sequence[int] | None = None) -> list[Run]:
    """Every run, or these, oldest first. `lasts`: whether one without an end goes on; else it was killed."""
    rows = db.execute(
        "SELECT run, command, sources, started, changed, ended, outcome, pruned + count(seq)"
        " FROM runs LEFT JOIN articles USING (run)"
        " WHERE ?1 IS NULL OR run IN (SELECT value FROM json_each(?1)) GROUP BY run ORDER BY run",
        (None if only is None else json.dumps(only),),
    )
    return [
        Run(
            number=run,
            command=command,
            sources=tuple(json.loads(sources)),
            started=datetime.fromisoformat(started),
            changed=datetime.fromisoformat(changed) if changed else None,
            ended=datetime.fromisoformat(ended) if ended else None,
            outcome=outcome or (None if lasts(run) else KILLED),
            changes=changes,
        )
        for run, command, sources, started, changed, ended, outcome, changes in rows
    ]


def broken_off(db: Connection, lasts: Callable[[int], bool], now: str) -> list[Run]:
    """Those that ended before their end, where no run of the same command has come to its end since.

    What ended later than `now` did so by a clock that has been set back, and any run after it is since.
    """
    found = db.execute(
        "SELECT run, outcome FROM runs WHERE coalesce(outcome, '') NOT IN (?1, ?2)"
        " AND NOT EXISTS (SELECT 1 FROM runs AS later"
        " WHERE later.command = runs.command AND later.outcome = ?1"
        " AND later.run > runs.run AND (later.started >= coalesce(runs.ended, runs.changed, runs.started)"
        "                               OR coalesce(runs.ended, runs.changed, runs.started) > ?3))",
        (DONE, REFUSED, now),
    )
    numbers = [run for run, outcome in found if outcome or not lasts(run)]
    return runs(db, lasts, numbers) if numbers else []  # counting what each brought reads all rows


def before(db: Connection, run: int) -> tuple[list[Before], list[str]]:
    """By article that this run changed last what it was before it; and those that a later run has changed since.

    Raises:
        NothingBefore: there is no such run, or what was before it is no longer kept.
    """
    found = db.execute(
        "SELECT pruned > 0 OR (SELECT min(seq) FROM articles WHERE run = ?1) <= until FROM runs, pruned WHERE run = ?1",
        (run,),
    ).fetchone()
    if not found:
        raise NothingBefore(f"there is no run {run}: `broadsheet runs` lists them")
    if found[0]:
        raise NothingBefore(
            f"what was before run {run} is no longer kept, as the run is older than every generation: "
            "index the right sources instead"
        )
    # Two passes over all rows: they have no index by id or run, which each article accepted would have to pay for.
    # CROSS JOIN keeps the order: the planner reads all rows for each of the run's, 240 s of 20,000 and not 0.2 s.
    rows = db.execute(
        "WITH mine AS MATERIALIZED (SELECT id, min(seq) AS first FROM articles WHERE run = ? GROUP BY id),"
        " found AS (SELECT articles.id, max(seq) AS last, max(seq) FILTER (WHERE seq < first) AS earlier"
        "           FROM articles CROSS JOIN mine USING (id) GROUP BY articles.id)"
        " SELECT found.id, earlier, run = ? FROM found JOIN articles ON seq = last ORDER BY found.id",
        (run, run),
    ).fetchall()
    return [Before(id, seq) for id, seq, own in rows if own], [id for id, _, own in rows if not own]


def prune(db: Connection, until: int) -> int:
    """Remove the versions that were replaced by row `until` or before, and the deletions up to there; how many.

    Call outside of a transaction: each batch is one. What is cut short is gone on with the next time.
    """
    with db.transaction():
        db.execute("UPDATE pruned SET until = max(until, ?)", (until,))
    removed = 0
    db.execute("CREATE TEMP TABLE replaced (seq INTEGER PRIMARY KEY)")
    try:
        db.execute(
            "INSERT INTO replaced SELECT seq FROM (SELECT seq, digest, lead(seq) OVER (PARTITION BY id ORDER BY seq)"
            " AS next FROM articles WHERE seq <= (SELECT until FROM pruned)) WHERE next IS NOT NULL OR digest IS NULL"
        )
        while seqs := [seq for (seq,) in db.execute("SELECT seq FROM replaced LIMIT ?", (BATCH,))]:
            some = json.dumps(seqs)
            with db.transaction():
                db.execute(
                    "UPDATE runs SET pruned = pruned + gone FROM (SELECT run AS of, count(*) AS gone FROM articles"
                    " WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY run) WHERE run = of",
                    (some,),
                )
                db.execute("DELETE FROM articles WHERE seq IN (SELECT value FROM json_each(?))", (some,))
            db.execute("DELETE FROM replaced WHERE seq IN (SELECT value FROM json_each(?))", (some,))
            removed += len(seqs)
    finally:
        db.execute("DROP TABLE replaced")
    return removed


def batches(items: Sequence[Before]) -> Iterator[Sequence[Before]]:
    """So many at once."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
