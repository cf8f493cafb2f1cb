"""Switches under way: others write and read all the while, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scale import SOAK

from search import query
from search.engines import ArticleGone, connect

STEPS = ("filling", "filled", "asking", "validating", "switching")
READERS = 10
ARTICLES = 60
REBUILDS = 2 * SOAK


@contextmanager
def python(code: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """Another process; killed at the end, if it is still there."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


# A rebuild that waits at each of its steps to be told to go on.
REBUILD = """
import sys
from indexer import build
from indexer.acceptance import Examination, Findings
from search.engines import connect
from search.engines.whoosh import contents, generations, writer

def waits(name, step):
    def does(*args, **values):
        print(name, flush=True)
        sys.stdin.readline()
        return step(*args, **values)
    return does

class Asked(Examination):
    of = waits("asking", lambda *_: Findings())

fill = waits("filling", writer.fill)
writer.fill = lambda *args: (fill(*args), waits("filled", lambda: None)())[0]
generations.check = waits("validating", generations.check)
generations.switch = waits("switching", generations.switch)
index, source = sys.argv[1:]
report = build.rebuild(connect(f"whoosh:{index}"), [source], examination=Asked())
print(report.generation, flush=True)
"""

# An addition, a change, a removal and a takedown; then they are made searchable, or wait for their turn.
CHANGES = """
import sys
from search.article import Article
from search.engines import Delete, Put, connect
index, step = sys.argv[1:]
engine = connect(f"whoosh:{index}")
run = engine.begin("push", ["push"])
put = [Put(Article(id=id, title=f"tide {step}"), "push") for id in (f"new-{step}", "same")]
engine.accept(run, [*put, Delete(f"old-{step}")])
engine.take_down(f"hidden-{step}", "court order")
print("accepted", flush=True)
engine.catch_up()
engine.end(run)
print("searchable", flush=True)
"""


def test_what_others_change_at_any_step_is_in_the_new_generation(tmp_path: Path) -> None:
    index, source = tmp_path / "index", tmp_path / "cms"
    source.mkdir()
    ids = ["same", *(f"{kind}-{step}" for kind in ("old", "hidden") for step in STEPS)]
    (source / "wire.jsonl").write_text("\n".join(json.dumps({"id": id, "title": "tide"}) for id in ids))
    with python("from search.cli import main; main()", "--index", f"whoosh:{index}", "index", source, "-q") as first:
        assert first.wait() == 0
    (source / "wire.jsonl").write_text(
        "\n".join(json.dumps({"id": id, "title": "tide" if id == "same" else "tide again"}) for id in [*ids, "added"])
    )
    before = (index / "CURRENT").read_text()
    writers = []
    with python(REBUILD, index, source) as rebuild:
        for step in STEPS:
            assert told(rebuild) == step
            writer = subprocess.Popen(
                [sys.executable, "-c", CHANGES, str(index), step],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            writers.append(writer)
            assert told(writer) == "accepted"
            assert (index / "CURRENT").read_text() == before
            if step in STEPS[:3]:  # nobody waits for a rebuild, but for its last moments
                assert told(writer) == "searchable"
            assert rebuild.stdin
            rebuild.stdin.write("\n")
            rebuild.stdin.flush()
        generation = told(rebuild)
        assert rebuild.wait() == 0
    for writer in writers:
        with writer:
            assert writer.wait() == 0
    engine = connect(f"whoosh:{index}")
    found = engine.search(query.parse("tide", per_page=100))
    titles = {hit.article.id: hit.article.title for hit in found.hits}
    assert sorted(hit.article.id for hit in found.hits) == sorted(["same", "added", *(f"new-{step}" for step in STEPS)])
    assert (titles["same"], titles["added"]) == ("tide switching", "tide again")
    assert [titles[f"new-{step}"] for step in STEPS] == [f"tide {step}" for step in STEPS]
    for step in STEPS:
        with pytest.raises(ArticleGone):
            engine.article(f"hidden-{step}")
    status = engine.status()
    assert (status.generation, status.pending, status.articles) == (generation, 0, status.accepted)
    assert [run.outcome for run in engine.runs()] == ["done"] * 7
    engine.close()


# Each state is of one section, and each push of another: a page that mixes two shows it.
READER = """
import json, select, sys
from collections import Counter
from search import query
from search.answer import answer
from search.engines import connect
engine = connect(f"whoosh:{sys.argv[1]}")
asked = query.parse("tide", per_page=100, facets=("section",))
print("begun", flush=True)
pages, states, wrong, errors = 0, set(), [], []
while not select.select([sys.stdin], [], [], 0.03)[0]:  # readers read: else nobody else has a processor
    try:
        page = answer(engine, asked)
    except Exception as problem:
        errors.append(repr(problem))
        continue
    facet = {one.value: one.count for one in page.facets["section"].values}
    hits = Counter(result.article.section for result in page.results)
    titles = {result.article.title.split()[1] for result in page.results}
    pages += 1
    states.add(" ".join(sorted(facet)))
    if not (facet == hits and titles == set(facet) and page.total == sum(facet.values())
            and sorted(facet.values()) == [3, int(sys.argv[2])] and {one[0] for one in facet} == {"S", "P"}):
        wrong.append([page.total, facet, dict(hits), sorted(titles)])
print(json.dumps([pages, sorted(states), wrong[:3], errors[:3]]), flush=True)
"""

PUSHES = """
import select, sys
from search.article import Article
from search.engines import Put, connect
engine = connect(f"whoosh:{sys.argv[1]}")
version = 0
while not select.select([sys.stdin], [], [], 0.03)[0]:
    run = engine.begin("push", ["push"])
    put = [Put(Article(id=f"p{n}", title=f"tide P{version}", section=f"P{version}"), "push") for n in range(3)]
    engine.accept(run, put)
    engine.catch_up()
    engine.end(run)
    version += 1
    if version == 1:
        print("begun", flush=True)
print(version, flush=True)
"""


def state(source: Path, number: int) -> Path:
    """The source in one more state: every article in another section."""
    source.mkdir(exist_ok=True)
    lines = [{"id": f"a{n}", "title": f"tide S{number}", "section": f"S{number}"} for n in range(ARTICLES)]
    (source / "wire.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return source


def test_ten_readers_and_two_writers_see_no_error_and_no_mixed_page(tmp_path: Path) -> None:
    index, source = tmp_path / "index", tmp_path / "cms"

    def command(*args: object) -> None:
        with python("from search.cli import main; main()", "--index", f"whoosh:{index}", *args) as process:
            assert process.wait(120) == 0

    command("index", state(source, 0), "-q")
    with python(PUSHES, index) as pushing:
        assert told(pushing) == "begun"
        readers = []
        try:
            for _ in range(READERS):
                readers.append(
                    subprocess.Popen(
                        [sys.executable, "-c", READER, str(index), str(ARTICLES)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                    )
                )
            for reader in readers:
                assert told(reader) == "begun"
            for number in range(1, 1 + REBUILDS):
                command("reindex", state(source, number), "-q")
                if number % 2:
                    command("rollback")
            seen: Counter[str] = Counter()
            pages = 0
            for reader in readers:
                assert reader.stdin
                reader.stdin.write("end\n")
                reader.stdin.flush()
                count, states, wrong, errors = json.loads(told(reader))
                assert (wrong, errors) == ([], [])
                pages += count
                seen.update({word for one in states for word in one.split()})
        finally:
            for reader in readers:
                reader.kill()
                reader.communicate()
        assert pushing.stdin
        pushing.stdin.write("end\n")
        pushing.stdin.flush()
        pushes = int(told(pushing))
    print(f"{pages:,} pages by {READERS} readers, {pushes:,} pushes, {REBUILDS} rebuilds")  # for `make soak`
    assert pages > 10 * READERS
    assert {f"S{number}" for number in range(1 + REBUILDS)} <= set(seen)
    assert pushes > 3
    engine = connect(f"whoosh:{index}")
    engine.catch_up()
    status = engine.status()
    assert (status.articles, status.accepted, status.pending) == (ARTICLES + 3, ARTICLES + 3, 0)
    engine.close()
