"""Which page an address means: spellings of one page, and pages that are not one."""

from __future__ import annotations

import pytest

from search.addresses import page

SAME = [
    "https://paper.example/news/oak",
    "http://paper.example/news/oak",
    "https://www.paper.example/news/oak",
    "HTTPS://WWW.Paper.Example./News/Oak",
    "https://paper.example/news/oak/",
    "https://paper.example/news/oak//",
    "https://paper.example//news/oak",
    "https://paper.example/news/oak/index.html",
    "https://paper.example/news/oak/INDEX.php",
    "https://paper.example:443/news/oak",
    "http://paper.example:80/news/oak#top",
    "https://paper.example/news/oak?utm_source=x&fbclid=1",
    "https://paper.example/news/o%61k",
    "//paper.example/news/oak",
    "paper.example/news/oak",
    " https://someone@paper.example/news/oak ",
]
ALIKE = [
    ("https://paper.example/?b=2&a=1", "https://paper.example/?a=1&b=2&utm_medium=mail"),
    ("https://paper.example", "https://www.paper.example/index.html"),
    ("https://xn--bcher-kva.example/x", "https://bücher.example/x"),
    ("https://paper.example/caf%C3%A9", "https://paper.example/cafe\u0301"),
    ("/local/path", "/Local/Path/"),
    ("urn:uuid:1", "URN:uuid:1"),
    ("https://[::1]:8080/x", "http://[::1]:8080/x/"),
]
OTHERS = [
    "https://paper.example/news/oak-tree",
    "https://paper.example/oak",
    "https://paper.example/news/oak?page=2",
    "https://blog.paper.example/news/oak",
    "https://paper.example:8443/news/oak",
    "https://paper.example/news/oak/index",
    "https://other.example/news/oak",
    "/news/oak",
    "https://paper.example:none/news/oak",
]


@pytest.mark.parametrize("url", SAME)
def test_a_page_has_many_spellings(url: str) -> None:
    assert page(url) == "paper.example/news/oak"


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_two_spellings_of_a_page(one: str, other: str) -> None:
    assert page(one) == page(other)


@pytest.mark.parametrize("url", OTHERS)
def test_other_pages_are_others(url: str) -> None:
    assert page(url) != "paper.example/news/oak"


@pytest.mark.parametrize("url", ["https://paper.example", "paper.example/", "/x", "/", "https://paper.example?a=1"])
def test_what_has_a_host_or_a_path_is_never_taken_for_an_id(url: str) -> None:
    assert "/" in page(url)


@pytest.mark.parametrize("url", ["https://paper.example/news/a_b-c.html", "http://a.b.example/2025/08/06/x~y"])
def test_the_short_way_and_the_long_way_say_the_same(url: str) -> None:
    assert page(url) == page(f"{url}#") == page(f" {url}")
