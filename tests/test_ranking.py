"""`make ranking`: documents as publishers would map them, what is kept, and what is known of the others."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
import ranking
from peers import PEERS, Fts5, Peer, Tantivy
from prepared import Prepared

DOCUMENTS = [
    {
        "id": "1",
        "title": "Loops",
        "body": "On the nesting of loops.",
        "author": "Lee, A.; Hu, J.",
        "keywords": "Algol, for",
    },
    {"id": "2", "title": "", "body": "A proof without a title."},
    {"id": "3", "title": "", "body": ""},
]


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """Two of the same questions, one of them packed."""
    for name in ("one", "two"):
        folder = tmp_path / "ir" / name
        folder.mkdir(parents=True)
        (folder / "queries.jsonl").write_text(
            '{"id": "1", "text": "Which proofs? (NOT loops)"}\n{"id": "2", "text": "algol"}\n'
        )
        (folder / "qrels.tsv").write_text("1\t2\t1\n1\t3\t1\n2\t1\t1\n")
    lines = "".join(f"{json.dumps(document)}\n" for document in DOCUMENTS)
    (tmp_path / "ir" / "one" / "docs.jsonl").write_text(lines)
    (tmp_path / "ir" / "two" / "docs.jsonl.xz").write_bytes(lzma.compress(lines.encode()))
    return tmp_path / "ir"


def test_documents_are_indexed_as_a_publisher_would_map_them(collections: Path, tmp_path: Path) -> None:
    prepared = ranking.prepare(tmp_path / "kept", collections)
    assert list(prepared) == ["one", "two"]
    for collection in prepared.values():
        articles = collection.articles.articles()
        assert [(article.id, article.authors, article.tags) for article in articles] == [
            ("1", ("Lee, A.", "Hu, J."), ("Algol", "for")),
            ("2", (), ()),  # the third has neither title nor text and is refused
        ]
        assert collection.articles.ask(["algol"]) == {"algol": ["1"]}
        figures = collection.judge()
        assert figures.questions == 2
        assert figures.recall == pytest.approx((1 / 2 + 1) / 2)  # what was refused counts as not found
        collection.articles.close()


def test_the_others_are_asked_for_any_of_the_words(collections: Path, tmp_path: Path) -> None:
    one = ranking.prepare(tmp_path / "kept", collections)["one"]
    for peer in PEERS:
        (answers,) = one.articles.ask_peer(peer, ["Which proofs? (NOT loops)", "nobody"])
        assert sorted(answers["Which proofs? (NOT loops)"]) == ["1", "2"], peer.name
        assert answers["nobody"] == []


class Failing:
    """A peer that must not be asked."""

    name = Fts5.name

    def __init__(self, *_: object) -> None:
        raise AssertionError("it was asked again")


def test_what_the_others_answered_is_kept_until_articles_or_questions_change(collections: Path, tmp_path: Path) -> None:
    file = collections / "one" / "docs.jsonl"
    kept = Prepared(file, tmp_path / "kept")
    failing: type[Peer] = Failing  # type: ignore[assignment]
    answers = kept.ask_peer(Fts5, ["loop"])
    assert kept.ask_peer(failing, ["loop"]) == answers == [{"loop": ["1"]}]
    with pytest.raises(AssertionError, match="asked again"):
        kept.ask_peer(failing, ["proof"])
    file.write_text(json.dumps({"id": "9", "body": "a loop"}))
    with pytest.raises(AssertionError, match="asked again"):
        Prepared(file, tmp_path / "kept").ask_peer(failing, ["loop"])


def test_our_index_is_kept_until_the_articles_change(collections: Path, tmp_path: Path) -> None:
    file = collections / "one" / "docs.jsonl"
    runs = []
    for text in ("a loop", "a loop", "another loop"):
        file.write_text(json.dumps({"id": "9", "body": text}))
        prepared = Prepared(file, tmp_path / "kept")
        assert prepared.ask(["loop"]) == {"loop": ["9"]}
        runs.append(prepared.engine.status().generation)
        prepared.close()
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.corpora
@pytest.mark.skipif(not (ranking.COLLECTIONS / "cranfield").is_dir(), reason="the judged collections are not there")
def test_the_others_reach_what_is_known_of_them(tmp_path: Path) -> None:
    cranfield = ranking.prepare(tmp_path)["cranfield"]
    figures = cranfield.judge_peers()
    assert figures[Tantivy.name].ndcg == pytest.approx(0.498, abs=0.003)
    assert figures[Fts5.name].ndcg == pytest.approx(0.505, abs=0.003)
