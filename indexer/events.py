"""The events of a run: what each is called, and what it says to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
COUNTED = ("added", "changed", "unchanged", "removed")
MOST_SHOWN = 10  # articles of a kind, questions, queries: JSON has all


@dataclass(frozen=True, slots=True)
class Event:
    """How an event is told as text. `is_wrong`: of a quiet run too. `is_last`: each run ends with one such.

    `is_result`: it is what was asked for, and goes to standard output.
    """

    lines: Callable[[Values], Iterator[str]]
    is_wrong: bool = False
    is_result: bool = False
    is_last: bool = False


def broken_off_line(run: Values) -> str:
    """The same in words."""
    of = f" of {' '.join(run['sources'])}" if run["sources"] else ""
    kept = (
        f"the {run['changes']:,} changes that it had accepted are kept" if run["changes"] else "it had accepted nothing"
    )
    return f"run {run['run']} ({run['command']}{of}) did not come to its end: {run['outcome']}, {run['when']}; {kept}"


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


def _planned(articles: Values) -> Iterator[str]:
    for one in articles["first"]:
        yield f"{articles['what']:<9}{one['id']}  {one['title']}"
    if articles["more"]:
        yield f"{articles['what']:<9}and {articles['more']:,} more"


def _judged(found: Values) -> Iterator[str]:
    means = f"nDCG@10 {found['before']:.3f} -> {found['after']:.3f}"
    yield f"judged: {means} over {found['questions']:,} questions, {found['better']:,} better, {found['worse']:,} worse"
    for one in found["changes"][:MOST_SHOWN]:
        yield f"  {one['before']:.3f} -> {one['after']:.3f}  {one['query']}"
    yield from _more(found["changes"])


def _queries(found: Values) -> Iterator[str]:
    lost = f"; {found['lost']:,} find nothing any more" if found["lost"] else ""
    yield f"frequent queries: {found['changed']:,} of {found['asked']:,} have other first results{lost}"
    for one in found["changes"][:MOST_SHOWN]:
        yield f"  {one['query']} ({one['times']:,}): {', '.join(_moves(one))}"
    yield from _more(found["changes"])


def _moves(one: Values) -> Iterator[str]:
    before, after = one["before"], one["after"]
    if not after["total"]:
        yield f"finds nothing any more, had {before['total']:,}"
        return
    if before["ids"][:1] != after["ids"][:1]:
        was = f", was {before['ids'][0]}" if before["ids"] else ""
        yield f"first is {after['ids'][0]}{was}"
    for name in ("came", "left"):
        if one[name]:
            yield f"{name} {' '.join(one[name])}"
    if not (one["came"] or one["left"]):
        yield "the same in another order"


def _more(shown: Sequence[object]) -> Iterator[str]:
    if len(shown) > MOST_SHOWN:
        yield f"  and {len(shown) - MOST_SHOWN:,} more"


def _objection(objection: Values) -> Iterator[str]:
    yield f"objection: {objection['reason']}"


def _rehearsed(end: Values) -> Iterator[str]:
    if end["pending"]:
        yield f"{end['pending']:,} changes accepted before would become searchable"
    yield f"Nothing was written; it would be {_counts(end)}."


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
    if _is_read(end) and end["kept"]:
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


EVENTS = {
    "progress": Event(_progress),
    "broken_off": Event(_broken_off, is_wrong=True),
    "refused": Event(_refused, is_wrong=True),
    "twice": Event(_twice, is_wrong=True),
    "silent": Event(_silent, is_wrong=True),
    "removed_with_refused": Event(_removed_with_refused, is_wrong=True),
    "note": Event(_note),
    "followed": Event(_followed),
    "poll_failed": Event(_poll_failed, is_wrong=True),
    "planned": Event(_planned, is_result=True),
    "judged": Event(_judged, is_result=True),
    "queries": Event(_queries, is_result=True),
    "objection": Event(_objection, is_wrong=True),
    "done": Event(_done, is_result=True, is_last=True),
    "rehearsed": Event(_rehearsed, is_result=True, is_last=True),
    "failed": Event(_failed, is_wrong=True, is_last=True),
}
