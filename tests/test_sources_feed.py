"""Feeds: what an entry becomes, by its kind; that no feed stops the rest; what sitemaps list."""

import io
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources import Read, Refused, feed, read, sitemap
from indexer.sources.origin import NotAnArticle, Origin
from search.article import make_id

CORPORA = Path(os.environ.get("BROADSHEET_CORPORA", Path(__file__).parent.parent.parent / "shared" / "corpora"))
LONG = " ".join(f"word{n}" for n in range(feed.TEASER + 1))


def rss(items: str, head: str = "<language>en-gb</language>") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
        ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
        f' xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel><title>The Post</title>{head}'
        f"{items}</channel></rss>"
    )


def item(parts: str, head: str = "<language>en-gb</language>") -> str:
    """A feed of one entry called T."""
    return rss(f"<item><title>T</title>{parts}</item>", head)


def atom(entry: str, head: str = "") -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:app="http://www.w3.org/2007/app" xml:lang="de">'
        f"<title>Die Post</title>{head}<entry>{entry}</entry></feed>"
    )


def json_feed(item: str, head: str = "") -> str:
    return '{"version": "https://jsonfeed.org/version/1.1", "title": "The Post", %s "items": [%s]}' % (head, item)  # noqa: UP031


RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://post.example/"><title>Post</title></channel>
<item rdf:about="https://post.example/huts"><title>Huts</title><link>https://post.example/huts</link>
<description>Closed.</description><dc:creator>Ana Lima</dc:creator><dc:date>2025-08-06T14:30:00+02:00</dc:date></item>
</rdf:RDF>"""
RSS_09 = '<rss version="0.91"><channel><item><title>Huts</title><link>https://post.example/huts</link></item></channel></rss>'


def read_text(text: str | bytes, **options: object) -> list[Read | Refused]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(["-"], stdin=io.BytesIO(data), **options))


def one(text: str) -> Read:
    (found,) = read_text(text)
    assert isinstance(found, Read), found
    return found


AUGUST = datetime(2025, 8, 6, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        # The title is text: what looks like markup in it is words, what is markup goes.
        (rss("<item><title>Tom &amp;amp; Jerry</title></item>"), "title", "Tom & Jerry"),
        (rss("<item><title>A &lt;i&gt;fine&lt;/i&gt; day</title></item>"), "title", "A fine day"),
        (atom('<title type="html">A &lt;i&gt;fine&lt;/i&gt; day</title>'), "title", "A fine day"),
        (atom("<title>1 &lt; 2</title>"), "title", "1 < 2"),
        # The text with its headings; the summary where it is another one.
        (
            item(
                "<description>Short.</description>"
                "<content:encoded><![CDATA[<p>One.<h2>Two</h2><p>Three.<script>no()</script>]]></content:encoded>"
            ),
            "body",
            "One.\n\nTwo\n\nThree.",
        ),
        (
            item("<content:encoded><![CDATA[<p>One.<h2>Two</h2><p>Three.]]></content:encoded>"),
            "subheads",
            ("Two",),
        ),
        (item("<content:encoded>One. Two.</content:encoded>"), "summary", ""),
        (
            item("<description>Short.</description><content:encoded>Text.</content:encoded>"),
            "summary",
            "Short.",
        ),
        (item(f"<description>{LONG}</description>"), "body", LONG),
        (item("<description>A &lt;b&gt;bold&lt;/b&gt; start</description>"), "summary", "A bold start"),
        (
            rss("<item><description>A note without a headline.</description></item>"),
            "body",
            "A note without a headline.",
        ),
        (
            atom(
                '<title>T</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p>'
                "</div></content>"
            ),
            "body",
            "One.\n\nTwo.",
        ),
        (
            item("<content:encoded>One.&lt;br/&gt;&lt;br /&gt;Two&lt;br&gt;more.</content:encoded>"),
            "body",
            "One.\n\nTwo more.",
        ),
        # The address, and the id that a page of it has too; a guid only where there is no address.
        (item("<link>https://a.example/x?utm_source=rss</link><guid>77</guid>"), "id", make_id("https://a.example/x")),
        (item('<guid isPermaLink="false">tag-77</guid>'), "id", "tag-77"),
        (item("<guid>https://a.example/7</guid>"), "url", "https://a.example/7"),
        (
            item("<link>https://proxy.example/1</link><feedburner:origLink>https://a.example/x</feedburner:origLink>"),
            "url",
            "https://a.example/x",
        ),
        (atom('<title>T</title><link rel="alternate" href="https://a.example/x"/>'), "url", "https://a.example/x"),
        # Who, what about, when.
        (item("<dc:creator>Ana Lima and Joe Hu</dc:creator>"), "authors", ("Ana Lima", "Joe Hu")),
        (item("<author>desk@post.example (Ana Lima)</author>"), "authors", ("Ana Lima",)),
        (item("<author>desk@post.example</author>"), "authors", ()),
        (atom("<title>T</title>", "<author><name>Ana Lima</name></author>"), "authors", ("Ana Lima",)),
        (item("<category>World</category><category>alps</category>"), "tags", ("World", "alps")),
        (item("<category>World</category>"), "section", None),
        (item("<prism:section>World</prism:section>"), "section", "World"),
        (
            atom('<title>T</title><category term="w" label="World" scheme="https://post.example/section"/>'),
            "section",
            "World",
        ),
        (atom('<title>T</title><category term="w" label="World"/>'), "tags", ("World",)),
        (item("<pubDate>Wed, 06 Aug 2025 16:30:00 +0200</pubDate>"), "published", AUGUST),
        (item("<pubDate>Wed, 06 Aug 2025 16:30:00 +0200</pubDate>"), "updated", None),
        (atom("<title>T</title><updated>2025-08-06T14:30:00Z</updated>"), "published", AUGUST),
        (
            atom("<title>T</title><published>2025-08-01T00:00:00Z</published><updated>2025-08-06T14:30:00Z</updated>"),
            "updated",
            AUGUST,
        ),
        (item(""), "language", "en-gb"),
        (item("", "<language>English, mostly</language>"), "language", None),
        # The picture, by how surely it is the article's.
        (item('<media:content url="https://a.example/p.jpg" medium="image"/>'), "image", "https://a.example/p.jpg"),
        (
            item(
                '<media:content url="https://a.example/v.mp4" type="video/mp4"/>'
                '<enclosure url="https://a.example/e.png" type="image/png" length="1"/>'
            ),
            "image",
            "https://a.example/e.png",
        ),
        (item('<itunes:image href="https://a.example/i.jpg"/>'), "image", "https://a.example/i.jpg"),
        (item('<enclosure url="https://a.example/a.mp3" type="audio/mpeg" length="1"/>'), "image", None),
        (RDF, "authors", ("Ana Lima",)),
        (RDF, "published", datetime(2025, 8, 6, 12, 30, tzinfo=UTC)),
        (RSS_09, "title", "Huts"),
        # JSON Feed.
        (json_feed('{"id": "1", "content_html": "<p>One.</p><h3>Two</h3>"}'), "body", "One.\n\nTwo"),
        (json_feed('{"id": "1", "content_text": "1 < 2 & <b>3</b>"}'), "body", "1 < 2 & <b>3</b>"),
        (json_feed('{"id": "1", "url": "https://a.example/x", "title": "T"}'), "id", make_id("https://a.example/x")),
        (json_feed('{"id": 7, "title": "T"}'), "id", "7"),
        (
            json_feed('{"id": "1", "url": "/x", "title": "T"}', '"home_page_url": "https://a.example/",'),
            "url",
            "https://a.example/x",
        ),
        (json_feed('{"id": "1", "title": "T", "author": {"name": "Ana Lima"}}'), "authors", ("Ana Lima",)),
        (
            json_feed('{"id": "1", "title": "T"}', '"authors": [{"name": "Joe Hu"}], "language": "en",'),
            "authors",
            ("Joe Hu",),
        ),
        (json_feed('{"id": "1", "title": "T", "tags": ["alps", 7]}'), "tags", ("alps",)),
        (json_feed('{"id": "1", "title": "T", "date_published": "2025-08-06T16:30:00+02:00"}'), "published", AUGUST),
        (
            json_feed('{"id": "1", "title": "T", "image": "https://a.example/p.jpg"}'),
            "image",
            "https://a.example/p.jpg",
        ),
    ],
)
def test_what_an_entry_becomes(text: str, field: str, value: object) -> None:
    assert getattr(one(text).article, field) == value


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (rss("<item><title>T</title><description>Short.</description></item>"), feed.TEASERS),
        (json_feed('{"id": "1", "title": "T", "summary": "Short."}'), feed.TEASERS),
        (rss("<item><title>T</title><pubDate>last Tuesday</pubDate></item>"), "date 'last Tuesday' not understood"),
        (json_feed('{"id": "1", "title": "T", "date_modified": "soon"}'), "date 'soon' not understood"),
        (
            rss("<item><title>T</title></item>").replace("</channel>", "<broken>"),
            "not well-formed, read as far as it goes",
        ),
    ],
)
def test_what_is_noted(text: str, note: str) -> None:
    assert any(said.startswith(note) for said in one(text).notes), one(text).notes


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (rss(""), ["a feed without entries"]),
        (json_feed(""), ["a feed without entries"]),
        ('{"version": "https://jsonfeed.org/version/1"}', ["a JSON Feed without a list of items"]),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', ["no JSON Feed that can be read: "]),
        (json_feed('7, {"id": "1", "title": "T"}'), ["an entry: it is no object", ""]),
        ("<rss>no XML", ["no feed that can be read: "]),
        (rss("<item><link>https://a.example/x</link></item><item><title>T</title></item>"),
         ["entry https://a.example/x: it has neither title nor body", ""]),
        (atom('<title>T</title><app:control><app:draft>yes</app:draft></app:control>'), ["entry T: a draft"]),
        ("<urlset><url><loc>https://a.example/x</loc></url></urlset>", ["a sitemap lists pages"]),
    ],
)  # fmt: skip
def test_what_is_refused_and_that_the_rest_is_read(text: str, reasons: list[str]) -> None:
    found = read_text(text)
    assert [
        (item.reason if isinstance(item, Refused) else "")[: len(r)] for item, r in zip(found, reasons, strict=True)
    ] == reasons


@pytest.mark.parametrize(
    "text",
    [
        "\n\n  " + rss("<item><title>T</title></item>"),
        "\ufeff" + rss("<item><title>T</title></item>"),
        '<?xml-stylesheet href="x.xsl"?><!-- c --><!DOCTYPE rss [<!ENTITY x "y">]>'
        + rss("<item><title>T</title></item>").split("?>\n")[1],
        RDF.replace("Huts", "T"),
        " " + json_feed('{"id": "1", "title": "T"}'),
    ],
)
def test_a_feed_is_told_by_its_content(text: str) -> None:
    assert one(text).article.title == "T"
    assert not any(note.startswith("not well-formed") for note in one(text).notes)


def test_in_a_folder_feeds_are_read_and_other_xml_and_json_is_passed_over(tmp_path: Path) -> None:
    for name, text in {
        "a.xml": rss("<item><title>A</title></item>"),
        "b.json": json_feed('{"id": "1", "title": "B"}'),
        "c.atom": atom("<title>C</title>"),
        "pom.xml": "<project/>",
        "package.json": '{"name": "x"}',
    }.items():
        (tmp_path / name).write_text(text)
    found = list(read([tmp_path]))
    assert [item.article.title for item in found if isinstance(item, Read)] == ["A", "B", "C"]
    assert len(found) == 3


def test_feedparser_asks_nobody_and_opens_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(rss("<item><title>Secret</title></item>"))
    (found,) = feed.read(io.BytesIO(str(secret).encode()), Origin("a feed", "a"))
    assert isinstance(found, Refused)
    doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    entity = f"{doctype}<rss version='2.0'><channel><item><title>T &x;</title></item></channel></rss>"
    assert "Secret" not in str(read_text(entity))


NEWS = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://a.example/x</loc><lastmod>2025-08-06</lastmod><image:image><image:loc>https://a.example/p.jpg</image:loc>
</image:image><news:news><news:publication><news:name>Post</news:name><news:language>en</news:language></news:publication>
<news:publication_date>2025-08-06</news:publication_date><news:title>Huts close</news:title>
<news:keywords>alps, huts,</news:keywords></news:news></url></urlset>"""


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (NEWS.encode(), [sitemap.Entry("https://a.example/x", changed="2025-08-06", news={
            "title": "Huts close", "published": "2025-08-06", "language": "en", "tags": ["alps", "huts"]})]),
        (b"<sitemapindex><sitemap><loc> https://a.example/1.xml\n</loc></sitemap></sitemapindex>",
         [sitemap.Entry("https://a.example/1.xml", is_sitemap=True)]),
        (b"\xef\xbb\xbfhttps://a.example/1\r\nhttps://a.example/2\r\n",
         [sitemap.Entry("https://a.example/1"), sitemap.Entry("https://a.example/2")]),
        (b"<urlset><url><loc>ftp://a.example/1</loc></url><url><loc>https://a.example/?a=1&amp;b=2</loc></url></urlset>",
         [sitemap.Entry("https://a.example/?a=1&b=2")]),
    ],
)  # fmt: skip
def test_what_a_sitemap_lists(data: bytes, entries: list[sitemap.Entry]) -> None:
    assert sitemap.entries(data) == entries


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<urlset></urlset>", "a sitemap without pages"),
        (b"<html><body>no</body></html>", "no sitemap: its root is"),
        (b"<urlset><url><loc>https://a.example/1</loc></url><url><loc>https://a.exam", "no sitemap that can be read"),
        (b"Words.", "no sitemap: neither XML nor"),
        (sitemap.GZIP + b"broken", "broken gzip"),
    ],
)
def test_what_is_no_sitemap(data: bytes, reason: str) -> None:
    with pytest.raises(NotAnArticle, match=reason):
        sitemap.entries(data)


def test_entities_of_a_sitemap_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("https://a.example/secret")
    doctype = f'<!DOCTYPE urlset [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "https://a.example/y">]>'
    listed = sitemap.entries(
        f"{doctype}<urlset><url><loc>&x;</loc></url><url><loc>&y;</loc></url>"
        "<url><loc>https://a.example/1</loc></url></urlset>".encode()
    )
    assert [entry.url for entry in listed] == ["https://a.example/1"]


MARKS = ["<rss>", "<item>", "<title>", "</item>", "&x;", "<feed>", "<entry>", "]]>", "<![CDATA[", "\0", '"', "{", "}"]


@given(st.lists(st.sampled_from(MARKS) | st.text(max_size=8), max_size=12).map("".join))
@settings(max_examples=60, deadline=None)
def test_no_bytes_stop_the_readers(text: str) -> None:
    for beginning in ("<rss version='2.0'><channel>", "<feed xmlns='http://www.w3.org/2005/Atom'>",
                      '{"version": "https://jsonfeed.org/version/1", "items": ['):  # fmt: skip
        for item in read_text((beginning + text).encode("utf-8", "replace")):
            assert isinstance(item, Read) or item.reason


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"the feeds are not at {CORPORA} (BROADSHEET_CORPORA names them)")
def test_every_feed_of_the_corpora_is_read_or_refused_with_its_reason() -> None:
    read_of, refused, lists = 0, 0, 0
    with tarfile.open(CORPORA / "feeds" / "feeds.tar.xz") as tar:
        for member in tar:
            if not member.isfile():
                continue
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            found = read_text(data)
            assert found, member.name
            for item in found:
                assert isinstance(item, Read) or item.reason, member.name
            read_of += any(isinstance(item, Read) for item in found)
            refused += any(isinstance(item, Refused) for item in found)
            if "sitemaps/" in member.name and "atom" not in member.name:
                lists += len(sitemap.entries(data))
    print(f"{read_of} files gave articles, {refused} had something refused, {lists} pages in sitemaps")
    assert read_of > 300
    assert lists > 50
