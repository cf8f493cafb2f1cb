"""Articles as plain data and back: what is kept is what was read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from search import article
from search.article import Article, ArticleError, canonical_url, from_dict, from_stored, to_json, to_line

FULL = Article(
    id="a",
    url="https://example.org/a",
    title="Tête-à-tête",
    summary="In short",
    body="Körper & <b>Text</b>\n\nمرحبا",
    subheads=("One", "One"),
    section="World",
    authors=("Ann",),
    tags=("x", "y"),
    type="news",
    published=datetime(2025, 8, 6, 12, 30, tzinfo=UTC),
    updated=datetime(2025, 8, 6, 12, 30, 1, 5, tzinfo=UTC),
    language="fr",
    image="https://example.org/a.png",
    status="corrected",
    notice="The date was wrong.",
    embargo_until=datetime(1, 1, 1, tzinfo=UTC),
    related=({"id": "b"},),
    extra={"desk": {"nested": [1, 2.5, None]}},
)


@pytest.mark.parametrize("given", [FULL, Article(id="b", title="T"), Article(id="c", body=' as "it" is \r\n\n\0')])
def test_what_is_kept_is_the_article(given):
    line = to_line(given)
    assert from_stored(line) == given
    assert to_line(from_stored(line)) == line
    assert article.digest_of(line) == article.digest(given)


def test_the_canonical_form():
    one = Article(id="a", title="Ä\n", body="B\n\n", tags=("z", "b"), extra={"y": 1, "x": {}})
    line = '{"body":"B\\n\\n","extra":{"x":{},"y":1},"id":"a","status":"live","tags":["z","b"],"title":"Ä\\n"}'
    assert to_json(one) == line
    head = '{"extra":{"x":{},"y":1},"id":"a","status":"live","tags":["z","b"],"title":"Ä\\n"}'
    assert to_line(one).decode() == f"{head}\nB\n\n"
    assert to_line(Article(id="a")) == b'{"id":"a","status":"live"}\n'


def test_the_digest():
    # It is the same in every version: else everything that is held would be indexed anew.
    assert article.digest(FULL) == "58fe9a643d909be8851058b70bed96d5"


def test_a_date_of_another_zone_is_the_same_instant():
    there = datetime(2025, 8, 6, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    assert from_stored(to_line(Article(id="a", title="T", published=there))).published == there


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\n", b"null\n", b"3\n", b"[]\n", b'["id"]\n', b"{}\n", b"\xff\n", b'{"id":"a"}', b'{"id":"a"}\n\xff'),
        *(b'{"id":"a","mood":1}\n', b'{"id":"a","published":"soon"}\n', b'{"id":"a","body":"B"}\nB'),
    ],
)
def test_what_was_not_kept_so(line):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        from_stored(line)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (" plain ", "plain"),
        ("café", "café"),
        ("a\x00b\r\nc", "ab\nc"),
        ("half \ud83d", "half ?"),
        ("\udc00é", "?é"),
        ("whole 😀", "whole 😀"),
        (7, "7"),
        (2.5, "2.5"),
    ],
)
def test_text(given, text):
    assert from_dict({"id": "a", "title": given}).title == text


@pytest.mark.parametrize("empty", [None, "", " ", "\x00"])
@pytest.mark.parametrize("name", ["url", "summary", "section", "authors", "tags", "status", "notice"])
def test_what_is_empty_is_left_out(name, empty):
    assert from_dict({"id": "a", "title": "T", name: empty}) == Article(id="a", title="T")


def test_every_reason_is_named():
    with pytest.raises(ArticleError) as refused:
        from_dict({"url": [], "tags": 3, "published": "soon", "status": "gone", "related": 1, "extra": 2, "x": 1})
    assert [reason.split()[0] for reason in refused.value.reasons] == [
        *("url", "tags", "published", "status", "related", "extra", "it", "it")
    ]


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://example.org/a/b.html", "https://example.org/a/b.html"),
        ("https://example.org//a;b=c/%7Ed", "https://example.org//a;b=c/%7Ed"),
        ("https://example.org", "https://example.org/"),
        ("HTTPS://Example.ORG:443/A#b", "https://example.org/A"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("https://example.org/a?utm_source=x&b=1&fbclid=2", "https://example.org/a?b=1"),
        ("https://example.org/a?", "https://example.org/a"),
        (" https://example.org/ä ", "https://example.org/ä"),
        ("/a/path?x#y", "/a/path?x#y"),
        ("https://[broken/", "https://[broken/"),
    ],
)
def test_one_address_a_page(url, canonical):
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical
