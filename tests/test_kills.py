"""Commands that are killed at random moments, forty times, and in `make soak` twenty times as often.

After each: the index opens and answers with one state or the other, what was accepted is there and none of it twice,
what was taken down is hidden, and the next run puts everything in order and says what happened.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kills import NO_INDEX, Processes, reading
from scale import SOAK
from stage import HARMLESS, Answer, Stage, State, answer, asked, everything, left_over, run

from search.engines import DONE, KILLED, ArticleGone, Engine, IndexMissing, connect

SEED = 20261122
SAMPLE = 50  # articles that a reader asks about again and again
TRIES = 50  # of a kill that came too late: the machine has more time than when the duration was taken
LONGER = 1.1  # or less: after each kill it is taken to last so many times as long, until one comes too late again
WHEN = ("before", "between", "after")


@dataclass(frozen=True)
class Command:
    """What is killed, and how often."""

    args: tuple[str, ...]
    times: int
    is_stepwise: bool = False  # readers may see a part of what it brings; else one state or the other
    is_first: bool = False  # into a folder that is not there yet
    again: bool = True  # the next run is the same; else, where it had done its work, another


COMMANDS = {
    "index": Command(("index", "own.jsonl"), 6, is_stepwise=True),
    "index, the first": Command(("index", "own.jsonl"), 3, is_first=True),
    "index, 3,000 articles": Command(("index", "many.jsonl"), 5, is_stepwise=True),
    "reindex": Command(("reindex", "own.jsonl"), 5),
    "reindex, 3,000 articles": Command(("reindex", "many.jsonl"), 4),
    "rollback": Command(("rollback",), 5, again=False),
    "rollback RUN": Command(("rollback", "3"), 2, again=False),
    "takedown": Command(("takedown", "a0040", "--reason", "court order"), 2),
    "takedowns --undo": Command(("takedowns", "--undo", "a0020"), 2, again=False),
    "backup": Command(("backup", "b.tar"), 2),
    "restore": Command(("restore", "b.tar", "--force"), 3),
    "verify": Command(("verify",), 1),
}


class Trial:
    """One command on copies of the stage: what it does when it is let, and what is left when it is killed."""

    def __init__(self, command: Command, stage: Stage, processes: Processes, folder: Path) -> None:
        self._command, self._stage, self._processes, self._folder = command, stage, processes, folder
        self._index = folder / "index"
        self._copy()
        self._untouched = self._durable()
        begun = time.monotonic()
        code, _, stderr = self._begin().ended()
        assert code == 0, stderr
        self._lasts = time.monotonic() - begun
        with closing(connect(f"whoosh:{self._index}")) as engine:
            self._after = everything(engine)
            self._last = {id: held.digest for id, held in engine.held(self._after).items()}
        before = {} if command.is_first else stage.before
        self._right: set[Answer | str] = {answer(before), answer(self._after)}
        if command.args == ("rollback",):
            self._right.add(answer(stage.first))  # the generation before, and then what has come since
        if command.is_first or command.args[0] == "restore":
            self._right.add(NO_INDEX)

    def _copy(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._stage.folder, self._folder)
        if self._command.is_first:
            shutil.rmtree(self._index)

    def _begin(self) -> Processes:
        self._processes.begin([f"--index=whoosh:{self._index}", *self._words(self._command.args)])
        return self._processes

    def _words(self, args: tuple[str, ...]) -> list[str]:
        return self._stage.words(args, self._folder)

    def _durable(self) -> tuple[Any, ...]:
        """What a command may change, as it lies on disk."""
        file, current = self._folder / "b.tar", self._index / "CURRENT"
        with closing(connect(f"whoosh:{self._index}")) as engine:
            try:
                rows, deeds = sum(one.changes for one in engine.runs()), len(engine.audit())
            except IndexMissing:
                rows = deeds = 0
        return rows, deeds, current.exists() and current.read_text(), hashlib.sha256(file.read_bytes()).digest()

    def _is_right(self, seen: Answer | str) -> bool:
        """Whether a reader may be answered so, at some moment of it."""
        if seen in self._right or isinstance(seen, str) or not self._command.is_stepwise:
            return seen in self._right
        return seen == answer(self._stage.partly(self._command.args, seen))

    def kill(self, fraction: float, dice: random.Random) -> str:
        """Kill it at that part of its duration, look at what it left, run the next; when that was."""
        for _ in range(TRIES):
            self._copy()
            sample = list(self._after)[:: len(self._after) // SAMPLE + 1]
            with reading(self._index, sample) as reader:
                begun = time.monotonic()
                process = self._begin()
                time.sleep(fraction * self._lasts)
                accepted = reader.accepted
                code, stdout, stderr = process.kill(alone=dice.random() < 0.5)
                if code == -signal.SIGKILL:
                    when, broken_off = self._look(accepted, stdout)
                    if (self._index / "CURRENT").exists() and dice.random() < 0.5:
                        assert run(self._index, "verify").exit_code == 0
                    self._go_on(when, broken_off)
            wrong = [one for one in reader.answers if not self._is_right(one)]
            assert not wrong, wrong
            if code == -signal.SIGKILL:
                assert reader.answers[-1] == answer(self._after)
                self._lasts *= LONGER
                return when
            assert code == 0, stderr
            self._lasts = time.monotonic() - begun
            fraction = dice.random()
        raise AssertionError("it always ends before it is killed")

    def _look(self, accepted: dict[str, str], stdout: str) -> tuple[str, bool]:
        """What was left: when it was killed, and whether it is said that a run was broken off."""
        changed = self._durable() != self._untouched
        with closing(connect(f"whoosh:{self._index}")) as engine:
            try:
                state = everything(engine)
                seen: Answer | str = asked(engine)
                assert seen == answer(state)
                status = engine.status()
                assert status.articles - status.hidden == len(state)
                self._is_hidden(engine, state)
            except IndexMissing:
                seen = NO_INDEX
            assert self._is_right(seen), seen
            assert not stdout or seen == answer(self._after), stdout  # what it has said is so
            if not (self._index / "articles.db").exists():
                assert not accepted
                return WHEN[0], False
            held = {id: one.digest for id, one in engine.held(accepted).items()}
            lost = [id for id in accepted if held.get(id) not in (accepted[id], self._last.get(id))]
            assert not lost, lost
            killed = [one.number for one in engine.runs() if one.outcome == KILLED]
            assert [one.number for one in engine.broken_off()] == killed
            assert {one.outcome for one in engine.runs()} <= {DONE, KILLED}
        when = WHEN[0] if not changed else WHEN[2] if seen == answer(self._after) else WHEN[1]
        return when, bool(killed)

    def _is_hidden(self, engine: Engine, state: State) -> None:
        """What is taken down is gone, here and at its own address."""
        for taken in engine.takedowns():
            for id in taken.ids:
                assert id not in state
                with pytest.raises(ArticleGone):
                    engine.article(id)

    def _go_on(self, when: str, broken_off: bool) -> None:
        """The next run: it is said what happened, and afterwards everything is as if nothing had."""
        said = ["did not come to its end: killed"] if broken_off else []
        assert ("broken off" in run(self._index, "status").stdout) <= broken_off
        args = self._command.args if self._command.again or when == WHEN[0] else HARMLESS
        result = run(self._index, *self._words(args))
        assert result.exit_code == 0, result.stderr
        assert all(one in result.stderr for one in said) or args[0] not in ("index", "reindex")
        with closing(connect(f"whoosh:{self._index}")) as engine:
            state = everything(engine)
            assert state == self._after
            self._is_hidden(engine, state)
            assert {id: held.digest for id, held in engine.held(state).items()} == {id: self._last[id] for id in state}
            assert engine.status().pending == 0
            assert engine.verify() == []
        assert left_over(self._index) == set()
        assert {path.name for path in self._folder.iterdir()} == {path.name for path in self._stage.folder.iterdir()}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("kills") / "stage")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    processes = Processes(tmp_path_factory.mktemp("said"))
    yield processes
    processes.close()


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[dict[str, Counter[str]]]:
    """By command how often it was killed when; printed at the end."""
    found: dict[str, Counter[str]] = {}
    yield found
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n\n| killed | times | {' | '.join(WHEN)} | errors |\n|---|{'---:|' * 5}")
        for name, counts in [*found.items(), ("together", sum(found.values(), Counter()))]:
            errors = counts.total() - sum(counts[when] for when in WHEN)
            print(f"| {name} | {counts.total()} | {' | '.join(str(counts[when]) for when in WHEN)} | {errors} |")


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_moment(
    stage: Stage, processes: Processes, table: dict[str, Counter[str]], tmp_path: Path, name: str
) -> None:
    dice = random.Random(f"{SEED} {name}")
    trial = Trial(COMMANDS[name], stage, processes, tmp_path / "trial")
    times = COMMANDS[name].times * SOAK
    counts = table[name] = Counter()
    for number in range(times):
        counts["error"] += 1
        when = trial.kill((number + dice.random()) / times, dice)
        counts["error"] -= 1
        counts[when] += 1


def test_the_moments_were_of_every_kind(table: dict[str, Counter[str]]) -> None:
    """Else nothing was going on when it was killed."""
    together = sum(table.values(), Counter())
    assert together.total() >= 40 * SOAK
    assert all(together[when] for when in WHEN)
