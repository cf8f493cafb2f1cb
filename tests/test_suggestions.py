"""What is suggested while a reader types: titles, sections, tags and authors that hold its words, the last begun."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

SUGGEST = "/api/v1/suggest"


def ask(client: FlaskClient, status: int = 200, **query: Any) -> Any:
    response = client.get(SUGGEST, query_string=query)
    assert response.status_code == status
    return json.loads(response.text)


@pytest.mark.parametrize(
    ("typed", "titles", "values"),
    [
        ("glac", ["Glacier huts close early"], {}),
        ("GLAC", ["Glacier huts close early"], {}),
        ("huts glac", ["Glacier huts close early"], {}),  # in any order
        ("glacier hut", ["Glacier huts close early"], {}),  # by its stem, and as a beginning
        ("o’nei", ["O’Neill wins the snow race"], {}),
        ("oneil", ["O’Neill wins the snow race"], {}),
        ("breakfast", [], {}),  # stands in a body
        ("glacier zebra", [], {}),  # all words, or none
        ("wo", [], {"sections": ["World"]}),
        ("w", [], {"sections": ["World"]}),
        ("letters ar", [], {"sections": ["Arts & Letters"]}),
        ("clim", [], {"tags": ["climate"]}),
        ("al", [], {"tags": ["alps"]}),
        ("hu", [], {"authors": ["Joe Hu"]}),
        ("lima an", [], {"authors": ["Ana Lima"]}),
        ("oshe", [], {"authors": ["Mary O’Shea"]}),
        ("s", [], {"sections": ["Service", "Sport"], "tags": ["skiing"]}),  # the most frequent first
        ("العا", ["العاصفة تضرب الميناء"], {}),
        ("?!", [], {}),
        ("taken ba", [], {}),  # withdrawn
        ("x" * 600, [], {}),
    ],
)
def test_what_is_suggested(client: FlaskClient, typed: str, titles: list[str], values: dict[str, list[str]]) -> None:
    reply = ask(client, q=typed[:512])
    assert [article["title"] for article in reply["articles"]] == titles
    for kind in ("sections", "tags", "authors"):
        assert [value["value"] for value in reply[kind]] == values.get(kind, []), kind


def test_the_shape_of_a_reply(client: FlaskClient) -> None:
    reply = ask(client, q="glacier hu")
    assert isinstance(reply.pop("took_ms"), int)
    assert reply == {
        "query": {"q": "glacier hu"},
        "articles": [],
        "sections": [],
        "tags": [],
        "authors": [],
    }
    reply = ask(client, q="glacier hut")
    assert reply["articles"] == [
        {
            "id": "huts",
            "url": "https://news.example/huts?utm_source=feed",
            "title": "Glacier huts close early",
            "section": "World",
            "published": "2025-08-06T22:30:00Z",
            "status": "live",
            "highlight": {"title": "<mark>Glacier</mark> <mark>huts</mark> close early"},
        }
    ]
    assert ask(client, q="world")["sections"] == [{"value": "World", "count": 3, "highlight": "<mark>World</mark>"}]


def test_filters_narrow_titles_and_counts(client: FlaskClient) -> None:
    assert ask(client, q="wor", section="Sport")["sections"] == []
    assert ask(client, q="wor", tag="climate")["sections"][0]["count"] == 1
    assert ask(client, q="snow", section="World")["articles"][0]["id"] == "snow"
    assert ask(client, q="snow", section="Service")["articles"] == []


def test_so_many_of_each_kind(client: FlaskClient) -> None:
    assert len(ask(client, q="tide")["articles"]) == 5
    assert len(ask(client, q="tide", limit=20)["articles"]) == 20
    assert len(ask(client, q="s", limit=1)["sections"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "out_of_range"),
        ({"limit": "21"}, "out_of_range"),
        ({"q": "x" * 513}, "too_long"),
        ({"sectoin": "World"}, "unknown_parameter"),
    ],
)
def test_wrong_parameters_are_named(client: FlaskClient, query: dict[str, str], code: str) -> None:
    assert [error["code"] for error in ask(client, 422, **query)["errors"]] == [code]
