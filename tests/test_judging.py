"""The measures of ranking, against figures worked out by hand, and the command that prints them."""

from __future__ import annotations

import json
from importlib.metadata import version
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

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
    (tmp_path / "qrels.tsv").write_text("1\tsnow\t2\n1\trace\t1\n1\tspam\t-2\n")
    assert judging.read(tmp_path) == [Question("snow", {"snow": 2.0, "race": 1.0, "spam": 0.0})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question,answer\nsnow,snow\n", "must name the columns query, id and grade"),
        ("query,id,grade\nsnow,snow,very\n", "line 2: the grade 'very' is no number"),
        ("query,id,grade\nsnow,snow\n", "line 2: the grade None is no number"),
        ("query,id,grade\nsnow,snow,nan\n", "line 2: the grade 'nan' is no number"),
        ("query,id,grade\n", "holds no question with an answer"),
    ],
)
def test_bad_questions_are_named(tmp_path: Path, content: str, message: str) -> None:
    table = tmp_path / "questions.csv"
    table.write_text(content)
    with pytest.raises(QuestionsError, match=message):
        judging.read(table)


@pytest.mark.parametrize("lacking", ["queries.jsonl", "qrels.tsv"])
def test_a_folder_that_lacks_a_file_is_named_with_what_it_needs(tmp_path: Path, lacking: str) -> None:
    for name in {"queries.jsonl", "qrels.tsv"} - {lacking}:
        (tmp_path / name).touch()
    with pytest.raises(
        QuestionsError, match=f"has no {lacking}; a folder of questions has queries.jsonl and qrels.tsv"
    ):
        judging.read(tmp_path)


# The command


class Broadsheet(NamedTuple):
    """The command line on the newsroom, and two files of questions: in `alps` one is answered, in `valley` both are."""

    url: str
    alps: str
    valley: str

    def __call__(self, *args: str, code: int = 0) -> Result:
        done = CliRunner().invoke(main, ["--index", self.url, "eval", *args])
        assert done.exit_code == code, done.output
        return done

    def saved(self, path: Path, *args: str) -> str:
        path.write_text(self(*args, "--json").stdout)
        return str(path)


@pytest.fixture
def broadsheet(newsroom: Engine, tmp_path: Path) -> Broadsheet:
    for name, questions in {
        "alps": "glacier huts,huts,3\nzebra,huts,3",
        "valley": "snow race,race,1\nfinish,race,1",
    }.items():
        (tmp_path / f"{name}.csv").write_text(f"query,id,grade\n{questions}\n")
    return Broadsheet(newsroom.url, str(tmp_path / "alps.csv"), str(tmp_path / "valley.csv"))


@pytest.fixture
def before(broadsheet: Broadsheet) -> dict[str, Any]:
    """What was saved of both files, with the figures of the questions turned round."""
    run: dict[str, Any] = json.loads(broadsheet(broadsheet.alps, broadsheet.valley, "--json").stdout)
    for question in run["collections"][0]["questions"]:
        question["ndcg@10"] = 1 - question["ndcg@10"]
    return run


def cells(done: Result) -> list[list[str]]:
    return [line.split() for line in done.stdout.splitlines()]


def test_the_command_prints_the_figures_of_a_file(broadsheet: Broadsheet) -> None:
    assert cells(broadsheet(broadsheet.alps)) == [
        ["questions", "nDCG@10", "MRR", "MAP", "recall@100"],
        ["alps.csv", "2", "0.500", "0.500", "0.500", "0.500"],
    ]


def test_of_several_each_has_a_line_and_all_a_mean(broadsheet: Broadsheet) -> None:
    assert cells(broadsheet(broadsheet.alps, broadsheet.valley))[1:] == [
        ["alps.csv", "2", "0.500", "0.500", "0.500", "0.500"],
        ["valley.csv", "2", "1.000", "1.000", "1.000", "1.000"],
        ["mean", "4", "0.750", "0.750", "0.750", "0.750"],
    ]


def test_the_mean_is_that_of_the_collections_and_not_of_the_questions(broadsheet: Broadsheet) -> None:
    Path(broadsheet.valley).write_text("query,id,grade\nfinish,race,1\n")
    assert cells(broadsheet(broadsheet.alps, broadsheet.valley))[-1] == ["mean", "3", *["0.750"] * 4]


def test_two_of_the_same_name_are_told_apart(broadsheet: Broadsheet, tmp_path: Path) -> None:
    other = tmp_path / "other" / "alps.csv"
    other.parent.mkdir()
    other.write_text("query,id,grade\nfinish,race,1\n")
    assert [row[0] for row in cells(broadsheet(broadsheet.alps, str(other)))[1:3]] == [broadsheet.alps, str(other)]


def test_verbose_shows_each_question_the_worst_first(broadsheet: Broadsheet) -> None:
    shown = cells(broadsheet(broadsheet.alps, "--verbose"))
    assert shown[:3] == [
        ["nDCG@10", "MRR", "MAP", "recall@100", "alps.csv"],
        ["0.000", "0.000", "0.000", "0.000", "zebra"],
        ["1.000", "1.000", "1.000", "1.000", "glacier", "huts"],
    ]


def test_json_has_the_figures_of_every_question(broadsheet: Broadsheet) -> None:
    run = json.loads(broadsheet(broadsheet.alps, "--json").stdout)
    (collection,) = run["collections"]
    assert (run["version"], run["index"]) == (version("broadsheet"), broadsheet.url)
    assert run["mean"] == collection["mean"] == {"ndcg@10": 0.5, "mrr": 0.5, "map": 0.5, "recall@100": 0.5}
    assert [(one["query"], one["ndcg@10"]) for one in collection["questions"]] == [
        ("glacier huts", 1.0),
        ("zebra", 0.0),
    ]


def test_the_same_run_again_differs_in_nothing(broadsheet: Broadsheet, tmp_path: Path) -> None:
    file = broadsheet.saved(tmp_path / "before.json", broadsheet.alps)
    shown = cells(broadsheet(broadsheet.alps, "--against", file))
    assert ["no", "question", "changed"] in shown
    assert shown[-4] == ["nDCG@10", "0.500", "0.500", "+0.000", "0", "0", "2", "1.000"]


def test_against_shows_what_changed_the_worst_loss_first(
    broadsheet: Broadsheet, before: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(before))
    shown = cells(broadsheet(broadsheet.alps, broadsheet.valley, "--against", str(file)))
    assert shown[:3] == [
        ["nDCG@10", "before", "after"],
        ["-1.000", "1.000", "0.000", "alps.csv:", "zebra"],
        ["+1.000", "0.000", "1.000", "alps.csv:", "glacier", "huts"],
    ]
    heads = ["before", "after", "change", "better", "worse", "same", "p"]
    for name, means, counts in (
        ("alps.csv", ["0.500", "0.500", "+0.000"], ["1", "1", "0"]),
        ("valley.csv", ["1.000", "1.000", "+0.000"], ["0", "0", "2"]),
        ("mean", ["0.750", "0.750", "+0.000"], ["1", "1", "2"]),
    ):
        at = shown.index([name, *heads])
        assert shown[at + 1] == ["nDCG@10", *means, *counts, "1.000"]


def test_the_questions_are_listed_by_the_figure_that_is_named(
    broadsheet: Broadsheet, before: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(before))
    shown = cells(broadsheet(broadsheet.alps, broadsheet.valley, "--against", str(file), "--by", "mrr"))
    assert shown[:2] == [["MRR", "before", "after"], ["no", "question", "changed"]]


def test_verbose_shows_each_question_beside_the_comparison(broadsheet: Broadsheet, tmp_path: Path) -> None:
    file = broadsheet.saved(tmp_path / "before.json", broadsheet.alps)
    shown = cells(broadsheet(broadsheet.alps, "--against", file, "--verbose"))
    assert ["0.000", "0.000", "0.000", "0.000", "zebra"] in shown
    assert ["no", "question", "changed"] in shown


def test_the_same_file_twice_is_judged_once(broadsheet: Broadsheet) -> None:
    assert cells(broadsheet(broadsheet.alps, broadsheet.alps)) == cells(broadsheet(broadsheet.alps))


def test_the_comparison_as_json(broadsheet: Broadsheet, before: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    file.write_text(json.dumps(before))
    run = json.loads(broadsheet(broadsheet.alps, broadsheet.valley, "--against", str(file), "--json").stdout)
    alps, valley = run["against"]["collections"]
    assert [change["query"] for change in alps["figures"]["ndcg@10"]["changes"]] == ["zebra", "glacier huts"]
    assert valley["figures"]["ndcg@10"] == {
        "before": 1.0, "after": 1.0, "better": 0, "worse": 0, "same": 2, "p": 1.0, "changes": []
    }  # fmt: skip


def test_what_is_not_compared_is_said(broadsheet: Broadsheet, tmp_path: Path) -> None:
    file = broadsheet.saved(tmp_path / "before.json", broadsheet.alps)
    Path(broadsheet.alps).write_text("query,id,grade\nglacier huts,huts,3\nsnow,snow,1\n")
    assert "left out: 2" in broadsheet(broadsheet.alps, "--against", file).stderr
    Path(broadsheet.alps).write_text("query,id,grade\nglacier huts,huts,3\nzebra,huts,3\nzebra,snow,1\n")
    assert "grades are not those" in broadsheet(broadsheet.alps, "--against", file).stderr
    said = broadsheet(broadsheet.alps, broadsheet.valley, "--against", file).stderr
    assert "valley.csv is not in the run before" in said


def test_a_run_of_other_questions_is_an_error(broadsheet: Broadsheet, tmp_path: Path) -> None:
    file = broadsheet.saved(tmp_path / "before.json", broadsheet.alps)
    said = broadsheet(broadsheet.valley, "--against", file, code=2).stderr
    assert "no question in common: judge the same collections in both" in said


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"collections": []}', '{"collections": [1]}', '{"collections": [{"name": "a"}]}'],
)
def test_a_file_that_is_no_run_is_an_error_with_its_remedy(
    broadsheet: Broadsheet, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "before.json"
    file.write_text(content)
    said = broadsheet(broadsheet.alps, "--against", str(file), code=2).stderr
    assert said == f"broadsheet: {file} is no run: write one with broadsheet eval --json > FILE\n"


def test_a_judged_article_that_is_not_indexed_is_an_error_and_no_bad_figure(broadsheet: Broadsheet) -> None:
    Path(broadsheet.alps).write_text("query,id,grade\nglacier huts,huts,3\nglacier huts,nowhere,3\n")
    said = broadsheet(broadsheet.alps, code=2).stderr
    assert "alps.csv: judged, but not in the index: nowhere; index the articles" in said
    done = broadsheet(broadsheet.alps, "--allow-missing")
    assert "alps.csv: not in the index, so not found: nowhere" in done.stderr
    assert cells(done)[1][-1] == "0.500"  # recall


def test_questions_that_cannot_be_read_are_an_error(broadsheet: Broadsheet, tmp_path: Path) -> None:
    Path(broadsheet.alps).write_text("query,id,grade\nglacier huts,huts,oops\n")
    assert "line 2" in broadsheet(broadsheet.alps, code=2).stderr
    assert "has no queries.jsonl" in broadsheet(str(tmp_path), code=2).stderr
