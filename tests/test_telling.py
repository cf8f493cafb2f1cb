"""What a run tells: the same events as lines for people and as JSON for programs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer import progress
from indexer import run as runs
from search.cli import main
from search.engines.whoosh import lock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    return tmp_path / "articles"


@pytest.fixture
def wire(folder: Path) -> Path:
    lines = [
        {"id": "a", "title": "One", "mood": "good"},
        {"id": "a", "title": "Another"},
        {"id": "b", "title": "Two", "mood": "bad"},
        {"id": "x"},
    ]
    path = folder / "wire.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(folder: Path, *args: object) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{folder.parent / 'index'}", *map(str, args)])


def events(result: Any) -> list[dict[str, Any]]:
    """What was told, without the times, which are instants."""
    assert result.stderr == ""
    told = [json.loads(line) for line in result.stdout.splitlines()]
    for event in told:
        assert datetime.fromisoformat(event.pop("time")).tzinfo
    return told


def end(**values: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("added", "changed", "unchanged", "removed", "refused"), 0)
    return {**counts, "generation": None, "code": 0, **values}


def test_each_event_is_an_object_a_line(folder: Path, wire: Path) -> None:
    file = str(wire)
    refused = {"event": "refused", "file": file, "line": 4, "reason": "it has neither title nor body"}
    twice = {
        "event": "twice", "file": file, "line": 2, "id": "a", "same": False, "first": {"file": file, "line": 1}
    }  # fmt: skip
    note = {"event": "note", "file": file, "times": 2}
    last = {"event": "done", **end(added=2, refused=1, code=1)}
    for quiet in ([], ["--quiet"]):
        result = run(folder, "index", folder, "--json", *quiet)
        told = events(result)
        if not quiet:
            assert "mood" in told.pop(2).pop("note")
            assert note["event"] == "note"
        assert told == [refused, twice, last]
        assert result.exit_code == 1
        last |= end(unchanged=2, refused=1, code=1)


def test_a_rebuild_ends_with_its_generation(folder: Path, wire: Path) -> None:
    wire.write_text('{"id": "a", "title": "One"}\n')
    run(folder, "index", folder)
    (told,) = events(run(folder, "reindex", folder, "--json"))
    live = json.loads(run(folder, "status", "--json").stdout)["generation"]
    assert told == {"event": "done", **end(unchanged=1, generation=live)}
    assert run(folder, "reindex", "--quiet").output == ""


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_what_went_wrong_is_told_in_either_way(folder: Path, wire: Path, quiet: list[str]) -> None:
    wire.write_text("")
    result = run(folder, "index", folder, "--json", *quiet)
    *_, told = events(result)
    reason = "no article could be read; nothing was done"
    assert (result.exit_code, told["event"], told["reason"], told["code"]) == (2, "failed", reason, 2)
    assert f"broadsheet: {reason}" in run(folder, "index", folder, *quiet).stderr


def test_a_failure_tells_what_was_accepted(folder: Path, wire: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.engines.whoosh.WAIT", 0.1)
    wire.write_text('{"id": "a", "title": "One"}\n')
    run(folder, "index", folder)
    wire.write_text('{"id": "b", "title": "Two"}\n')
    with lock.hold(folder.parent / "index" / "writer.lock", "rebuilding"):
        result = run(folder, "index", folder, "--json")
    (told,) = events(result)
    assert (result.exit_code, told["event"], told["added"], told["code"]) == (2, "failed", 1, 2)
    assert "writer.lock is held by process" in told["reason"]
    (broken, _) = events(run(folder, "index", folder, "--json"))
    assert (broken["event"], broken["run"], broken["changes"]) == ("broken_off", 2, 1)
    assert broken["when"].startswith("at 2")


def test_progress_is_a_step_now_and_then(folder: Path, wire: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(runs, "TELL", 1)
    wire.write_text("".join(json.dumps({"id": str(n), "title": "One"}) + "\n" for n in range(40)))
    told = events(run(folder, "reindex", folder, "--json"))
    steps = [event for event in told if event["event"] == "progress"]
    assert {step["stage"] for step in steps} == {"reading", "indexing", "checking"}
    assert [step["done"] for step in steps if step["stage"] == "reading"] == [*range(1, 41), 40]
    for step in steps:
        assert set(step) == {"event", "stage", "done", "of", "unit", "rate", "left"}
        assert step["left"] is None or step["left"] >= 0
    assert told[-1]["event"] == "done"
    assert [event["event"] for event in events(run(folder, "reindex", folder, "--json", "--quiet"))] == ["done"]
