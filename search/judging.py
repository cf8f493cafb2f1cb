"""Judge answers against questions whose right articles are known: nDCG, MRR, MAP, recall, as trec_eval counts them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log2, nan
from pathlib import Path
from statistics import fmean

from search import query
from search.answer import answer
from search.article import as_id
from search.engines import ArticleMissing, Searchable

DEPTH = 100  # results looked at
TOP = 10  # results that nDCG looks at: one page
FIGURES = {f"nDCG@{TOP}": "ndcg", "MRR": "mrr", "MAP": "map", f"recall@{DEPTH}": "recall"}  # as they are called

Grades = Mapping[str, float]  # article id -> how right it is; 0 and what is not named: not at all


class QuestionsError(ValueError):
    """The questions cannot be used; the message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader types, and the articles that answer it."""

    text: str
    grades: Grades


@dataclass(frozen=True, slots=True)
class Judged:
    """How well one question was answered; every figure from 0 to 1."""

    question: Question
    ndcg: float
    mrr: float
    map: float
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions."""

    questions: int
    ndcg: float
    mrr: float
    map: float
    recall: float


def read(path: Path) -> list[Question]:
    """The questions of a CSV file, or of a folder.

    The file has the columns query, id, grade. The folder has queries.jsonl (id, text) and qrels.tsv (query, article,
    grade). Where an article has no id of its own, its URL or its path stands for it.

    Raises:
        QuestionsError: naming the line.
        OSError: the file cannot be read.
    """
    grades: dict[str, dict[str, float]] = {}
    for text, key, grade in _folder(path) if path.is_dir() else _table(path):
        grades.setdefault(text, {})[as_id(key)] = grade
    judged = [Question(text, by_id) for text, by_id in grades.items() if any(by_id.values())]
    if not judged:
        raise QuestionsError(f"{path} holds no question with an answer")
    return judged


def judge(engine: Searchable, questions: Sequence[Question]) -> list[Judged]:
    """Ask every question as a reader would. A judged article that is not in the index counts as not found.

    Raises:
        EngineError: the engine cannot be asked.
    """
    return [judged(question, ask(engine, question.text)) for question in questions]


def missing(engine: Searchable, questions: Sequence[Question]) -> list[str]:
    """The judged articles that are not in the index, so that the figures would lie.

    Raises:
        EngineError: the engine cannot be asked.
    """
    return [id for id in {id: None for question in questions for id in question.grades} if not _is_there(engine, id)]


def ask(engine: Searchable, text: str) -> list[str]:
    """The ids that answer this text, best first, as a reader would get them.

    Raises:
        EngineError: the engine cannot be asked.
    """
    found = answer(engine, query.parse(text, per_page=DEPTH, facets=(), highlight=False))
    return [result.article.id for result in found.results]


def judged(question: Question, ids: Sequence[str]) -> Judged:
    """How well these ids, best first, answer the question."""
    grades = question.grades
    figures = (ndcg(ids, grades), reciprocal_rank(ids, grades), average_precision(ids, grades), recall(ids, grades))
    return Judged(question, *figures)


def mean(judged: Sequence[Judged]) -> Figures:
    """The mean of each figure."""
    return Figures(len(judged), *(fmean(getattr(one, name) for one in judged) for name in FIGURES.values()))


def ndcg(ids: Sequence[str], grades: Grades, top: int = TOP) -> float:
    """Normalised discounted cumulative gain: the grade itself as gain, 1 / log2(rank + 1) as discount (trec_eval)."""
    gained = _gain([grades.get(id, 0) for id in ids[:top]])
    return gained / _gain(sorted(grades.values(), reverse=True)[:top])


def reciprocal_rank(ids: Sequence[str], grades: Grades) -> float:
    """1 / rank of the first right article; 0 where there is none."""
    return next((1 / rank for rank, id in enumerate(ids, 1) if grades.get(id, 0) > 0), 0.0)


def average_precision(ids: Sequence[str], grades: Grades) -> float:
    """The mean, over all right articles, of the precision at the rank of each; 0 for one that was not found."""
    ranks = [rank for rank, id in enumerate(ids, 1) if grades.get(id, 0) > 0]
    return sum(found / rank for found, rank in enumerate(ranks, 1)) / _right(grades)


def recall(ids: Sequence[str], grades: Grades) -> float:
    """The share of the right articles that were found."""
    return sum(grades.get(id, 0) > 0 for id in ids) / _right(grades)


def _right(grades: Grades) -> int:
    return sum(grade > 0 for grade in grades.values())


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _is_there(engine: Searchable, id: str) -> bool:
    try:
        engine.article(id)
    except ArticleMissing:
        return False
    return True


def _table(path: Path) -> Iterator[tuple[str, str, float]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"query", "id", "grade"} <= set(rows.fieldnames or ()):
            raise QuestionsError(f"{path}: the first line must name the columns query, id and grade")
        for row in rows:
            yield row["query"], _id(row["id"], path), _grade(row["grade"], path, rows.line_num)


def _id(key: str, table: Path) -> str:
    """The id of the article that is named so; a path is one from the table's folder on, as its index was given it."""
    is_path = "/" in key and "://" not in key
    return as_id(f"{table.resolve().parent.name}/{key}" if is_path else key)


def _folder(path: Path) -> Iterator[tuple[str, str, float]]:
    for name in ("queries.jsonl", "qrels.tsv"):
        if not (path / name).is_file():
            raise QuestionsError(f"{path} has no {name}; a folder of questions has queries.jsonl and qrels.tsv")
    texts: dict[str, str] = {}
    for number, line in enumerate((path / "queries.jsonl").read_text("utf-8").splitlines(), 1):
        try:
            question = json.loads(line)
            texts[str(question["id"])] = question["text"]
        except (ValueError, KeyError, TypeError) as problem:
            raise QuestionsError(f"{path / 'queries.jsonl'}, line {number}: no object with id and text") from problem
    for number, line in enumerate((path / "qrels.tsv").read_text("utf-8").splitlines(), 1):
        parts = line.split("\t")
        if len(parts) != 3 or parts[0] not in texts:
            raise QuestionsError(f"{path / 'qrels.tsv'}, line {number}: not a known query, an article and a grade")
        yield texts[parts[0]], parts[1], _grade(parts[2], path / "qrels.tsv", number)


def _grade(text: str | None, path: Path, line: int) -> float:
    try:
        grade = float(text or "")
    except ValueError:
        grade = nan
    if not isfinite(grade):
        raise QuestionsError(f"{path}, line {line}: the grade {text!r} is no number")
    return max(grade, 0.0)  # TREC marks what is worse than wrong, as spam, with -1 or -2; it gains nothing
