"""The measures of ranking, against figures worked out by hand."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest
from click.testing import CliRunner

from search import judging
from search.article import make_id
from search.cli import main
from search.engines import Engine
from search.judging import Question, QuestionsError

GRADES = {"a": 3.0, "b": 1.0, "c": 0.0}
BEST = 3 + 1 / log2(3)


@pytest.mark.parametrize(
    ("ids", "ndcg", "mrr", "average_precision", "recall"),
    [
        (["a", "b"], 1.0, 1.0, 1.0, 1.0),
        (["b", "a"], (1 + 3 / log2(3)) / BEST, 1.0, 1.0, 1.0),
        (["c", "a"], (3 / log2(3)) / BEST, 0.5, 0.25, 0.5),  # of two right ones, the first at rank 2, one never
        (["x", "y", "b"], (1 / log2(4)) / BEST, 1 / 3, 1 / 6, 0.5),
        (["x"] * 10 + ["a"], 0.0, 1 / 11, 1 / 22, 0.5),  # beyond the first page nDCG@10 sees nothing
        ([], 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_measures(ids: list[str], ndcg: float, mrr: float, average_precision: float, recall: float) -> None:
    assert judging.ndcg(ids, GRADES) == pytest.approx(ndcg)
    assert judging.reciprocal_rank(ids, GRADES) == pytest.approx(mrr)
    assert judging.average_precision(ids, GRADES) == pytest.approx(average_precision)
    assert judging.recall(ids, GRADES) == pytest.approx(recall)


def test_questions_of_a_table_name_an_article_by_id_url_or_path(tmp_path: Path) -> None:
    table = tmp_path / "questions.csv"
    rows = ["snow,snow,3,", "snow,https://news.example/snow?utm_source=x,1,", "snow,dumps/snow.txt,2,", "none,snow,0,"]
    table.write_text("\n".join(["query,id,grade,note", *rows]))
    (question,) = judging.read(table)
    url, path = make_id("https://news.example/snow"), make_id(f"{tmp_path.name}/dumps/snow.txt")
    assert question == Question("snow", {"snow": 3.0, url: 1.0, path: 2.0})


def test_questions_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"id": 1, "text": "snow"}\n{"id": 2, "text": "nobody judged this"}\n')
    (tmp_path / "qrels.tsv").write_text("1\tsnow\t2\n1\trace\t1\n")
    assert judging.read(tmp_path) == [Question("snow", {"snow": 2.0, "race": 1.0})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question,answer\nsnow,snow\n", "must name the columns query, id and grade"),
        ("query,id,grade\nsnow,snow,very\n", "line 2: the grade 'very' is no number"),
        ("query,id,grade\nsnow,snow\n", "line 2: the grade None is no number"),
        ("query,id,grade\n", "holds no question with an answer"),
    ],
)
def test_bad_questions_are_named(tmp_path: Path, content: str, message: str) -> None:
    table = tmp_path / "questions.csv"
    table.write_text(content)
    with pytest.raises(QuestionsError, match=message):
        judging.read(table)


def test_a_judged_article_that_is_not_indexed_is_an_error_and_no_bad_figure(newsroom: Engine) -> None:
    with pytest.raises(QuestionsError, match="judged, but not in the index: nowhere"):
        judging.judge(newsroom, [Question("snow", {"snow": 1.0, "nowhere": 1.0})])


def test_the_command_prints_the_figures_and_the_worst_first(newsroom: Engine, tmp_path: Path) -> None:
    table = tmp_path / "questions.csv"
    table.write_text("query,id,grade\nglacier huts,huts,3\nzebra,huts,3\n")
    done = CliRunner().invoke(main, ["--index", newsroom.url, "eval", str(table), "--verbose"])
    assert done.exit_code == 0, done.output
    assert [line.split()[-1] for line in done.output.splitlines()[1:3]] == ["zebra", "huts"]
    assert done.output.splitlines()[-1] == "2 questions: nDCG@10 0.500, MRR 0.500, MAP 0.500, recall@100 0.500"
    table.write_text("query,id,grade\nglacier huts,huts,oops\n")
    refused = CliRunner().invoke(main, ["--index", newsroom.url, "eval", str(table)])
    assert refused.exit_code == 2
    assert "line 2" in refused.output
