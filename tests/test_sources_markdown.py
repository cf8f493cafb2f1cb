"""Markdown: front matter of three kinds, and the text without its marks."""

import json
import lzma
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.sources import Read, Refused, read
from indexer.sources.markdown import plain
from search.article import Article, parse_date

CORPORA = Path(os.environ.get("BROADSHEET_CORPORA", Path(__file__).parent.parent.parent / "shared" / "corpora"))


def read_post(tmp_path: Path, text: str, name: str = "post.md") -> Read | Refused:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (found,) = read([tmp_path / name])
    return found


def article(tmp_path: Path, text: str, name: str = "post.md") -> Article:
    found = read_post(tmp_path, text, name)
    assert isinstance(found, Read), found
    return found.article


YAML = """---
title: "Q&amp;A: C++ &#43; you"
date: 2025-08-06 11:33:15 -0400
lastmod: 2025-08-07
authors:
  - ann-poe
  - name: John Roe
topics: [travel, huts]
categories: Europe Alps
deck: "Why *wardens* [stay](https://example.org)."
canonical: https://example.org/huts
weight: 3
colour: red
---
It fell.
"""
TOML = """+++
title = "Q&A: C++ + you"
date = 2025-08-06T11:33:15-04:00
lastmod = 2025-08-07
authors = ["ann-poe", {name = "John Roe"}]
topics = ["travel", "huts"]
categories = ["Europe", "Alps"]
deck = "Why wardens stay."
canonical = "https://example.org/huts"
weight = 3
colour = "red"
+++
It fell.
"""
JSON = """{
  "title": "Q&A: C++ + you", "date": "2025-08-06T11:33:15-04:00", "lastmod": "2025-08-07",
  "authors": ["ann-poe", {"name": "John Roe"}], "topics": ["travel", "huts"], "categories": ["Europe", "Alps"],
  "deck": "Why wardens stay.", "canonical": "https://example.org/huts", "weight": 3, "colour": "red"
}

It fell.
"""


@pytest.mark.parametrize("text", [YAML, TOML, JSON, "\n\n" + YAML, "\ufeff" + TOML, YAML.replace("\n", "\r\n")])
def test_front_matter(tmp_path: Path, text: str) -> None:
    found = read_post(tmp_path, text)
    assert isinstance(found, Read), found
    assert found.notes == ("unknown field 'colour' kept in extra",)
    assert (a := found.article).title == "Q&A: C++ + you"
    assert a.published == datetime(2025, 8, 6, 15, 33, 15, tzinfo=UTC)
    assert a.updated == datetime(2025, 8, 7, tzinfo=UTC)
    assert a.authors == ("ann-poe", "John Roe")
    assert a.tags == ("travel", "huts", "Europe", "Alps")
    assert (a.section, a.summary, a.url, a.body) == (
        "Europe",
        "Why wardens stay.",
        "https://example.org/huts",
        "It fell.",
    )


@pytest.mark.parametrize(
    ("line", "title"),
    [("title: 1984", "1984"), ("title: No", "No"), ("title: 2019-02-30", "2019-02-30"), ("title: ~\nheadline: H", "H")],
)
def test_a_title_is_what_is_written(tmp_path: Path, line: str, title: str) -> None:
    assert article(tmp_path, f"---\n{line}\n---\nText.").title == title


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: T\ndraft: true\n---\nx", "a draft: it is not published"),
        ("---\ntitle: T\npublished: false\n---\nx", "a draft: it is not published"),
        ("---\ntitle: T\nx", "the front matter that --- begins has no end"),
        ("---\ntitle: [T\n---\nx", "broken front matter: while parsing a flow sequence"),
        ("---\njust text\n---\nx", "broken front matter: it has no fields"),
        ("---\na: &a [*a]\n---\nx", "broken front matter: aliases are not read"),
        ("+++\ntitle = T\n+++\nx", "broken front matter: Invalid value"),
        ('{"title": T}\n\nx', "broken front matter: Expecting value"),
        ("---\ntitle: T\ndate: 2019-02-30\n---\nx", "published '2019-02-30' is not a date"),
        ("---\ntitle: T\nstatus: gone\n---\nx", "status 'gone' is none of"),
        ("---\n---\n", "it has neither title nor body"),
        ("Only a paragraph.", "not an article: neither front matter nor a heading to begin with"),
    ],
)
def test_refusals_have_their_reason(tmp_path: Path, text: str, reason: str) -> None:
    found = read_post(tmp_path, text)
    assert isinstance(found, Refused)
    assert reason in found.reason


QUOTES = " (put a text with a colon or such a mark in quotes, as in title: 'Snow: a report')"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("---\ndate: 2025-08-06\ntitle: Snow: a report\n---\nx", 3, f"mapping values are not allowed here{QUOTES}"),
        ("\n\n---\ntitle: Snow: a report\n---\nx", 4, f"mapping values are not allowed here{QUOTES}"),
        ('---\ntitle: "Snow" falls\n---\nx', 2,
         f"while parsing a block mapping: expected <block end>, but found '<scalar>'{QUOTES}"),
        ("---\ntitle: @home\n---\nx", 2,
         f"while scanning for the next token: found character '@' that cannot start any token{QUOTES}"),
        ("---\na: 1\ntitle: a\x07\n---\nx", None, "unacceptable character"),
        ("+++\na = 1\ntitle = T\n+++\nx", 3, "Invalid value"),
        ('{\n"a": 1,\n"title": T}\n\nx', 3, "Expecting value at column 10"),
    ],
)  # fmt: skip
def test_broken_front_matter_has_its_line_and_its_remedy(
    tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    found = read_post(tmp_path, text)
    assert isinstance(found, Refused)
    if line:
        assert (found.line, found.reason) == (line, f"broken front matter: {reason}")
    else:
        assert "<unicode string>" not in found.reason


def test_a_date_as_feeds_write_it(tmp_path: Path) -> None:
    found = article(tmp_path, "---\ntitle: T\ndate: Wed, 06 Aug 2025 14:30:00 GMT\n---\nText.")
    assert found.published == datetime(2025, 8, 6, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "text", "title", "body"),
    [
        ("2023-05-04-the-huts.md", "---\nlayout: post\n---\nText.", "The huts", "Text."),
        ("a.md", "# The huts\n\nText.", "The huts", "Text."),
        ("a.md", "The huts\n========\n\nText.", "The huts", "Text."),
        ("a.md", "---\ntitle: The huts\n---\n# The huts\n\nText.", "The huts", "Text."),
        ("a.md", "---\ndate: 2025-01-01\n---\n## The huts\n\nText.", "The huts", "Text."),
    ],
)
def test_where_a_title_comes_from(tmp_path: Path, name: str, text: str, title: str, body: str) -> None:
    found = article(tmp_path, text, name)
    assert (found.title, found.body, found.subheads) == (title, body, ())
    if name.startswith("2023"):
        assert found.published == datetime(2023, 5, 4, tzinfo=UTC)


def test_what_is_embargoed_in_hugo_is_embargoed_here(tmp_path: Path) -> None:
    found = article(tmp_path, "---\ntitle: T\npublishDate: 2999-01-01\n---\nText.")
    assert found.embargo_until == found.published == datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("A [link](http://x 'y') and ![a cat](c.png).", "A link and a cat."),
        ("*one* **two** `three`\nfour  \nfive", "one two three four\nfive"),
        ("- one\n- two\n\n> said", "one\n\ntwo\n\nsaid"),
        ("```py\nx < 1\n```", "x < 1"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n\n1 | 2"),
        ("A {{< figure src='x' >}}b {{% note %}}c{{% /note %}} {{ page.title }}", "A b c"),
        ("[text]({{< ref \"page.md\" >}} 'Title') on", "text on"),
        ("{% include a.html %}A{% comment %}no{% endcomment %}", "A"),
        ("A&nbsp;b &amp; c &lt;d&gt;", "A\xa0b & c <d>"),
        (
            "a <b>bold</b><br>line <!-- no -->\n\n<div>\n<p>Text</p>\n<script>no()</script></div>",
            "a bold\nline\n\nText",
        ),
        ("\n\n    <ul>\n      <li>One</li>\n    </ul>", "One"),
        ("Said[^1].\n\n[^1]: The note.", "Said.\n\nThe note."),
        ("Lead.\n{: .lead}\n\n## Head {#anchor}", "Lead.\n\nHead"),
        ("5 < 6 and a<b", "5 < 6 and a<b"),
    ],
)
def test_text_is_plain(markdown: str, text: str) -> None:
    assert plain(markdown)[0] == text


def test_headings_are_subheads_and_stay_in_the_text() -> None:
    assert plain("## One *two*\n\nText.\n\nThree\n---\n\nMore.") == (
        "One two\n\nText.\n\nThree\n\nMore.",
        ["One two", "Three"],
    )


@pytest.mark.corpora
@pytest.mark.skipif(
    not CORPORA.is_dir(), reason=f"the judged corpora are not at {CORPORA} (BROADSHEET_CORPORA names them)"
)
def test_a_whole_site_goes_through(tmp_path: Path) -> None:
    """digital.gov: 2,082 of 2,083 posts are read, the other is a draft."""
    with tarfile.open(CORPORA / "sites" / "digitalgov_news_md.tar.xz") as tar:
        tar.extractall(tmp_path, filter="data")
    found = list(read([tmp_path]))
    refused = [f.reason for f in found if isinstance(f, Refused)]
    print(f"digital.gov: {len(found) - len(refused)} posts read, {len(refused)} refused")
    assert (len(found), refused) == (2083, ["a draft: it is not published"])
    with lzma.open(CORPORA / "sites" / "digitalgov_news.jsonl.xz", "rt", encoding="utf-8") as lines:
        truth = {post["id"].removeprefix("digitalgov-"): post for post in map(json.loads, lines)}
    posts = [(f.article, truth[stem]) for f in found if isinstance(f, Read) and (stem := Path(f.file).stem) in truth]
    assert len(posts) == 2078
    assert all(post.published == parse_date(told["published"]) for post, told in posts)
    assert all(bool(post.body) == bool(told["body"]) for post, told in posts)
    # The truth has lost a # at the beginning of hashtags and dropped tags in titles.
    assert sum(post.title != told["title"] for post, told in posts) <= 9


def site(tmp_path: Path, **files: str) -> Path:
    """A site of Eleventy in the folder `site`."""
    for name, text in files.items():
        path = tmp_path / "site" / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("site_says", "posts_say", "front", "expected"),
    [
        ("{}", '{"tags": "posts", "layout": "post.njk", "author": "Ana Lima"}', "", {"authors": ("Ana Lima",)}),
        ("{}", '{"author": "Ana Lima"}', "author: Joe Hu\n", {"authors": ("Joe Hu",)}),
        ('{"tags": ["alps"]}', '{"tags": ["post", "snow"]}', "tags: [huts]\n", {"tags": ("alps", "snow", "huts")}),
        ('{"section": "World"}', '{"permalink": "/x/{{ slug }}/"}', "", {"section": "World", "url": None}),
        ('{"section": "World"}', '{"section": "Alps"}', "", {"section": "Alps"}),
        ("[1]", "{broken", "", {"tags": ()}),
        ("{}", "{}", "date: Last Modified\n", {"published": None}),
    ],
)
def test_folders_of_eleventy_speak_for_their_files(
    tmp_path: Path, site_says: str, posts_say: str, front: str, expected: dict[str, object]
) -> None:
    post = f"---\ntitle: Snow\n{front}---\nIt fell."
    folder = site(tmp_path, site_DOT_json=site_says, posts__posts_DOT_11tydata_DOT_json=posts_say, posts__a_DOT_md=post)
    for path in (folder, f"{folder}/**/*.md"):
        (found,) = read([path])
        assert isinstance(found, Read), found
        assert {name: getattr(found.article, name) for name in expected} == expected
        assert not any("layout" in note for note in found.notes)


@pytest.mark.parametrize("suffix", [".njk", ".liquid", ".html"])
def test_templates_with_front_matter_are_articles(tmp_path: Path, suffix: str) -> None:
    text = "---\ntitle: Snow\n---\n{% include 'x' %}<p>It {{ verb }} fell.</p>\n<h2>Huts</h2><p>Shut.</p>"
    found = article(tmp_path, text, f"2025-08-06-snow{suffix}")
    assert (found.title, found.body, found.subheads) == ("Snow", "It fell.\n\nHuts\n\nShut.", ("Huts",))
    assert found.published == datetime(2025, 8, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "---\ntitle: Home\n---\n{% for post in posts %}{{ post }}{% endfor %}",
            "a template without a text of its own",
        ),
        ("---\ntitle: Part\npermalink: false\n---\n<p>Text</p>", "it has no page of its own (permalink: false)"),
        ("---\ntitle: Part\ndraft: true\n---\n<p>Text</p>", "a draft: it is not published"),
        ("<div>{{ content }}</div>", "not an article: neither front matter nor a heading to begin with"),
    ],
)
def test_a_template_that_is_none_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    found = read_post(tmp_path, text, "a.njk")
    assert isinstance(found, Refused)
    assert reason in found.reason
    in_folder = [type(item) for item in read([tmp_path])]
    assert in_folder == ([] if "front matter" in reason else [Refused]), "a layout in a folder is passed over"


def test_the_date_of_a_post_may_be_that_of_its_folder(tmp_path: Path) -> None:
    folder = site(tmp_path, **{"posts__2025-08-06-snow__index_DOT_md": "---\nauthor: Ana\n---\nIt fell."})
    (found,) = read([folder])
    assert isinstance(found, Read)
    assert (found.article.title, found.article.published) == ("Snow", datetime(2025, 8, 6, tzinfo=UTC))
