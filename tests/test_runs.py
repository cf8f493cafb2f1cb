"""Judged runs, kept and compared."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from search import runs
from search.judging import Judged, Question
from search.runs import Collection


def run(name: str, *figures: float) -> Collection:
    """A collection whose questions have these figures, all four alike."""
    return runs.collection(name, [Judged(Question(f"q{n}", {"a": 1.0}), f, f, f, f) for n, f in enumerate(figures)])


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([], 1.0),
        ([0.0, 0.0], 1.0),
        ([0.5], 1.0),  # a single one is as far from 0 with either sign
        ([1.0, 1.0, 1.0], 2 / 8),
        ([-1.0, -1.0, -1.0], 2 / 8),  # two-sided
        ([1.0, 1.0, 1.0, 0.0, 0.0], 2 / 8),  # what did not change tells nothing
        ([1.0, -1.0], 1.0),
        ([3.0, 1.0, -1.0], 6 / 8),  # +3 is reached by 5, 3, 3 and their opposites
        ([-0.1, -0.3, 0.1], 6 / 8),  # sums of the same size count as such, however they are rounded
        ([0.1] * 10, 2 / 1024),
    ],
)
def test_chance(differences: list[float], p: float) -> None:
    assert runs.chance(differences) == pytest.approx(p)


def test_chance_of_many_is_sampled_and_always_the_same() -> None:
    random_ = random.Random(1)
    noise = [random_.gauss(0, 1) for _ in range(200)]
    assert runs.chance(noise) == runs.chance(noise)
    # By the central limit theorem: 0.142 of them lie 1.47 standard errors from 0.
    size = sum(each**2 for each in noise) ** 0.5
    shifted = [each - sum(noise) / 200 + 1.47 * size / 200 for each in noise]
    assert runs.chance(shifted) == pytest.approx(0.142, abs=0.03)
    assert runs.chance([1.0] * 200) < 0.001


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = [run("alps", 1 / 3, 0.5), run("valley", 0.1)]
    file = tmp_path / "run.json"
    file.write_text(json.dumps(runs.data(kept)))
    assert runs.read(file) == kept


def test_changes_are_sorted_the_worst_loss_first() -> None:
    found = runs.compare([run("a", 0.5, 0.5, 0.5, 0.5)], [run("a", 0.6, 0.5, 0.1, 0.4)]).mean["map"]
    assert [change.question for change in found.changes] == ["q2", "q3", "q0"]
    assert (found.better, found.worse, found.same) == (1, 2, 1)
    assert found.before == 0.5
    assert found.after == pytest.approx(0.4)


def test_a_small_collection_counts_as_much_as_a_large_one() -> None:
    before, after = [run("a", 0.0), run("b", *[0.0] * 9)], [run("a", 1.0), run("b", *[0.0] * 9)]
    assert runs.mean(after)["mrr"] == 0.5
    assert runs.compare(before, after).mean["mrr"].after == 0.5


def test_one_collection_is_compared_whatever_it_is_called() -> None:
    assert runs.compare([run("before", 0.5)], [run("after", 1.0)]).collections.keys() == {"after"}


def test_what_is_in_one_run_alone_is_said() -> None:
    comparison = runs.compare([run("a", 0.5), run("b", 0.5)], [run("a", 0.5, 1.0), run("c", 1.0)])
    assert comparison.mean["mrr"].after == 0.5
    assert list(comparison.notes) == [
        "b is in the run before alone",
        "a: questions that one of the runs alone has, left out: 1",
        "c is not in the run before",
    ]
