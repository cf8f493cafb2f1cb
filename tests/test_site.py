"""Addresses as sources: what each becomes, what is asked for again and what is not, what is removed and what stays."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from publisher import PUBLIC, Clock, Connections, Publisher, publishing

from indexer import build, site
from indexer import run as runs
from indexer.fetch import Fetcher
from indexer.report import Report, Stopped
from search import query
from search.article import make_id
from search.engines import ArticleMissing, Engine, RebuildRefused, connect

TEXT = " ".join("The warden of the hut tells at some length what she does, sentence after sentence." for _ in range(6))
XML = "application/xml"


@pytest.fixture
def web() -> Iterator[Publisher]:
    with publishing() as publisher:
        yield publisher


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


Index = Callable[..., Report]


@pytest.fixture
def index(engine: Engine) -> Iterator[Index]:
    """`index URL...`, without waiting."""
    clock = Clock()
    fetcher = Fetcher(private=True, sleep=clock.sleep, clock=clock)

    def run(*urls: str, work: Any = build.update, **options: Any) -> Report:
        report: Report = work(engine, list(urls), fetcher=fetcher, **options)
        return report

    yield run
    fetcher.close()


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.removed, len(report.refused)


def page(title: str = "Glacier huts close early", head: str = "") -> str:
    return f"<html lang=en><head><title>{title}</title>{head}</head><body><h1>{title}</h1><p>{TEXT}</p>"


def feed(*names: str, text: str = "It fell.") -> str:
    items = "".join(
        f"<item><title>{name}</title><link>{{site}}/{name}</link>"
        f"<c:encoded xmlns:c='http://purl.org/rss/1.0/modules/content/'>{name}: {text}</c:encoded></item>"
        for name in names
    )
    return f'<rss version="2.0"><channel><title>Post</title><ttl>5</ttl>{items}</channel></rss>'


def listing(*pages: str, changed: str = "") -> str:
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<urlset>{''.join(f'<url><loc>{{site}}/{name}</loc>{lastmod}</url>' for name in pages)}</urlset>"


def index_of(*maps: str, changed: str = "") -> str:
    lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
    return (
        f"<sitemapindex>{''.join(f'<sitemap><loc>{{site}}/{m}</loc>{lastmod}</sitemap>' for m in maps)}</sitemapindex>"
    )


def pages(web: Publisher, *names: str, **how: Any) -> None:
    for name in names:
        web.put(f"/{name}", page(f"The story of {name}"), kind="text/html", **how)


def titles(engine: Engine, urls: Sequence[str]) -> list[str | None]:
    found: list[str | None] = []
    for url in urls:
        try:
            found.append(engine.article(make_id(url)).title)
        except ArticleMissing:
            found.append(None)
    return found


@pytest.mark.parametrize(
    ("path", "body", "kind", "title"),
    [
        ("/huts", page(), "text/html; charset=utf-8", "Glacier huts close early"),
        ("/huts", page(), "", "Glacier huts close early"),
        ("/feed", feed("Snow"), "application/rss+xml", "Snow"),
        ("/feed", feed("Snow"), "text/html", "Snow"),
        ("/feed.json", json.dumps({"version": "https://jsonfeed.org/version/1.1",
            "items": [{"id": "1", "title": "Snow", "content_text": "It fell."}]}), "application/feed+json", "Snow"),
        ("/all.jsonl", '{"title": "Snow", "body": "It fell."}', "application/octet-stream", "Snow"),
        ("/all", '{"title": "Snow", "body": "It fell."}', "application/x-ndjson", "Snow"),
        ("/all.jsonl.gz", gzip.compress(b'{"title": "Snow", "body": "It fell."}'), "application/gzip", "Snow"),
        ("/a.md", "---\ntitle: Snow\n---\nIt fell.", "text/plain", "Snow"),
    ],
)  # fmt: skip
def test_what_lies_at_an_address_is_told_by_type_and_content(
    web: Publisher, engine: Engine, index: Index, path: str, body: str | bytes, kind: str, title: str
) -> None:
    assert counts(index(web.put(path, body, kind=kind))) == (1, 0, 0, 0, 0)
    found = engine.search(query.parse("", facets=()))
    assert [hit.article.title for hit in found.hits] == [title]


def test_a_page_has_the_address_where_it_was_found(web: Publisher, engine: Engine, index: Index) -> None:
    web.put("/old", status=301, Location="/huts?utm_source=x")
    web.put("/huts?utm_source=x", page(), kind="text/html")
    index(web.url("/old"))
    assert titles(engine, [web.url("/huts")]) == ["Glacier huts close early"]


def test_what_is_as_it_was_is_asked_for_with_validators_and_read_no_more(
    web: Publisher, engine: Engine, index: Index
) -> None:
    url = web.put("/feed", feed("Snow"), ETag='"1"')
    assert counts(index(url)) == (1, 0, 0, 0, 0)
    assert counts(index(url)) == (0, 0, 1, 0, 0)
    assert web.asked[-1].headers["If-None-Match"] == '"1"'
    web.put("/feed", feed("Snow", "Ice"), ETag='"2"')
    assert counts(index(url)) == (1, 0, 1, 0, 0)
    assert len(engine.runs()) == 2, "a run that changes nothing is none"


def test_what_the_index_no_longer_holds_is_fetched_again(web: Publisher, engine: Engine, index: Index) -> None:
    url = web.put("/feed", feed("Snow"), ETag='"1"')
    index(url)
    engine.undo(1)
    assert counts(index(url)) == (1, 0, 0, 0, 0)


def test_a_teaser_leaves_the_text_that_the_sitemap_brought(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, "snow")
    index(web.put("/sitemap.xml", listing("snow")))
    report = index(
        web.put("/feed", "<rss><channel><item><title>S</title><link>{site}/snow</link></item></channel></rss>")
    )
    assert counts(report) == (0, 0, 1, 0, 0)
    assert titles(engine, [web.url("/snow")]) == ["The story of snow"]


# Sitemaps


def test_a_page_of_a_sitemap_is_fetched_when_it_may_have_changed(web: Publisher, index: Index) -> None:
    pages(web, "a", "b", ETag='"1"')
    url = web.put("/sitemap.xml", listing("a", "b", changed="2025-08-06"))
    assert counts(index(url)) == (2, 0, 0, 0, 0)
    web.paths()
    assert counts(index(url)) == (0, 0, 2, 0, 0)
    assert web.paths() == ["/sitemap.xml"], "its lastmod says that nothing changed"
    web.put("/sitemap.xml", listing("a", "b", changed="2025-08-07"))
    assert counts(index(url)) == (0, 0, 2, 0, 0)
    assert web.paths() == ["/sitemap.xml", "/a", "/b"], "asked for, and as they were by their validators"
    web.put("/a", page("Another title"), kind="text/html", ETag='"2"')
    web.put("/sitemap.xml", listing("a", "b"))
    assert counts(index(url)) == (0, 1, 1, 0, 0), "without lastmod the validators tell"


def test_an_index_of_sitemaps_is_followed_where_it_has_changed(web: Publisher, index: Index) -> None:
    pages(web, "a", "b")
    web.put("/1.xml", listing("a", changed="2025"))
    web.put("/2.xml", listing("b", changed="2025"), kind="application/gzip")
    url = web.put("/sitemap.xml", index_of("1.xml", "2.xml", changed="1"))
    assert counts(index(url)) == (2, 0, 0, 0, 0)
    web.paths()
    assert counts(index(url)) == (0, 0, 2, 0, 0)
    assert web.paths() == ["/sitemap.xml"]


def test_a_sitemap_with_a_page_that_failed_is_read_again(web: Publisher, index: Index) -> None:
    pages(web, "a")
    web.put("/1.xml", listing("a", "b", changed="2025"))
    url = web.put("/sitemap.xml", index_of("1.xml", changed="1"))
    assert counts(index(url)) == (1, 0, 0, 0, 1)
    pages(web, "b")
    assert counts(index(url)) == (1, 0, 1, 0, 0)


def test_sitemaps_that_list_each_other_end(web: Publisher, index: Index) -> None:
    pages(web, "a")
    web.put("/1.xml", index_of("sitemap.xml", "2.xml"))
    web.put("/2.xml", index_of("3.xml"))
    web.put("/3.xml", index_of("4.xml"))
    web.put("/4.xml", listing("a"))
    report = index(web.put("/sitemap.xml", index_of("1.xml", "1.xml")))
    assert [item.reason for item in report.refused] == ["more than 3 deep: index it by itself"]


def test_what_a_news_sitemap_says_comes_first(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, "a")
    url = web.put(
        "/news.xml",
        "<urlset xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'><url><loc>{site}/a</loc><n:news><n:publication>"
        "<n:language>de</n:language></n:publication><n:publication_date>2025-08-06T14:30:00Z</n:publication_date>"
        "<n:title>As the newsroom has it</n:title><n:keywords>alps, huts</n:keywords></n:news></url></urlset>",
    )
    index(url)
    found = engine.article(make_id(web.url("/a")))
    assert (found.title, found.language, found.tags) == ("As the newsroom has it", "de", ("alps", "huts"))
    assert found.published
    assert found.published.isoformat() == "2025-08-06T14:30:00+00:00"


def test_a_sitemap_names_pages_of_another_site_only_with_its_leave(web: Publisher, index: Index) -> None:
    pages(web, "a")
    elsewhere = web.address.replace("127.0.0.1", "localhost")
    url = web.put("/sitemap.xml", f"<urlset><url><loc>{elsewhere}/a</loc></url></urlset>")
    report = index(url)
    assert [item.reason for item in report.refused] == [
        f"{url} lists it, and its own site does not name that sitemap in robots.txt"
    ]
    assert "/a" not in web.paths()


def test_with_the_leave_of_its_robots_txt(web: Publisher, index: Index) -> None:
    pages(web, "a")
    elsewhere = web.address.replace("127.0.0.1", "localhost")
    url = web.put("/sitemap.xml", f"<urlset><url><loc>{elsewhere}/a</loc></url></urlset>")
    web.put("/robots.txt", f"Sitemap: {url}")
    assert counts(index(url)) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize("inner", ["http://169.254.169.254/latest", "http://127.0.0.1:1/", "http://[::1]/x"])
def test_a_sitemap_is_no_way_into_the_network(
    web: Publisher, engine: Engine, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    connected = Connections(monkeypatch, web)
    web.put("/robots.txt", f"Sitemap: {inner}")
    web.put("/s.xml", f"<urlset><url><loc>{inner}</loc></url></urlset>")
    web.put("/i.xml", f"<sitemapindex><sitemap><loc>{inner}</loc></sitemap></sitemapindex>")
    with closing(Fetcher(resolve=lambda host, _: [{"public.example": PUBLIC}.get(host, host)], rate=100)) as fetcher:
        report = build.update(engine, ["http://public.example/s.xml", "http://public.example/i.xml"], fetcher=fetcher)
    assert len(report.refused) == 2
    assert "inside the network" in report.refused[1].reason
    assert set(connected.to) == {PUBLIC}


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("<link rel=alternate type=application/rss+xml href=/feed>", "/feed"),
        ("<link rel=alternate type=text/html href=/de>", None),
    ],
)
def test_a_page_without_an_article_names_the_feed(web: Publisher, index: Index, body: str, hint: str | None) -> None:
    report = index(
        web.put("/", f"<html><head><title>Post</title>{body}</head><body><a href=/a>A</a>", kind="text/html")
    )
    said = "no article found in this page" + (f"; index {web.url(hint)}" if hint else "")
    assert [item.reason for item in report.refused] == [said]


def test_a_page_without_an_article_names_the_sitemap_of_robots_txt(web: Publisher, index: Index) -> None:
    web.put("/robots.txt", "Sitemap: {site}/sitemap.xml")
    report = index(web.put("/", "<html><body><a href=/a>A</a>", kind="text/html"))
    assert report.refused[0].reason.endswith(f"; index {web.url('/sitemap.xml')}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<urlset><url><loc>{site}/a</loc>", "no sitemap that can be read"),
        ("<urlset/>", "a sitemap without pages"),
        ("<project/>", "no reader for .xml"),
    ],
)
def test_what_cannot_be_read_says_why(web: Publisher, index: Index, body: str, reason: str) -> None:
    report = index(web.put("/x.xml", body, kind=XML))
    assert [item.reason[: len(reason)] for item in report.refused] == [reason]


# What is gone


def test_410_removes_an_article_and_404_does_not(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, "a", "b", "c")
    url = web.put("/sitemap.xml", listing("a", "b", "c"))
    index(url)
    web.put("/a", status=410)
    web.remove("/b")
    report = index(url)
    assert (report.removed, report.unchanged, len(report.refused)) == (1, 2, 1)
    assert report.notes == {runs.GONE: (1, web.url("/a"))}
    assert titles(engine, [web.url("/a"), web.url("/b")]) == [None, "The story of b"]


def test_410_removes_only_what_came_from_there(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, "a")
    index(web.url("/a"))
    web.put("/a", status=410)
    assert index(web.put("/sitemap.xml", listing("a"))).removed == 0
    assert titles(engine, [web.url("/a")]) == ["The story of a"]


@pytest.mark.parametrize("kind", ["feed", "sitemap"])
def test_what_a_list_leaves_out_is_looked_at(web: Publisher, engine: Engine, index: Index, kind: str) -> None:
    names = ("a", "b", "c", "d")
    pages(web, *names)
    make = {"feed": feed, "sitemap": listing}[kind]
    url = web.put("/list", make(*names), kind=XML)
    index(url)
    web.put("/list", make("d"), kind=XML)
    web.put("/a", status=410)
    web.remove("/b")
    report = index(url)
    assert (report.removed, report.notes) == (1, {runs.GONE: (1, web.url("/a"))})
    web.paths()
    report = index(url)
    assert report.notes == {site.MISSING: (1, web.url("/b"))}
    assert web.paths().count("/c") == 0, "c is there, and is not looked at again"
    index(url)
    assert web.paths().count("/b") == 0
    assert [title is None for title in titles(engine, [web.url(f"/{n}") for n in names])] == [True, False, False, False]


def test_reindex_removes_what_a_sitemap_no_longer_lists_and_reads_all(web: Publisher, index: Index) -> None:
    pages(web, *(f"p{n}" for n in range(20)), ETag='"1"')
    url = web.put("/sitemap.xml", listing(*(f"p{n}" for n in range(20)), changed="1"))
    index(url)
    web.put("/sitemap.xml", listing(*(f"p{n}" for n in range(19)), changed="1"))
    web.paths()
    report = index(url, work=build.rebuild)
    assert counts(report) == (0, 0, 19, 1, 0)
    assert "/p3" in web.paths()


def test_prune_removes_what_is_gone_from_its_own_source(web: Publisher, engine: Engine, index: Index) -> None:
    names = [f"p{n}" for n in range(20)]
    pages(web, *names, "other")
    index(web.url("/other"))
    url = web.put("/sitemap.xml", listing(*names))
    index(url)
    web.put("/sitemap.xml", listing(*names[1:]))
    assert counts(index(url, prune=True)) == (0, 0, 19, 1, 0)
    assert engine.status().articles == 20
    assert titles(engine, [web.url("/p0"), web.url("/other")]) == [None, "The story of other"]


def test_prune_keeps_what_cannot_be_fetched(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, *(f"p{n}" for n in range(12)))
    url = web.put("/sitemap.xml", listing(*(f"p{n}" for n in range(12))))
    index(url)
    web.put("/p3", status=500)
    assert index(url, prune=True).removed == 0
    assert titles(engine, [web.url("/p3")]) == ["The story of p3"]


def test_a_page_that_was_never_there_does_not_hinder_pruning(web: Publisher, index: Index) -> None:
    pages(web, *(f"p{n}" for n in range(12)))
    url = web.put("/sitemap.xml", listing("never", *(f"p{n}" for n in range(12))))
    index(url)
    web.put("/sitemap.xml", listing("never", *(f"p{n}" for n in range(11))))
    assert index(url, prune=True).removed == 1


def test_prune_removes_nothing_for_a_page_of_which_nothing_is_remembered(
    web: Publisher, engine: Engine, index: Index, tmp_path: Path
) -> None:
    canonical = '<link rel="canonical" href="https://post.example/p3">'
    pages(web, *(f"p{n}" for n in range(12)))
    web.put("/p3", page("The story of p3", canonical), kind="text/html")
    url = web.put("/sitemap.xml", listing(*(f"p{n}" for n in range(12))))
    index(url)
    engine.close()
    for file in (tmp_path / "index").glob("visits.db*"):
        file.unlink()
    web.put("/p3", status=500)
    report = index(url, prune=True)
    assert (report.removed, list(report.notes)) == (0, [runs.KEPT])


def test_prune_of_a_sitemap_that_is_away_or_broken_removes_nothing(
    web: Publisher, engine: Engine, index: Index
) -> None:
    pages(web, "a", "b")
    url = web.put("/sitemap.xml", listing("a", "b"))
    index(url)
    for body, status in (("", 503), ("", 404), ("<urlset/>", 200), ("<urlset><url>", 200), ("<html>", 200)):
        web.put("/sitemap.xml", body, status=status)
        assert index(url, prune=True, force=True).removed == 0
    assert engine.status().articles == 2


def test_prune_refuses_to_remove_more_than_a_tenth(web: Publisher, engine: Engine, index: Index) -> None:
    pages(web, "a", "b")
    url = web.put("/sitemap.xml", listing("a", "b"))
    index(url)
    web.put("/sitemap.xml", listing("a"))
    with pytest.raises(Stopped) as stopped:
        index(url, prune=True)
    assert isinstance(stopped.value.__cause__, RebuildRefused)
    assert engine.status().articles == 2
    assert index(url, prune=True, force=True).removed == 1


def test_a_feed_cannot_be_pruned(web: Publisher, engine: Engine, index: Index) -> None:
    url = web.put("/feed", feed("a", "b"))
    index(url)
    web.put("/feed", feed("b", "c"))
    with pytest.raises(Stopped) as stopped:
        index(url, prune=True)
    assert runs.NEWEST in str(stopped.value.__cause__)
    report = index(url, work=build.rebuild)
    assert (report.removed, list(report.notes)) == (0, [runs.NEWEST])
    assert engine.status().articles == 3


def test_a_folder_is_pruned_by_the_same_rules(tmp_path: Path, engine: Engine) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for n in range(20):
        (folder / f"{n}.jsonl").write_text(f'{{"id": "{n}", "title": "T {n}"}}\n')
    build.update(engine, [folder])
    (folder / "3.jsonl").unlink()
    assert build.update(engine, [folder], prune=True).removed == 1
    for file in folder.iterdir():
        file.unlink()
    assert build.update(engine, [folder], prune=True, force=True).removed == 0, "rather not mounted than empty"


def test_an_address_below_another_is_another_source(web: Publisher, index: Index) -> None:
    pages(web, *(f"p{n}" for n in range(12)))
    index(web.put("/a/b", listing(*(f"p{n}" for n in range(6)))), work=build.update)
    index(web.put("/a", listing(*(f"p{n}" for n in range(6, 12)))))
    assert index(web.url("/a"), prune=True, force=True).removed == 0


def test_secrets_are_kept_nowhere(web: Publisher, engine: Engine, index: Index, tmp_path: Path) -> None:
    url = web.put("/feed", feed("Snow")).replace("http://", "http://ana:geheim@")
    index(url)
    assert list(engine.runs()[0].sources) == [web.url("/feed")]
    engine.close()
    for file in (tmp_path / "index").rglob("*"):
        assert not file.is_file() or b"geheim" not in file.read_bytes()
