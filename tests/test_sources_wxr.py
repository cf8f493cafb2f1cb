"""WordPress exports: what a post becomes, what is left out, what is mended, and that nothing else is reached."""

import http.server
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from indexer.sources import Read, Refused, read, shortcodes
from indexer.sources.origin import NotAnArticle
from indexer.sources.xml_stream import chunks, elements, root
from search.article import make_id

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/6.5" created="2025-08-10 09:00" -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>The Valley Post</title><link>https://valley.example</link><language>en-GB</language>
<wp:author><wp:author_login><![CDATA[alima]]></wp:author_login>
<wp:author_display_name><![CDATA[Ana Lima]]></wp:author_display_name></wp:author>
<wp:category><wp:term_id>7</wp:term_id><wp:category_nicename>world</wp:category_nicename>
<wp:cat_name><![CDATA[World]]></wp:cat_name></wp:category>
"""
FOOT = "</channel></rss>"
AUGUST = datetime(2025, 8, 6, 14, 30, tzinfo=UTC)


def wxr(*items: str) -> str:
    return HEAD + "".join(items) + FOOT


def post(parts: str = "", *, kind: str = "post", status: str = "publish", title: str = "Snow", number: int = 5) -> str:
    link = "" if "<link>" in parts else f"<link>https://valley.example/?p={number}</link>"
    return (
        f"<item><title><![CDATA[{title}]]></title>{link}<wp:post_id>{number}</wp:post_id>{parts}"
        f"<wp:status><![CDATA[{status}]]></wp:status><wp:post_type><![CDATA[{kind}]]></wp:post_type></item>\n"
    )


def content(html: str) -> str:
    return post(f"<content:encoded><![CDATA[{html}]]></content:encoded>")


def meta(key: str, value: str) -> str:
    return (
        f"<wp:postmeta><wp:meta_key><![CDATA[{key}]]></wp:meta_key>"
        f"<wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
    )


def term(taxonomy: str, slug: str, name: str) -> str:
    return f'<category domain="{taxonomy}" nicename="{slug}"><![CDATA[{name}]]></category>'


def read_text(text: str | bytes, **options: object) -> list[Read | Refused]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(["-"], stdin=io.BytesIO(data), **options))


def one(text: str | bytes, **options: object) -> Read:
    (found,) = read_text(text, **options)
    assert isinstance(found, Read), found
    return found


PICTURE = post(
    "<wp:attachment_url>https://valley.example/snow.jpg</wp:attachment_url>"
    + term("category", "photos", "Photos"),  # as plugins for media have it
    kind="attachment",
    status="inherit",
    number=9,
)
GUEST = post(
    meta("cap-display_name", "Joe Hu") + meta("cap-user_login", "joe-hu"), kind="guest-author", title="Joe", number=8
)


@pytest.mark.parametrize(
    ("items", "field", "value"),
    [
        # The address and with it the id; never the guid, which is no address of the post.
        (post("<link>https://valley.example/snow/</link><guid>https://old.example/?p=5</guid>"), "id",
         make_id("https://valley.example/snow/")),
        (post("<link>https://valley.example/snow/</link>"), "url", "https://valley.example/snow/"),
        (post(title="Snow &amp; <em>ice</em>"), "title", "Snow & ice"),
        # Paragraphs are parted by empty lines, by tags or by the comments of blocks.
        (content("One\nline.\n\nTwo.\n \nThree &amp; <b>four</b>."), "body", "One line.\n\nTwo.\n\nThree & four."),
        (content('<!-- wp:paragraph -->\n<p>One.</p>\n<!-- /wp:paragraph -->\n\n<!-- wp:heading {"level":2} -->\n'
                 "<h2>Two</h2>\n<!-- /wp:heading --><!--more--><p>Three.</p>"), "body", "One.\n\nTwo\n\nThree."),
        (content("<p>One.</p><h2>Two</h2>"), "subheads", ("Two",)),
        (content('One.\n\n[caption id="a1" width="30"]<img src="x.jpg" /> The hut.[/caption]\n\nTwo.'), "body",
         "One.\n\nThe hut.\n\nTwo."),
        (post("<excerpt:encoded><![CDATA[In <i>short</i>.]]></excerpt:encoded>"), "summary", "In short."),
        # What it is filed under: the first category is the section, unless a plugin names another.
        (post(term("category", "sport", "Sport") + term("category", "alps", "Alps &amp; huts")), "section", "Sport"),
        (post(term("category", "sport", "Sport") + term("category", "alps", "Alps &amp; huts")
              + term("post_tag", "snow", "snow")), "tags", ("Alps & huts", "snow")),
        (post(term("category", "uncategorized", "Ohne Rubrik")), "section", None),
        *((post(term("category", "sport", "Sport") + term("category", "world", "World") + meta(key, "7")), "section",
           "World") for key in ("_yoast_wpseo_primary_category", "rank_math_primary_category")),
        (post(term("category", "sport", "Sport") + meta("_yoast_wpseo_primary_category", "7")), "section", "Sport"),
        (post(term("category", "sport", "Sport") + meta("_yoast_wpseo_primary_category", "")), "section", "Sport"),
        (post(term("post_format", "post-format-quote", "Quote")), "tags", ()),
        # Who: the name of the login, and several by the plugin Co-Authors Plus, who may be guests.
        (post("<dc:creator><![CDATA[alima]]></dc:creator>"), "authors", ("Ana Lima",)),
        (post("<dc:creator><![CDATA[gone]]></dc:creator>"), "authors", ("gone",)),
        (post("<dc:creator>x</dc:creator>" + term("author", "cap-joe-hu", "joe-hu") + term("author", "a", "alima"))
         + GUEST, "authors", ("Joe Hu", "Ana Lima")),
        # When: in UTC where that is told.
        (post("<wp:post_date>2025-08-06 16:30:00</wp:post_date>"
              "<wp:post_date_gmt>2025-08-06 14:30:00</wp:post_date_gmt>"), "published", AUGUST),
        (post("<wp:post_date>2025-08-06 16:30:00</wp:post_date>"
              "<wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt>"), "published", AUGUST),
        (post("<wp:post_date>0000-00-00 00:00:00</wp:post_date>"
              "<wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt>"), "published", None),
        (post("<wp:post_modified_gmt>2025-08-06 14:30:00</wp:post_modified_gmt>"), "updated", AUGUST),
        (post("<wp:post_date_gmt>2025-08-06 14:30:00</wp:post_date_gmt>"
              "<wp:post_modified_gmt>2025-08-06 14:30:00</wp:post_modified_gmt>"), "updated", None),
        # The picture may stand before its post or behind it.
        (post(meta("_thumbnail_id", "9")) + PICTURE, "image", "https://valley.example/snow.jpg"),
        (PICTURE + post(meta("_thumbnail_id", "9")), "image", "https://valley.example/snow.jpg"),
        (post(meta("_thumbnail_id", "10")) + PICTURE, "image", None),
        (post(), "language", "en-GB"),
        (post(term("language", "de", "Deutsch")), "language", "de"),
        (post(kind="page"), "type", "page"),
        (post(), "type", None),
        # What has no address keeps what it is called.
        (post("<link></link><guid>urn:5</guid>"), "id", make_id("urn:5")),
        (post("<link></link>"), "id", "5"),
    ],
)  # fmt: skip
def test_what_a_post_becomes(items: str, field: str, value: object) -> None:
    assert getattr(one(wxr(items), timezone=ZoneInfo("Europe/Berlin")).article, field) == value


def test_what_is_left_out_is_counted_by_kind_and_said_once() -> None:
    items = [
        *(post(title="Draft", status=status) for status in ("draft", "draft", "pending", "private", "future", "trash")),
        post("<wp:post_password><![CDATA[secret]]></wp:post_password>"),
        post(kind="shop_order"),
        post(kind="nav_menu_item"),
        PICTURE,
        post(title="Snow"),
        post(title="Ice"),
        post(kind="page", status="draft"),
    ]
    first, last = read_text(wxr(*items))
    assert isinstance(first, Read)
    assert isinstance(last, Read)
    assert (first.article.title, first.notes) == ("Snow", ())
    assert (last.article.title, last.notes) == (
        "Ice",
        (
            "2 left out: post, draft",
            *(f"1 left out: post, {why}" for why in ("pending", "private", "future", "trash", "behind a password")),
            *(f"1 left out: {kind}" for kind in ("shop_order", "nav_menu_item", "attachment")),
            "1 left out: page, draft",
        ),
    )


@pytest.mark.parametrize(
    ("text", "line", "reason", "unread"),
    [
        (wxr(), None, "nothing in it is published", False),
        (wxr(post(status="draft")), None,
         "nothing in it is published; 1 left out: post, draft", False),
        (wxr(post(title="")), 11, "it has neither title nor body", False),
        (HEAD + "<item><title>Cut", 11,
         "broken XML: Premature end of data in tag title line 11; behind it nothing is read", True),
        (HEAD + FOOT[:5], 11, "broken XML: Premature end of data in tag rss line 3; behind it nothing is read", True),
        (HEAD.replace(">\n<channel>", " a='&b;'>\n<channel>").replace("<rss", '<!DOCTYPE rss [<!ENTITY b "c">]><rss')
         + post() + FOOT, None, "it declares entities (<!ENTITY), which are not read: write out what they stand for;"
         " behind it nothing is read",
         True),
    ],
)  # fmt: skip
def test_what_is_refused_has_its_line_and_its_reason(text: str, line: int | None, reason: str, unread: bool) -> None:
    (found,) = read_text(text)
    assert isinstance(found, Refused)
    assert (found.line, found.reason, found.unread) == (line, reason, unread)


def test_what_stands_before_the_break_goes_in_and_what_is_cut_does_not() -> None:
    whole = wxr(post(title="Snow"), post(title="Ice"), post("<content:encoded>Long.</content:encoded>", title="Cut"))
    first, last, refused = read_text(whole[: whole.index("ong.")])
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("broken XML: ")
    assert [found.article.title for found in (first, last) if isinstance(found, Read)] == ["Snow", "Ice"]


@pytest.mark.parametrize(
    ("text", "body", "note"),
    [
        (content("One\x08 and\x00 two."), "One and two.", "control characters left out, the first in line 11"),
        (content("\n\nOne\x1f."), "One.", "control characters left out, the first in line 13"),
        (content("One\ufffe \uffff two."), "One two.", None),
        (content("a[b[0]]>c & <b>d</b>"), "a[b[0]]>c & d", "not well-formed: ]]> within a text, read as a part of it"),
        (content("a ]]> & ]]></b> d"), "a ]]> & ]]> d", "not well-formed: ]]> within a text, read as a part of it"),
        (content("a ]]]]><![CDATA[> b"), "a ]]> b", None),
        (post("<content:encoded>One &nbsp; two.</content:encoded>"), "One two.",
         "not well-formed, read as far as it goes: line 11: Entity 'nbsp' not defined"),
        (post("<content:encoded>One <b>two</b>.</content:encoded>"), "One two.", None),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_mended_and_noted(text: str, body: str, note: str | None) -> None:
    found = one(wxr(text))
    assert found.article.body == body
    assert found.notes == ((note,) if note else ())


@pytest.mark.parametrize("shift", range(70))
def test_what_is_mended_may_lie_across_two_chunks(shift: int) -> None:
    before = wxr(content("X"))
    padding = "<!--" + "." * (64 * 1024 - before.index("X") - 40 + shift) + "-->"
    text = before.replace("<channel>", f"<channel>{padding}").replace("X", "One ]]> \uffff \ufffe two ]]></i>.")
    assert one(text).article.body == "One ]]> two ]]>."


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_any_encoding_that_it_names_is_read(encoding: str) -> None:
    text = wxr(content("Grüße.")).replace("UTF-8", encoding.removesuffix("-sig").upper())
    assert one(text.encode(encoding)).article.body == "Grüße."


def test_a_text_beyond_the_limits_of_the_parser_ends_the_reading() -> None:
    before, refused = sorted(
        read_text(wxr(post(), content("x" * 11_000_000), post())), key=lambda found: isinstance(found, Refused)
    )
    assert isinstance(before, Read)
    assert isinstance(refused, Refused)
    assert (refused.line, refused.unread) == (12, True)
    assert refused.reason.startswith("cannot be read from here on")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("One.", "One."),
        ("He said it [sic] in [1] and [a=b] and [see also].", "He said it [sic] in [1] and [a=b] and [see also]."),
        ('[gallery ids="1,2"] [gallery]', " "),
        ("[embed]https://video.example/1[/embed]A", "A"),
        ('[video mp4="x.mp4"][/video]A [audio src=\'a.mp3\']', "A "),
        ("[vc_row][vc_column width='1/2']A[/vc_column][/vc_row]", "A"),
        ("[note]A[/note]", "A"),
        ('[button href="x" /]A', "A"),
        ("[caption]<img> A[/caption]", "<br><br><img> A<br><br>"),
        ('[caption id="a" caption="The <i>hut</i>"]<img>[/caption]', "<br><br>The <i>hut</i><img><br><br>"),
        ("[" * 50_000 + 'a b="' * 20_000, "[" * 50_000 + 'a b="' * 20_000),
    ],
)  # fmt: skip
def test_shortcodes_go_and_what_they_stand_around_stays(html: str, text: str) -> None:
    assert shortcodes.remove(html) == text


class Endless(io.RawIOBase):
    """An export of many tags and posts, made while it is read."""

    def __init__(self, posts: int) -> None:
        self.made = 0
        self._parts = chain([HEAD], self._tags(posts), self._posts(posts), [FOOT])
        self._left = b""

    def _tags(self, number: int) -> Iterator[str]:
        return (f"<wp:tag><wp:term_id>{n}</wp:term_id></wp:tag>" for n in range(number))

    def _posts(self, number: int) -> Iterator[str]:
        for self.made in range(1, number + 1):
            yield post("<content:encoded>" + "Snow. " * 500 + "</content:encoded>")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._left = self._left or next(self._parts, "").encode()
        part = self._left[: len(buffer)]
        self._left = self._left[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def test_no_more_is_kept_of_an_export_than_what_is_being_read() -> None:
    source, kept, ahead = Endless(5_000), [], []
    for number, item in enumerate(elements(chunks(io.BufferedReader(source), []), "rss", ("item",), []), start=1):
        kept.append(len(item.getparent()))
        ahead.append(source.made - number)
    chunk = 64 * 1024 // 3_000  # posts
    assert len(kept) == 5_000
    assert kept[0] > 5_000, "what stands before the first"
    assert max(kept[1:]) < 2 * chunk, "the posts of one chunk and a part"
    assert max(ahead) < 2 * chunk, "nor is it read ahead"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """A file and an address that nobody should read, and what was asked of the address."""
    (tmp_path / "secret.txt").write_text("the secret")
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield (tmp_path / "secret.txt").as_uri(), f"http://127.0.0.1:{server.server_port}/x.dtd", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("doctype", "is_read"),
    [
        ('<!DOCTYPE rss [<!ENTITY e SYSTEM "{file}">]>', False),
        ('<!DOCTYPE rss [<!ENTITY e SYSTEM "{address}">]>', False),
        ('<!DOCTYPE rss [<!ENTITY % p SYSTEM "{address}"> %p;]>', False),
        ('<!DOCTYPE rss SYSTEM "{address}">', True),
        ('<!DOCTYPE rss PUBLIC "-//X//Y" "{file}">', True),
    ],
)
def test_nothing_outside_the_file_is_read(outside: tuple[str, str, list[str]], doctype: str, is_read: bool) -> None:
    file, address, asked = outside
    text = wxr(post("<content:encoded>One &e;.</content:encoded>"))
    text = text.replace("<rss", doctype.format(file=file, address=address) + "<rss")
    (found,) = read_text(text)
    assert isinstance(found, Read) == is_read
    assert asked == []
    assert "secret" not in repr(found)


@pytest.mark.parametrize("place", ["content", "attribute"])
def test_a_billion_laughs_are_refused(place: str) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = wxr(content("One.") if place == "attribute" else post("<content:encoded>&l9;</content:encoded>"))
    root = "<rss a='&l9;'" if place == "attribute" else "<rss"
    (found,) = read_text(text.replace("<rss", f'<!DOCTYPE rss [<!ENTITY l0 "lol">{entities}]>{root}'))
    assert isinstance(found, Refused)
    assert ("declares entities" in found.reason) != ("Maximum entity amplification" in found.reason)


def test_it_is_found_in_a_folder_and_told_from_a_feed(tmp_path: Path) -> None:
    (tmp_path / "valley.WordPress.2025-08-10.xml").write_text(wxr(post(), post(status="draft", title="Hidden")))
    (tmp_path / "feed.xml").write_text("<rss version='2.0'><channel><item><title>Feed</title></item></channel></rss>")
    assert [found.article.title for found in read([tmp_path]) if isinstance(found, Read)] == ["Feed", "Snow"]


PIECES = st.lists(
    st.sampled_from(
        (
            *(
                "<item>",
                "</item>",
                "<title>",
                "</title>",
                "a",
                "<![CDATA[",
                "]]>",
                "]",
                "&",
                "&nbsp;",
                "<",
                "\0",
                "\uffff",
            ),
            *(
                post(),
                content("[caption]"),
                content("x ]]> y"),
                "</channel>",
                "<!--",
                "-->",
                "<wp:author>",
                "<?",
                "\udc80",
            ),
        )
    ),
    max_size=12,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(start=st.sampled_from([HEAD, HEAD[:500]]), data=PIECES | st.text(max_size=60), end=st.sampled_from(["", FOOT]))
def test_no_bytes_stop_the_reader(start: str, data: str, end: str) -> None:
    found = read_text((start + data + end).encode("utf-8", "surrogatepass"))
    assert found
    assert all(isinstance(item, Read) or item.reason for item in found)


def test_a_document_of_xml_is_read_with_the_same_care() -> None:
    assert etree.tostring(root(b"<a>\x01<b/></a>")) == b"<a><b/></a>"
    for data, reason in (
        (b"a", "broken XML"),
        (b"<a><b></a>", "broken XML"),
        (b"<a>cut", "broken XML"),
        (b"<a>" * 300, "broken XML"),
        (b'<!DOCTYPE a [<!ENTITY e "f">]><a>&e;</a>', "declares entities"),
    ):
        with pytest.raises(NotAnArticle, match=reason):
            root(data)
