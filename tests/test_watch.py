"""Following folders and addresses: what is read when, what is left alone, and that nothing but a signal ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from publisher import Clock, Publisher, publishing

from indexer import build, watch
from indexer.fetch import Fetcher
from indexer.following import Following
from indexer.report import Report
from indexer.sources import Refused
from indexer.telling import Teller
from search.cli import main
from search.engines import Engine, EngineError, EngineUnavailable, connect

Step = Callable[[], object]


@pytest.fixture
def web() -> Iterator[Publisher]:
    with publishing() as publisher:
        yield publisher


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


class Followed:
    """Follows paths while steps are made, one at each sleep, until there are none; then comes Ctrl-C."""

    def __init__(self, engine: Engine) -> None:
        self.clock = Clock()
        self.waits: list[float] = []
        self.done: list[tuple[str, Report]] = []
        self.failures: list[str] = []
        self.update = build.update
        self._engine = engine
        self._fetcher = Fetcher(private=True, sleep=self.clock.sleep, clock=self.clock)

    def run(self, paths: Sequence[str | Path], *steps: Step, every: float = 300.0, prune: bool = False) -> list[str]:
        """What was read in each poll that read anything: added, changed, unchanged, removed, refused."""
        left = iter(steps)

        def sleep(seconds: float) -> None:
            self.clock.now += seconds
            self.waits.append(seconds)
            try:
                next(left)()
            except StopIteration:
                raise KeyboardInterrupt from None

        def update(path: str, only: Any = None, *, prune: bool = False) -> Report:
            return self.update(self._engine, [path], only=only, prune=prune, fetcher=self._fetcher)

        watch.watch(
            map(str, paths),
            update,
            self,
            every=every,
            prune=prune,
            sleep=sleep,
            clock=self.clock,
            spread=lambda _, most: most,
        )
        self._fetcher.close()
        return [" ".join(map(str, (r.added, r.changed, r.unchanged, r.removed, len(r.refused)))) for _, r in self.done]

    def polled(self, path: str, report: Report) -> None:
        if report.read or report.removed or report.refused:
            self.done.append((path, report))

    def failed(self, path: str, problem: BaseException, again: float) -> None:
        del path, again
        self.failures.append(str(problem))


@pytest.fixture
def followed(engine: Engine) -> Followed:
    return Followed(engine)


def _most(_: float, most: float) -> float:
    return most


def wait() -> None:
    """Nothing happens meanwhile."""


def put(path: Path, *ids: str, title: str = "Title", at: int | None = None) -> Step:
    def write() -> None:
        path.write_text("".join(json.dumps({"id": id, "title": title, "body": "Text."}) + "\n" for id in ids))
        if at is not None:
            os.utime(path, ns=(at, at))

    return write


def feed(*names: str, head: str = "") -> str:
    items = "".join(f"<item><title>{n}</title><link>{{site}}/{n}</link></item>" for n in names)
    return f"<rss><channel>{head}{items}</channel></rss>"


def test_what_is_written_to_a_folder_is_read_and_nothing_else(folder: Path, followed: Followed) -> None:
    put(folder / "a.jsonl", "a")()
    assert followed.run([folder], wait, put(folder / "b.jsonl", "b"), wait, wait) == ["1 0 0 0 0", "1 0 0 0 0"]
    assert set(followed.waits) == {watch.LOOK}


def test_a_file_is_read_when_it_rests(folder: Path, followed: Followed) -> None:
    file = folder / "a.jsonl"
    steps = [put(file, "a", at=1), put(file, "a", "b", at=2), put(file, "a", "b", "c", at=3), wait, wait]
    assert followed.run([folder], *steps) == ["3 0 0 0 0"]


def test_a_file_that_changed_while_the_folder_was_read_at_first_is_read_again(folder: Path, followed: Followed) -> None:
    file = folder / "a.jsonl"
    put(file, "a", at=1)()
    real = followed.update

    def slow(*arguments: Any, **options: Any) -> Report:
        report = real(*arguments, **options)
        if not followed.done:
            put(file, "a", title="Changed", at=2)()
        return report

    followed.update = slow
    assert followed.run([folder], wait, wait, wait) == ["1 0 0 0 0", "0 1 0 0 0"]


def test_a_file_that_is_moved_in_with_an_old_date_is_read(folder: Path, tmp_path: Path, followed: Followed) -> None:
    put(tmp_path / "old.jsonl", "a", at=1)()
    put(folder / "b.jsonl", "b")()
    steps = [lambda: (tmp_path / "old.jsonl").rename(folder / "a.jsonl"), wait, wait]
    assert followed.run([folder], *steps) == ["1 0 0 0 0", "1 0 0 0 0"]


def test_ids_are_those_of_the_whole_folder(folder: Path, engine: Engine, followed: Followed) -> None:
    (folder / "sub").mkdir()
    put(folder / "b.jsonl", "b")()
    post = folder / "sub" / "snow.md"
    followed.run([folder], lambda: post.write_text("---\ntitle: Snow\n---\nIt fell.\n"), wait, wait)
    assert build.update(engine, [folder]).unchanged == 2


def test_what_is_gone_stays_without_prune(folder: Path, engine: Engine, followed: Followed) -> None:
    put(folder / "a.jsonl", "a")()
    put(folder / "b.jsonl", *"bcdefghijklm")()
    assert followed.run([folder], (folder / "a.jsonl").unlink, wait, wait) == ["13 0 0 0 0"]
    assert engine.status().articles == 13


def test_what_is_gone_is_removed_by_prune(folder: Path, engine: Engine, followed: Followed) -> None:
    put(folder / "a.jsonl", "a")()
    put(folder / "b.jsonl", *"bcdefghijklm")()
    assert followed.run([folder], (folder / "a.jsonl").unlink, wait, wait, prune=True)[-1] == "0 0 12 1 0"
    assert engine.status().articles == 12


def test_a_folder_that_is_away_empties_nothing_and_comes_back(folder: Path, engine: Engine, followed: Followed) -> None:
    put(folder / "a.jsonl", "a", "b")()
    away = folder.with_name("away")
    steps: list[Step] = [lambda: folder.rename(away), wait, wait, wait, lambda: away.rename(folder), wait, wait]
    said = followed.run([folder], *steps, put(folder / "b.jsonl", "c"), wait, wait, prune=True)
    assert said[0] == "2 0 0 0 0"
    assert [report.refused[0].reason for _, report in followed.done if report.refused] == [
        "there is no such file or folder"
    ], "once"
    assert engine.status().articles == 3


def test_a_large_folder_is_looked_at_more_rarely(
    folder: Path, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = watch._look

    def slow(path: str) -> Any:
        followed.clock.now += 1.5
        return look(path)

    monkeypatch.setattr(watch, "_look", slow)
    followed.run([folder], wait, wait)
    assert set(followed.waits) == {watch.SHARE * 1.5}


# Addresses


def test_an_address_is_asked_again_after_the_interval(web: Publisher, engine: Engine, followed: Followed) -> None:
    url = web.put("/feed", feed("a"), ETag='"1"')
    steps = [wait, lambda: web.put("/feed", feed("a", "b"), ETag='"2"'), wait]
    assert followed.run([url], *steps) == ["1 0 0 0 0", "0 0 1 0 0", "1 0 1 0 0", "0 0 2 0 0"]
    assert followed.waits == [pytest.approx(330.0)] * 4
    assert len(engine.runs()) == 2, "a poll that changes nothing is no run"


@pytest.mark.parametrize(
    ("head", "headers", "waited"),
    [
        ("<ttl>30</ttl>", {}, 1800.0),
        ("<ttl>1</ttl>", {}, 300.0),
        ("", {"Cache_Control": "max-age=900"}, 900.0),
        ("", {"Cache_Control": "max-age=99999999"}, 86400.0),
    ],
)
def test_no_address_is_asked_more_often_than_it_wants(
    web: Publisher, followed: Followed, head: str, headers: dict[str, str], waited: float
) -> None:
    followed.run([web.put("/feed", feed("a", head=head), **headers)], wait)
    assert followed.waits[0] == pytest.approx(1.1 * waited)


def test_how_long_a_server_asks_to_wait_is_waited(web: Publisher, followed: Followed) -> None:
    followed.run([web.put("/feed", status=503, Retry_After="7200")], wait)
    assert followed.waits[0] == pytest.approx(1.1 * 7200)


def test_what_fails_is_said_and_tried_again(web: Publisher, followed: Followed) -> None:
    url = web.put("/feed", status=500)
    steps = [wait, lambda: web.put("/feed", feed("a")), wait]
    assert followed.run([url], *steps) == ["0 0 0 0 1", "0 0 0 0 1", "1 0 0 0 0", "0 0 1 0 0"]


def test_an_index_that_fails_is_said_and_tried_again(folder: Path, followed: Followed) -> None:
    put(folder / "a.jsonl", "a")()
    real, failing = followed.update, [True, True]

    def update(*arguments: Any, **options: Any) -> Report:
        if failing:
            failing.pop()
            raise watch.Stopped(Report()) from EngineUnavailable("the disk is full")
        return real(*arguments, **options)

    followed.update = update
    assert followed.run([folder], wait, wait, wait) == ["1 0 0 0 0"]
    assert followed.failures == ["the disk is full"] * 2
    assert followed.waits[:2] == [watch.AGAIN] * 2


def test_410_removes_while_it_is_followed(web: Publisher, engine: Engine, followed: Followed) -> None:
    for name in ("a", "b"):
        web.put(f"/{name}", "still here")
    url = web.put("/feed", feed("a", "b"))

    def gone() -> None:
        web.put("/feed", feed("b"))
        web.put("/a", status=410)

    assert followed.run([url], gone, wait) == ["2 0 0 0 0", "0 0 1 1 0", "0 0 1 0 0"]
    assert engine.status().articles == 1


def test_a_folder_and_an_address_are_followed_together(
    web: Publisher, folder: Path, engine: Engine, followed: Followed
) -> None:
    url = web.put("/feed", feed("a"))
    put(folder / "x.jsonl", "x")()
    followed.run([folder, url], put(folder / "y.jsonl", "y"), wait, wait, wait, wait, every=5.0)
    assert engine.status().articles == 3
    assert [path for path, _ in followed.done].count(url) >= 2


# What is told


def told(capsys: pytest.CaptureFixture[str], *reports: Report, quiet: bool = False) -> tuple[str, str]:
    following = Following(Teller(quiet, False))
    for report in reports:
        following.polled("feed", report)
    following.totals()
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_what_is_told_of_a_poll_is_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    refused = [Refused("x", None, "bad")]
    out, err = told(
        capsys,
        Report(added=2, unchanged=1, refused=refused),
        Report(unchanged=3, refused=refused),
        Report(changed=1, unchanged=2, refused=refused),
    )
    assert err.splitlines() == [
        "refused x: bad",
        "feed: 2 added, 0 changed, 1 unchanged, 0 removed, 1 refused",
        "feed: 0 added, 1 changed, 0 unchanged, 0 removed, 0 refused",
    ]
    assert out.splitlines() == ["2 added, 1 changed, 1 unchanged, 0 removed, 1 refused"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-", "--watch"], "standard input cannot be followed"),
        (["x.jsonl", "--every", "5m"], "--every is for --watch"),
        (["x.jsonl", "--watch", "--every", "soon"], "'soon' is no time (write 90s, 5m, 2h or 1d)"),
        (["x.jsonl", "--watch", "--every", "0s"], "'0s' is no time"),
    ],
)
def test_what_cannot_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.jsonl").write_text("")
    result = CliRunner().invoke(main, ["--index", "whoosh:i", "index", *arguments])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_follows_until_it_is_ended_and_says_the_totals(
    tmp_path: Path, folder: Path, web: Publisher, number: signal.Signals
) -> None:
    """A real process, which sleeps for real."""
    put(folder / "a.jsonl", "a")()
    url = web.put("/feed", feed("b", "c"))
    command = [sys.executable, "-W", "error", "-c", "from search.cli import main; main()"]
    options = ["--watch", "--every", "1s", "--allow-private", "--rate", "100"]
    process = subprocess.Popen(
        [*command, "--index", f"whoosh:{tmp_path / 'index'}", "index", str(folder), url, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        engine = connect(f"whoosh:{tmp_path / 'index'}")
        wait_for(lambda: articles(engine) == 3, process)
        put(folder / "d.jsonl", "d")()
        web.put("/feed", feed("b", "c", "e"))
        wait_for(lambda: articles(engine) == 5, process)
        engine.close()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert out.startswith("5 added, 0 changed, ")


def articles(engine: Engine) -> int:
    try:
        return engine.status().articles
    except EngineError:
        return 0


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
