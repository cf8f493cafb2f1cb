"""Ghost exports: what a post becomes, by every version; what is left out; the text of posts without HTML."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources import Read, Refused, ghost, koenig, read
from indexer.sources.origin import NotAnArticle
from search.article import make_id

POST = {
    "id": "p1",
    "uuid": "0b1c",
    "title": "Snow & ice",
    "slug": "snow",
    "html": "<p>One.</p><!--members-only--><h2>Two</h2>",
    "type": "post",
    "status": "published",
    "visibility": "public",
    "published_at": "2025-08-06T14:30:00.000Z",
    "updated_at": "2025-08-06T14:30:00.000Z",
}
TABLES = {
    "settings": [{"key": "title", "value": "Post"}, {"key": "locale", "value": "en-GB"}],
    "tags": [
        {"id": "t1", "name": "Alps", "visibility": "public"},
        {"id": "t2", "name": "#hidden", "visibility": "internal"},
        {"id": "t3", "name": "World", "visibility": "public"},
        {"id": "t4", "name": "#old"},
    ],
    "users": [{"id": "u1", "name": "Ana Lima", "email": "ana@valley.example"}, {"id": 2, "name": "Joe Hu"}],
}
AUGUST = datetime(2025, 8, 6, 14, 30, tzinfo=UTC)


def export(*posts: dict[str, Any], url: str = "https://valley.example/", **tables: Any) -> str:
    # As Ghost writes it: the tables by name, so that posts come before what they refer to.
    data = dict(sorted({**TABLES, "posts": list(posts), **tables}.items()))
    meta = {"exported_on": 1754490600000, "version": "5.90.0", **({"url": url} if url else {})}
    return json.dumps({"db": [{"meta": meta, "data": data}]})


def read_text(text: str | bytes, **options: object) -> list[Read | Refused]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(["-"], stdin=io.BytesIO(data), **options))


def one(text: str) -> Read:
    (found,) = read_text(text)
    assert isinstance(found, Read), found
    return found


def tagged(*tags: str) -> list[dict[str, Any]]:
    """The rows out of order, as a database gives them."""
    return [{"post_id": "p1", "tag_id": tag, "sort_order": n} for n, tag in reversed(list(enumerate(tags)))]


@pytest.mark.parametrize(
    ("post", "tables", "field", "value"),
    [
        ({}, {}, "id", make_id("https://valley.example/snow/")),
        ({}, {}, "url", "https://valley.example/snow/"),
        ({}, {"url": ""}, "id", "0b1c"),
        ({}, {"url": ""}, "url", None),
        ({"uuid": None}, {"url": ""}, "id", "snow"),
        ({"canonical_url": "https://other.example/x"}, {"url": ""}, "url", "https://other.example/x"),
        ({"canonical_url": "https://other.example/x"}, {}, "url", "https://valley.example/snow/"),
        ({}, {}, "title", "Snow & ice"),
        ({"title": "a < b"}, {}, "title", "a < b"),
        ({}, {}, "body", "One.\n\nTwo"),
        ({}, {}, "subheads", ("Two",)),
        ({"custom_excerpt": "In short."}, {}, "summary", "In short."),
        ({"meta_description": "For engines."}, {}, "summary", "For engines."),
        ({}, {"posts_meta": [{"post_id": "p1", "meta_description": "For engines."}]}, "summary", "For engines."),
        ({}, {"posts_meta": [{"post_id": "p2", "meta_description": "For engines."}]}, "summary", ""),
        # The first public tag is the section, as Ghost's primary tag; internal tags are for the site alone.
        ({}, {"posts_tags": tagged("t3", "t1", "t2")}, "section", "World"),
        ({}, {"posts_tags": tagged("t2", "t4", "t1", "t3")}, "section", "Alps"),
        ({}, {"posts_tags": tagged("t3", "t2", "t4", "t1")}, "tags", ("Alps",)),
        ({}, {"posts_tags": [{"post_id": "p1", "tag_id": "t9"}]}, "section", None),
        ({}, {"posts_authors": [{"post_id": "p1", "author_id": 2, "sort_order": 1},
                                {"post_id": "p1", "author_id": "u1", "sort_order": 0}]}, "authors",
         ("Ana Lima", "Joe Hu")),
        ({"author_id": 2}, {}, "authors", ("Joe Hu",)),
        ({}, {}, "published", AUGUST),
        ({}, {}, "updated", None),
        ({"published_at": 1754490600000}, {}, "published", AUGUST),
        ({"published_at": "2025-08-06 14:30:00"}, {}, "published", AUGUST),
        ({"updated_at": "2025-08-07T14:30:00.000Z"}, {}, "updated", datetime(2025, 8, 7, 14, 30, tzinfo=UTC)),
        ({}, {}, "language", "en-GB"),
        ({"locale": "de"}, {}, "language", "de"),
        ({"language": "en_US"}, {}, "language", "en-US"),
        ({}, {"settings": [{"key": "lang", "value": "fr"}]}, "language", "fr"),
        ({"feature_image": "__GHOST_URL__/a.jpg"}, {}, "image", "https://valley.example/a.jpg"),
        ({"feature_image": "__GHOST_URL__/a.jpg"}, {"url": ""}, "image", None),
        ({"feature_image": "https://pictures.example/a.jpg"}, {"url": ""}, "image", "https://pictures.example/a.jpg"),
        ({"image": "https://old.example/a.jpg"}, {}, "image", "https://old.example/a.jpg"),
        ({"type": "page"}, {}, "type", "page"),
        ({"visibility": "paid"}, {}, "extra", {"slug": "snow", "visibility": "paid"}),
    ],
)  # fmt: skip
def test_what_a_post_becomes(post: dict[str, Any], tables: dict[str, Any], field: str, value: object) -> None:
    assert getattr(one(export({**POST, **post}, **tables)).article, field) == value


@pytest.mark.parametrize("wrap", [lambda whole: whole, lambda whole: whole["db"][0]])
@pytest.mark.parametrize("indent", [None, 2])
def test_it_is_told_with_db_and_without_and_however_it_is_printed(
    tmp_path: Path, wrap: Any, indent: int | None
) -> None:
    text = json.dumps(wrap(json.loads(export(POST))), indent=indent)
    (tmp_path / "valley.ghost.json").write_text(text)
    for found in (one(text), *read([tmp_path])):
        assert isinstance(found, Read)
        assert (found.article.url, found.article.language) == ("https://valley.example/snow/", "en-GB")


def test_what_is_left_out_is_counted_and_what_members_read_is_said() -> None:
    posts = [
        *({**POST, "status": status} for status in ("draft", "draft", "scheduled", "sent")),
        {**POST, "type": "page", "status": "draft"},
        {**POST, "type": None, "page": 1, "status": "draft"},
        {**POST, "visibility": "paid"},
        {**POST, "visibility": "members", "slug": "ice"},
        {**POST, "slug": "rain"},
    ]
    paid, members, last = read_text(export(*posts))
    assert all(isinstance(found, Read) for found in (paid, members, last))
    assert [getattr(found, "notes", None) for found in (paid, members, last)] == [
        (ghost.MEMBERS,),
        (),
        (
            *(f"2 left out: {kind}" for kind in ("post, draft", "page, draft")),
            *(f"1 left out: post, {status}" for status in ("scheduled", "sent")),
        ),
    ]


def test_without_the_address_of_the_site_the_report_says_what_to_do() -> None:
    assert one(export(POST, url="")).notes == (ghost.NO_SITE,)
    assert one(export(POST)).notes == ()


@pytest.mark.parametrize(
    ("text", "reason", "unread"),
    [
        (export(), "nothing in it is published", False),
        (export({**POST, "status": "draft"}), "nothing in it is published; 1 left out: post, draft", False),
        (export({**POST, "title": "", "html": ""}), "post snow: it has neither title nor body", False),
        (export({**POST, "published_at": "soon"}), "post snow: published 'soon' is not a date", False),
        (export({**POST, "published_at": 10**30}), f"post snow: published '{10**30}' is not a date", False),
        (export({**POST, "html": None, "lexical": "{"}), "post snow: broken lexical: ", False),
        (export({**POST, "html": None, "mobiledoc": '{"sections": [[10, 0]]}'}),
         "post snow: broken mobiledoc: ", False),
        (export(POST)[:-60], "not JSON: ", True),
        (export(posts=["a"]), "an entry: not a post: it is no object", False),
    ],
)  # fmt: skip
def test_what_is_refused_has_its_reason(text: str, reason: str, unread: bool) -> None:
    (found,) = read_text(text)
    assert isinstance(found, Refused)
    assert found.reason.startswith(reason)
    assert found.unread == unread


def lexical(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"lexical": json.dumps({"root": {"type": "root", "children": nodes}})}


def node(kind: str, *children: Any, **fields: Any) -> dict[str, Any]:
    texts = [{"type": "extended-text", "text": child} if isinstance(child, str) else child for child in children]
    return {"type": kind, "children": texts, **fields}


def mobiledoc(*sections: Any, cards: Any = ()) -> dict[str, Any]:
    return {
        "mobiledoc": json.dumps(
            {"version": "0.3.1", "sections": sections, "cards": cards, "atoms": [["soft-return", ""]]}
        )
    }


@pytest.mark.parametrize(
    ("post", "body", "subheads"),
    [
        (lexical(node("paragraph", "A & ", "<b>"), node("paragraph", "Two.")), "A & <b>\n\nTwo.", ()),
        (lexical(node("extended-heading", "Two", tag="h2"), node("paragraph", "x")), "Two\n\nx", ("Two",)),
        (lexical(node("paragraph", "a", {"type": "linebreak"}, node("link", "b", url="x"))), "a b", ()),
        (lexical(node("list", node("listitem", "a"), node("listitem", "b"))), "a\n\nb", ()),
        (lexical(node("extended-quote", "a"), node("aside", "b"), node("extended-heading", "c", tag="script")),
         "a\n\nb\n\nc", ("c",)),
        (lexical({"type": "html", "html": "<p>a</p>"}, {"type": "markdown", "markdown": "*a*\n\nb <c"}),
         "a\n\na\n\nb <c", ()),
        (lexical({"type": "image", "src": "x", "caption": "<i>a</i>"}, {"type": "codeblock", "code": "a<b>"}),
         "a\n\na<b>", ()),
        (lexical({"type": "callout", "calloutText": "a"}, {"type": "toggle", "heading": "b", "content": "<p>c</p>"}),
         "a\n\nb\n\nc", ()),
        (lexical({"type": "signup", "header": "Join"}, {"type": "email", "html": "<p>Hi</p>"}, node("paragraph", "a")),
         "a", ()),
        (mobiledoc([1, "p", [[0, [], 0, "A & "], [0, [0], 1, "<b>"], [1, [], 0, 0], [0, [], 0, "c"]]]),
         "A & <b> c", ()),
        (mobiledoc([1, "h2", [[0, [], 0, "Two"]]], [10, 0], [2, "x.jpg"], cards=[["html", {"html": "<p>a</p>"}]]),
         "Two\n\na", ("Two",)),
        (mobiledoc([3, "ul", [[[0, [], 0, "a"]], [[0, [], 0, "b"]]]]), "a\n\nb", ()),
        (mobiledoc([10, 0], cards=[["card-markdown", {"markdown": "a\n\n- b"}]]), "a\n\nb", ()),
        ({**lexical(node("paragraph", "new")), **mobiledoc([1, "p", [[0, [], 0, "old"]]])}, "new", ()),
        ({"html": "<p>shown</p>", **lexical(node("paragraph", "kept"))}, "shown", ()),
    ],
)  # fmt: skip
def test_the_text_of_a_post_without_html_is_what_its_editor_kept(
    post: dict[str, Any], body: str, subheads: tuple[str, ...]
) -> None:
    article = one(export({**POST, "html": None, **post})).article
    assert (article.body, article.subheads) == (body, subheads)


@pytest.mark.parametrize("name", ["lexical", "mobiledoc"])
def test_depth_stops_no_editor(name: str) -> None:
    deep = '{"root":' + '{"type":"a","children":[' * 100_000 if name == "lexical" else '{"sections":' + "[" * 100_000
    with pytest.raises(NotAnArticle, match="broken"):
        koenig.html({name: deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*POST, *TABLES, "post_id", "tag_id", "name", "key", "children"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    tables=st.dictionaries(st.sampled_from(["posts", *ghost._TABLES]), JSON),
    post=st.fixed_dictionaries({}, optional=dict.fromkeys(POST, JSON)),
    kept=JSON,
)
def test_no_export_stops_the_reader(tables: dict[str, Any], post: dict[str, Any], kept: Any) -> None:
    whole = {**POST, **post, "html": None, "lexical": json.dumps(kept), "mobiledoc": json.dumps({"sections": kept})}
    for data in (tables, {**tables, "posts": [whole, POST]}):
        found = read_text(json.dumps({"db": [{"data": data}]}))
        assert found
        assert all(isinstance(item, Read) or item.reason for item in found)
