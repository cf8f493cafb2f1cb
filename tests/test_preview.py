"""`index --dry-run`: the first articles as they would be indexed, what would be done, and nothing written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indexer.sources import Read, read
from search.article import to_json
from search.cli import main


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    lines: list[dict[str, Any]] = [
        {"id": f"a{n}", "title": f"Title {n}", "body": "Word. " * 100, "tags": ["x", "y"], "mood": "good"}
        for n in range(5)
    ]
    path = tmp_path / "wire.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"id": "none"}, lines[0]]))
    return path


def run(folder: Path, *args: object) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{folder / 'index'}", *map(str, args)])


def test_the_first_three_are_shown_and_nothing_is_made(tmp_path: Path, wire: Path) -> None:
    result = run(tmp_path, "index", wire, "--dry-run")
    assert result.stdout.splitlines()[:6] == [
        "1. a0",
        "   title         Title 0",
        f"   body          {('Word. ' * 100)[:160].rstrip()}… (599 characters)",
        "   tags          x | y",
        "   status        live",
        "   extra         {'mood': 'good'}",
    ]
    assert "3. a2" in result.stdout
    assert "4. a3" not in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "Nothing was written; it would be 5 added, 0 changed, 0 unchanged, 0 removed, 1 refused."
    )
    for line in (
        f"refused {wire}:6: it has neither title nor body",
        f"twice {wire}:7: the same article twice; first seen {wire}:1 (id a0)",
        f"note: unknown field 'mood' kept in extra ({wire})",
    ):
        assert line in result.stderr.splitlines()
    assert result.exit_code == 1
    assert sorted(tmp_path.iterdir()) == [wire]


def test_it_counts_as_the_run_would(tmp_path: Path, wire: Path) -> None:
    first = wire.read_text().splitlines(keepends=True)
    wire.write_text("".join(first[:3]))
    assert run(tmp_path, "index", wire, "--quiet").exit_code == 0
    wire.write_text(first[0].replace("Title", "Other") + first[1] + first[4])
    before = {path: path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file()}
    for args, counts in (
        ([], "1 added, 1 changed, 1 unchanged, 0 removed, 0 refused"),
        (["--prune", "--force"], "1 added, 1 changed, 1 unchanged, 1 removed, 0 refused"),
    ):
        result = run(tmp_path, "index", wire, *args, "--dry-run")
        assert (result.exit_code, counts in result.stdout) == (0, True), result.output
    after = {path: path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file()}
    assert {path.name for path in before if before[path] != after.get(path)} <= {"articles.db-shm"}
    refused = run(tmp_path, "index", wire, "--prune", "--dry-run")
    assert refused.exit_code == 0, "one of three is gone, one has come"
    for args, counts in (([], "1 added, 1 changed, 1 unchanged, 0 removed, 0 refused"),):
        assert run(tmp_path, "index", wire, *args).stdout.splitlines()[0] == counts


def test_a_prune_that_would_be_refused_is_said(tmp_path: Path, wire: Path) -> None:
    assert run(tmp_path, "index", wire).exit_code == 1
    wire.write_text(wire.read_text().splitlines()[0])
    result = run(tmp_path, "index", wire, "--prune", "--dry-run")
    assert result.exit_code == 2
    assert "objection: " in result.stderr
    assert "had 5 articles and has 1 now" in result.stderr


def test_as_json_the_articles_are_jsonl(tmp_path: Path, wire: Path) -> None:
    result = run(tmp_path, "index", wire, "--dry-run", "--json")
    articles = [found.article for found in read([wire]) if isinstance(found, Read)]
    assert result.stdout == "".join(to_json(article) + "\n" for article in articles)
    assert f"refused {wire}:6" in result.stderr
    assert result.exit_code == 1
    again = [found.article for found in read(["-"], stdin=io.BytesIO(result.stdout_bytes)) if isinstance(found, Read)]
    assert again == articles


@pytest.mark.parametrize(
    ("content", "args", "code", "said"),
    [
        ("", (), 2, "no article could be read; nothing was done"),
        ('{"id": "x"}', (), 2, "no article could be read; nothing was done"),
        ('{"id": "x", "title": "T"}', (), 0, "it would be 1 added"),
        ('{"id": "x", "title": "T"}', ("--quiet",), 0, ""),
        ('{"id": "x", "title": "T"}', ("--watch",), 2, "--dry-run reads once"),
    ],
)
def test_the_exit_code_is_that_of_the_run(
    tmp_path: Path, content: str, args: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    result = run(tmp_path, "index", tmp_path / "a.jsonl", "--dry-run", *args)
    assert result.exit_code == code
    assert said in result.output
    assert said or not result.output
    assert not (tmp_path / "index").exists()
