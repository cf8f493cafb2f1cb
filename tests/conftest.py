"""A small newsroom that the tests of answers and of the web search: every rule has an article that shows it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from search.article import from_dict
from search.engines import Engine, Put, connect
from web import create_app
from web.settings import Settings

# A shell starts what runs in the background with SIGINT ignored, and its children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

ARTICLES: list[dict[str, Any]] = [
    {
        "id": "huts",
        "url": "https://news.example/huts?utm_source=feed",
        "title": "Glacier huts close early",
        "summary": "Wardens blame a warm summer.",
        "body": "The huts above the glacier closed three weeks early. Snow lay thin, and the water supply failed.",
        "section": "World",
        "authors": ["Ana Lima", "Joe Hu"],
        "tags": ["alps", "climate"],
        "type": "news",
        "published": "2025-08-06T22:30:00Z",
        "language": "en",
        "image": "https://news.example/huts.jpg",
        "extra": {"desk": "mountains"},
    },
    {
        "id": "snow",
        "url": "https://news.example/snow",
        "title": "Snow returns to the valley",
        "body": "Snow fell on the glacier and in the valley. Children were out before breakfast.",
        "section": "World",
        "authors": ["Joe Hu"],
        "tags": ["alps"],
        "published": "2025-08-07",
        "language": "en",
    },
    {
        "id": "race",
        "url": "https://news.example/race",
        "title": "O’Neill wins the snow race",
        "body": "A photo finish in the valley, and the crowd sang.",
        "section": "Sport",
        "authors": ["Mary O’Shea"],
        "tags": ["skiing"],
        "published": "2024-01-31T23:59:59Z",
        "status": "corrected",
        "notice": "An earlier version gave <b>another</b> time.",
        "language": "en",
    },
    {
        "id": "medal",
        "url": "https://news.example/medal",
        "title": "The medal that was none",
        "body": "The committee counted again.",
        "section": "Sport",
        "published": "2024-02-01",
        "status": "retracted",
        "notice": "This article was retracted.",
    },
    {
        "id": "code",
        "url": "javascript:alert(document.domain)",
        "title": "Tom & Jerry <script>alert(1)</script> turn forty",
        "summary": "A cat & a mouse.",
        "body": "Cartoons <img src=x onerror=alert(2)> of a cat & a mouse; 1 < 2.",
        "section": "Arts & Letters",
        "published": "2023-05-05",
    },
    {
        "id": "storm",
        "url": "https://news.example/storm",
        "title": "العاصفة تضرب الميناء",
        "body": "وصلت العاصفة إلى الميناء مساء الثلاثاء.",
        "section": "World",
        "published": "2023-05-06",
        "language": "ar",
    },
    {
        "id": "recipe",
        "url": "https://news.example/recipe",
        "title": "Bread without hurry",
        "body": "Flour, water, salt.",
    },
    {"id": "gone", "url": "https://news.example/gone", "title": "Taken back", "body": "Words.", "status": "withdrawn"},
]
# A quarter that fills pages: 25 articles of one subject, one a day.
ARTICLES += [
    {
        "id": f"tide-{day:02}",
        "url": f"https://news.example/tide/{day}",
        "title": f"Tide table, day {day}",
        "body": "High water in the harbour twice a day.",
        "section": "Service",
        "tags": ["harbour"],
        "published": f"2022-03-{day:02}",
    }
    for day in range(1, 26)
]


def fill(engine: Engine) -> None:
    run = engine.begin("test", ["newsroom"])
    engine.accept(run, [Put(from_dict(article), "newsroom") for article in ARTICLES])
    engine.catch_up()


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that holds ARTICLES. It is shared: tests ask it and change nothing."""
    folder: Path = tmp_path_factory.mktemp("newsroom") / "index"
    engine = connect(f"whoosh:{folder}")
    fill(engine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def client(newsroom: Engine) -> FlaskClient:
    """Asks the service over HTTP, without a socket."""
    return create_app(Settings(), newsroom).test_client()
