"""The judged questions of the sample corpus, asked by the public path; the figures are kept as golden numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import build
from search import judging
from search.engines import Engine, connect

ROOT = Path(__file__).parent.parent
GOLDEN_FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((GOLDEN_FOLDER / "questions.json").read_text())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = connect(f"whoosh:{tmp_path_factory.mktemp('sample') / 'index'}")
    build.update(engine, [ROOT / "sample_corpus"])
    yield engine
    engine.close()


def test_the_sample_questions_are_answered_as_well_as_before(
    sample: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = judging.judge(sample, judging.read(ROOT / "sample_corpus" / "questions.csv"))
    figures = judging.mean(judged)
    with capsys.disabled():
        print(f"\nsample questions: {figures.questions}, nDCG@10 {figures.ndcg:.3f}, MRR {figures.mrr:.3f}")
    # Better or worse, it is to be seen: a change of ranking writes its new figures into the golden file.
    assert {"questions": figures.questions, "ndcg": round(figures.ndcg, 3), "mrr": round(figures.mrr, 3)} == GOLDEN


def test_dated_questions_are_answered_as_well_as_before(sample: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the newest is right, where an older article is, and where the date says nothing: judged by hand."""
    judged = judging.judge(sample, judging.read(ROOT / "sample_corpus" / "dated.csv"))
    figures = judging.mean(judged)
    with capsys.disabled():
        print(f"\ndated questions: {figures.questions}, nDCG@10 {figures.ndcg:.3f}, MRR {figures.mrr:.3f}")
    golden = json.loads((GOLDEN_FOLDER / "dated.json").read_text())
    assert {"questions": figures.questions, "ndcg": round(figures.ndcg, 3), "mrr": round(figures.mrr, 3)} == golden


def test_every_known_item_is_found(sample: Engine) -> None:
    """An article's own title, typed whole, finds it first."""
    judged = judging.read(ROOT / "sample_corpus" / "questions.csv")
    ids = {id for question in judged for id in question.grades}
    titles = {id: sample.article(id).title for id in ids}
    missed = [
        title
        for one, (id, title) in zip(
            judging.judge(sample, [judging.Question(title, {id: 1.0}) for id, title in titles.items()]),
            titles.items(),
            strict=True,
        )
        if one.mrr < 1
    ]
    assert not missed
