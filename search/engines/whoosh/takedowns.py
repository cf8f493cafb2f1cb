"""The takedowns of a store: what was asked for, the articles that it hides, and the log of it that is never cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from search import addresses
from search.article import as_id
from search.engines import ArticleMissing, Deed, Takedown
from search.engines.whoosh import database
from search.engines.whoosh.ahead import Order, who
from search.engines.whoosh.database import Connection
from search.engines.whoosh.instants import text

TAKEN_DOWN, CAME, PUT_BACK = "taken down", "came, hidden", "put back"


def take_down(db: Connection, order: Order) -> Takedown:
    """Hide what is meant, in the transaction that lasts; a second time changes the reason only."""
    target = _target(order.named)
    db.execute(
        "INSERT INTO takedowns VALUES (?, ?, ?) ON CONFLICT (target) DO UPDATE SET reason = excluded.reason",
        (target, order.reason, order.at),
    )
    db.executemany("INSERT OR IGNORE INTO hidden VALUES (?, ?)", [(target, id) for id in meant(db, order.named)])
    (made,) = _standing(db, [target])
    _log(db, order.at, order.who, TAKEN_DOWN, target, made.ids, order.reason)
    return made


def put_back(db: Connection, named: str) -> list[Takedown]:
    """Undo it, in the transaction that lasts; those that hide articles of it all the same.

    Raises:
        ArticleMissing: nothing of this name is taken down; the message says by which name it is.
    """
    # Also as it is listed: what a page is called may itself hold an escape.
    found = _standing(db, [_target(named), named])
    if not found:
        others = _hiding(db, meant(db, named))
        by = "; it is hidden by the takedown of " + ", ".join(repr(one.target) for one in others) if others else ""
        raise ArticleMissing(f"{named!r} is not taken down{by}; `broadsheet takedowns` lists what is")
    undone = found[0]
    ids = [id for (id,) in db.execute("SELECT id FROM hidden WHERE target = ?", (undone.target,))]
    db.execute("DELETE FROM hidden WHERE target = ?", (undone.target,))
    db.execute("DELETE FROM takedowns WHERE target = ?", (undone.target,))
    _log(db, text(datetime.now(UTC)), who(), PUT_BACK, undone.target, undone.ids, None)
    return _hiding(db, ids)


def came(db: Connection, urls: Sequence[tuple[str, str]]) -> None:
    """Keep where articles are (id, URL), and hide those at a page that is taken down: in the transaction that lasts.

    So no process can ever see the one and not the other.
    """
    db.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?)", [(database.page_hash(url), id) for id, url in urls])
    pages = [(id, addresses.page(url)) for id, url in urls]
    rows = db.execute(
        "SELECT target FROM takedowns WHERE target IN (SELECT value FROM json_each(?))",
        (json.dumps([target for _, target in pages]),),
    )
    taken = {target for (target,) in rows.fetchall()}
    for id, target in pages:
        if target in taken and db.execute("INSERT OR IGNORE INTO hidden VALUES (?, ?)", (target, id)).rowcount:
            _log(db, text(datetime.now(UTC)), who(), CAME, target, [id], None)


def adopt(db: Connection, other: Connection) -> None:
    """Take over what another store has in its log; of each target the last that was done counts."""
    rows = "SELECT at, who, what, target, ids, reason FROM audit ORDER BY number"
    known = set(db.execute(rows))
    db.executemany(
        "INSERT INTO audit (at, who, what, target, ids, reason) VALUES (?, ?, ?, ?, ?, ?)",
        [row for row in other.execute(rows) if row not in known],
    )
    # By number, as a clock may have been set back.
    last = dict(db.execute("SELECT target, what FROM audit WHERE what <> ? ORDER BY number", (CAME,)))
    for target, reason, since in other.execute("SELECT target, reason, since FROM takedowns"):
        if last.get(target) != PUT_BACK:
            db.execute("INSERT OR IGNORE INTO takedowns VALUES (?, ?, ?)", (target, reason, since))
            ids = other.execute("SELECT target, id FROM hidden WHERE target = ?", (target,))
            db.executemany("INSERT OR IGNORE INTO hidden VALUES (?, ?)", ids)
            db.executemany("INSERT OR IGNORE INTO hidden VALUES (?, ?)", [(target, id) for id in meant(db, target)])
    for target, what in last.items():
        if what == PUT_BACK:
            db.execute("DELETE FROM hidden WHERE target = ?", (target,))
            db.execute("DELETE FROM takedowns WHERE target = ?", (target,))


def standing(db: Connection) -> list[Takedown]:
    """Those that are not undone, oldest first."""
    return _standing(db, [target for (target,) in db.execute("SELECT target FROM takedowns")])


def hidden(db: Connection, orders: Iterable[Order] = ()) -> frozenset[str]:
    """The ids and the pages that are taken down, also by orders that are still to be carried out."""
    found = {name for (name,) in db.execute("SELECT id FROM hidden UNION SELECT target FROM takedowns")}
    return frozenset(found.union(*([_target(one.named), *meant(db, one.named)] for one in orders)))


def meant(db: Connection, named: str) -> list[str]:
    """The ids that a name may stand for: itself, and all that are or were at the page of that address."""
    at = (
        db.execute("SELECT id FROM addresses WHERE page = ? ORDER BY id", (database.page_hash(named),))
        if "/" in named
        else ()
    )
    return list(dict.fromkeys([as_id(named), *(id for (id,) in at)]))


def audit(db: Connection) -> list[Deed]:
    """Everything that was ever done, oldest first."""
    rows = db.execute("SELECT at, who, what, target, ids, reason FROM audit ORDER BY number")
    return [
        Deed(datetime.fromisoformat(at), who, what, target, tuple(json.loads(ids)), reason)
        for at, who, what, target, ids, reason in rows
    ]


def _target(named: str) -> str:
    return addresses.page(named) if "/" in named else as_id(named)


def _standing(db: Connection, targets: Sequence[str]) -> list[Takedown]:
    rows = db.execute(
        "SELECT target, reason, since,"
        " (SELECT json_group_array(id) FROM hidden JOIN newest USING (id) WHERE hidden.target = takedowns.target)"
        " FROM takedowns WHERE target IN (SELECT value FROM json_each(?)) ORDER BY since, target",
        (json.dumps(list(targets)),),
    )
    return [
        Takedown(target, reason, datetime.fromisoformat(since), tuple(json.loads(ids)))
        for target, reason, since, ids in rows
    ]


def _hiding(db: Connection, ids: Sequence[str]) -> list[Takedown]:
    """The takedowns that hide any of these."""
    rows = db.execute(
        "SELECT DISTINCT target FROM hidden WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return _standing(db, [target for (target,) in rows.fetchall()])


def _log(db: Connection, at: str, who: str, what: str, target: str, ids: Sequence[str], reason: str | None) -> None:
    db.execute(
        "INSERT INTO audit (at, who, what, target, ids, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (at, who, what, target, json.dumps(list(ids)), reason),
    )
