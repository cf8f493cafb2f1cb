"""Every search as a feed: valid by its specification, newest first, with what a page shows and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from lxml import etree

from search.article import from_dict
from search.engines import Engine, EngineUnavailable, Put, connect
from web import create_app
from web.settings import Settings

FORMATS = Path(__file__).parent / "formats"
RSS = etree.RelaxNG(etree.parse(FORMATS / "rss.rng"))
JSON_FEED = Draft202012Validator(
    json.loads((FORMATS / "jsonfeed.schema.json").read_text()), format_checker=FormatChecker()
)
ASKED = [
    "",
    "q=snow",
    "q=tide&per_page=2&page=2",
    "q=zebra",
    "q=%D8%A7%D9%84%D8%B9%D8%A7%D8%B5%D9%81%D8%A9",
    "section=Arts+%26+Letters&q=%3Cb%3E",
    "q=snow&utm_source=x&page=none&foo=1",
    "q=" + "x" * 600,
]


def rss(client: FlaskClient, query: str = "") -> Any:
    response = client.get(f"/search.rss?{query}")
    assert (response.status_code, response.mimetype) == (200, "application/rss+xml")
    tree = etree.fromstring(response.data)
    assert RSS.validate(tree), RSS.error_log
    return tree


def json_feed(client: FlaskClient, query: str = "") -> Any:
    response = client.get(f"/search.json?{query}")
    assert (response.status_code, response.mimetype) == (200, "application/feed+json")
    feed = json.loads(response.text)
    assert [error.message for error in JSON_FEED.iter_errors(feed)] == []
    return feed


@pytest.mark.parametrize("query", ASKED)
def test_feeds_are_valid_and_say_the_same(client: FlaskClient, query: str) -> None:
    by_rss, by_json = rss(client, query), json_feed(client, query)
    assert by_rss.xpath("//item/guid/text()") == [item["id"] for item in by_json["items"]]
    assert by_rss.xpath("string(/rss/channel/title)") == by_json["title"]
    read = feedparser.parse(client.get(f"/search.rss?{query}").data)
    assert not read.bozo
    assert len(read.entries) == len(by_json["items"])


def test_what_an_item_says(client: FlaskClient) -> None:
    (item,) = rss(client, "q=glacier+huts").xpath("//item")
    assert item.findtext("title") == "Glacier huts close early"
    assert item.findtext("link") == "https://news.example/huts?utm_source=feed"
    assert item.findtext("guid") == "huts"
    assert item.findtext("pubDate") == "Wed, 06 Aug 2025 22:30:00 +0000"
    assert [node.text for node in item.findall("category")] == ["World", "alps", "climate"]
    assert [node.text for node in item.findall("{http://purl.org/dc/elements/1.1/}creator")] == ["Ana Lima", "Joe Hu"]
    html = item.findtext("description")
    assert html.startswith("<p>The <mark>huts</mark> above the <mark>glacier</mark> closed")
    (item,) = json_feed(client, "q=glacier+huts")["items"]
    assert item == {
        "id": "huts",
        "url": "https://news.example/huts?utm_source=feed",
        "title": "Glacier huts close early",
        "summary": "Wardens blame a warm summer.",
        "content_html": html,
        "image": "https://news.example/huts.jpg",
        "date_published": "2025-08-06T22:30:00Z",
        "authors": [{"name": "Ana Lima"}, {"name": "Joe Hu"}],
        "tags": ["World", "alps", "climate"],
        "language": "en",
    }


def test_text_of_others_is_escaped(client: FlaskClient) -> None:
    (item,) = rss(client, "q=cartoons").xpath("//item")
    assert item.findtext("title") == "Tom & Jerry <script>alert(1)</script> turn forty"
    assert "<img" not in item.findtext("description")
    assert "&lt;img" in item.findtext("description")
    assert item.find("link") is None  # javascript:


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("q=snow", ["snow", "huts", "race"]),
        ("q=snow&sort=oldest", ["race", "huts", "snow"]),
        ("q=snow&section=Sport", ["race"]),
        ("q=tide&per_page=3", ["tide-25", "tide-24", "tide-23"]),
    ],
)
def test_the_newest_come_first(client: FlaskClient, query: str, order: list[str]) -> None:
    assert [item["id"] for item in json_feed(client, query)["items"]] == order


def test_a_feed_has_twenty_items_and_the_next_ones_at_another_address(client: FlaskClient) -> None:
    first = json_feed(client, "q=tide")
    assert len(first["items"]) == 20
    assert first["next_url"] == "http://localhost/search.json?q=tide&page=2"
    second = json_feed(client, first["next_url"].split("?")[1])
    assert [item["id"] for item in second["items"]] == [f"tide-{day:02}" for day in range(5, 0, -1)]
    assert "next_url" not in second


@pytest.mark.parametrize(
    ("query", "items", "following"),
    [
        ("per_page=10", 10, "page=2&per_page=10"),  # what a page has by default, but asked for
        ("per_page=20", 20, "page=2"),
        ("per_page=0", 20, "page=2"),  # a feed without items is none
        ("per_page=none", 20, "page=2"),
        ("per_page=10&page=2", 10, "page=3&per_page=10"),
        ("per_page=50", 25, None),
        ("page=501", 20, "page=2"),  # of 20 each: beyond what can be had, so that the first are given
        ("page=500", 0, None),
    ],
)
def test_a_feed_has_as_many_items_as_were_asked_for(
    client: FlaskClient, query: str, items: int, following: str | None
) -> None:
    feed = json_feed(client, f"q=tide&{query}")
    assert len(feed["items"]) == items == len(rss(client, f"q=tide&{query}").xpath("//item"))
    assert feed.get("next_url") == (following and f"http://localhost/search.json?q=tide&{following}")
    assert json_feed(client, feed["feed_url"].partition("?")[2])["items"] == feed["items"]


def test_a_feed_names_itself_and_its_page(newsroom: Engine) -> None:
    settings = Settings(title="Valley Post", url="https://search.example")
    client = create_app(settings, newsroom).test_client()
    feed = json_feed(client, "q=snow&section=World&page=2")
    assert feed["title"] == "snow – World – Valley Post"
    assert feed["feed_url"] == "https://search.example/search.json?q=snow&section=World&page=2"
    assert feed["home_page_url"] == "https://search.example/search?q=snow&section=World"
    channel = rss(client, "q=snow")[0]
    (own,) = channel.findall("{http://www.w3.org/2005/Atom}link")
    assert (own.get("rel"), own.get("href")) == ("self", "https://search.example/search.rss?q=snow")
    assert channel.findtext("link") == "https://search.example/search?q=snow"


@pytest.mark.parametrize(
    ("query", "badge", "notice"),
    [
        ("q=race", "Corrected", "An earlier version gave &lt;b&gt;another&lt;/b&gt; time."),
        ("q=medal", "Retracted", "This article was retracted."),
    ],
)
def test_what_was_corrected_or_retracted_says_so(client: FlaskClient, query: str, badge: str, notice: str) -> None:
    said = f"<p><strong>{badge}</strong></p><p><strong>{notice}</strong></p>"
    assert json_feed(client, query)["items"][0]["content_html"].startswith(said)
    assert rss(client, query).findtext("channel/item/description").startswith(said)


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[FlaskClient]:
    engine = connect(f"whoosh:{tmp_path}")
    articles = [
        {"id": "bell", "title": "A bell \x07 and \x0c a form", "body": "Rings \x00 twice \ufffe.", "tags": ["a\x01b"]},
        {"id": "bare", "title": "Nothing but a title"},
        {"id": "untitled", "body": "A text without a title."},
        {"id": "path", "url": "/local/path", "title": "Of this site", "body": "x"},
        {"id": "untrue", "title": "It was not so", "body": "x", "status": "retracted"},
        {"id": "hidden", "title": "Taken down", "body": "x"},
    ]
    engine.accept(engine.begin("test", []), [Put(from_dict(one), "test") for one in articles])
    engine.catch_up()
    engine.take_down("hidden", "court order")
    yield create_app(Settings(), engine).test_client()
    engine.close()


def test_what_xml_cannot_hold_is_left_out(odd: FlaskClient) -> None:
    found = {item.findtext("guid"): item for item in rss(odd).xpath("//item")}
    assert (
        set(found) == {"bell", "bare", "untitled", "path", "untrue"} == {item["id"] for item in json_feed(odd)["items"]}
    )
    assert found["bell"].findtext("category") == "a b"
    assert found["untitled"].findtext("title") == ""
    assert "A text without a title" in found["untitled"].findtext("description")
    assert found["path"].find("link") is None  # no address of its own


def test_what_was_retracted_without_a_word_says_so_too(odd: FlaskClient) -> None:
    (item,) = json_feed(odd, "q=title:so")["items"]
    assert item["content_html"] == "<p><strong>Retracted</strong></p><p>x</p>"
    (bare,) = json_feed(odd, "q=nothing")["items"]
    assert "<strong>" not in bare["content_html"]


@pytest.mark.parametrize("path", ["/search.rss", "/search.json"])
def test_anybody_may_read_a_feed_and_a_failure_is_told_to_programs(path: str) -> None:
    class Broken:
        def search(self, query: Any) -> Any:  # noqa: ARG002
            raise EngineUnavailable("/srv/secret is on fire")

    client = create_app(Settings(), Broken()).test_client()  # type: ignore[arg-type]
    response = client.get(path)
    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "secret" not in response.text


def test_the_page_leads_to_its_feeds(client: FlaskClient) -> None:
    source = client.get("/search?q=snow&section=World&sort=oldest&page=1").text
    tree = etree.HTML(source)
    links = {node.get("type"): node.get("href") for node in tree.xpath("//link[@rel='alternate']")}
    assert links == {
        "application/rss+xml": "/search.rss?q=snow&section=World",
        "application/feed+json": "/search.json?q=snow&section=World",
    }
    assert set(tree.xpath("//p[@class='follow']/a/@href")) == set(links.values())
    answer = json.loads(client.get("/api/v1/search?q=snow&per_page=1&sort=oldest").text)
    assert answer["links"]["rss"] == "http://localhost/search.rss?q=snow"
