"""The API: what is fixed of its parameters, its answers and its errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

import web
from search.answer import Answer, Result
from search.article import Article
from search.engines import Engine, EngineUnavailable, IndexCorrupt, connect
from search.query import Query
from search.snippets import Snippet
from web import create_app
from web.errors import PLAIN, TROUBLES
from web.replies import answer_reply, article_reply
from web.schemas import AddressSchema, ArticleSchema, SearchSchema
from web.settings import Settings

SEARCH = "/api/v1/search"
DOCS = Path(__file__).parent.parent / "docs" / "api.md"


def ask(client: FlaskClient, query: str = "", status: int = 200) -> Any:
    response = client.get(f"{SEARCH}?{query}" if "/" not in query else query)
    assert response.status_code == status, response.text
    return json.loads(response.text)


def ids(answer: Any) -> list[str]:
    return [result["id"] for result in answer["results"]]


def counts(answer: Any, facet: str) -> dict[str, int]:
    return {value["value"]: value["count"] for value in answer["facets"][facet]["values"]}


def errors(problem: Any) -> dict[str, tuple[str, str | None]]:
    return {error["parameter"]: (error["code"], error["nearest"]) for error in problem["errors"]}


def test_the_shape_of_an_answer(client: FlaskClient) -> None:
    answer = ask(client, "q=glacier+huts&section=World&from_date=2025")
    assert isinstance(answer.pop("took_ms"), int)
    score = answer["results"][0].pop("score")
    assert score > 0
    assert answer == {
        "query": {"q": "glacier huts", "corrected": None, "ignored": [], "relaxed": False, "unquoted": False},
        "total": 1,
        "total_relation": "eq",
        "groups": 1,
        "page": 1,
        "per_page": 10,
        "pages": 1,
        "partial": False,
        "timezone": "UTC",
        "results": [
            {
                "id": "huts",
                "url": "https://news.example/huts?utm_source=feed",
                "title": "Glacier huts close early",
                "summary": "Wardens blame a warm summer.",
                "section": "World",
                "authors": ["Ana Lima", "Joe Hu"],
                "tags": ["alps", "climate"],
                "published": "2025-08-06T22:30:00Z",
                "updated": None,
                "status": "live",
                "notice": None,
                "image": "https://news.example/huts.jpg",
                "highlight": {
                    "title": "<mark>Glacier</mark> <mark>huts</mark> close early",
                    "snippets": answer["results"][0]["highlight"]["snippets"],
                },
            }
        ],
        "facets": {
            "section": {"values": [{"value": "World", "count": 1, "selected": True}], "other": 0, "missing": 0},
            "date": {
                "interval": "day",
                "values": [
                    {
                        "value": "2025-08-06",
                        "from": "2025-08-06",
                        "to": "2025-08-06",
                        "count": 1,
                        "selected": True,
                    }
                ],
                "missing": 0,
            },
        },
        "links": {
            "self": "http://localhost/api/v1/search?q=glacier%20huts&section=World&from_date=2025",
            "next": None,
            "prev": None,
            "html": "http://localhost/search?q=glacier%20huts&section=World&from_date=2025",
            "rss": "http://localhost/search.rss?q=glacier%20huts&section=World&from_date=2025",
        },
    }
    assert "<mark>huts</mark>" in answer["results"][0]["highlight"]["snippets"][0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("section=Sport", {"race", "medal"}),
        ("section=Sport&section=World", {"race", "medal", "huts", "snow", "storm"}),  # OR inside a field
        ("section=World&tag=climate", {"huts"}),  # AND across fields
        ("author=Joe+Hu&language=en", {"huts", "snow"}),
        ("author=Joe+Hu&author=Mary+O%E2%80%99Shea", {"huts", "snow", "race"}),
        ("language=ar", {"storm"}),
        ("section=Nowhere", set()),
        ("section=Arts+%26+Letters", {"code"}),
        # dates are inclusive, a day is whole; so are a month and a year
        ("from_date=2025-08-06&to_date=2025-08-06", {"huts"}),
        ("from_date=2025-08-06&to_date=2025-08-07", {"huts", "snow"}),
        ("from_date=2025-08-07", {"snow"}),
        ("from_date=2024-01&to_date=2024-01", {"race"}),
        ("from_date=2024&to_date=2024", {"race", "medal"}),
        ("from_date=2024-01-31T23:59:59Z&to_date=2024-01-31T23:59:59Z", {"race"}),
        ("from_date=2024-02-01T01:59:59%2B02:00&to_date=2024-02-01T01:59:59%2B02:00", {"race"}),
        ("from_date=2024-02-01T01:59:59+02:00&to_date=2024-02-01T01:59:59+02:00", {"race"}),  # + is a space in a URL
        ("from_date=2023-05-06&to_date=9999-12-31&section=World", {"storm", "huts", "snow"}),
        ("from_date=0001-01-01&to_date=2023-05-05&section=Arts+%26+Letters", {"code"}),
        # a blank value is no value
        ("section=&from_date=&sort=&page=&q=glacier", {"huts", "snow"}),
        ("q=glacier&key=anything", {"huts", "snow"}),
    ],
)
def test_filters(client: FlaskClient, query: str, found: set[str]) -> None:
    answer = ask(client, query)
    assert set(ids(answer)) == found
    assert answer["total"] == len(found)


def test_days_are_cut_in_the_timezone_of_the_settings(newsroom: Engine) -> None:
    client = create_app(Settings(timezone=ZoneInfo("Europe/Zurich")), newsroom).test_client()
    answer = ask(client, "from_date=2025-08-07&to_date=2025-08-07")  # 22:30 in UTC is past midnight in Zurich
    assert ids(answer) == ["snow", "huts"]
    assert counts(answer, "date")["2025-08"] == 2
    assert answer["results"][1]["published"] == "2025-08-06T22:30:00Z"


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("section=World", ["snow", "huts", "storm"]),
        ("section=World&sort=oldest", ["storm", "huts", "snow"]),
        ("section=World&sort=relevance", ["snow", "huts", "storm"]),  # no words: nothing to rank by
        ("q=snow&sort=newest", ["snow", "huts", "race"]),
        ("q=snow&sort=oldest", ["race", "huts", "snow"]),
    ],
)
def test_sorts(client: FlaskClient, query: str, order: list[str]) -> None:
    assert ids(ask(client, query)) == order


def test_relevance_is_the_default_where_there_are_words(client: FlaskClient) -> None:
    assert ids(ask(client, "q=snow"))[-1] == "huts"  # the only one without it in its title


def test_undated_articles_come_last_and_lie_outside_every_date_filter(client: FlaskClient) -> None:
    assert ids(ask(client, "per_page=100"))[-1] == "recipe"
    assert ids(ask(client, "per_page=100&sort=oldest"))[-1] == "recipe"
    assert "recipe" not in ids(ask(client, "per_page=100&from_date=0001-01-01"))


def test_a_facet_ignores_its_own_filter_and_no_other(client: FlaskClient) -> None:
    answer = ask(client, "q=valley&section=Sport&from_date=2024")
    assert answer["total"] == 1
    assert counts(answer, "section") == {"Sport": 1, "World": 1}
    assert counts(answer, "date") == {"2024-01-31": 1}


def test_a_selected_value_is_listed_with_0(client: FlaskClient) -> None:
    answer = ask(client, "q=glacier&section=Nowhere&section=Sport")
    values = {value["value"]: value for value in answer["facets"]["section"]["values"]}
    assert answer["total"] == 0
    assert values["Nowhere"] == {"value": "Nowhere", "count": 0, "selected": True}
    assert values["Sport"] == {"value": "Sport", "count": 0, "selected": True}
    assert values["World"] == {"value": "World", "count": 2, "selected": False}


def test_from_and_to_of_a_period_are_its_parameters(client: FlaskClient) -> None:
    answer = ask(client, "from_date=2025-08&to_date=2025-08&section=World")
    facet = answer["facets"]["date"]
    assert facet["interval"] == "month"
    month = next(period for period in facet["values"] if period["value"] == "2025-08")
    assert (month["from"], month["to"], month["count"], month["selected"]) == ("2025-08-01", "2025-08-31", 2, True)
    assert [day["value"] for day in month["inside"]["values"]] == ["2025-08-06", "2025-08-07"]
    again = ask(client, f"from_date={month['from']}&to_date={month['to']}&section=World")
    assert (again["total"], month["count"]) == (2, 2)


@pytest.mark.parametrize(
    ("query", "facets"),
    [
        ("", ["section", "date"]),
        ("facets=tag", ["tag"]),
        ("facets=tag,author&facets=language", ["tag", "author", "language"]),
    ],
)
def test_facets_are_chosen(client: FlaskClient, query: str, facets: list[str]) -> None:
    assert list(ask(client, query)["facets"]) == facets


def test_articles_without_a_value_are_counted_apart(client: FlaskClient) -> None:
    facets = ask(client, "q=bread")["facets"]
    assert facets["section"] == {"values": [], "other": 0, "missing": 1}
    assert (facets["date"]["values"], facets["date"]["missing"]) == ([], 1)


def test_counts_alone(client: FlaskClient) -> None:
    answer = ask(client, "q=tide&per_page=0")
    assert (answer["total"], answer["pages"], answer["results"]) == (25, 0, [])
    assert counts(answer, "section") == {"Service": 25}
    assert (answer["links"]["next"], answer["links"]["prev"]) == (None, None)


def test_pages_hold_every_article_once_and_link_to_each_other(client: FlaskClient) -> None:
    seen: list[str] = []
    url = f"{SEARCH}?q=tide&per_page=7"
    while url:
        answer = ask(client, url)
        assert answer["links"]["self"] == "http://localhost" + url if seen else True
        seen += ids(answer)
        url = (answer["links"]["next"] or "").removeprefix("http://localhost")
    assert sorted(seen) == [f"tide-{day:02}" for day in range(1, 26)]
    assert answer["page"] == answer["pages"] == 4
    assert "page=3" in answer["links"]["prev"]


def test_a_page_past_the_end_is_200_and_empty(client: FlaskClient) -> None:
    answer = ask(client, "q=tide&page=50")
    assert (answer["total"], answer["results"], answer["links"]["next"]) == (25, [], None)
    assert "page=3" in answer["links"]["prev"]


def test_the_html_link_leaves_out_what_only_a_program_asks(client: FlaskClient) -> None:
    links = ask(client, "q=tide&per_page=0&facets=tag&highlight=0&fold=0&key=secret")["links"]
    assert links["html"] == "http://localhost/search?q=tide"
    # What was typed so far finds the same there; the next search on the page is of whole words again.
    typed = ask(client, "q=tid&prefix=1")["links"]["html"]
    assert typed == "http://localhost/search?q=tid&prefix=1"
    page = client.get(typed.removeprefix("http://localhost")).text
    assert "25 articles" in page
    assert 'name="prefix"' not in page.partition("<main")[0]
    assert "secret" not in links["self"]
    assert "fold=0" in links["self"]


def test_links_begin_with_the_public_address_where_one_is_set(newsroom: Engine) -> None:
    client = create_app(Settings(url="https://search.example"), newsroom).test_client()
    assert ask(client)["links"]["html"] == "https://search.example/search"


def test_highlight_can_be_left_out(client: FlaskClient) -> None:
    assert ask(client, "q=tide&highlight=false")["results"][0]["highlight"] is None


def test_highlights_are_html_escaped_once_and_all_else_is_text(client: FlaskClient) -> None:
    result = ask(client, "q=jerry")["results"][0]
    assert result["title"] == "Tom & Jerry <script>alert(1)</script> turn forty"
    assert result["highlight"]["title"] == (
        "Tom &amp; <mark>Jerry</mark> &lt;script&gt;alert(1)&lt;/script&gt; turn forty"
    )
    snippets = " ".join(ask(client, "q=cartoons")["results"][0]["highlight"]["snippets"])
    assert "<mark>Cartoons</mark> &lt;img src=x onerror=alert(2)&gt; of a cat &amp; a mouse" in snippets


def test_what_was_not_used_of_a_query_is_said(client: FlaskClient) -> None:
    answer = ask(client, "q=%3F%21")
    assert answer["total"] == 0
    assert [part["text"] for part in answer["query"]["ignored"]] == ["?!"]
    assert all(part["reason"] for part in answer["query"]["ignored"])


def test_fewer_words_are_said(client: FlaskClient) -> None:
    answer = ask(client, "q=glacier+huts+zebra")
    assert (answer["query"]["relaxed"], ids(answer)) == (True, ["huts", "snow"])


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("qq=x", {"qq": ("unknown_parameter", "q")}),
        ("sectoin=World", {"sectoin": ("unknown_parameter", "section")}),
        ("utm_source=x", {"utm_source": ("unknown_parameter", None)}),
        ("perpage=", {"perpage": ("unknown_parameter", "per_page")}),
        ("sort=newst", {"sort": ("unknown_value", "newest")}),
        ("facets=section,dates", {"facets": ("unknown_value", "date")}),
        ("page=0", {"page": ("out_of_range", "1")}),
        ("page=two", {"page": ("not_a_number", None)}),
        ("page=-1", {"page": ("out_of_range", "1")}),
        ("per_page=-1", {"per_page": ("out_of_range", "0")}),
        ("page=-" + "9" * 400, {"page": ("out_of_range", "1")}),
        ("page=--1", {"page": ("not_a_number", None)}),
        ("page=%D9%A2", {"page": ("not_a_number", None)}),  # an Arabic two
        ("per_page=101", {"per_page": ("out_of_range", "100")}),
        ("page=" + "9" * 400, {"page": ("out_of_range", "10000")}),
        ("page=1001", {"page": ("too_deep", "1000")}),
        ("highlight=flase", {"highlight": ("not_a_flag", "false")}),
        ("from_date=yesterday", {"from_date": ("not_a_date", None)}),
        ("from_date=2025-02-30", {"from_date": ("not_a_date", None)}),
        ("from_date=0000", {"from_date": ("not_a_date", None)}),
        (
            "from_date=2025-08-07&to_date=2025-08-06",
            {"from_date": ("dates_reversed", None), "to_date": ("dates_reversed", None)},
        ),
        ("q=a&q=b", {"q": ("repeated", None)}),
        ("q=" + "x" * 513, {"q": ("too_long", None)}),
        ("tag=" + "x" * 201, {"tag": ("too_long", None)}),
        ("&".join(f"tag={n}" for n in range(51)), {"tag": ("too_many", None)}),
        (
            "sort=random&from_date=x&pages=3&per_page=1000",
            {
                "sort": ("unknown_value", None),
                "from_date": ("not_a_date", None),
                "pages": ("unknown_parameter", "page"),
                "per_page": ("out_of_range", "100"),
            },
        ),
    ],
)
def test_every_wrong_parameter_is_named_with_the_nearest_right_one(
    client: FlaskClient, query: str, wrong: dict[str, tuple[str, str | None]]
) -> None:
    problem = ask(client, query, status=422)
    assert errors(problem) == wrong
    assert all(error["detail"] for error in problem["errors"])


def test_problems_are_problem_details(client: FlaskClient) -> None:
    response = client.get(f"{SEARCH}?from_date=2025-08-07&to_date=2025-08-06")
    assert response.content_type == "application/problem+json"
    problem = json.loads(response.text)
    assert list(problem) == ["type", "status", "code", "title", "detail", "errors"]
    assert (problem["status"], problem["code"]) == (422, "invalid_parameters")
    assert "2025-08-07 lies after to_date 2025-08-06" in problem["errors"][0]["detail"]


def test_one_article_without_its_text(client: FlaskClient) -> None:
    article = ask(client, "/api/v1/articles/huts")
    assert article == {
        "id": "huts",
        "url": "https://news.example/huts?utm_source=feed",
        "title": "Glacier huts close early",
        "summary": "Wardens blame a warm summer.",
        "section": "World",
        "authors": ["Ana Lima", "Joe Hu"],
        "tags": ["alps", "climate"],
        "type": "news",
        "language": "en",
        "published": "2025-08-06T22:30:00Z",
        "updated": None,
        "status": "live",
        "notice": None,
        "image": "https://news.example/huts.jpg",
        "related": [],
        "extra": {"desk": "mountains"},
    }


@pytest.mark.parametrize("url", ["https://news.example/huts", "https://NEWS.example:443/huts%3Ffbclid=1%23top"])
def test_one_article_by_any_spelling_of_its_address(client: FlaskClient, url: str) -> None:
    assert ask(client, f"/api/v1/articles?url={url}")["id"] == "huts"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/articles/nothing", 404, "article_not_found"),
        ("/api/v1/articles?url=https://news.example/nothing", 404, "article_not_found"),
        ("/api/v1/articles/gone", 410, "article_gone"),
        ("/api/v1/articles?url=https://news.example/gone", 410, "article_gone"),
        ("/api/v1/articles", 422, "invalid_parameters"),
        ("/api/v1/articles/huts?text=1", 422, "invalid_parameters"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/v2/search", 404, "not_found"),
    ],
)
def test_what_is_not_there(client: FlaskClient, path: str, status: int, code: str) -> None:
    response = client.get(path)
    assert (response.status_code, json.loads(response.text)["code"]) == (status, code)
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("address", "given"),
    [
        ("https://news.example/a", "https://news.example/a"),
        ("HTTP://news.example/a", "HTTP://news.example/a"),
        ("/2025/a.html", "/2025/a.html"),
        ("//else.example/a", None),
        ("/\\else.example/a", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("news/a.html", None),
        (None, None),
    ],
)
def test_only_addresses_that_may_be_followed_are_given(address: str | None, given: str | None) -> None:
    article = Article(id="x", url=address, image=address, related=({"id": "y", "url": address}, {"url": ["z"]}))
    assert (article_reply(article)["url"], article_reply(article)["image"]) == (given, given)
    assert article_reply(article)["related"] == [{"id": "y", "url": given}, {"url": None}]
    found = Answer(Query(), 1, 1, 1, (Result(article, None, Snippet(""), ()),), {}, 0)
    (result,) = answer_reply(found, "", {})["results"]
    assert (result["url"], result["image"]) == (given, given)


def test_a_missing_parameter_is_named(client: FlaskClient) -> None:
    assert errors(ask(client, "/api/v1/articles", status=422)) == {"url": ("missing_parameter", None)}


def test_the_withdrawn_are_in_no_result(client: FlaskClient) -> None:
    assert ask(client, "q=taken")["total"] == 0


def test_only_reading_is_allowed(client: FlaskClient) -> None:
    response = client.post(SEARCH)
    assert (response.status_code, json.loads(response.text)["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", [SEARCH, f"{SEARCH}?foo=1", "/api/v1/articles/huts", "/api/v1/x", "/healthz"])
def test_every_origin_may_read(client: FlaskClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": "https://else.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Content-Type-Options"] == "nosniff"


class Broken:
    """An engine that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [EngineUnavailable("/srv/secret"), IndexCorrupt("/srv/secret")])
def test_a_failure_is_503_and_never_an_empty_result(error: Exception) -> None:
    client = create_app(Settings(), Broken(error)).test_client()  # type: ignore[arg-type]
    for path in (SEARCH, "/api/v1/articles/huts", "/readyz"):
        response = client.get(path)
        assert (response.status_code, json.loads(response.text)["code"]) == (503, "search_unavailable")
        assert int(response.headers["Retry-After"]) > 0
        assert "secret" not in response.text
    assert client.get("/healthz").status_code == 200


def test_a_defect_is_500_and_gives_nothing_away() -> None:
    client = create_app(Settings(), Broken(KeyError("secret"))).test_client()  # type: ignore[arg-type]
    response = client.get(SEARCH)
    assert (response.status_code, json.loads(response.text)["code"]) == (500, "internal_error")
    assert response.content_type == "application/problem+json"
    assert "secret" not in response.text


def test_without_an_index_the_service_lives_and_is_not_ready(tmp_path: Path) -> None:
    client = create_app(Settings(), connect(f"whoosh:{tmp_path / 'none'}")).test_client()
    assert client.get("/healthz").status_code == 200
    for path in (SEARCH, "/readyz", "/api/v1/articles/huts"):
        response = client.get(path)
        assert (response.status_code, json.loads(response.text)["code"]) == (503, "index_missing")
        assert "Retry-After" in response.headers
    assert not list(tmp_path.iterdir())  # asking makes nothing


def test_ready(client: FlaskClient) -> None:
    assert ask(client, "/readyz") == {"status": "ok"}


def test_every_parameter_and_code_is_documented() -> None:
    docs = DOCS.read_text(encoding="utf-8")
    for schema in (SearchSchema, ArticleSchema, AddressSchema):
        for name in schema._declared_fields:
            assert f"| `{name}` |" in docs, f"docs/api.md does not describe the parameter {name}"
    for code in codes():
        assert f"| `{code}` |" in docs, f"docs/api.md does not describe the code {code}"


def codes() -> set[str]:
    """The codes of all troubles, and those that stand in the source where a parameter is refused."""
    source = "".join((Path(web.__file__).parent / name).read_text() for name in ("parameters.py", "schemas.py"))
    refused = set(re.findall(r'(?:wrong\(\s*|code(?:: str = |=|": )|name,\s*)"([a-z_]+)"', source))
    assert {"unknown_parameter", "unknown_value", "not_a_flag", "missing_parameter", "dates_reversed"} < refused
    return refused | {trouble.code for _, trouble in TROUBLES} | {trouble.code for trouble in PLAIN.values()}


def test_every_name_of_an_answer_is_documented(client: FlaskClient) -> None:
    docs = DOCS.read_text(encoding="utf-8")
    for answer in (ask(client, "q=glacier"), ask(client, "/api/v1/articles/huts")):
        for name in names(answer):
            assert f"`{name}`" in docs or f'"{name}"' in docs, f"docs/api.md does not describe {name}"


def names(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(names, value))
    if isinstance(value, dict):
        return set(value) | names([item for name, item in value.items() if name != "extra"])
    return set()
