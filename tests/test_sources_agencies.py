"""ninjs and NITF as agencies send them: the names of each version, what is under embargo, what is called back."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.sources import Names, Read, Refused, iptc, read
from search.article import make_id

AUGUST = datetime(2025, 8, 6, 14, 30, tzinfo=UTC)
# As version 3 has it; version 2 the same in lower case.
ITEM: dict[str, Any] = {
    "uri": "urn:agency:1",
    "type": "text",
    "versionCreated": "2025-08-06T16:30:00+02:00",
    "pubStatus": "usable",
    "language": "en-GB",
    "headlines": [{"role": "short", "value": "Snow"}, {"role": "main", "value": "Snow & ice"}],
    "bodies": [
        {"role": "xml", "contentType": "application/xml", "value": "<x>never</x>"},
        {"role": "text", "contentType": "text/plain", "value": "never"},
        {
            "role": "html",
            "contentType": "text/html; charset=utf-8",
            "value": "<h1>Snow & ice</h1><p>One.</p><h2>Two</h2>",
        },
    ],
}
PLAIN = {"contentType": "text/plain", "value": "First <line>.\nSecond & last."}
PICTURES = [
    {"type": "video", "renditions": [{"href": "https://a.example/film.mp4", "width": 1200}]},
    {
        "type": "picture",
        "renditions": [
            {"href": "https://a.example/print.jpg", "width": 5000},
            {"href": "https://a.example/page.jpg", "width": 1024},
            {"href": "https://a.example/thumb.jpg", "width": 100},
            {"href": "file.jpg", "width": 1200},
        ],
    },
]


def read_bytes(data: bytes, **options: Any) -> list[Read | Refused]:
    return list(read(["-"], stdin=io.BytesIO(data), **options))


def item(changes: dict[str, Any]) -> Read | Refused:
    (found,) = read_bytes(json.dumps({**ITEM, **changes}).encode())
    return found


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "id", make_id("urn:agency:1")),
        ({}, "url", None),
        ({"uri": "https://agency.example/1"}, "url", "https://agency.example/1"),
        ({"uri": None, "guid": "tag-1"}, "id", "tag-1"),
        ({}, "title", "Snow & ice"),
        ({"headlines": None, "headline": "An <old> one"}, "title", "An <old> one"),
        # The text of HTML, without the headline over it; of plain text each line is a paragraph.
        ({}, "body", "One.\n\nTwo"),
        ({}, "subheads", ("Two",)),
        ({"bodies": [PLAIN]}, "body", "First <line>.\n\nSecond & last."),
        ({"bodies": None, "body_text": PLAIN["value"]}, "body", "First <line>.\n\nSecond & last."),
        ({"bodies": None, "body_text": "never", "body_xhtml": "<p>A &amp; B</p>"}, "body", "A & B"),
        ({"descriptions": [{"role": "caption", "value": "no"}, {"role": "text", "value": "In short."}]}, "summary",
         "In short."),
        ({"description_text": "In short."}, "summary", "In short."),
        ({}, "published", AUGUST),
        ({}, "updated", None),
        ({"firstCreated": "2025-08-05T00:00:00Z"}, "updated", AUGUST),
        ({"contentCreated": "2025-08-05T00:00:00Z"}, "published", datetime(2025, 8, 5, tzinfo=UTC)),
        ({}, "language", "en-GB"),
        ({"language": "English!"}, "language", None),
        # What it is filed under.
        ({"subjects": [{"name": "Ice", "uri": "http://cv.iptc.org/newscodes/mediatopic/20000822"},
                       {"name": "Weather", "uri": "http://cv.iptc.org/newscodes/mediatopic/17000000"}]}, "section",
         "Weather"),
        ({"subject": [{"name": "Ice"}, {"name": "Sport", "code": "medtop:15000000"}]}, "section", "Sport"),
        ({"subject": [{"name": "Ice"}, {"name": "Snow", "code": "18000000"}]}, "section", "Ice"),
        ({"service": [{"name": "Alps", "code": "a"}], "subject": [{"name": "Ice"}]}, "section", "Alps"),
        ({"section": "World"}, "section", "World"),
        ({"subjects": [{"name": "Ice"}, {}], "keywords": ["huts"]}, "tags", ("Ice", "huts")),
        ({"by": "Von Ana Lima, dpa"}, "authors", ("Ana Lima",)),
        ({"byline": "By Ana Lima, Joe Hu and Ben de Vries, Staff Writer"}, "authors",
         ("Ana Lima", "Joe Hu", "Ben de Vries")),
        ({"by": "NTB"}, "authors", ("NTB",)),
        ({"authors": [{"name": "Ana Lima", "role": "writer"}]}, "authors", ("Ana Lima",)),
        ({"associations": PICTURES}, "image", "https://a.example/page.jpg"),
        ({"associations": {"main": {**PICTURES[1], "renditions": {"a": PICTURES[1]["renditions"][0]}}}}, "image",
         "https://a.example/print.jpg"),
        ({"associations": PICTURES[:1]}, "image", None),
        ({"edNote": "Adds one.", "usageTerms": "None.", "slugline": "snow"}, "extra",
         {"ednote": "Adds one.", "usageterms": "None.", "slugline": "snow"}),
        # When it may be seen.
        ({"embargoed": "2030-01-01T00:00:00Z"}, "embargo_until", datetime(2030, 1, 1, tzinfo=UTC)),
        ({"embargoed": None}, "embargo_until", None),
        ({"pubStatus": None}, "status", "live"),
        ({"pubStatus": "withheld"}, "status", "withdrawn"),
        ({"pubStatus": "canceled", "bodies": None, "headlines": None}, "status", "withdrawn"),
        ({"pubStatus": "canceled", "bodies": None, "headlines": None, "slugline": "snow"}, "title", "snow"),
    ],
)  # fmt: skip
def test_what_an_item_of_ninjs_becomes(changes: dict[str, Any], field: str, value: object) -> None:
    found = item(changes)
    assert isinstance(found, Read), found
    assert getattr(found.article, field) == value


@pytest.mark.parametrize("change", [str.lower, str.upper, str])
def test_the_names_of_its_fields_may_be_written_in_any_case(change: Any) -> None:
    changed = {change(name) if name not in ("uri", "bodies") else name: value for name, value in ITEM.items()}
    (found,) = read_bytes(json.dumps({**changed, change("pubStatus"): "withheld"}).encode())
    assert isinstance(found, Read)
    assert (found.article.status, found.article.body, found.article.published) == ("withdrawn", "One.\n\nTwo", AUGUST)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pubStatus": "maybe"}, "entry 1: pubstatus 'maybe' is none of usable, embargoed, withheld, canceled"),
        ({"pubStatus": 7}, "entry 1: pubstatus '7' is none of"),
        ({"embargoed": "soon"}, "entry 1: embargo_until 'soon' is not a date"),
        ({"embargoed": 7}, "entry 1: embargo_until is a number, not a date"),
        ({"type": "picture"}, "entry 1: not an article: its type is picture"),
        ({"headlines": [], "bodies": [], "headline": ""}, "entry 1: it has neither title nor body"),
    ],
)
def test_what_might_be_too_early_is_refused(changes: dict[str, Any], reason: str) -> None:
    found = item(changes)
    assert isinstance(found, Refused)
    assert found.reason.startswith(reason)


ITEMS = [{**ITEM, "uri": f"urn:{number}"} for number in range(3)]
LINES = "".join(json.dumps(each) + "\n" for each in ITEMS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(ITEMS)),
        ("a.json", json.dumps({"total": 3, "items": ITEMS})),
        ("a.json", json.dumps({"_items": ITEMS, "_links": {}}, indent=1)),
        ("a.json", "\n".join(json.dumps(each, indent=1) for each in ITEMS)),
        ("a.jsonl", LINES),
        ("a.ndjson", "\ufeff" + LINES),
    ],
)
def test_items_come_in_lists_in_answers_and_in_lines(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "navigation.json").write_text('{"guid": 1, "menu": [{"uri": "/"}]}')
    for found in (list(read([tmp_path])), read_bytes(text.encode())):
        assert [each.article.id for each in found if isinstance(each, Read)] == [make_id(f"urn:{n}") for n in range(3)]
        assert len(found) == 3


def test_a_mapping_file_says_it_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"uri": "x", "pubstatus": "usable", "kopf": "Snow"}))
    (found,) = read([tmp_path], mapping=Names({"title": ("kopf",)}))
    assert isinstance(found, Read)
    assert found.article.title == "Snow"


def test_items_behind_a_break_are_not_known() -> None:
    first, second, refused = read_bytes(json.dumps(ITEMS)[:-30].encode())
    assert isinstance(first, Read)
    assert isinstance(second, Read)
    assert isinstance(refused, Refused)
    assert refused.unread


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("", []),
        ("By Ana Lima", ["Ana Lima"]),
        ("Par Ana Lima", ["Ana Lima"]),
        ("Karl Melander/TT", ["Karl Melander"]),
        ("Byron Lee", ["Byron Lee"]),
        ("Ana Lima; Joe Hu", ["Ana Lima", "Joe Hu"]),
    ],
)
def test_the_names_in_a_byline(byline: str, names: list[str]) -> None:
    assert iptc.authors(byline) == names


HEADLINE = "<hedline><hl1>Snow</hl1></hedline>"


def nitf(head: str = "", above: str = HEADLINE, content: str = "<p>One.</p>", root: str = "", doctype: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}<nitf{root}><head><title>Other</title>{head}</head>'
        f"<body><body.head>{above}</body.head><body.content>{content}</body.content></body></nitf>"
    )


def docdata(parts: str = "", status: str = "usable") -> str:
    return f'<docdata management-status="{status}"><doc-id id-string="x-1"/>{parts}</docdata>'


DTD = '<!DOCTYPE nitf PUBLIC "-//IPTC//DTD NITF 3.3//EN" "nitf-3-3.dtd">'
RELEASE = '<date.release norm="20300101T000000Z"/>'


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (nitf(docdata()), "id", "x-1"),
        (nitf(above=""), "title", "Other"),
        (nitf(above="<hl1>Caf&eacute; &amp; <em>bar</em></hl1>", doctype=DTD), "title", "Café & bar"),
        (nitf(above="<hl1>A</hl1><hl2>B</hl2><abstract><p>In short.</p></abstract>"), "summary", "In short."),
        (nitf(above="<hl1>A</hl1><hl2>B</hl2>"), "summary", "B"),
        (nitf(content="<p>One&nbsp;<person>Ana</person>.</p><hl2>Two</hl2><p>Three.</p>", doctype=DTD), "body",
         "One Ana.\n\nTwo\n\nThree."),
        (nitf(content="<hl2>Two</hl2>"), "subheads", ("Two",)),
        (nitf(content='<media media-type="image"><media-reference source="x.jpg">never</media-reference>'
                      "<media-caption>A hut.</media-caption><media-producer>never</media-producer></media>"), "body",
         "A hut."),
        (nitf(content="<bq><block><p>Said.</p></block><credit>Ana</credit></bq>"), "body", "Said.\n\nAna"),
        (nitf(content="<table><tr><td>a</td><td>b</td></tr></table>"), "body", "a b"),
        (nitf(content='<block class="lead_paragraph"><p>One.</p></block>'
                      '<block class="full_text"><p>One.</p><p>Two.</p></block>'), "body", "One.\n\nTwo."),
        (nitf(above="<byline>By <person>Ana Lima</person><byttl>Staff</byttl></byline>"), "authors", ("Ana Lima",)),
        (nitf(above="<byline>By Ana Lima <byttl>Staff Writer</byttl></byline>"), "authors", ("Ana Lima",)),
        (nitf(docdata('<date.issue norm="20250806T163000+0200"/>')), "published", AUGUST),
        (nitf('<pubdata date.publication="20250806T143000Z"/>'), "published", AUGUST),
        (nitf('<revision-history norm="20250101T000000Z"/><revision-history norm="20250806T143000Z"/>'), "updated",
         AUGUST),
        (nitf('<pubdata position.section="World"/><tobject.subject tobject.subject.type="Weather"/>'),
         "section", "World"),
        (nitf('<tobject><tobject.subject tobject.subject.type="Weather" tobject.subject.matter="Snow"/></tobject>'),
         "section", "Weather"),
        (nitf('<tobject><tobject.subject tobject.subject.type="Weather" tobject.subject.matter="Snow"/></tobject>'
              + docdata('<key-list><keyword key="huts"/></key-list><series series.name="Winter"/>')), "tags",
         ("Snow", "huts", "Winter")),
        (nitf(root=' xml:lang="de"'), "language", "de"),
        (nitf(root=' baselang="es-ES"'), "language", "es-ES"),
        (nitf(content='<media media-type="video"><media-reference source="https://a.example/f.mp4"/></media>'
                      '<media media-type="image"><media-reference source="https://a.example/a.jpg"/></media>'), "image",
         "https://a.example/a.jpg"),
        (nitf(docdata('<urgency ed-urg="4"/><fixture fix-id="column"/><ed-msg info="Adds one."/>'
                      '<date.expire norm="20300101"/>'), "<hl1>A</hl1><dateline>Hesk</dateline>"), "extra",
         {"urgency": "4", "fixture": "column", "ednote": "Adds one.", "expires": "20300101", "dateline": "Hesk"}),
        # When it may be seen.
        (nitf(docdata(RELEASE)), "embargo_until", datetime(2030, 1, 1, tzinfo=UTC)),
        (nitf(docdata(f'<date.issue norm="20300101T000000Z"/>{RELEASE}', "embargoed")), "embargo_until",
         datetime(2030, 1, 1, tzinfo=UTC)),
        (nitf(docdata(status="cancelled"), above="", content="").replace("<title>Other</title>", ""), "title", "x-1"),
        (nitf(docdata('<ed-msg info="Mandatory kill: wrong name."/>')), "status", "withdrawn"),
        (nitf(docdata('<ed-msg info="KILL"/>')), "status", "withdrawn"),
        (nitf(docdata('<ed-msg info="Killer whales: adds quote"/>')), "status", "live"),
        (nitf(docdata('<ed-msg info="Adds that he would kill for it"/>')), "status", "live"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("namespace", ["", ' xmlns="http://iptc.org/std/NITF/2006-10-18/"'])
def test_what_a_document_of_nitf_becomes(text: str, field: str, value: object, namespace: str) -> None:
    (found,) = read_bytes(text.replace("<nitf", f"<nitf{namespace}", 1).encode())
    assert isinstance(found, Read), found
    assert getattr(found.article, field) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nitf(docdata(status="embargoed")), "it is embargoed, and no date.release says until when"),
        (nitf(docdata('<date.release norm="soon"/>')), "embargo_until 'soon' is not a date"),
        (nitf(docdata(status="odd")), "management-status 'odd' is none of usable, embargoed, withheld, canceled"),
        (nitf()[:-40], "broken XML: "),
        (nitf(doctype='<!DOCTYPE nitf [<!ENTITY x SYSTEM "file:///etc/hostname">]>', content="<p>&x;</p>"),
         "it declares entities"),
        ('<nitf><head/><body/></nitf>', "it has neither title nor body"),
    ],
)  # fmt: skip
def test_a_document_of_nitf_that_is_refused_has_its_reason(text: str, reason: str) -> None:
    (found,) = read_bytes(text.encode())
    assert isinstance(found, Refused)
    assert found.reason.startswith(reason)


def test_what_is_called_back_in_words_is_noted() -> None:
    (found,) = read_bytes(nitf(docdata('<ed-msg info="Mandatory kill"/>')).encode())
    assert isinstance(found, Read)
    assert found.notes == ("withdrawn, as its message to editors says 'Mandatory kill'",)
