"""Page dumps: the article comes in, everything that stands around it stays out, and what is in doubt stays in."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.sources import Read, Refused, dates, furniture, read
from search.article import Article

WALK = (
    "In the morning the warden walks down to the spring with two cans, and in the evening he walks up again, since "
    "there is no water at the hut any more and nobody knows when it will return."
)
ICE = (
    "The glacier above the hut has lost eleven metres of ice since June. The path that crossed it for a century now "
    "ends at a wall of rock, and the ladder that was to replace it has not come."
)
RAIN = (
    "Rain, when it comes, comes all at once. The tanks that were built in spring were full in an hour, and two days "
    "later the filters were blocked by the sand that it had brought down from the moraine."
)
RELATED = """Related Articles
Europe
Ten huts to see before the ice is gone, chosen by those who have slept in each of them. They are worth the walk, and
-
August 05, 2025
Europe
The railway that climbs to the snow
-
August 04, 2025
"""
PAGE = f"""The last huts of the Alps
Wardens say that the season is shorter than ever.

Published August 06, 2025
By Jane Doe and John von Roe, Travel Editor
Facebook X Reddit Pinterest Email

{WALK}
ADVERTISEMENT
{ICE}
A long way to the water
{RAIN}
Advertisement
Continue reading
“We left.”
{WALK} More of it stands under Related Articles.
Where the wardens sleep
{ICE}

{RELATED}"""


def read_dump(text: str, path: Path | None = None, **options: object) -> Read:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        (found,) = read([path.parent.parent], **options)
    else:
        (found,) = read(["-"], stdin=io.BytesIO(text.encode()), **options)
    assert isinstance(found, Read), found
    return found


def article(text: str) -> Article:
    return read_dump(text).article


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        PAGE.replace("\n", "\r\n"),
        PAGE.replace("\n\n", "\n"),
        PAGE.replace("\n", "\n\n"),
        PAGE.replace(" ", "\u00a0"),
        "Skip to content\nMenu\nHome > Europe > Huts\n" + PAGE,
        PAGE.replace("Facebook X Reddit Pinterest Email", "Facebook\nX\nReddit\nEmail"),
        PAGE.replace("Facebook X Reddit Pinterest Email", "Share on Facebook | Share on X | Copy Link\n12 comments"),
        PAGE.replace("Published August 06, 2025", "6 August 2025 · 5 min read"),
        PAGE.replace("Published August 06, 2025", "Photo: A hut. Ann Poe/Reuters\nPublished: Aug. 6, 2025"),
        PAGE.replace(WALK + "\nADV", "The last huts of the Alps\n" + WALK + "\nADV"),
        PAGE + "Most read\nTen ways to pack\nSign up for our newsletter\n© 2025 The Mountain. All rights reserved.\n",
    ],
)
def test_a_page(text: str) -> None:
    a = article(text)
    assert a.title == "The last huts of the Alps"
    assert a.summary == "Wardens say that the season is shorter than ever."
    assert a.published == datetime(2025, 8, 6, tzinfo=UTC)
    assert a.authors == ("Jane Doe", "John von Roe")
    assert a.subheads == ("A long way to the water", "Where the wardens sleep")
    assert a.body.split("\n\n") == [
        *(WALK, ICE, "A long way to the water", RAIN, "“We left.”"),
        *(WALK + " More of it stands under Related Articles.", "Where the wardens sleep", ICE),
    ]
    assert [dict(item) for item in a.related][:2] == [
        {
            "title": "Ten huts to see before the ice is gone, chosen by those who have slept in each of them. They are"
            " worth the walk, and",
            "section": "Europe",
            "published": "2025-08-05T00:00:00Z",
        },
        {"title": "The railway that climbs to the snow", "section": "Europe", "published": "2025-08-04T00:00:00Z"},
    ]
    assert a.section == "Europe"


def test_the_section_comes_from_ops_then_the_folder_then_the_related(tmp_path: Path) -> None:
    inferred = read_dump(PAGE)
    assert inferred.notes == ("section 'Europe' inferred from related articles",)
    assert read_dump(PAGE, section="Travel").article.section == "Travel"
    for folder, section in [("us-politics", "US Politics"), ("US", "US"), ("europe", "Europe"), ("EUROPE", "Europe")]:
        found = read_dump(PAGE, tmp_path / folder / folder / "a.txt")
        assert (found.article.section, found.notes) == (section, ())
        assert read_dump(PAGE, tmp_path / folder / folder / "a.txt", section="Travel").article.section == "Travel"


@pytest.mark.parametrize(
    ("folders", "section"),
    [("travel/2025/08", "Travel"), ("dumps/travel", "Travel"), ("travel/dumps", None), ("dumps", None), ("2025", None)],
)
def test_years_and_stores_name_no_section(tmp_path: Path, folders: str, section: str | None) -> None:
    (tmp_path / folders).mkdir(parents=True)
    (tmp_path / folders / "a.txt").write_text(f"Title\nPublished August 06, 2025\n{WALK}\n")
    (found,) = read([tmp_path])
    assert isinstance(found, Read)
    assert found.article.section == section


def test_the_folder_that_is_given_names_no_section(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAGE.replace("Europe", "World", 1))
    (found,) = read([tmp_path])
    assert isinstance(found, Read)
    assert found.article.section is None, "two sections are not unanimous"


@pytest.mark.parametrize(
    ("end", "related"),
    [
        (
            "Related Articles\nA\nOne teaser of some words\n-\nAugust 05, 2025",
            [("A", "One teaser of some words", True)],
        ),
        ("Related\nOne teaser of some words\n-\nAugust 05, 2025", [(None, "One teaser of some words", True)]),
        ("More stories\nA\nOne teaser of some words\nB\nAnother teaser of some", [("A", "", False), ("B", "", False)]),
        ("Read more\nOne teaser of some words\nAnother teaser of more words", [(None, "", False), (None, "", False)]),
        (f"You may also like\nA\n{ICE}\n-\nAugust 05, 2025\nB\n{RAIN}", [("A", ICE, True), ("B", RAIN, False)]),
        (f"Recommended\nA\n{ICE}\nB\n{RAIN}", [("A", ICE, False), ("B", RAIN, False)]),
        ("Related stories\nA\nOne teaser of some words\n— August 05, 2025", [("A", "", True)]),
        (
            f"Related Articles\nOne teaser of some words\n-\nAugust 05, 2025\n{RAIN}",
            [(None, "", True), (None, "", False)],
        ),
    ],
)
def test_lists_of_other_articles(end: str, related: list[tuple[str | None, str, bool]]) -> None:
    a = article(f"Title\nPublished August 06, 2025\n{WALK}\n{ICE}\n{end}\n")
    assert a.body == f"{WALK}\n\n{ICE}"
    assert len(a.related) == len(related)
    for item, (section, title, dated) in zip(a.related, related, strict=True):
        assert (item.get("section"), "published" in item) == (section, dated)
        assert item["title"].startswith(title)


LONG_SECTION = "Health, Science and Environment"


@pytest.mark.parametrize(
    ("lines", "related"),
    [
        # Where there are dashes they carry the structure, whatever the lengths of the lines.
        ("Food & Drink/Tea is back/-/August 05, 2025", [("Food & Drink", "Tea is back", 5)]),
        ("Business & Money/Oil ends lower/-/August 05, 2025", [("Business & Money", "Oil ends lower", 5)]),
        ("Sport/Transfers/-/August 05, 2025", [("Sport", "Transfers", 5)]),
        ("Health/Beds/–/August 05, 2025", [("Health", "Beds", 5)]),
        ("Health/Beds/— August 05, 2025", [("Health", "Beds", 5)]),
        (f"{LONG_SECTION}/{ICE}/-/August 05, 2025/{LONG_SECTION}/{RAIN}/-/August 04, 2025",
         [(LONG_SECTION, ICE, 5), (LONG_SECTION, RAIN, 4)]),
        ("Health/Beds/-/3 hours ago/Sport/Transfers/-/06-08-2025",
         [("Health", "Beds", None), ("Sport", "Transfers", None)]),
        ("Tea is back, and this time it stays/-/August 05, 2025", [(None, "Tea is back, and this time it stays", 5)]),
        ("Chosen for you by the desk of this paper/Food/Tea is back/-/August 05, 2025",
         [(None, "Chosen for you by the desk of this paper", None), ("Food", "Tea is back", 5)]),
        # A dash without a date is none of that form.
        ("Europe/·/The railway that climbs/World/·/The ship that waits", [
            ("Europe", "The railway that climbs", None), ("World", "The ship that waits", None)]),
        ("Jobs/The railway that climbs", [("Jobs", "The railway that climbs", None)]),
        # The foot of the page
        ("Sport/Transfers/-/August 05, 2025/About Us/Contact/Privacy Policy/© 2025 The Mountain", [
            ("Sport", "Transfers", 5)]),
        (f"Sport/Transfers/-/August 05, 2025/About Us/Contact/{ICE}/{RAIN}", [("Sport", "Transfers", 5)]),
        ("Sport/Transfers/-/August 05, 2025/Mountain Media/12 High Street, London", [("Sport", "Transfers", 5)]),
        ("Sport/The railway that climbs/About Us/Contact/Terms of Use", [("Sport", "The railway that climbs", None)]),
        ("Sport/Transfers/-/August 05, 2025/Sport/The railway that climbs", [
            ("Sport", "Transfers", 5), ("Sport", "The railway that climbs", None)]),
    ],
)  # fmt: skip
def test_the_parts_of_teasers(lines: str, related: list[tuple[str | None, str, int | None]]) -> None:
    dated = lines.replace("/", "\n")
    a = article(f"Title\nPublished August 06, 2025\n{WALK}\n{ICE}\nRelated Articles\n{dated}\n")
    assert a.body == f"{WALK}\n\n{ICE}"
    days = [int(item["published"][8:10]) if "published" in item else None for item in a.related]
    assert [(item.get("section"), item["title"], day) for item, day in zip(a.related, days, strict=True)] == related


@pytest.mark.parametrize(
    ("folder", "section"),
    [
        ("arts-and-culture", "Arts and Culture"),
        ("us-news", "US News"),
        ("uk_and_eu", "UK and EU"),
        ("the-week-in-pictures", "The Week in Pictures"),
        ("in-depth", "In Depth"),
        ("tv", "TV"),
        ("usage", "Usage"),
        ("McLaren", "McLaren"),
        ("food-and-drink", "Food & Drink"),
        ("city-life", "City life"),
    ],
)
def test_a_section_is_spelled_as_the_related_list_first_does(tmp_path: Path, folder: str, section: str) -> None:
    spellings = ("Food & Drink", "FOOD AND DRINK", "City life", "City Life")
    teasers = "".join(f"{spelling}\nTea is back\n-\nAugust 05, 2025\n" for spelling in spellings)
    text = f"Title\nPublished August 06, 2025\n{WALK}\n{ICE}\nRelated Articles\n{teasers}"
    assert read_dump(text, tmp_path / "x" / folder / "a.txt").article.section == section


@pytest.mark.parametrize(
    ("middle", "kept"),
    [
        ("Related\nThe railway that climbs to the snow", ""),
        ("Related: The railway that climbs to the snow", ""),
        ("Read more", ""),
        ("Related Articles of the treaty were read aloud.", "Related Articles of the treaty were read aloud."),
        ("More on taxes", "More on taxes"),
    ],
)
def test_the_article_goes_on_after_an_inset(middle: str, kept: str) -> None:
    a = article(f"Title\nPublished August 06, 2025\n{WALK}\n{middle}\n{ICE}\n{RAIN}\n")
    assert a.body.split("\n\n") == [*filter(None, (WALK, kept, ICE, RAIN))]


@pytest.mark.parametrize(
    ("line", "is_subhead"),
    [
        ("A long way to the water", True),
        ("Is there a way back?", True),
        ("1. The spring", True),
        ("The water has gone to the valley.", True),
        ("Twitter", True),
        ("Most have simply put in less, and hoped that nobody would notice it.", True),
        ("He never came back.", False),
        ("But nobody asked.", False),
        ("“We left.”", False),
        ("“We left,” she said", False),
        ("She said:", False),
        ("- a hut", False),
        ("Why?", False),
        ("It rained. It snowed.", False),
        ("The nearest spring is an hour down the valley, and the path to it has been closed since June.", True),
        (
            "This line has so many more words than anybody in any newspaper would ever set over a paragraph of news",
            True,
        ),
        (
            "This line has so many more words that nobody in any newspaper would ever think to set it over a paragraph",
            False,
        ),
    ],
)
def test_subheads(line: str, is_subhead: bool) -> None:
    a = article(f"Title\nPublished August 06, 2025\n{WALK}\n{line}\n{ICE}\n")
    assert (a.subheads == (line,)) == is_subhead
    assert line in a.body


def test_questions_stand_beside_subheads_with_full_stops() -> None:
    a = article(
        f"Title\nPublished August 06, 2025\n{WALK}\nPack light and bring cash.\n{ICE}\nIs it worth it?\n{WALK}\n"
    )
    assert a.subheads == ("Pack light and bring cash.", "Is it worth it?")


def test_a_house_that_sets_subheads_without_a_stop_tells_its_short_sentences() -> None:
    a = article(f"Title\nPublished August 06, 2025\n{WALK}\nThe long way\n{ICE}\nThe water had gone.\n{RAIN}\n")
    assert a.subheads == ("The long way",)


@pytest.mark.parametrize(
    ("head", "published", "updated", "authors", "notes"),
    [
        ("Published August 06, 2025 | Updated August 07, 2025", 6, 7, (), ()),
        ("Published August 06, 2025 Updated August 07, 2025 10:15 p.m. ET", 6, 8, (), ()),
        ("By Jane Doe | August 6, 2025", 6, None, ("Jane Doe",), ()),
        ("By Jane Doe, published on 6 August 2025", 6, None, ("Jane Doe",), ()),
        ("Jane Doe\n6 August 2025", 6, None, ("Jane Doe",), ()),
        ("By Dr. Jane O’Doe, staff writer, and Ann-Marie Poe", None, None, ("Dr. Jane O’Doe", "Ann-Marie Poe"), ()),
        ("Wed, 06 Aug 2025 10:00:00 GMT", 6, None, (), ()),
        ("Last updated: 2025-08-07", None, 7, (), ()),
        ("Published 3 hours ago", None, None, (), ()),
        ("Published 06/08/2025", None, None, (), ("date '06/08/2025' not understood",)),
        ("Facebook Twitter", None, None, (), ()),
    ],
)
def test_heads(
    head: str, published: int | None, updated: int | None, authors: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    found = read_dump(f"Title\nA standfirst of one sentence.\n{head}\n{WALK}\n{ICE}\n")
    a = found.article
    assert (a.title, a.summary) == ("Title", "A standfirst of one sentence.")
    assert (a.published and a.published.day, a.updated and a.updated.day) == (published, updated)
    assert (a.authors, found.notes) == (authors, notes)
    assert a.body == f"{WALK}\n\n{ICE}"


@pytest.mark.parametrize(
    ("text", "title", "summary", "body"),
    [
        (f"Title\nPublished August 06, 2025\n{WALK}", "Title", "", [WALK]),
        (f"Title\nPublished August 06, 2025\n{WALK}\nFacebook X Email\n{ICE}", "Title", "", [WALK, ICE]),
        (f"Dear Ann,\n\n{WALK}\n\n{ICE}\n\nYours, Jo", "Dear Ann,", "", [WALK, ICE, "Yours, Jo"]),
        (f"By Land and Sea\n{WALK}\nBy Land and Sea\n{ICE}", "By Land and Sea", "", [WALK, ICE]),
        (f"Title\n{WALK}\n{ICE}\nPublished August 06, 2025", "Title", "", [WALK, ICE]),
        (f"Title\nBy the light of the moon\n{WALK}", "Title", "", ["By the light of the moon", WALK]),
        ("T\n\nThe first line was broken by a program at a width\nof about sixty letters, as mail programs and old\n"
         "terminals do, and so were all of the lines that came\nafter it in the same letter.\n\nEnd.", "T", "",
         ["The first line was broken by a program at a width of about sixty letters, as mail programs and old "
          "terminals do, and so were all of the lines that came after it in the same letter.", "End."]),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_made_up(text: str, title: str, summary: str, body: list[str]) -> None:
    a = article(text)
    assert (a.title, a.summary, a.body.split("\n\n")) == (title, summary, body)


def test_a_text_without_a_title_has_its_file_s_name(tmp_path: Path) -> None:
    found = read_dump(f"{WALK} {ICE}\n{RAIN}", tmp_path / "x" / "a" / "the_last-huts.txt")
    assert (found.article.title, found.notes) == ("The last huts", ("no title line: the title is the file's name",))


def test_a_title_alone_is_refused() -> None:
    (found,) = read(["-"], stdin=io.BytesIO(b"Page not available\nFacebook X Email\n"))
    assert found == Refused("standard input", None, "only a title, and no text")


@pytest.mark.parametrize(
    "line", ["ADVERTISEMENT", "- Advertisement -", "Ad", "Sponsored", "Continue reading", "Print this page"]
)
def test_furniture(line: str) -> None:
    assert furniture.is_furniture(line)


@pytest.mark.parametrize(
    "line", ["Adverse winds", "Sponsored by nobody, the team went on alone and it won the cup" * 6]
)
def test_no_furniture(line: str) -> None:
    assert not furniture.is_furniture(line)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("August 06, 2025", "2025-08-06T00:00"),
        ("Aug. 6, 2025", "2025-08-06T00:00"),
        ("6 August 2025", "2025-08-06T00:00"),
        ("Sept 6th, 2025", "2025-09-06T00:00"),
        ("2025-08-06", "2025-08-06T00:00"),
        ("2025/08/06 10:15", "2025-08-06T10:15"),
        ("2010-10-22 11:33:15 -0400", "2010-10-22T15:33"),
        ("August 6, 2025 at 10:15 a.m. EDT", "2025-08-06T14:15"),
        ("Wednesday, 6 August 2025, 10.15pm", "2025-08-06T22:15"),
        ("Sun Nov 23 16:00:00 EDT 2014", "2014-11-23T20:00"),
        ("25/12/2025", "2025-12-25T00:00"),
        ("12/25/2025", "2025-12-25T00:00"),
        ("06.08.2025", "2025-08-06T00:00"),
        ("06/08/2025", None),
        ("February 30, 2025", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
    ],
)
def test_dates(text: str, moment: str | None) -> None:
    found = dates.parse(text)
    assert (found and found.strftime("%Y-%m-%dT%H:%M")) == moment
