"""An index with a history, the files beside it, what readers see of it, and what may lie in its folder."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from search.cli import main
from search.engines import Engine, connect
from search.engines.whoosh import contents, generations
from search.query import parse

COUNT = 60  # articles
MANY = 3_000  # those that may come: enough for processes beside the first
NEWEST, PAGE = 20, 100
HARMLESS = ("index", "other.jsonl")  # nothing of it has changed

State = dict[str, str]  # the id of each article that readers see -> its version
Answer = tuple[int, tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]


def line(id: str, version: str) -> str:
    """An article of the test's: its title and its section say which version it is, and its date where it stands."""
    day, hour = divmod(int(id[1:]), 24)
    return json.dumps(
        {
            "id": id,
            "url": f"https://paper.example/{id}",
            "title": f"Tide {id} {version}",
            "section": version,
            "body": f"High water of {id} in the harbour, low water in the evening. " * 2,
            "published": f"{2000 + day // 300}-{day % 300 // 25 + 1:02}-{day % 25 + 1:02}T{hour:02}:00:00Z",
        }
    )


def answer(state: State) -> Answer:
    """What readers are answered in that state: how many, by version, and the newest."""
    newest = sorted(state.items(), key=lambda item: int(item[0][1:]), reverse=True)[:NEWEST]
    return len(state), tuple(sorted(Counter(state.values()).items())), tuple(newest)


def asked(engine: Engine) -> Answer:
    """What a reader is answered."""
    found = engine.search(parse("tide", per_page=NEWEST, sort="newest", facets=("section",)))
    for hit in found.hits:
        assert hit.article.title == f"Tide {hit.article.id} {hit.article.section}"
    counts = {value.value: value.count for value in found.facets["section"].values if value.count}
    return (
        found.total,
        tuple(sorted(counts.items())),
        tuple((hit.article.id, hit.article.section) for hit in found.hits),
    )


def everything(engine: Engine) -> State:
    """Every article that readers see; none comes twice."""
    seen: list[tuple[str, str]] = []
    page = 1
    while hits := engine.search(parse("tide", page=page, per_page=PAGE, sort="newest")).hits:
        seen += [(hit.article.id, hit.article.section or "") for hit in hits]
        page += 1
    state = dict(seen)
    assert len(state) == len(seen), [id for id, count in Counter(id for id, _ in seen).items() if count > 1]
    return state


def run(index: Path, *args: str) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{index}", *args])


def ids(first: int, count: int) -> list[str]:
    return [f"a{number:04}" for number in range(first, first + count)]


class Stage:
    """An index with a history and the files beside it, in a folder of which every kill gets a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.index = folder, folder / "index"
        self.hidden = ["a0020", "a0021"]
        folder.mkdir()
        self._write("own.jsonl", "v1", ids(0, COUNT))
        self._write("pushed.jsonl", "p1", ids(5000, 5))
        self._write("other.jsonl", "o1", ids(6000, 1))
        self._write("many.jsonl", "v9", ids(1000, MANY))
        self._done("index", "own.jsonl", "pushed.jsonl", "other.jsonl")
        with closing(connect(f"whoosh:{self.index}")) as engine:
            first = everything(engine)
        self.first = {id: version for id, version in first.items() if id not in self.hidden}  # what rollback goes to
        self._write("own.jsonl", "v2", ids(4, COUNT))
        self._done("reindex", "own.jsonl")
        self._done("backup", "b.tar")
        self._done("takedown", "a0020", "--reason", "court order")
        self._done("takedown", "https://paper.example/a0021/", "--reason", "a page")
        self._write("pushed.jsonl", "p2", ids(5000, 5))
        self._done("index", "pushed.jsonl")
        self._write("own.jsonl", "v3", ids(8, COUNT))
        with closing(connect(f"whoosh:{self.index}")) as engine:
            self.before = everything(engine)

    def words(self, args: tuple[str, ...], folder: Path) -> list[str]:
        """The command with the files of a copy in this folder."""
        return [str(folder / arg) if arg.endswith((".jsonl", ".tar")) else arg for arg in args]

    def partly(self, args: tuple[str, ...], seen: Answer) -> State:
        """The state in which `index` has brought as many articles as were seen, one after the other."""
        articles = map(json.loads, (self.folder / args[1]).read_text("utf-8").splitlines())
        steps = [(one["id"], one["section"]) for one in articles if one["id"] not in self.hidden]
        return self.before | dict(steps[: dict(seen[1]).get(steps[0][1], 0)])

    def _write(self, name: str, version: str, ids: list[str]) -> None:
        (self.folder / name).write_text("".join(line(id, version) + "\n" for id in ids), "utf-8")

    def _done(self, *args: str) -> None:
        result = run(self.index, *self.words(args, self.folder))
        assert result.exit_code == 0, result.stderr


FILES = {
    "articles.db",
    "articles.db-wal",
    "articles.db-shm",
    "CURRENT",
    "epoch",
    "building",
    "generations",
    "visits.db",
}
LOCKS = {"writer.lock", "rebuild.lock", "takedowns.lock", "runs.lock"}


def left_over(folder: Path) -> set[str]:
    """What lies there and belongs to nothing."""
    left = {path.name for path in folder.iterdir()} - FILES - LOCKS
    left -= {path.name for path in folder.glob("articles.db.before-*")}  # for ops to remove
    left |= {f"building/{path.name}" for path in (folder / "building").glob("*")}
    for generation in (folder / "generations").iterdir():
        if not (generation / generations.MANIFEST).exists():
            left.add(generation.name)
            continue
        manifest = generations.check(generation)
        assert manifest.last == contents.applied(generation)
        named = {*manifest.files, generations.MANIFEST}
        left |= {f"{generation.name}/{path.name}" for path in generation.iterdir() if path.name not in named}
    return left
