"""Commands that are ended before their end: what they say, what is left, what the next one says of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer import reading
from search.article import Article
from search.cli import main
from search.engines import DONE, KILLED, Put, connect
from search.engines import whoosh as embedded
from search.engines.whoosh import lock

PROGRAM = [sys.executable, "-W", "error", "-c", "from search.cli import main; main()"]
SIGNALS = {signal.SIGINT: (130, "ended by Ctrl-C"), signal.SIGTERM: (143, "ended by SIGTERM")}
MANY = 4 * reading.BATCH  # articles: enough for processes beside the first


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@contextmanager
def started(index: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs; killed at the end, if it is still there."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*PROGRAM, "--index", f"whoosh:{index}", *args], text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def done(index: Path, *args: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{index}", *args], input=stdin)


def wait_for(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def lines(*ids: object) -> str:
    return "".join(json.dumps({"id": str(id), "title": "Title", "body": "word " * 100}) + "\n" for id in ids)


def accepted(index: Path) -> int:
    """By whoever writes there, so far."""
    engine = connect(f"whoosh:{index}")
    try:
        return len(engine.held(map(str, range(MANY)))) if (index / "articles.db").exists() else 0
    finally:
        engine.close()


def helpers(process: int) -> list[int]:
    """The processes that this one has started and that are there."""
    threads = Path(f"/proc/{process}/task").glob("*/children")  # a child is of the thread that started it
    return [int(pid) for children in threads for pid in children.read_text().split()]


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def fed(index: Path, process: subprocess.Popen[str]) -> None:
    """Articles on its standard input, without an end, until it has accepted most of them."""
    assert process.stdin
    process.stdin.write(lines(*range(MANY)))
    process.stdin.flush()
    wait_for(lambda: accepted(index) >= MANY - reading.BATCH)


@pytest.mark.parametrize("command", ["index", "reindex"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_in_order(index: Path, command: str, number: signal.Signals) -> None:
    code, said = SIGNALS[number]
    with started(index, command, "-") as process:
        fed(index, process)
        process.send_signal(number)
        _, stderr = process.communicate()
    kept = accepted(index)
    assert process.returncode == code
    assert f"{kept:,} added" in stderr
    assert f"broadsheet: {said}\n" in stderr
    assert "what was accepted is kept" in stderr
    assert "Traceback" not in stderr
    listed = json.loads(done(index, "runs", "--json").stdout)
    assert [(run["outcome"], run["changes"]) for run in listed] == [(said, kept)]
    assert f"({said})" in done(index, "runs").stdout
    result = done(index, command, "-", "--force" if command == "reindex" else "--quiet", stdin=lines("x"))
    assert re.search(
        rf"run 1 \({command} of -\) did not come to its end: {said}, at .*Z; the {kept:,} changes", result.stderr
    )
    assert done(index, "search", "--per-page", "0").stdout.startswith(f"{1 if command == 'reindex' else kept + 1:,} ")


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGKILL])
def test_the_processes_beside_it_end_too(index: Path, number: signal.Signals) -> None:
    with started(index, "index", "-") as process:
        fed(index, process)
        beside = wait_for(lambda: helpers(process.pid))
        process.send_signal(number)
        process.communicate()
    wait_for(lambda: not any(map(is_there, beside)))


@pytest.mark.parametrize("command", [["rollback"], ["reindex"]])
def test_sigterm_ends_who_waits_for_a_lock(index: Path, command: list[str]) -> None:
    done(index, "index", "-", stdin=lines("a"))
    done(index, "reindex")
    before = (index / "CURRENT").read_text()
    with lock.hold(index / "writer.lock", "indexing"), started(index, *command) as process:
        wait_for(lambda: (index / "rebuild.lock").read_text().find(str(process.pid)) >= 0)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate()
    assert process.returncode == 143
    assert "Traceback" not in stderr
    assert (index / "CURRENT").read_text() == before
    assert done(index, *command).exit_code == 0


def test_what_was_killed_is_said_until_the_command_has_come_to_its_end(index: Path) -> None:
    done(index, "index", "-", stdin=lines("before"))
    with started(index, "index", "-") as process:
        fed(index, process)
        assert json.loads(done(index, "runs", "--json").stdout)[1]["outcome"] is None
        assert "goes on" in done(index, "runs").stdout
        assert "broken off" not in done(index, "status").stdout
        process.kill()
        process.communicate()
    kept = accepted(index)
    killed = rf"run 2 \(index of -\) did not come to its end: killed, after .*Z; the {kept:,} changes .* are kept"
    assert re.search(f"broken off  {killed}", done(index, "status").stdout)
    assert json.loads(done(index, "status", "--json").stdout)["broken_off"][0]["outcome"] == KILLED
    assert "(killed)" in done(index, "runs").stdout
    assert "did not come" in done(index, "reindex").stderr  # another command says it too
    assert re.search(killed, done(index, "index", "-", "--quiet", stdin=lines("after")).stderr)
    for args in (["status"], ["index", "-"]):
        result = done(index, *args, stdin=lines("after"))
        assert "broken off" not in result.stdout
        assert "did not come" not in result.stderr
    assert "(killed)" in done(index, "runs").stdout
    assert done(index, "search", "--per-page", "0").stdout.startswith(f"{kept + 2:,} ")


def test_what_failed_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WAIT", 0.1)
    done(index, "index", "-", stdin=lines("a"))
    with lock.hold(index / "writer.lock", "indexing"):
        assert done(index, "index", "-", stdin=lines("b")).exit_code == 2
    result = done(index, "index", "-", stdin=lines("c"))
    assert re.search(r"run 2 .* failed: indexing cannot start: .*, at .*; the 1 changes", result.stderr)


def test_a_run_goes_on_until_its_process_ends_it_or_dies(index: Path) -> None:
    engine, other = connect(f"whoosh:{index}"), connect(f"whoosh:{index}")
    first, second = engine.begin("push", []), engine.begin("push", [])
    engine.accept(second, [Put(Article(id="a", title="T"), "push")])
    assert [run.outcome for run in other.runs()] == [run.outcome for run in engine.runs()] == [None, None]
    assert other.broken_off() == []
    engine.end(first)
    assert [run.outcome for run in other.runs()] == [DONE, None]
    engine.close()  # as a process that dies does
    assert [run.outcome for run in other.runs()] == [DONE, KILLED]
    assert [(run.number, run.ended, run.changes) for run in other.broken_off()] == [(2, None, 1)]
    third = other.begin("push", [])
    assert [run.number for run in other.broken_off()] == [2]
    other.end(third)
    assert other.broken_off() == []
    other.close()


def test_a_fork_does_not_keep_a_run_going(index: Path) -> None:
    engine, other = connect(f"whoosh:{index}"), connect(f"whoosh:{index}")
    engine.begin("push", [])
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        engine.close()
        wait_for(lambda: [run.outcome for run in other.runs()] == [KILLED])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    other.close()
