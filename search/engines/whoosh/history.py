"""The runs of a store: what each brought, and how one is undone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from search.engines import NothingBefore, Run
from search.engines.whoosh.database import Connection

BATCH = 500


@dataclass(frozen=True, slots=True)
class Before:
    """What an article was before a run; `seq` is the number of that version, None where there was none."""

    id: str
    seq: int | None


def runs(db: Connection) -> list[Run]:
    """Every run, oldest first."""
    rows = db.execute(
        "SELECT run, command, sources, started, ended, count(seq) FROM runs LEFT JOIN articles USING (run)"
        " GROUP BY run ORDER BY run"
    )
    return [
        Run(
            number=run,
            command=command,
            sources=tuple(json.loads(sources)),
            started=datetime.fromisoformat(started),
            ended=datetime.fromisoformat(ended) if ended else None,
            changes=changes,
        )
        for run, command, sources, started, ended, changes in rows
    ]


def before(db: Connection, run: int) -> tuple[list[Before], list[str]]:
    """By article that this run changed last what it was before it; and those that a later run has changed since.

    Raises:
        NothingBefore: there is no such run.
    """
    if not db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
        raise NothingBefore(f"there is no run {run}: `broadsheet runs` lists them")
    # One pass over all rows: they have no index by id or run, which each article accepted would have to pay for.
    rows = db.execute(
        "WITH mine AS MATERIALIZED (SELECT id, min(seq) AS first FROM articles WHERE run = ? GROUP BY id),"
        " found AS (SELECT articles.id, max(seq) AS last, max(seq) FILTER (WHERE seq < first) AS earlier"
        "           FROM articles JOIN mine USING (id) GROUP BY articles.id)"
        " SELECT found.id, earlier, run = ? FROM found JOIN articles ON seq = last ORDER BY found.id",
        (run, run),
    ).fetchall()
    return [Before(id, seq) for id, seq, own in rows if own], [id for id, _, own in rows if not own]


def batches(items: Sequence[Before]) -> Iterator[Sequence[Before]]:
    """So many at once."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
