"""`reindex --dry-run`: it says what the rebuild would do, and writes nothing."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search.cli import main
from search.engines import connect
from search.engines.whoosh import TRIAL

TREES = ("elm", "oak", "ash", "yew", "fir", "lime", "pine", "birch", "beech", "alder", "plane", "larch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    return tmp_path / "articles"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where trials lie."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def write(folder: Path, **titles: str) -> Path:
    lines = [json.dumps({"id": id, "title": title, "body": f"leaf {id}"}) for id, title in titles.items()]
    (folder / "wire.jsonl").write_text("\n".join(lines))
    return folder


def run(folder: Path, *args: object) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{folder.parent / 'index'}", *map(str, args)])


def content(folder: Path) -> dict[str, str]:
    """Every byte below it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def events(result: Any) -> list[dict[str, Any]]:
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


ALL = dict.fromkeys(TREES, "Tree")


@pytest.fixture
def filled(folder: Path) -> Path:
    assert run(folder, "index", write(folder, **ALL)).exit_code == 0
    return folder


# What the source is then; the exit code; what is told of articles.
PLANS: dict[str, tuple[dict[str, str], int, list[tuple[str, str, str]]]] = {
    "nothing": (ALL, 0, []),
    "all kinds": (
        {name: title for name, title in ALL.items() if name != "larch"} | {"elm": "A tree", "sorb": "New"},
        0,
        [("changed", "elm", "A tree"), ("added", "sorb", "New"), ("removed", "larch", "Tree")],
    ),
    "too much": ({"elm": "Tree"}, 2, [("removed", name, "Tree") for name in sorted(TREES) if name != "elm"]),
}


@pytest.mark.parametrize("plan", PLANS)
def test_it_says_what_the_rebuild_then_does_and_writes_nothing(filled: Path, temporary: Path, plan: str) -> None:
    titles, code, named = PLANS[plan]
    queries = filled.parent / "queries"
    queries.write_text("leaf\nelm\nlarch\ntree\t1000\nnew\n")
    write(filled, **titles)
    index = filled.parent / "index"
    before = content(index)
    result = run(filled, "reindex", filled, "--dry-run", "--queries", queries, "--json")
    told = events(result)
    assert content(index) == before
    assert list(temporary.iterdir()) == []
    assert (result.exit_code, told[-1]["code"]) == (code, code)
    planned = [event for event in told if event["event"] == "planned"]
    assert [(one["what"], one["first"][0]["id"], one["first"][0]["title"]) for one in planned] == named
    assert [event["event"] for event in told[len(planned) :]] == (
        ["queries", "objection", "rehearsed"] if code else ["queries", "rehearsed"]
    )
    real = run(filled, "reindex", filled, "--queries", queries, "--json")
    if code:
        assert (real.exit_code, events(real)[-1]["event"]) == (code, "failed")
        assert next(event["reason"] for event in told if event["event"] == "objection") in events(real)[-1]["reason"]
        real = run(filled, "reindex", filled, "--queries", queries, "--json", "--force")
        assert run(filled, "reindex", filled, "--dry-run", "--force").exit_code == 0
    counts = ("added", "changed", "unchanged", "removed", "refused")
    done = events(real)[-1]
    assert [told[-1][name] for name in counts] == [done[name] for name in counts]
    found, then = (next(event for event in each if event["event"] == "queries") for each in (told, events(real)))
    assert {**found, "time": 0} == {**then, "time": 0}


def test_the_first_articles_of_each_kind_are_named(filled: Path) -> None:
    new = {f"new{number:02}": "New" for number in range(13)}
    lines = run(write(filled, **ALL, **new), "reindex", filled, "--dry-run").stdout.splitlines()
    assert lines == [
        *(f"added    new{number:02}  New" for number in range(10)),
        "added    and 3 more",
        "Nothing was written; it would be 13 added, 0 changed, 12 unchanged, 0 removed, 0 refused.",
    ]
    assert run(filled, "reindex", filled, "--dry-run", "--quiet").output == ""


def test_an_article_that_comes_twice_is_named_once(filled: Path) -> None:
    lines = [{"id": "elm", "title": "Once"}, *({"id": name, "title": "Tree"} for name in TREES[1:])]
    lines += [{"id": "elm", "title": "Twice"}, {"id": "new", "title": "A"}, {"id": "new", "title": "B"}]
    (filled / "wire.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for more in (filled / "wire.jsonl", filled):
        told = events(run(filled, "reindex", more, "--dry-run", "--json"))
        named = [(event["what"], event["first"][0]["id"]) for event in told if event["event"] == "planned"]
        assert sorted(set(named) & {("changed", "elm"), ("added", "new")}) == [("added", "new"), ("changed", "elm")]
        assert len([one for one in named if one[1] in ("elm", "new")]) == 2


def test_without_a_path_it_is_what_was_accepted(filled: Path) -> None:
    engine = connect(f"whoosh:{filled.parent / 'index'}")
    from search.article import Article
    from search.engines import Put

    run_number = engine.begin("push", [])
    engine.accept(run_number, [Put(Article(id="pushed", title="Leaf leaf leaf"), "push")])
    engine.end(run_number)
    engine.close()
    queries = filled.parent / "queries"
    queries.write_text("leaf\npushed")
    before = content(filled.parent / "index")
    (found, last) = events(run(filled, "reindex", "--dry-run", "--queries", queries, "--json"))
    assert (found["event"], found["changed"], found["changes"][0]["came"]) == ("queries", 1, ["pushed"])
    assert (last["event"], last["pending"], last["added"]) == ("rehearsed", 1, 0)
    assert content(filled.parent / "index") == before
    assert "1 changes accepted before would become searchable" in run(filled, "reindex", "--dry-run").stdout


def test_before_there_is_an_index(folder: Path) -> None:
    write(folder, **ALL)
    result = run(folder, "reindex", folder, "--dry-run")
    assert result.exit_code == 0
    assert "it would be 12 added" in result.stdout
    without = run(folder, "reindex", "--dry-run")
    assert (without.exit_code, "there is no index at" in without.stderr) == (2, True)
    assert str(folder.parent / "index") in without.stderr
    assert not (folder.parent / "index").exists()


def test_a_folder_that_cannot_be_used_is_named(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(filled / "none"))
    result = run(filled, "reindex", filled, "--dry-run")
    assert result.exit_code == 2
    assert f"{filled / 'none'}: No such file or directory; set TMPDIR" in result.stderr


PROGRAM = [sys.executable, "-c", "from search.cli import main; main()"]


def wait_for(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_is_ended_leaves_nothing_for_long(
    filled: Path, temporary: Path, number: signal.Signals, code: int
) -> None:
    before = content(filled.parent / "index")
    (temporary / f"{TRIAL}other").touch()  # of another program
    arguments = ["--index", f"whoosh:{filled.parent / 'index'}", "reindex", "-", "--dry-run"]
    with subprocess.Popen([*PROGRAM, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_for(lambda: list(temporary.glob(f"{TRIAL}*/index/articles.db")))
        assert run(filled, "reindex", filled, "--dry-run").exit_code == 0
        (at_work,) = temporary.glob(f"{TRIAL}*-*")  # one that is at work is left alone
        assert at_work.is_dir()
        process.send_signal(number)
        process.communicate()
    assert process.returncode == code
    assert at_work.exists() == (number == signal.SIGKILL)
    assert run(filled, "reindex", filled, "--dry-run").exit_code == 0
    assert [path.name for path in temporary.iterdir()] == [f"{TRIAL}other"]
    assert content(filled.parent / "index") == before
