"""A browser finds the description of the search, and asks for suggestions as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree

from search.engines import Engine
from web import create_app
from web.settings import Settings

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "formats" / "opensearch.rng"))
NAMES = {"os": "http://a9.com/-/spec/opensearch/1.1/"}


def described(client: FlaskClient) -> Any:
    response = client.get("/opensearch.xml")
    assert (response.status_code, response.mimetype) == (200, "application/opensearchdescription+xml")
    tree = etree.fromstring(response.data)
    assert SCHEMA.validate(tree), SCHEMA.error_log
    return tree


@pytest.mark.parametrize("title", ["Post", "The Valley Post and Advertiser of the North", "Tom & <Jerry>"])
def test_the_description_is_valid_whatever_the_site_is_called(newsroom: Engine, title: str) -> None:
    tree = described(create_app(Settings(title=title), newsroom).test_client())
    assert tree.xpath("string(os:ShortName)", namespaces=NAMES) == title[:16].strip()
    assert title in tree.xpath("string(os:Description)", namespaces=NAMES)


def test_its_addresses_answer(newsroom: Engine) -> None:
    client = create_app(Settings(url="https://search.example"), newsroom).test_client()
    urls = {node.get("type"): node.get("template") for node in described(client).xpath("os:Url", namespaces=NAMES)}
    assert set(urls) == {
        "text/html",
        "application/x-suggestions+json",
        "application/rss+xml",
        "application/opensearchdescription+xml",
    }
    for kind, template in urls.items():
        assert template.startswith("https://search.example/")
        response = client.get(template.removeprefix("https://search.example").replace("{searchTerms}", "snow"))
        assert (response.status_code, response.mimetype) == (200, kind)


def test_the_page_names_the_description(client: FlaskClient) -> None:
    (node,) = etree.HTML(client.get("/search").text).xpath("//link[@rel='search']")
    assert (node.get("type"), node.get("href")) == ("application/opensearchdescription+xml", "/opensearch.xml")


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("glac", ["Glacier huts close early"]),
        ("tom jer", ["Tom & Jerry <script>alert(1)</script> turn forty"]),
        ("zebra", []),
        ("", []),
    ],
)
def test_suggestions_of_a_browser(client: FlaskClient, typed: str, titles: list[str]) -> None:
    response = client.get("/opensearch/suggest", query_string={"q": typed})
    assert response.mimetype == "application/x-suggestions+json"
    reply = json.loads(response.text)
    assert reply[:2] == [typed, titles]
    assert [len(part) for part in reply[1:]] == [len(titles)] * 3
    assert all(address.startswith("https://news.example/") or not address for address in reply[3])


def test_a_suggestion_says_that_it_was_corrected_or_retracted(client: FlaskClient) -> None:
    for typed, known in (("medal", "Retracted, Sport, 1 February 2024"), ("race", "Corrected, Sport, 31 January 2024")):
        assert json.loads(client.get(f"/opensearch/suggest?q={typed}").text)[2] == [known]


def test_what_is_known_of_a_suggestion(client: FlaskClient) -> None:
    reply = json.loads(client.get("/opensearch/suggest?q=glacier").text)
    assert reply[2:] == [["World, 6 August 2025"], ["https://news.example/huts?utm_source=feed"]]
