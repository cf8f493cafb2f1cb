"""What systems export: WordPress, Ghost, ninjs and NITF, told by their content, with what is published alone."""

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import SOAK

from indexer.sources import Read, Refused, read
from search.article import to_dict


def found(data: Any) -> list[Read | Refused]:
    text = data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    return list(read(["-"], stdin=io.BytesIO(text)))


def articles(data: Any) -> list[dict[str, Any]]:
    items = found(data)
    assert all(isinstance(item, Read) for item in items), items
    return [to_dict(item.article) for item in items if isinstance(item, Read)]


def only(data: Any) -> dict[str, Any]:
    (one,) = articles(data)
    return one


# WordPress

ITEM = """<item><title>Snow &amp; ice</title><link>https://valley.example/snow</link>
<pubDate>Wed, 06 Aug 2025 14:30:00 +0000</pubDate><dc:creator><![CDATA[ana]]></dc:creator><guid>https://valley.example/?p=1</guid>
<content:encoded><![CDATA[{content}]]></content:encoded><excerpt:encoded><![CDATA[In <b>short</b>.]]></excerpt:encoded>
<wp:post_id>{id}</wp:post_id><wp:post_date>2025-08-06 16:30:00</wp:post_date>
<wp:post_date_gmt>{gmt}</wp:post_date_gmt><wp:post_modified_gmt>2025-08-07 01:02:03</wp:post_modified_gmt>
<wp:status>{status}</wp:status><wp:post_type>{kind}</wp:post_type><wp:post_password>{password}</wp:post_password>
<category domain="category" nicename="uncategorized">Uncategorized</category>
<category domain="category" nicename="world">World</category><category domain="category" nicename="alps">Alps</category>
<category domain="post_tag" nicename="huts">huts</category>
<wp:postmeta><wp:meta_key>_edit_last</wp:meta_key><wp:meta_value>1</wp:meta_value></wp:postmeta>
<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>99</wp:meta_value></wp:postmeta></item>"""
PICTURE = """<item><title>hut.jpg</title><wp:post_id>99</wp:post_id><wp:status>inherit</wp:status>
<wp:post_type>attachment</wp:post_type><wp:attachment_url>https://valley.example/hut.jpg</wp:attachment_url></item>"""


def item(content: str = "It fell.", **values: Any) -> str:
    usual = {"id": 1, "gmt": "2025-08-06 14:30:00", "status": "publish", "kind": "post", "password": ""}
    return ITEM.format(content=content, **{**usual, **values})


def wxr(*items: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<!-- This is a WordPress eXtended RSS file -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>The Valley Post</title><language>en-GB</language><wp:wxr_version>1.2</wp:wxr_version>
<wp:author><wp:author_login>ana</wp:author_login>
<wp:author_display_name><![CDATA[Ana Lima]]></wp:author_display_name></wp:author>
{"".join(items)}</channel></rss>"""


def test_a_post_of_wordpress() -> None:
    (one,) = found(wxr(item("<!-- wp:paragraph --><p>It fell.</p>\n\n<h2>Huts</h2>\n\n<p>Shut.</p>"), PICTURE))
    assert isinstance(one, Read)
    data = to_dict(one.article)
    del data["id"]
    assert data == {
        "url": "https://valley.example/snow",
        "title": "Snow & ice",
        "summary": "In short.",
        "body": "It fell.\n\nHuts\n\nShut.",
        "subheads": ["Huts"],
        "section": "World",
        "authors": ["Ana Lima"],
        "tags": ["Alps", "huts"],
        "published": "2025-08-06T14:30:00Z",
        "updated": "2025-08-07T01:02:03Z",
        "language": "en-GB",
        "image": "https://valley.example/hut.jpg",
        "status": "live",
    }
    assert one.notes == ("1 left out: attachment",)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("One line.\n\nTwo <b>lines</b>\nof text.", "One line.\n\nTwo lines of text."),
        ('[caption id="x" width="3"]<img src="a">A hut[/caption]\n\nText [1].', "A hut\n\nText [1]."),
        ('[vc_row css="x"]Text.[/vc_row]', "Text."),
        ("Ring \x08the bell.", "Ring the bell."),
        ("", ""),
    ],
)
def test_the_text_of_wordpress_is_as_it_is_shown(content: str, body: str) -> None:
    assert only(wxr(item(content)))["body" if body else "title"] == (body or "Snow & ice")


def test_what_is_not_published_is_counted() -> None:
    kept = item(), item(kind="page", id=2).replace("/snow", "/about")
    others = [
        *(item(status="draft", id=3), item(status="draft", id=4), item(status="private", id=5)),
        *(item(status="future", id=6), item(password="x", id=7), item(kind="nav_menu_item", id=8), PICTURE),
    ]
    *first, last = found(wxr(*others[:3], *kept, *others[3:]))
    assert isinstance(last, Read)
    assert [item.article.type for item in (*first, last) if isinstance(item, Read)] == [None, "page"]
    assert set(last.notes) == {
        *("2 left out: post, draft", "1 left out: post, private", "1 left out: post, future"),
        *("1 left out: post, behind a password", "1 left out: nav_menu_item", "1 left out: attachment"),
    }
    (refused,) = found(wxr(PICTURE))
    assert isinstance(refused, Refused)
    assert refused.reason == "nothing in it is published; 1 left out: attachment"


@pytest.mark.parametrize(
    ("gmt", "published"), [("0000-00-00 00:00:00", "2025-08-06T16:30:00Z"), ("", "2025-08-06T16:30:00Z")]
)
def test_a_post_without_greenwich_time_has_that_of_the_site(gmt: str, published: str) -> None:
    assert only(wxr(item(gmt=gmt)))["published"] == published


def test_an_export_that_breaks_off_gives_what_stood_before() -> None:
    whole = wxr(*(item(id=n).replace("/snow", f"/{n}") for n in range(50)))
    *before, last = found(whole[: len(whole) * 2 // 3])
    assert len(before) > 20
    assert all(isinstance(one, Read) for one in before)
    assert isinstance(last, Refused)
    assert last.unread
    assert last.reason.startswith("broken XML: ")


def test_no_entity_of_an_export_is_resolved(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("TOP SECRET")
    secret = f'<!ENTITY x SYSTEM "file://{tmp_path}/secret">'
    start = f'<!DOCTYPE rss [{secret}<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><rss'
    text = wxr(item().replace("Snow &amp; ice", "Snow &x;&b;")).replace("<rss", start, 1)
    for one in found(text):
        assert "SECRET" not in str(one)
        assert "aaaaaaaaaa" not in str(one)


# Ghost

POST = {
    "id": "p1",
    "uuid": "u-1",
    "slug": "snow",
    "title": "Snow",
    "html": "<p>It fell.</p><h3>Huts</h3><p>Shut.</p>",
    "status": "published",
    "type": "post",
    "visibility": "public",
    "custom_excerpt": "In short.",
    "feature_image": "https://valley.example/hut.jpg",
    "published_at": "2025-08-06T14:30:00.000Z",
    "updated_at": "2025-08-07T01:02:03.000Z",
    "canonical_url": None,
    "locale": None,
}
TABLES = {
    "posts_authors": [
        {"post_id": "p1", "author_id": "a2", "sort_order": 1},
        {"post_id": "p1", "author_id": "a1", "sort_order": 0},
    ],
    "posts_tags": [
        {"post_id": "p1", "tag_id": "t2", "sort_order": 2},
        {"post_id": "p1", "tag_id": "t3", "sort_order": 0},
        {"post_id": "p1", "tag_id": "t1", "sort_order": 1},
    ],
    "tags": [
        {"id": "t1", "name": "World", "visibility": "public"},
        {"id": "t2", "name": "alps", "visibility": "public"},
        {"id": "t3", "name": "#front", "visibility": "internal"},
    ],
    "users": [{"id": "a1", "name": "Ana Lima"}, {"id": "a2", "name": "Joe Hu"}],
}


def ghost(*posts: Any, shell: bool = True) -> Any:
    inner = {"meta": {"exported_on": 1754490600000, "version": "5.0"}, "data": {"posts": list(posts), **TABLES}}
    return {"db": [inner]} if shell else inner


@pytest.mark.parametrize("shell", [True, False])
def test_a_post_of_ghost(shell: bool) -> None:
    assert only(ghost(POST, shell=shell)) == {
        "id": "u-1",
        "title": "Snow",
        "summary": "In short.",
        "body": "It fell.\n\nHuts\n\nShut.",
        "subheads": ["Huts"],
        "section": "World",
        "authors": ["Ana Lima", "Joe Hu"],
        "tags": ["alps"],
        "published": "2025-08-06T14:30:00Z",
        "updated": "2025-08-07T01:02:03Z",
        "image": "https://valley.example/hut.jpg",
        "status": "live",
        "extra": {"slug": "snow"},
    }


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"canonical_url": "https://a.example/x"}, {"url": "https://a.example/x"}),
        ({"canonical_url": "__GHOST_URL__/x", "feature_image": "__GHOST_URL__/a.jpg"}, {"url": None, "image": None}),
        ({"visibility": "paid"}, {"extra": {"slug": "snow", "visibility": "paid"}}),
        ({"type": "page"}, {"type": "page"}),
        ({"page": 1, "type": None}, {"type": "page"}),
        ({"id": "p2", "author_id": "a1"}, {"authors": ["Ana Lima"], "tags": None, "section": None}),
        ({"html": None, "plaintext": "A < b.\n\nC."}, {"body": "A < b.\n\nC."}),
        (
            {
                "html": "",
                "lexical": json.dumps(
                    {
                        "root": {
                            "children": [
                                {
                                    "type": "paragraph",
                                    "children": [
                                        {"type": "extended-text", "text": "It "},
                                        {"type": "link", "children": [{"type": "extended-text", "text": "fell"}]},
                                        {"type": "linebreak"},
                                        {"type": "text", "text": "< here."},
                                    ],
                                },
                                {
                                    "type": "extended-heading",
                                    "tag": "h2",
                                    "children": [{"type": "text", "text": "Huts"}],
                                },
                                {"type": "html", "html": "<p>Shut.</p>"},
                                {"type": "markdown", "markdown": "*Cold.*"},
                                {"type": "codeblock", "code": "a < b"},
                                {"type": "image", "src": "x", "caption": "A <i>hut</i>"},
                                {
                                    "type": "list",
                                    "children": [{"type": "listitem", "children": [{"type": "text", "text": "One"}]}],
                                },
                            ]
                        }
                    }
                ),
            },
            {"body": "It fell < here.\n\nHuts\n\nShut.\n\nCold.\n\na < b\n\nA hut\n\nOne", "subheads": ["Huts"]},
        ),
        (
            {
                "html": None,
                "mobiledoc": json.dumps(
                    {
                        "version": "0.3.1",
                        "atoms": [["soft-return", "", {}]],
                        "cards": [["markdown", {"markdown": "## Huts\n\nShut."}], ["image", {"caption": "A hut"}]],
                        "markups": [["strong"]],
                        "sections": [
                            [1, "p", [[0, [0], 1, "It"], [1, [], 0, 0], [0, [], 0, "fell & lay."]]],
                            [3, "ul", [[[0, [], 0, "One"]], [[0, [], 0, "Two"]]]],
                            *([10, 0], [10, 1], [2, "https://a.example/x.jpg"]),
                        ],
                    }
                ),
            },
            {"body": "It fell & lay.\n\nOne\n\nTwo\n\nHuts\n\nShut.\n\nA hut", "subheads": ["Huts"]},
        ),
    ],
)
def test_what_a_post_of_ghost_may_have(changes: dict[str, Any], fields: dict[str, Any]) -> None:
    data = only(ghost({**POST, **changes}))
    assert {name: data.get(name) for name in fields} == fields


def test_of_ghost_too_what_is_published_counts() -> None:
    draft = {**POST, "id": "d", "status": "draft"}
    sent = {**POST, "id": "s", "status": "sent"}
    broken = {**POST, "html": None, "lexical": "{"}
    first, refused, last = found(ghost(draft, POST, draft, sent, broken, 7))
    assert isinstance(first, Read)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("post snow: broken lexical: ")
    assert isinstance(last, Refused)
    assert "no object" in last.reason


# ninjs

NINJS_1 = {
    "uri": "https://agency.example/items/1",
    "type": "text",
    "pubstatus": "usable",
    "urgency": 3,
    "language": "en",
    "versioncreated": "2025-08-07T01:02:03Z",
    "firstcreated": "2025-08-06T14:30:00Z",
    "headline": "Snow & ice",
    "byline": "By Ana Lima and Joe Hu",
    "description_text": "In short.",
    "body_xhtml": "<p>It fell.</p><h2>Huts</h2><p>Shut.</p>",
    "body_text": "never taken",
    "subject": [{"name": "World", "scheme": "x"}, {"name": "alps"}],
    "genre": [{"name": "Opinion"}],
    "associations": {
        "main": {"type": "picture", "renditions": {"wide": {"href": "https://agency.example/hut.jpg"}}},
    },
    "slugline": "SNOW",
}
NINJS_2 = {
    "standard": {"name": "ninjs", "version": "2.1"},
    "uri": "urn:x:1",
    "type": "text",
    "versioncreated": "2025-08-06T14:30:00Z",
    "embargoed": "2030-01-01T00:00:00Z",
    "headlines": [{"role": "short", "value": "No"}, {"role": "main", "value": "Snow & ice"}],
    "descriptions": [{"contenttype": "text/plain", "value": "In < short."}],
    "bodies": [
        {"contenttype": "text/plain", "value": "never taken"},
        {"contenttype": "text/html", "value": "<p>It fell.</p>"},
    ],
    "by": "Ana Lima",
    "subjects": [{"name": "World", "uri": "x"}],
    "associations": [{"type": "picture", "renditions": [{"href": "https://agency.example/hut.jpg"}]}],
}


def test_an_item_of_ninjs_1() -> None:
    data = only(NINJS_1)
    assert data == {
        "id": data["id"],
        "url": "https://agency.example/items/1",
        "title": "Snow & ice",
        "summary": "In short.",
        "body": "It fell.\n\nHuts\n\nShut.",
        "subheads": ["Huts"],
        "section": "World",
        "authors": ["Ana Lima", "Joe Hu"],
        "tags": ["World", "alps"],
        "type": "Opinion",
        "published": "2025-08-06T14:30:00Z",
        "updated": "2025-08-07T01:02:03Z",
        "language": "en",
        "image": "https://agency.example/hut.jpg",
        "status": "live",
        "extra": {"slugline": "SNOW"},
    }


def test_an_item_of_ninjs_2() -> None:
    data = only(NINJS_2)
    assert {name: data[name] for name in ("title", "summary", "body", "section", "authors", "image")} == {
        "title": "Snow & ice",
        "summary": "In < short.",
        "body": "It fell.",
        "section": "World",
        "authors": ["Ana Lima"],
        "image": "https://agency.example/hut.jpg",
    }
    assert data["embargo_until"] == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pubstatus": "withheld"}, "withdrawn"),
        ({"pubstatus": "canceled"}, "withdrawn"),
        ({"pubstatus": "usable"}, "live"),
        (
            {"pubstatus": "maybe"},
            "entry 1: pubstatus 'maybe' is none of usable, embargoed, withheld, canceled, cancelled",
        ),
        ({"type": "picture"}, "entry 1: not an article: its type is picture"),
        (
            {"firstcreated": "soon"},
            "entry 1: published 'soon' is not a date (write 2025-08-06 or 2025-08-06T14:30:00Z)",
        ),
    ],
)
def test_the_states_of_ninjs(changes: dict[str, Any], said: str) -> None:
    for wrap in (lambda one: one, lambda one: [one]):
        (one,) = found(wrap({**NINJS_1, **changes}))
        assert (one.article.status if isinstance(one, Read) else one.reason) == said


def test_several_items_of_ninjs() -> None:
    lines = "\n".join(json.dumps({**NINJS_1, "uri": f"urn:{n}"}, indent=1) for n in range(3)).encode()
    assert len(articles(lines)) == len(articles([NINJS_1, NINJS_2, {**NINJS_1, "uri": "urn:3"}])) == 3


# NITF

NITF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.3/specification/dtd/nitf-3-3.dtd">
<nitf{namespace} xml:lang="en"><head><title>Another title</title>
<tobject><tobject.property tobject.property.type="Opinion"/><tobject.subject tobject.subject.type="Weather"/></tobject>
<docdata management-status="{status}"><doc-id id-string="x-1"/><date.issue norm="20250806T143000Z"/>
<date.release norm="20250806T150000Z"/><key-list><keyword key="alps"/></key-list></docdata>
<pubdata type="print" date.publication="20250801" position.section="World" ex-ref="https://agency.example/1"/>
<revision-history norm="20250807T010203Z"/></head>
<body><body.head><hedline><hl1>Snow &amp; ice</hl1><hl2>In short.</hl2></hedline>
<byline>By Ana Lima</byline></body.head>
<body.content><block><p>It <em>fell</em>.</p><hl2>Huts</hl2><p>Shut.</p></block>
<media media-type="image"><media-reference source="https://agency.example/hut.jpg">ref</media-reference>
<media-caption>A hut.</media-caption></media></body.content></body></nitf>"""


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://iptc.org/std/NITF/2006-10-18/"'])
def test_a_document_of_nitf(namespace: str) -> None:
    assert only(NITF.format(namespace=namespace, status="usable")) == {
        "id": "x-1",
        "url": "https://agency.example/1",
        "title": "Snow & ice",
        "summary": "In short.",
        "body": "It fell.\n\nHuts\n\nShut.\n\nA hut.",
        "subheads": ["Huts"],
        "section": "World",
        "authors": ["Ana Lima"],
        "tags": ["Weather", "alps"],
        "type": "opinion",
        "published": "2025-08-06T14:30:00Z",
        "updated": "2025-08-07T01:02:03Z",
        "embargo_until": "2025-08-06T15:00:00Z",
        "language": "en",
        "image": "https://agency.example/hut.jpg",
        "status": "live",
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"usable"', '"canceled"', "withdrawn"),
        ('"usable"', '"withheld"', "withdrawn"),
        ('"usable"', '"odd"', "management-status 'odd' is none of usable, embargoed, withheld, canceled, cancelled"),
        ("</nitf>", "", "broken XML: "),
        ("<hl1>Snow &amp; ice</hl1>", "", "live"),
        ("20250806T143000Z", "soon", "live"),
    ],
)
def test_the_states_of_nitf(old: str, new: str, said: str) -> None:
    (one,) = found(NITF.format(namespace="", status="usable").replace(old, new))
    assert (one.article.status if isinstance(one, Read) else one.reason).startswith(said)
    if new == "soon":
        assert isinstance(one, Read)
        assert one.notes == ("date 'soon' not understood",)
        assert to_dict(one.article)["published"] == "2025-08-01T00:00:00Z"


# All

WHOLE = [
    wxr(item(), PICTURE),
    NITF.format(namespace="", status="usable"),
    *map(json.dumps, (ghost(POST), NINJS_1, NINJS_2)),
]
NAMES = ("a.xml", "a.xml", "a.json", "a.json", "a.json")


@pytest.mark.parametrize(("whole", "name"), list(zip(WHOLE, NAMES, strict=True)))
def test_exports_are_read_in_folders_too(tmp_path: Any, whole: str, name: str) -> None:
    (tmp_path / name).write_text(whole)
    (tmp_path / "nav.json").write_text('{"home": "/"}')
    (one,) = read([tmp_path])
    assert isinstance(one, Read)


@settings(max_examples=150 * SOAK, deadline=None)
@given(whole=st.sampled_from(WHOLE), seed=st.integers(0, 2**32))
def test_no_damage_stops_the_reading(whole: str, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(whole.encode())
    for _ in range(chance.randrange(6)):
        at, length = chance.randrange(len(data)), chance.randrange(40)
        other = chance.randrange(len(data))
        data[at : at + length] = chance.choice(
            [b"", b"\0", b"null", b"[]", b"{}", b"7", bytes(data[other : other + length])]
        )
    for one in found(bytes(data)):
        assert isinstance(one, Read) or one.reason


@settings(max_examples=150 * SOAK, deadline=None)
@given(whole=st.sampled_from([ghost(POST), NINJS_1, NINJS_2]), seed=st.integers(0, 2**32))
def test_no_value_of_another_kind_stops_the_reading(whole: Any, seed: int) -> None:
    chance = random.Random(seed)

    def changed(value: Any) -> Any:
        if chance.random() < 0.03:
            return chance.choice([None, 7, "x", [], {}, [[]], {"name": 7}, True, 1.5, ["x", 7], "http://["])
        if isinstance(value, dict):
            return {name: changed(one) for name, one in value.items()}
        return [changed(one) for one in value] if isinstance(value, list) else value

    for one in found(changed(whole)):
        assert isinstance(one, Read) or one.reason
