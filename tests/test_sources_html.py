"""Saved pages: what a page says of itself, in the order in which it is believed; and the figures on judged pages."""

import io
import json
import lzma
import os
import re
import tarfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import pytest

from indexer.sources import READERS, Read, Refused, dates, read
from indexer.sources.origin import Origin
from search.article import Article

CORPORA = Path(os.environ.get("BROADSHEET_CORPORA", Path(__file__).parent.parent.parent / "shared" / "corpora"))
TEXT = "".join(
    f"<p>Paragraph {n} tells at some length what the warden of the hut does, sentence after sentence, with commas.</p>"
    for n in range(4)
)


WEBSITE = "<meta property=og:type content=website><meta property=og:site_name content='The Mountain'>"
MENU = "<nav><span>Home</span><span>World</span><span>Sport and leisure</span></nav><div>Menu Search Sign in</div>"
HEADS = [
    *("Minister resigns over ferry contract", "Storm closes the harbour for a third day", "Museum opens its new wing"),
    *("Rovers win the derby in the last minute", "Library fines to be scrapped", "A new bridge for the islands"),
]
LINKS = "".join(f"<p><a href=/{n}>{head}</a></p>" for n, head in enumerate(HEADS))
STORIES = "<ul>" + "".join(f"<li><a href=/{n}>Story {n}</a></li>" for n in range(30)) + "</ul>"
CARDS = "".join(
    f"<div class=card><h3><a href=/{n}>{head}</a></h3><p>It was announced on day {n} of the week by those who had"
    f" denied it on the day before.</p><span>August {n + 1}, 2025</span></div>"
    for n, head in enumerate(HEADS)
)
BIO = "Ann Poe is our correspondent in the north, where she has lived and worked among the huts for eleven years."


def read_page(page: str | bytes) -> Read | Refused:
    data = page if isinstance(page, bytes) else page.encode()
    (found,) = read(["-"], stdin=io.BytesIO(b"<!doctype html>" + data))
    return found


def article(head: str = "", body: str = "") -> Article:
    found = read_page(f"<html><head>{head}</head><body>{body}<article>{TEXT}</article></body></html>")
    assert isinstance(found, Read), found
    return found.article


def ld(**fields: object) -> str:
    data = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


NEWS = ld(
    headline="Snow &amp; ice",
    datePublished="2025-08-06T10:00:00+02:00",
    dateModified="2025-08-07",
    author=[{"@type": "Person", "name": "Ann Poe"}, {"name": "John Roe"}],
    articleSection=["Europe", "World"],
    keywords="huts, Alps",
    image={"url": "/a.jpg"},
    description="Why.",
    inLanguage="en-GB",
    url="https://example.org/snow",
)


@pytest.mark.parametrize(
    "head",
    [
        NEWS,
        NEWS.replace('">{', '">\n<!--//--><![CDATA[\n{').replace("}</script>", ",}\n//]]>\n</script>"),
        ld(headline="Another", url="https://example.org/other").replace("NewsArticle", "WebPage") + NEWS,
        NEWS.replace('{"@context"', '{"@graph": [{"@type": "Organization"}, {"@context"').replace(
            "}</script>", "}]}</script>"
        ),
    ],
)
def test_json_ld(head: str) -> None:
    a = article(head + "<title>Snow & ice | The Mountain</title>")
    assert a.title == "Snow & ice"
    assert a.published == datetime(2025, 8, 6, 8, tzinfo=UTC)
    assert a.updated == datetime(2025, 8, 7, tzinfo=UTC)
    assert (a.authors, a.tags) == (("Ann Poe", "John Roe"), ("huts", "Alps"))
    assert (a.section, a.type, a.language, a.summary) == ("Europe", "news", "en-GB", "Why.")
    assert (a.url, a.image) == ("https://example.org/snow", "https://example.org/a.jpg")


def test_broken_json_ld_still_tells_its_texts() -> None:
    a = article(NEWS.replace('"keywords"', "keywords").replace('"headline"', '"x" "headline"'))
    assert (a.title, a.published) == ("Snow & ice", datetime(2025, 8, 6, 8, tzinfo=UTC))


def test_meta() -> None:
    a = article(
        """<meta property="og:title" content="Snow and ice - The Mountain">
        <meta property="og:site_name" content="The Mountain">
        <meta property="article:published_time" content="2025-08-06"><meta property="article:section" content="Europe">
        <meta property="article:author" content="https://facebook.com/annpoe">
        <meta name="author" content="By Ann Poe and John Roe">
        <meta property="article:tag" content="huts"><meta property="article:tag" content="Alps">
        <meta property="og:image" content="https://example.org/a.jpg"><meta name="description" content="Why.">
        <link rel="canonical" href="https://example.org/snow"><title>Snow and ice | The Mountain</title>"""
    )
    assert (a.title, a.summary, a.section, a.url) == ("Snow and ice", "Why.", "Europe", "https://example.org/snow")
    assert (a.authors, a.tags, a.image) == (("Ann Poe", "John Roe"), ("huts", "Alps"), "https://example.org/a.jpg")
    assert a.published == datetime(2025, 8, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Snow and ice | The Mountain</title>", "<h1>Snow and ice</h1>", "Snow and ice"),
        ("<title>The Mountain: Snow and ice</title>", "<h1>Snow and ice</h1>", "Snow and ice"),
        ("<title>Snow and ice in the huts</title>", "<h1>Lorem</h1>", "Snow and ice in the huts"),
        ("<meta property='og:site_name' content='The Mountain'><title>The Mountain</title>", "<h1>Snow</h1>", "Snow"),
        (
            "<meta property='og:site_name' content='The Mountain'><title>Snow - and - ice - The Mountain</title>",
            "<h1>The Mountain</h1>",
            "Snow - and - ice",
        ),
        (
            "<meta property='og:title' content='You will not believe it'>"
            + ld(headline="Snow")
            + "<title>Snow</title>",
            "",
            "Snow",
        ),
        (ld(headline="A list article") + "<title>Snow - The Mountain</title>", "<h1>Snow</h1>", "Snow"),
        ("", "<h1>Snow</h1>", "Snow"),
        ("<title>C++ & <b></title>", "", "C++ & <b>"),
    ],
)
def test_titles(head: str, body: str, title: str) -> None:
    assert article(head, body).title == title


@pytest.mark.parametrize(
    ("head", "body", "day"),
    [
        ("", "<time datetime='2025-08-06' pubdate>Wednesday</time>", 6),
        ("", "<time class='entry-date published' datetime='2025-08-06T10:00'>x</time>", 6),
        ("<meta name='parsely-pub-date' content='1754474400'>", "", 6),
        ("<meta name='date' content='1754474400000'>", "", 6),
        ("<meta property='article:published_time' content='soon'><meta name='dc.date' content='Aug. 6, 2025'>", "", 6),
        ("<link rel='canonical' href='https://example.org/2025/08/06/snow'>", "", 6),
        ("", "", None),
    ],
)
def test_published(head: str, body: str, day: int | None) -> None:
    found = article(head, body).published
    assert (found and found.day) == day


def test_a_date_that_is_guessed_is_noted() -> None:
    found = read_page(f"<link rel='canonical' href='https://example.org/2025/08/06/snow'><h1>Snow</h1>{TEXT}")
    assert isinstance(found, Read)
    assert found.notes == ("published 2025-08-06 found in the address or the text of the page, not in its metadata",)


def test_the_text_is_paragraphs_with_subheads_and_without_the_page() -> None:
    a = article(
        "<title>Snow and ice</title>",
        "<nav><a href=/>Home</a> <a href=/x>World</a></nav>"
        f"<article><h1>Snow and ice</h1>{TEXT}<h2>The <i>way</i></h2>{TEXT}"
        "<p style='display:none'>Nobody sees this sentence, hidden from every reader of the page.</p></article>",
    )
    assert a.subheads == ("The way",)
    assert a.body.startswith("Paragraph 0 tells")
    assert "\n\nThe way\n\nParagraph 0" in a.body
    assert "Nobody sees" not in a.body
    assert "World" not in a.body


@pytest.mark.parametrize(
    "page",
    [
        "<html></html>",
        "<title>Snow</title><body></body>",
        "<title>The Mountain</title><nav><a href=/a>World news today</a><p><a href=/b>Sport of the week</a></nav>",
        "<title>404 Not Found</title><p>The page that you are looking for is not here, and perhaps it never was.</p>",
        "<title>Just a moment...</title><p>Please enable cookies and wait until your browser has been checked.</p>",
        f"{WEBSITE}<title>The Mountain</title>{MENU}{LINKS}",
        f"{WEBSITE}<title>News from the Alps - The Mountain</title>{MENU}<h1>News from the Alps</h1>{LINKS}",
        f"<title>News from the Alps</title>{MENU}{LINKS}",
        f"{WEBSITE}<title>News from the Alps</title>{MENU}{CARDS}",
        f"<title>News from the Alps</title>{MENU}{CARDS}",
        f"<meta property=og:type content=profile><title>Ann Poe</title>{MENU}<h1>Ann Poe</h1><p>{BIO}</p>{CARDS}",
        f"<title>Ann Poe</title>{MENU}<h1>Ann Poe</h1><p>{BIO}</p>{CARDS}",
        '<script type="application/ld+json">{"@type": "ProfilePage", "mainEntity": {"@type": "Person"}}</script>'
        f"<title>Ann Poe</title><h1>Ann Poe</h1><p>{BIO}</p>",
        f"<title>Index of the year</title><h1>Index of the year</h1>{STORIES}",
        f"<title>Index of the year</title>{MENU}<h1>Index of the year</h1>{STORIES}",
        f"<title>Index of the year</title>{MENU}{STORIES.replace('</a>', '</a> by Ann Poe, August 5')}",
    ],
)
def test_a_page_without_an_article_is_refused(page: str) -> None:
    found = read_page(page)
    assert isinstance(found, Refused)
    assert found.reason.startswith("no article found in this page")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (WEBSITE, TEXT + LINKS),
        (WEBSITE, TEXT + CARDS),
        ("", f"<p>{BIO} {BIO}</p>{LINKS}"),
        ("", f"<h2><a href=/snow>Snow and ice</a></h2>{TEXT}"),
        ("", "".join(f"<h2><a href=/hut{n}>Hut {n}</a></h2>{TEXT}" for n in range(4))),
        ("", "<p>Snow fell.</p><p>So did the night.</p>"),
        ("", f"<p>Listen to <a href=/poe>Ann Poe</a>, above.</p><p>{''.join(LINKS.split('</p>')[:2])}"),
        (ld(headline="Snow and ice"), LINKS),
    ],
)
def test_an_article_among_links_is_one(head: str, body: str) -> None:
    found = read_page(f"<html><head>{head}<title>Snow and ice</title></head><body><h1>Snow and ice</h1>{body}</body>")
    assert isinstance(found, Read), found


@pytest.mark.parametrize(
    ("published", "meta", "notes"),
    [
        ("2025-99-99", "", ("date '2025-99-99' not understood",)),
        ("2025-99-99", "<meta name=date content=2025-08-06>", ("date '2025-99-99' not understood",)),
        ("2025-08-06", "", ()),
    ],
)
def test_a_date_that_is_none_is_noted(published: str, meta: str, notes: tuple[str, ...]) -> None:
    head = ld(headline="Snow and ice", datePublished=published)
    found = read_page(f"<html><head>{meta}{head}<title>Snow and ice</title></head><body>{TEXT}</body></html>")
    assert isinstance(found, Read)
    assert found.notes == notes


def test_an_article_behind_a_wall_is_found_by_its_headline() -> None:
    found = read_page(f"<html><head>{NEWS}</head><body></body></html>")
    assert isinstance(found, Read)
    assert (found.article.title, found.article.body) == ("Snow & ice", "")


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "iso-8859-1"),
        ("windows-1251", "windows-1251"),
        ("utf-16", ""),
        ("utf-8-sig", ""),
        ("cp1252", "no-such"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, declared: str) -> None:
    word = "Снег" if encoding == "windows-1251" else "Café"
    page = f"<!doctype html><meta charset={declared}><title>{word} in the huts</title>{TEXT}"
    (tmp_path / "a.html").write_bytes(page.encode(encoding))
    (found,) = read([tmp_path])
    assert isinstance(found, Read)
    assert found.article.title == f"{word} in the huts"


# The figures


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def token_f1(found: str, truth: str) -> float:
    a, b = words(found), words(truth)
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else 1.0


def letters(text: str) -> str:
    return "".join(re.findall(r"\w", text.casefold()))


def same_title(found: str, truth: str) -> bool:
    """Equal, or the one is the other without the site's name before or behind a separator."""
    short, long = sorted((found, truth), key=len)
    cuts = list(re.finditer(r"\s+[|\-–—·•»:_]+\s+|\s*[|_»]\s*|:\s+|\s\[", long))
    wholes = {
        letters(long),
        *(letters(long[: cut.start()]) for cut in cuts),
        *(letters(long[cut.end() :]) for cut in cuts),
    }
    return bool(short) and letters(short) in wholes


def judged(name: str) -> list[tuple[dict[str, str], Read | Refused]]:
    with tarfile.open(CORPORA / "html" / f"{name}_pages.tar.xz") as tar:
        pages = {member.name: data.read() for member in tar if (data := tar.extractfile(member))}
    with lzma.open(CORPORA / "html" / f"{name}_truth.jsonl.xz", "rt", encoding="utf-8") as lines:
        truths = [json.loads(line) for line in lines]
    return [(t, next(READERS[".html"](io.BytesIO(pages[t["file"]]), Origin(t["file"], t["file"])))) for t in truths]


@pytest.mark.corpora
@pytest.mark.skipif(
    not CORPORA.is_dir(), reason=f"the judged corpora are not at {CORPORA} (BROADSHEET_CORPORA names them)"
)
@pytest.mark.parametrize(
    ("name", "goals"),
    [
        ("readability", {"body": 0.93, "title": 0.85, "date": 0.94}),
        # Eight of the twelve pages with a date are a head without any text and are refused, as they should be.
        ("goose3", {"body": 0.85, "title": 0.85, "date": 0.3}),
    ],
)
def test_figures_on_judged_pages(name: str, goals: dict[str, float]) -> None:
    """Faults were studied on the pages whose id has an even CRC-32 only; docs/formats.md says what else was seen."""
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for truth, found in judged(name):
        a = found.article if isinstance(found, Read) else Article("none")
        half = "held out" if crc32(truth["id"].encode()) % 2 else "developed on"
        if "body" in truth:
            scores["body", half].append(token_f1(a.body, truth["body"]))
        elif truth["body_prefix"]:
            scores["body", half].append(letters(truth["body_prefix"])[:60] in letters(a.body))
        if truth["title"]:
            scores["title", half].append(same_title(a.title, truth["title"]))
        if truth["published"]:
            day = dates.parse(truth["published"])
            assert day, truth["published"]
            scores["date", half].append(bool(a.published and a.published.date() == day.date()))
    for what, goal in goals.items():
        halves = {half: scores[what, half] for half in ("developed on", "held out")}
        together = [score for half in halves.values() for score in half]
        figure = sum(together) / len(together)
        told = ", ".join(f"{half} {sum(s) / len(s):.3f} of {len(s)}" for half, s in halves.items())
        print(f"{name} {what}: {figure:.3f} of {len(together)} ({told})")
        assert figure >= goal, what
