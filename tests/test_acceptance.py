"""Whether a new generation may go live: by judged questions, by frequent queries, by what a path has lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer import build, frequent
from indexer.acceptance import MOST_LOST, MOST_WORSE, Examination, Findings
from indexer.frequent import Changed, First, Frequent, QueriesError
from search import judging
from search.cli import main
from search.engines import Engine, connect
from search.runs import Compared

TREES = ("elm", "oak", "ash", "yew", "fir", "lime", "pine", "birch", "beech", "alder")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "articles").mkdir()
    return tmp_path / "articles"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


def write(folder: Path, **bodies: str) -> Path:
    lines = [json.dumps({"id": id, "title": f"Title of {id}", "body": body}) for id, body in bodies.items()]
    (folder / "wire.jsonl").write_text("\n".join(lines))
    return folder


def forest(**changed: str) -> dict[str, str]:
    return {tree: f"leaf {tree}" for tree in TREES} | changed


def run(folder: Path, *args: object, **environment: str) -> Any:
    return CliRunner().invoke(
        main, ["--index", f"whoosh:{folder.parent / 'index'}", *map(str, args)], env=dict(environment)
    )


def events(result: Any) -> dict[str, Any]:
    """What was told, by the name of the event."""
    return {event["event"]: event for event in map(json.loads, result.stdout.splitlines())}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Each tree is found by its name."""
    path = tmp_path / "questions.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("query", "id", "grade"), *((tree, tree, 1) for tree in TREES)])
    return path


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "queries.tsv"
    path.write_text("".join(f"{tree}\t{times}\n" for times, tree in enumerate(TREES, 1)))
    return path


# The queries.


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ferry\n", [("ferry", 1)]),
        ("ferry\t3\nfire boat\t12\r\n\n  \nferry\n", [("fire boat", 12), ("ferry", 4)]),
        ("\ufeffferry\t 2 \nfähre", [("ferry", 2), ("fähre", 1)]),
        ("a\nb\nc\t2", [("c", 2), ("a", 1), ("b", 1)]),
    ],
)
def test_queries_are_read(tmp_path: Path, text: str, right: list[tuple[str, int]]) -> None:
    path = tmp_path / "queries"
    path.write_text(text, "utf-8", newline="")
    assert frequent.read(path) == [Frequent(*one) for one in right]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no query"),
        (b"\n \t4\n", "holds no query"),
        (b"ferry\t4\nfire\toften\n", "line 2: 'often' is no number of times that 'fire' was asked"),
        (b"ferry\t-4\n", "line 1: '-4' is no number"),
        ("ferry\t\u00b2\n".encode(), "line 1: '\u00b2' is no number"),
        (b"f\xe4hre\n", "is no text in UTF-8"),
    ],
)
def test_what_are_no_queries_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "queries"
    path.write_bytes(content)
    with pytest.raises(QueriesError) as problem:
        frequent.read(path)
    assert str(path) in str(problem.value)
    assert said in str(problem.value)


def test_of_many_queries_the_most_frequent_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST", 2)
    path = tmp_path / "queries"
    path.write_text("a\t1\nb\t3\nc\t2\n")
    assert [one.query for one in frequent.read(path)] == ["b", "c"]


# What changes.


def test_how_first_results_change(engine: Engine, folder: Path, tmp_path: Path) -> None:
    build.update(engine, [write(folder, **forest(elm="leaf leaf leaf elm", oak="leaf leaf oak word"))])
    with connect(f"whoosh:{tmp_path / 'other'}").trial() as other:
        build.update(other, [write(folder, **(forest(elm="elm", oak="leaf leaf leaf oak") | {"sorb": "leaf"}))])
        asked = [Frequent(text, 1) for text in ("elm", "leaf", "leaf oak", "word", "sorb", "none")]
        changed = Examination(queries=asked).of(engine, other).changed
    assert [one.query.query for one in changed] == ["leaf", "word", "sorb"]
    leaf, word, sorb = changed
    assert (leaf.before.total, leaf.after.total, leaf.left) == (10, 10, ["elm"])
    assert leaf.came == ["sorb"]
    assert (leaf.before.ids[0], leaf.after.ids[0]) == ("elm", "oak")
    assert (word.left, word.came, word.is_lost) == (["oak"], [], True)
    assert (sorb.left, sorb.came, sorb.is_lost) == ([], ["sorb"], False)


def test_the_same_articles_answer_the_same(engine: Engine, folder: Path, questions: Path, queries: Path) -> None:
    """However they came into the index: in many segments, or all at once."""
    for number in range(len(TREES)):
        build.update(engine, [write(folder, **dict(list(forest().items())[: number + 1]))])
    result = run(folder, "reindex", "--judged", questions, "--queries", queries)
    assert (result.exit_code, result.stdout.splitlines()[:2]) == (
        0,
        [
            "judged: nDCG@10 1.000 -> 1.000 over 10 questions, 0 better, 0 worse",
            "frequent queries: 0 of 10 have other first results",
        ],
    )


def test_where_there_was_no_index_nothing_is_compared(folder: Path, questions: Path, queries: Path) -> None:
    result = run(folder, "reindex", write(folder, **forest()), "--judged", questions, "--queries", queries, "--json")
    assert (result.exit_code, list(events(result))) == (0, ["done"])


# What is refused.


def judged(before: float, after: float) -> Findings:
    return Findings(Compared(before, after, (), 0, 1.0))


def lost(of: int, *times: int) -> Findings:
    asked = [Frequent("rest", of - sum(times)), *(Frequent("q", one) for one in times)]
    return Findings(None, asked, [Changed(one, First(("a",), 1), First((), 0)) for one in asked[1:]])


@pytest.mark.parametrize(
    ("findings", "is_refused"),
    [
        (Findings(), False),
        (judged(0.5, 0.5 - MOST_WORSE + 0.001), False),
        (judged(0.5, 0.5 - MOST_WORSE - 0.001), True),
        (judged(0.5, 1.0), False),
        (lost(100, round(100 * MOST_LOST)), False),
        (lost(100, round(100 * MOST_LOST) + 1), True),
        (lost(100, *[1] * (round(100 * MOST_LOST) + 1)), True),
    ],
)
def test_the_bounds(findings: Findings, is_refused: bool) -> None:
    assert bool(list(findings.objections())) == is_refused


def state(engine: Engine) -> object:
    status = engine.status()
    return status.generation, status.articles, status.accepted, status.pending, engine.held(TREES)


WORSE = {"elm": "leaf", "oak": "leaf", "ash": "leaf"}  # not found by their names, but for the titles


@pytest.fixture
def filled(engine: Engine, folder: Path) -> Engine:
    build.update(engine, [write(folder, **forest())])
    return engine


@pytest.fixture
def worse(folder: Path) -> Path:
    """Nothing has gone, but three articles have lost what they were found by."""
    lines = [{"id": tree, "title": "Leaf" if tree in WORSE else tree} for tree in TREES]
    (folder / "wire.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("judged", "answered worse, nDCG@10 1.000 -> 0.700: 'ash' 1.000 -> 0.000, 'elm' 1.000 -> 0.000, 'oak'"),
        ("queries", "10.9% of the frequent searches found something and find nothing now: 'ash', 'oak', 'elm'"),
    ],
)
def test_what_is_answered_much_worse_is_refused_and_taken_back(
    filled: Engine, worse: Path, questions: Path, queries: Path, what: str, said: str, how: str
) -> None:
    file = str({"judged": questions, "queries": queries}[what])
    options, environment = ([f"--{what}", file], {}) if how == "option" else ([], {f"BROADSHEET_{what.upper()}": file})
    before = state(filled)
    result = run(worse, "reindex", worse, *options, **environment)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "The old index goes on, and nothing of this run is kept" in result.stderr
    assert "--force" in result.stderr
    assert "what was accepted is kept" not in result.stderr
    assert state(filled) == before
    assert len(filled.kept()) == 1
    # Nor does the next run bring it, or say that anything is wrong.
    assert run(worse, "index", write(worse.parent / "articles", elm="leaf elm"), "--quiet").output == ""
    assert filled.article("oak").title == "Title of oak"
    assert [one.outcome for one in filled.runs()] == ["done", "refused", "done"]


def test_what_is_meant_goes_through(filled: Engine, worse: Path, questions: Path, queries: Path) -> None:
    options = ["--judged", questions, "--queries", queries, "--force"]
    told = events(run(worse, "reindex", worse, *options, "--json"))
    assert list(told) == ["judged", "queries", "objection", "done"]
    assert (told["judged"]["before"], round(told["judged"]["after"], 3), told["judged"]["worse"]) == (1.0, 0.7, 3)
    assert (told["queries"]["asked"], told["queries"]["changed"], told["queries"]["lost"]) == (10, 3, 3)
    assert filled.article("elm").title == "Leaf"


def test_a_path_that_has_lost_too_much_is_refused_and_what_was_new_is_taken_back(filled: Engine, folder: Path) -> None:
    before = state(filled)
    result = run(folder, "reindex", write(folder, elm="leaf elm", oak="changed", new="leaf"))
    assert result.exit_code == 2
    assert "had 10 articles and has 3 now, without " in result.stderr
    assert state(filled) == before
    run(folder, "index", write(folder, elm="leaf elm"))
    assert "new" not in filled.held(["new"])


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--judged", "a,b\n", "columns query, id and grade"),
        ("--queries", "", "holds no query"),
        ("--judged", None, "No such file"),
        ("--queries", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    filled: Engine, folder: Path, option: str, content: str | None, said: str
) -> None:
    file = folder.parent / "file"
    if content is not None:
        file.write_text(content)
    before = state(filled)
    result = run(folder, "reindex", option, file)
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert said in result.stderr
    assert state(filled) == before


def test_the_figure_is_that_of_eval(filled: Engine, questions: Path) -> None:
    asked = judging.read(questions)
    found = Examination(asked).of(filled, filled).judged
    assert found
    assert found.before == found.after == judging.mean(judging.judge(filled, asked)).ndcg
