"""A judged run, kept as JSON and compared with another: question by question, and whether by chance."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from search import judging
from search.judging import Judged

NAMES = {label.lower(): attribute for label, attribute in judging.FIGURES.items()}  # of the figures, in JSON
SAME = 1e-9  # a difference below this is one of rounding
EXACT = 13  # differences: of so many all signs are tried, of more a sample
SAMPLED = 10_000

Figures = Mapping[str, float]  # by `NAMES`


class RunError(ValueError):
    """A kept run cannot be used; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The questions of one file or folder, and how well each was answered. `digest`: of the questions and grades."""

    name: str
    digest: str
    questions: Mapping[str, Figures]

    def mean(self) -> dict[str, float]:
        """Each figure over all the questions."""
        return _mean(list(self.questions.values()))


@dataclass(frozen=True, slots=True)
class Change:
    """One question, before and after."""

    collection: str
    question: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure before and after: the means, the questions that changed (worst loss first), and chance.

    `p`: how often differences of these sizes would have a mean as far from 0 if each were as likely the other way round
    (a paired randomisation test, two-sided; Smucker, Allan and Carterette 2007).
    """

    before: float
    after: float
    changes: Sequence[Change]
    same: int
    p: float

    @property
    def better(self) -> int:
        return sum(change.difference > 0 for change in self.changes)

    @property
    def worse(self) -> int:
        return sum(change.difference < 0 for change in self.changes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: by collection and, where there are several, of their means, each figure by its name.

    `notes` say what is not compared, or not like with like.
    """

    collections: Mapping[str, Mapping[str, Compared]]
    mean: Mapping[str, Compared]
    notes: Sequence[str] = field(default=())


def collection(name: str, judged: Sequence[Judged]) -> Collection:
    """What is kept of the questions of one file or folder."""
    grades = sorted((one.question.text, sorted(one.question.grades.items())) for one in judged)
    digest = hashlib.blake2b(json.dumps(grades).encode(), digest_size=8).hexdigest()
    questions = {one.question.text: {name: getattr(one, key) for name, key in NAMES.items()} for one in judged}
    return Collection(name, digest, questions)


def mean(collections: Sequence[Collection]) -> dict[str, float]:
    """Each figure as the mean of the collections: a large one counts no more than a small one."""
    return _mean([each.mean() for each in collections])


def data(collections: Sequence[Collection]) -> dict[str, Any]:
    """The run as JSON, which `read` reads."""
    return {
        "collections": [
            {
                "name": each.name,
                "digest": each.digest,
                "mean": each.mean(),
                "questions": [{"query": text, **figures} for text, figures in each.questions.items()],
            }
            for each in collections
        ],
        "mean": mean(collections),
    }


def read(path: Path) -> list[Collection]:
    """The run that was written there.

    Raises:
        RunError: it is none.
        OSError: it cannot be read.
    """
    try:
        found = [_collection(each) for each in json.loads(path.read_text("utf-8"))["collections"]]
    except (ValueError, KeyError, TypeError):
        found = []
    if not found:
        raise RunError(f"{path} is no run: write one with broadsheet eval --json > FILE")
    return found


def compare(before: Sequence[Collection], after: Sequence[Collection]) -> Comparison:
    """Collection by collection of the same name; where each run has one, these two.

    Raises:
        RunError: they have no question in common.
    """
    by_name = {each.name: each for each in before}
    if len(before) == len(after) == 1:
        by_name = {after[0].name: before[0]}
    notes = [f"{name} is in the run before alone" for name in by_name.keys() - {each.name for each in after}]
    changes: dict[str, dict[str, list[Change]]] = {}  # by the name of the collection and of the figure
    for new in after:
        if new.name not in by_name:
            notes.append(f"{new.name} is not in the run before")
            continue
        old = by_name[new.name]
        common = [text for text in new.questions if text in old.questions]
        if alone := len(new.questions) + len(old.questions) - 2 * len(common):
            notes.append(f"{new.name}: questions that one of the runs alone has, left out: {alone}")
        elif new.digest != old.digest:
            notes.append(f"{new.name}: the grades are not those of the run before, so the figures differ by that too")
        if common:
            changes[new.name] = {
                figure: [Change(new.name, t, old.questions[t][figure], new.questions[t][figure]) for t in common]
                for figure in NAMES
            }
    if not changes:
        raise RunError("the two runs have no question in common: judge the same collections in both")
    return Comparison(
        {name: {figure: _compared([of[figure]]) for figure in NAMES} for name, of in changes.items()},
        {figure: _compared([of[figure] for of in changes.values()]) for figure in NAMES},
        notes,
    )


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON."""
    return {
        "collections": [
            {"name": name, "figures": {figure: _compared_data(one) for figure, one in of.items()}}
            for name, of in comparison.collections.items()
        ],
        "mean": {figure: _compared_data(one) for figure, one in comparison.mean.items()},
        "notes": list(comparison.notes),
    }


def chance(differences: Sequence[float]) -> float:
    """How often these, each with any sign, have a sum as far from 0: of all signs, or of a sample, always the same one.

    >>> chance([1.0, 1.0, 1.0])  # two of the eight
    0.25
    """
    sizes = [abs(difference) for difference in differences if abs(difference) > SAME]
    reached = abs(sum(differences)) - SAME * max(len(sizes), 1)
    if len(sizes) <= EXACT:
        sums = [abs(sum(signs)) for signs in product(*((size, -size) for size in sizes))]
        return sum(each >= reached for each in sums) / len(sums)
    random_ = random.Random(1)
    total = sum(sizes)
    as_far = 1  # as it is
    for _ in range(SAMPLED):
        signs = random_.getrandbits(len(sizes))
        turned = sum(size for place, size in enumerate(sizes) if signs >> place & 1)
        as_far += abs(total - 2 * turned) >= reached
    return as_far / (SAMPLED + 1)


def _compared(collections: Sequence[Sequence[Change]]) -> Compared:
    """One figure, over one collection or as the mean of several."""
    every = [change for changes in collections for change in changes]
    changed = [change for change in every if abs(change.difference) > SAME]
    shares = (
        len(every) / (len(collections) * len(changes)) for changes in collections
    )  # of each question, in the mean
    weighed = [c.difference * share for changes, share in zip(collections, shares, strict=True) for c in changes]
    return Compared(
        before=fmean(fmean(change.before for change in changes) for changes in collections),
        after=fmean(fmean(change.after for change in changes) for changes in collections),
        changes=sorted(changed, key=lambda change: (change.difference, change.question)),
        same=len(every) - len(changed),
        p=chance(weighed),
    )


def _compared_data(one: Compared) -> dict[str, Any]:
    changes = [{"query": c.question, "before": c.before, "after": c.after} for c in one.changes]
    counts = {"better": one.better, "worse": one.worse, "same": one.same}
    return {"before": one.before, "after": one.after, **counts, "p": one.p, "changes": changes}


def _collection(each: Any) -> Collection:
    questions = {str(one["query"]): {name: float(one[name]) for name in NAMES} for one in each["questions"]}
    if not questions:
        raise ValueError("no questions")
    return Collection(str(each["name"]), str(each["digest"]), questions)


def _mean(figures: Sequence[Figures]) -> dict[str, float]:
    return {name: fmean(each[name] for each in figures) for name in NAMES}
