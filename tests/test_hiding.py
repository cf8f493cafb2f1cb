"""What must not be shown leaks nowhere: by no count, suggestion, feed, score, address, or word of another article."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from flask.testing import FlaskClient

from search.article import from_dict
from search.engines import Engine, Put, connect
from search.engines.whoosh import clock
from web import create_app
from web.settings import Settings

URL = "https://paper.example/secret"
FUTURE = (datetime.now(UTC) + timedelta(days=365)).isoformat()
# Every word of it is its own, and so are its section, tag, author, language and the month it was published in.
SECRET: dict[str, Any] = {
    "id": "secret-id",
    "url": URL,
    "title": "Quixotic harbour merger",
    "summary": "Quixotic summary",
    "body": "Quixotic words about the harbour.",
    "section": "Quixotica",
    "tags": ["quixotism"],
    "authors": ["Quixote Panza"],
    "language": "eo",
    "published": "2031-07-09",
    "notice": "Quixotic notice",
}
OPEN: list[dict[str, Any]] = [
    {"id": "open-1", "url": "https://paper.example/one", "title": "Harbour opens", "body": "The harbour, the harbour."},
    {"id": "open-2", "title": "Boats in the harbour", "body": "Boats. And the tide."},
    {
        "id": "names-it",
        "title": "Tide",
        "body": "High tide in the harbour.",
        "related": [
            {"id": "secret-id", "title": "Quixotic"},
            {"url": URL},
            {"id": "open-1"},
            "secret-id",
            {"url": "/x"},
        ],
    },
]
for _article in OPEN:
    _article |= {
        "section": "Local",
        "tags": ["sea"],
        "authors": ["Ana Lima"],
        "language": "en",
        "published": "2025-08-06",
    }

# How it is hidden -> what is indexed, and how its own address answers.
Hide = Callable[[Engine], None]
WAYS: dict[str, tuple[dict[str, Any], Hide, int]] = {
    "withdrawn": ({"status": "withdrawn"}, lambda _: None, 410),
    "under embargo": ({"embargo_until": FUTURE}, lambda _: None, 404),
    "taken down by id": ({}, lambda engine: engine.take_down("secret-id", "quixotic order") and None, 410),
    "taken down by page": ({}, lambda engine: engine.take_down("www.paper.example/secret/", "quixotic") and None, 410),
}
WORDS = ["", "q=quixotic", "q=%22quixotic+harbour%22", "q=quix*", "q=quix&prefix=1", "q=title:quixotic", "q=harbour"]
WORDS += ["q=section:quixotica", "q=harbour+OR+quixotic", "q=-tide", "q=%22about+the+harbour%22"]
CHOSEN = [
    "section=Quixotica",
    "tag=quixotism",
    "author=Quixote+Panza",
    "language=eo",
    "from_date=2031-07",
    "from_date=2026",
]
ASKED = [
    *WORDS,
    *CHOSEN,
    "sort=oldest",
    "q=harbour&sort=newest",
    "q=quixotic&per_page=0",
    "q=harbour&section=Quixotica",
]
FACETS = "facets=section,date,tag,author,language"
READ = [
    *(f"/api/v1/search?{asked}&{FACETS}" for asked in ASKED),
    *(f"/{page}?{asked}" for page in ("search", "search.rss", "search.json") for asked in ASKED),
    *(
        f"/{path}?q={typed}"
        for path in ("api/v1/suggest", "opensearch/suggest")
        for typed in ("qui", "quixotic", "panza", "harbour")
    ),
    "/api/v1/articles/names-it",
    "/api/v1/articles/open-1",
    "/api/v1/articles/secret-id",
    f"/api/v1/articles?url={URL}",
    "/readyz",
]
TOLD = set(READ) - {"/api/v1/articles/open-1", "/readyz", "/opensearch/suggest?q=panza"}
WORD = re.compile(r"quix\w*|2031|secret(?!-id\b)", re.I)


class Service:
    def __init__(self, folder: Path) -> None:
        self.engine = connect(f"whoosh:{folder}")
        self.client: FlaskClient = create_app(Settings(), self.engine).test_client()

    def put(self, *articles: dict[str, Any]) -> None:
        run = self.engine.begin("index", ["test"])
        self.engine.accept(run, [Put(from_dict(article), "test") for article in articles])
        self.engine.catch_up()

    def read(self) -> dict[str, tuple[int, str, dict[str, str]]]:
        """Every answer: its status, its text without what was asked and how long it took, and its headers."""
        answers = {}
        for path in READ:
            response = self.client.get(path)
            headers = {name: value for name, value in response.headers if name != "Content-Length"}
            answers[path] = (response.status_code, re.sub(r'"took_ms": ?\d+', "", response.text), headers)
        return answers


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "index")
    yield service
    service.engine.close()


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, dict[str, str]]]:
    """What is answered where it never was; `names-it` names what anybody may see."""
    service = Service(tmp_path_factory.mktemp("without") / "index")
    service.put(*OPEN[:2], OPEN[2] | {"related": [{"id": "open-1"}, {"url": "/x"}]})
    answers = service.read()
    service.engine.close()
    return answers


@pytest.mark.parametrize("way", WAYS)
def test_every_answer_is_as_if_it_had_never_been(service: Service, without: dict[str, Any], way: str) -> None:
    """Counts, facets, the timeline, suggestions, passages, scores, the order, feeds and headers, to the letter."""
    values, hide, status = WAYS[way]
    service.put(*OPEN, SECRET | values)
    hide(service.engine)
    for moment in ("live", "after a rebuild", "after going back"):
        answers = service.read()
        for path in ("/api/v1/articles/secret-id", f"/api/v1/articles?url={URL}"):
            assert answers.pop(path)[0] == status, (path, moment)
        for path, answer in answers.items():
            assert answer == without[path], (path, moment)
        if moment == "live":
            service.engine.rebuild()
        elif moment == "after a rebuild":
            service.engine.rollback()


def test_no_answer_may_be_used_again_without_asking(service: Service) -> None:
    """No cache may show what was taken down since: neither by its age, nor as what has not changed."""
    service.put(*OPEN, SECRET)
    for path, (_, _, headers) in service.read().items():
        assert headers["Cache-Control"] == "no-cache", path
        assert not {"ETag", "Last-Modified", "Expires"} & set(headers), path


@pytest.mark.parametrize("way", WAYS)
def test_of_its_own_address_nothing_is_told(service: Service, way: str) -> None:
    values, hide, _ = WAYS[way]
    service.put(*OPEN, SECRET | values)
    hide(service.engine)
    for path in ("/api/v1/articles/secret-id", f"/api/v1/articles?url={URL}"):
        assert not WORD.search(service.client.get(path).text)


def test_it_appears_at_its_moment_by_itself_and_not_before(service: Service, without: dict[str, Any]) -> None:
    moment = datetime.fromisoformat(FUTURE)
    service.put(*OPEN, SECRET | {"embargo_until": FUTURE})
    with mock.patch.object(clock, "now") as now:
        for after, is_told in ((-3600, False), (-0.001, False), (0, True), (3600, True), (-0.001, False), (60, True)):
            now.return_value = (moment + timedelta(seconds=after)).timestamp()
            answers = service.read()
            assert answers[f"/api/v1/articles?url={URL}"][0] == (200 if is_told else 404)
            told = {path for path, answer in answers.items() if answer != without[path]}
            assert told == (TOLD if is_told else set()), after


def test_all_of_it_is_told_where_nothing_hides_it(service: Service, without: dict[str, Any]) -> None:
    """Else the table above would prove nothing."""
    service.put(*OPEN, SECRET)
    answers = service.read()
    assert {path for path, answer in answers.items() if answer != without[path]} == TOLD
    names = json.loads(service.client.get("/api/v1/articles/names-it").text)["related"]
    assert names == [
        {"id": "secret-id", "title": "Quixotic"},
        {"url": URL},
        {"id": "open-1"},
        {"id": "secret-id"},
        {"url": "/x"},
    ]
