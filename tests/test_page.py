"""The search page: what a reader sees and can follow, and that it never fails for a parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from search.article import from_dict
from search.engines import EngineUnavailable, Put, connect
from web import create_app
from web.settings import Settings


class Page:
    """What one address shows."""

    def __init__(self, client: FlaskClient, url: str, status: int = 200) -> None:
        self.response = client.get(url if url.startswith("/") else f"/search?{url}")
        assert self.response.status_code == status
        self.source = self.response.text
        self.tree: Any = html.document_fromstring(self.source)

    def texts(self, path: str) -> list[str]:
        return [" ".join(node.text_content().split()) for node in self.tree.xpath(path)]

    def text(self, path: str) -> str:
        return " ".join(self.texts(path))

    def links(self, path: str) -> dict[str, str]:
        return {" ".join(node.text_content().split()): node.get("href") for node in self.tree.xpath(path)}

    @property
    def heading(self) -> str:
        return self.text("//h1")

    @property
    def headlines(self) -> list[str]:
        return self.texts(FOUND + "//h2[@class='headline']")

    @property
    def notices(self) -> list[str]:
        return self.texts("//ul[@class='notices']/li")


FOUND = "//div[@class='found']/ol[@class='results']"
SECTIONS = "//section[@aria-labelledby='facet-section']//a[@class='option']"
CHIPS = "//ul[@class='chips']//a[@class='chip']"
SORTS = "//nav[@class='sorts']/a"
PAGES = "//nav[@class='pages']"


def asked(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def option(links: dict[str, str], name: str) -> dict[str, list[str]]:
    """What the link of this value asks; it also shows a count."""
    return asked(next(url for text, url in links.items() if text.startswith(name)))


def test_a_result_shows_what_it_is_and_why_it_was_found(client: FlaskClient) -> None:
    page = Page(client, "q=glacier+huts")
    assert page.heading == "1 article for glacier huts"
    assert page.links(FOUND + "//h2/a") == {"Glacier huts close early": "https://news.example/huts?utm_source=feed"}
    assert page.texts(FOUND + "//h2//mark") == ["Glacier", "huts"]
    assert "huts" in page.texts(FOUND + "//p[@class='snippet']//mark")
    assert page.texts(FOUND + "//time") == ["6 August 2025"]
    assert page.links(FOUND + "//p[@class='kicker']/a") == {"World": "/search?q=glacier%20huts&section=World"}
    assert page.links(FOUND + "//p[@class='byline']//a") == {
        "Ana Lima": "/search?q=glacier%20huts&author=Ana%20Lima",
        "Joe Hu": "/search?q=glacier%20huts&author=Joe%20Hu",
    }


def test_who_is_found_by_author_or_tag_shows_that(client: FlaskClient) -> None:
    by_author = client.get("/search?q=lima").text
    assert ">Ana <mark>Lima</mark></a>" in by_author
    assert "author=Ana%20Lima" in by_author
    by_tag = client.get("/search?q=climate").text
    assert 'Tagged <a href="' in by_tag
    assert "><mark>climate</mark></a>" in by_tag
    assert "Tagged" not in client.get("/search?q=harbour").text  # the text shows it already


def test_who_is_found_by_the_word_of_a_section_sees_it_marked(client: FlaskClient) -> None:
    page = Page(client, "q=section:world")
    assert page.texts(FOUND + "//p[@class='kicker']/a/mark") == ["World"] * 3
    assert page.texts(FOUND + "//p[@class='kicker']/a") == ["World"] * 3
    # An article is not found by its section unless that was asked for.
    assert not Page(client, "q=tide+service").texts("//p[@class='kicker']//mark")


def test_no_words_show_the_newest_and_the_sections(client: FlaskClient) -> None:
    page = Page(client, "")
    assert page.heading == "Newest articles"
    assert page.headlines[0] == "Snow returns to the valley"
    assert list(page.links(SORTS)) == ["Newest", "Oldest"]
    assert len(page.links(SECTIONS)) == 4


def test_the_root_leads_to_the_search(client: FlaskClient) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/search")


@pytest.mark.parametrize(
    ("query", "badge", "notice"),
    [
        ("q=race", "Corrected", "An earlier version gave <b>another</b> time."),
        ("q=medal", "Retracted", "This article was retracted."),
        ("q=glacier+huts", "", ""),
    ],
)
def test_what_was_corrected_or_retracted_says_so(client: FlaskClient, query: str, badge: str, notice: str) -> None:
    page = Page(client, query)
    assert page.text(FOUND + "//*[contains(@class, 'badge')]") == badge
    assert page.text(FOUND + "//p[@class='notice']") == notice


def test_sections_are_links_that_add_and_remove(client: FlaskClient) -> None:
    page = Page(client, "q=snow&page=1")
    assert page.texts(SECTIONS) == ["World 2 articles", "Sport 1 article"]
    assert option(page.links(SECTIONS), "Sport") == {"q": ["snow"], "section": ["Sport"]}
    page = Page(client, "q=snow&section=Sport&sort=newest")
    assert page.texts(SECTIONS + "[@aria-current]") == ["Sport 1 article, chosen; remove"]
    assert option(page.links(SECTIONS), "World") == {
        "q": ["snow"],
        "section": ["Sport", "World"],
        "sort": ["newest"],
    }
    assert option(page.links(SECTIONS), "Sport") == {"q": ["snow"], "sort": ["newest"]}


def test_sections_are_checkboxes_too_for_several_at_once(client: FlaskClient) -> None:
    page = Page(client, "q=snow&section=Sport&tag=alps&sort=newest&from_date=2024&page=2")
    form = "//nav[@class='narrow']/form"
    boxes = page.tree.xpath(form + "//input[@type='checkbox']")
    assert {(box.get("name"), box.get("value")) for box in boxes if box.get("checked") is not None} == {
        ("section", "Sport"),
        ("tag", "alps"),
    }
    assert ("section", "World") in {(box.get("name"), box.get("value")) for box in boxes}
    # What no checkbox says goes along; the page does not.
    hidden = page.tree.xpath(form + "//input[@type='hidden']")
    assert [(node.get("name"), node.get("value")) for node in hidden] == [
        ("q", "snow"),
        ("from_date", "2024"),
        ("sort", "newest"),
    ]
    both = Page(client, "q=snow&section=Sport&section=World")
    assert both.heading == "3 articles for snow"


def test_a_language_can_be_chosen_where_there_are_several(client: FlaskClient) -> None:
    languages = "//section[@aria-labelledby='facet-language']//a[@class='option']"
    page = Page(client, "")
    assert page.texts(languages) == ["English 3 articles", "Arabic 1 article"]
    assert option(page.links(languages), "Arabic") == {"language": ["ar"]}
    assert Page(client, "q=glacier").texts(languages) == []
    assert Page(client, "language=ar").links(CHIPS) == {"Arabic× – remove": "/search"}


def test_many_values_open_on_demand_and_what_is_chosen_is_seen(tmp_path: Path) -> None:
    engine = connect(f"whoosh:{tmp_path}")
    articles = [from_dict({"id": f"a{n}", "title": "red", "section": f"S{n:02}"}) for n in range(25)]
    engine.accept(engine.begin("test", []), [Put(article, "test") for article in articles])
    engine.catch_up()
    page = Page(create_app(Settings(), engine).test_client(), "q=red&section=S15")
    engine.close()
    facet = "//section[@aria-labelledby='facet-section']"
    shown, rest = page.texts(facet + "/ul//a"), page.texts(facet + "/details//a")
    assert [text[:3] for text in shown] == [*(f"S{n:02}" for n in range(8)), "S15"]
    assert len(rest) == 11
    assert page.text(facet + "//summary") == "11 more"
    assert page.text(facet + "/p[@class='more']") == "5 in others"


def test_any_two_days_can_be_chosen(client: FlaskClient) -> None:
    page = Page(client, "q=snow&from_date=2025-08&section=World")
    inputs = {node.get("name"): node.get("value") for node in page.tree.xpath("//form[@class='dates']//input")}
    assert inputs == {"q": "snow", "section": "World", "from_date": "2025-08-01", "to_date": ""}


@pytest.mark.parametrize(
    ("query", "chips"),
    [
        ("q=valley", {}),
        ("q=valley&section=World", {"World": {"q": ["valley"]}}),
        ("author=Joe+Hu&tag=alps", {"alps": {"author": ["Joe Hu"]}, "Joe Hu": {"tag": ["alps"]}}),
        ("from_date=2025&to_date=2025", {"2025": {}}),
        ("from_date=2025-08-01&to_date=2025-08-31", {"August 2025": {}}),
        ("from_date=2025-08-06&to_date=2025-08-06", {"6 August 2025": {}}),
        ("from_date=2024&to_date=2025", {"2024 – 2025": {}}),
        ("from_date=2024-11&to_date=2025-02", {"November 2024 – February 2025": {}}),
        ("from_date=2024-12-30&to_date=2025-08-06", {"30 December 2024 to 6 August 2025": {}}),
        ("from_date=2025-08", {"from 1 August 2025": {}}),
        ("to_date=2024", {"until 31 December 2024": {}}),
        ("from_date=0001&to_date=9999", {"1 – 9999": {}}),
    ],
)
def test_what_is_chosen_can_be_removed(client: FlaskClient, query: str, chips: dict[str, Any]) -> None:
    links = Page(client, query).links(CHIPS)
    assert {text.split(" ×")[0].split("×")[0]: asked(url) for text, url in links.items()} == chips


def test_all_that_is_chosen_can_be_removed_at_once(client: FlaskClient) -> None:
    links = Page(client, "q=valley&section=World&from_date=2025&sort=newest").links("//a[@class='clear']")
    assert asked(links["Clear all"]) == {"q": ["valley"], "sort": ["newest"]}


def test_a_new_search_keeps_what_is_chosen(client: FlaskClient) -> None:
    page = Page(client, "q=valley&section=World&from_date=2025&sort=newest&page=2&key=secret")
    hidden = page.tree.xpath("//form[@class='search']//input[@type='hidden']")
    assert {(node.get("name"), node.get("value")) for node in hidden} == {
        ("section", "World"),
        ("from_date", "2025"),
        ("sort", "newest"),
    }


def test_sorts_are_links(client: FlaskClient) -> None:
    page = Page(client, "q=snow&page=2&per_page=1")
    assert page.texts(SORTS + "[@aria-current]") == ["Relevance"]
    assert asked(page.links(SORTS)["Oldest"]) == {"q": ["snow"], "sort": ["oldest"], "per_page": ["1"]}


@pytest.mark.parametrize(
    ("page", "place", "numbers", "steps"),
    [
        ("1", "1–2 of 25", "Page 1 Page 2 … Page 13", ["Next"]),
        ("7", "13–14 of 25", "Page 1 … Page 6 Page 7 Page 8 … Page 13", ["Previous", "Next"]),
        ("13", "25–25 of 25", "Page 1 … Page 12 Page 13", ["Previous"]),
    ],
)
def test_pages_say_where_one_is(client: FlaskClient, page: str, place: str, numbers: str, steps: list[str]) -> None:
    shown = Page(client, f"q=tide&per_page=2&page={page}")
    assert shown.text("//p[@class='place']") == place
    assert shown.text(PAGES + "/span") == numbers
    assert shown.texts(PAGES + "/a[@rel]") == steps
    assert shown.texts(PAGES + "//a[@aria-current='page']") == [f"Page {page}"]


def test_a_page_past_the_end_leads_back(client: FlaskClient) -> None:
    page = Page(client, "q=tide&page=50")
    assert "There are 3 pages, and this would be page 50." in page.source
    assert asked(page.links("//div[@class='empty']//a")["Back to the first page"]) == {"q": ["tide"]}


@pytest.mark.parametrize(
    ("query", "ways"),
    [
        ("q=bread&section=World", {"Search without World": {"q": ["bread"]}}),
        (
            "q=glacier&section=Sport&from_date=2025",
            {
                "Search without Sport": {"q": ["glacier"], "from_date": ["2025"]},
                "Search without any of these": {"q": ["glacier"]},
            },
        ),
        (
            "q=title:breakfast+snow",
            {
                "Search for breakfast snow without quotation marks and signs": {"q": ["breakfast snow"]},
                "Search for breakfast": {"q": ["breakfast"]},
                "Search for snow": {"q": ["snow"]},
            },
        ),
        ("q=zebra", {}),
        (  # a date that was typed is no word
            "q=title:valley+zebra+after:2025",
            {
                "Search for valley zebra after:2025 without quotation marks and signs": {
                    "q": ["valley zebra after:2025"]
                },
                "Search for valley zebra": {"q": ["valley zebra"]},
                "Search for valley after:2025": {"q": ["valley after:2025"]},
            },
        ),
    ],
)
def test_nothing_found_shows_ways_on_that_lead_to_something(
    client: FlaskClient, query: str, ways: dict[str, Any]
) -> None:
    page = Page(client, query)
    assert page.heading.startswith("Nothing found for")
    links = page.links("//ul[@class='ways']//a")
    assert {text: asked(url) for text, url in links.items()} == ways
    for url in links.values():
        assert Page(client, url).headlines


@pytest.mark.parametrize(
    ("query", "title", "first"),
    [
        ("q=zebra", "Newest articles", "Snow returns to the valley"),
        ("q=zebra&section=Sport", "Newest in Sport", "The medal that was none"),
        ("q=zebra&section=Nowhere", "Newest articles", "Snow returns to the valley"),
    ],
)
def test_nothing_found_shows_the_newest(client: FlaskClient, query: str, title: str, first: str) -> None:
    page = Page(client, query)
    assert page.texts("//div[@class='empty']//h2")[:2] == [title, first]


def test_an_unknown_section_is_listed_so_that_it_can_be_removed(client: FlaskClient) -> None:
    page = Page(client, "q=snow&section=Nowhere")
    assert page.heading == "Nothing found for snow"
    assert "Nowhere 0 articles, chosen; remove" in page.texts(SECTIONS)


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("q=huts+breakfast", "No article has all these words; these have some of them."),
        ("q=snow+valley+children+zebra", "No article has all these words; these have some of them."),
        ("q=snow+valley+children", "1 article has all these words; the others have some of them."),
        ("q=medal+snow&section=Sport", "Of what is chosen, no article has all these words; these have some of them."),
        (
            'q="huts+glacier"',
            "No article has what you put in quotation marks together with all else that is asked for; "
            "these were found by its words.",
        ),
    ],
)
def test_it_is_said_what_articles_have_of_the_words(client: FlaskClient, query: str, notice: str) -> None:
    assert Page(client, query).notices == [notice]


def test_too_many_words_are_said(client: FlaskClient) -> None:
    said = Page(client, "q=snow+" + "+".join(f"w{number}" for number in range(70))).notices
    assert said[0] == "Your search has more than 64 words; only the rarest were used."


def test_most_words_are_said(tmp_path: Path) -> None:
    engine = connect(f"whoosh:{tmp_path}")
    texts = ["red green blue", *["red green"] * 5, *["green blue"] * 5]
    articles = [from_dict({"id": f"a{number}", "title": text}) for number, text in enumerate(texts)]
    engine.accept(engine.begin("test", []), [Put(article, "test") for article in articles])
    engine.catch_up()
    page = Page(create_app(Settings(), engine).test_client(), "q=red+green+blue")
    engine.close()
    assert page.notices == ["1 article has all these words; the others have most of them."]


def test_what_was_not_used_of_a_query_is_said(client: FlaskClient) -> None:
    page = Page(client, "q=%3F%21")
    assert page.heading == "Nothing found for ?!"
    assert page.notices[0].startswith("“?!” was left out: ")
    assert page.headlines == []


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("q=snow&page=0", "There is no page “0”, so this is the first."),
        ("q=snow&page=-1", "There is no page “-1”, so this is the first."),
        ("q=snow&page=two", "There is no page “two”, so this is the first."),
        ("q=snow&page=5000", "Only the first 10,000 results can be paged through, so this is the first page."),
        ("q=snow&sort=best", "There is no order “best”, so it was not used."),
        ("q=snow&sort=newest&sort=oldest", "More than one value was given where one is meant, so none was used."),
        ("q=snow&from_date=soon", "“soon” is no date, so it was not used: write 2025, 2025-08 or 2025-08-06."),
        ("q=snow&to_date=soon", "“soon” is no date, so it was not used: write 2025, 2025-08 or 2025-08-06."),
        (
            "q=snow&from_date=2025-03-09&to_date=2025-03-01",
            "The dates were the wrong way round, so they were not used: from 9 March 2025 to 1 March 2025.",
        ),
        (
            "q=snow&from_date=2026&to_date=2025-08",
            "The dates were the wrong way round, so they were not used: from 2026 to August 2025.",
        ),
        (
            "q=snow&from_date=2025-03-01T12:00Z&to_date=2025-03-01T11:00Z",
            "The dates were the wrong way round, so they were not used: from 2025-03-01T12:00Z to 2025-03-01T11:00Z.",
        ),
        ("q=snow&q=tide", "More than one search was given; the first was used."),
        ("q=snow" + "+" * 600 + "x", "Your search was longer than 512 characters; the first 512 were used."),
        ("q=snow&per_page=5000", "A page cannot show “5000” results, so it shows up to 10."),
        ("q=snow&tag=" + "x" * 201, f"“{'x' * 39}…” is longer than 200 characters, so it was not used."),
        (
            "q=snow&" + "&".join(f"section={n}" for n in range(51)),
            "More than 50 values of one kind were chosen, so none of them was used.",
        ),
        ("q=snow&foo=1", "This was not used of the address: “foo”."),
        ("q=snow&%3Cb%3E=1", "This was not used of the address: “<b>”."),
        ("q=snow&facets=x&foo=1", "This was not used of the address: “facets”, “foo”."),
        ("q=snow&" + "&".join(f"x{n}=1" for n in range(900)), "900 things in this address could not be used."),
    ],
)
def test_what_cannot_be_used_is_said_once_in_plain_words_and_fails_nothing(
    client: FlaskClient, query: str, notice: str
) -> None:
    page = Page(client, query)
    assert page.notices == [notice]
    assert len(page.headlines) == 3


def test_a_search_that_is_too_long_is_used_as_far_as_is_said(client: FlaskClient) -> None:
    page = Page(client, "q=" + "x" * 5000)
    assert page.notices == ["Your search was longer than 512 characters; the first 512 were used."]
    assert page.tree.xpath("//input[@id='q']/@value") == ["x" * 512]


@pytest.mark.parametrize(
    "tracker",
    [
        *("utm_source=x", "utm_campaign=a%20b", "fbclid=1", "gclid=1", "mc_cid=1", "gbraid=1", "wbraid=1", "ttclid=1"),
        *("twclid=1", "yclid=1", "srsltid=1", "_gl=1", "_ga=1", "_hsenc=1", "_hsmi=1", "li_fat_id=1", "gad_source=1"),
        *("igsh=1", "ref_url=1", "mkt_tok=1"),
    ],
)
def test_trackers_are_dropped_in_silence(client: FlaskClient, tracker: str) -> None:
    page = Page(client, f"q=race&{tracker}")
    assert page.notices == []
    assert f"{tracker.split('=')[0]}=" not in page.source


def test_text_of_others_is_escaped_once(client: FlaskClient) -> None:
    page = Page(client, "q=jerry")
    assert page.headlines == ["Tom & Jerry <script>alert(1)</script> turn forty"]
    assert "Tom &amp; <mark>Jerry</mark> &lt;script&gt;alert(1)&lt;/script&gt; turn forty" in page.source
    assert page.links(FOUND + "//p[@class='kicker']/a") == {
        "Arts & Letters": "/search?q=jerry&section=Arts%20%26%20Letters"
    }
    page = Page(client, "q=cartoons")
    assert "Cartoons <img src=x onerror=alert(2)> of a cat & a mouse; 1 < 2." in page.text(FOUND)
    assert not page.tree.xpath("//script[not(@src)] | //img")


def test_a_query_is_escaped_wherever_it_is_repeated(client: FlaskClient) -> None:
    typed = "\"'><script>alert(1)</script>&amp;"
    page = Page(client, "/search?q=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E%26amp%3B&section=%3Cb%3E")
    assert page.tree.xpath("//input[@id='q']/@value") == [typed]
    assert typed in page.heading
    assert page.texts(CHIPS) == ["<b>× – remove"]
    assert not page.tree.xpath("//script[not(@src)] | //b")


def test_only_web_addresses_become_links(client: FlaskClient) -> None:
    page = Page(client, "q=jerry")
    assert page.links(FOUND + "//h2/a") == {}
    assert "javascript" not in page.source


def test_text_runs_in_its_own_direction_and_language(client: FlaskClient) -> None:
    page = Page(client, "q=%D8%A7%D9%84%D8%B9%D8%A7%D8%B5%D9%81%D8%A9")
    (article,) = page.tree.xpath(FOUND + "//article")
    assert (article.get("lang"), article.get("dir")) == ("ar", "auto")


def test_the_page_lets_nothing_in(client: FlaskClient) -> None:
    page = Page(client, "q=snow")
    policy = page.response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not page.tree.xpath("//script[not(@src)] | //@style | //style | //@onclick")
    assert page.tree.xpath("//meta[@name='robots']/@content") == ["noindex,follow"]
    assert "Access-Control-Allow-Origin" not in page.response.headers


def test_the_page_is_marked_up_for_those_who_listen(client: FlaskClient) -> None:
    page = Page(client, "q=snow&section=World")
    ids = page.tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert page.tree.xpath("//html/@lang | //html/@dir") == ["en-GB", "ltr"]
    for landmark in ("//main", "//header", "//form[@role='search']", "//nav[@aria-label='Narrow the search']"):
        assert len(page.tree.xpath(landmark)) == 1
    assert page.tree.xpath("//a[@class='skip']/@href")[0].removeprefix("#") in ids
    for node in page.tree.xpath("//input[not(@type='hidden')]"):
        assert node.get("aria-label") or node.getparent().tag == "label" or page.tree.xpath("//label[@for='q']")


class Broken:
    """An engine that cannot be asked."""

    def search(self, query: Any) -> Any:  # noqa: ARG002
        raise EngineUnavailable("/srv/secret is on fire")


def test_a_failure_is_told_in_plain_words(tmp_path: Path) -> None:
    page = Page(create_app(Settings(), Broken()).test_client(), "q=snow", status=503)  # type: ignore[arg-type]
    assert page.heading == "Search is unavailable"
    assert int(page.response.headers["Retry-After"]) > 0
    assert "secret" not in page.source
    missing = Page(create_app(Settings(), connect(f"whoosh:{tmp_path / 'none'}")).test_client(), "", status=503)
    assert missing.heading == "Nothing is indexed yet"
    assert "broadsheet index PATH" in missing.source


def test_a_page_that_is_not_there(client: FlaskClient) -> None:
    page = Page(client, "/nothing", status=404)
    assert page.links("//main//a") == {"Go to the search page": "/search"}


NAMES = st.sampled_from(
    ["q", "section", "from_date", "to_date", "sort", "page", "per_page", "facets", "highlight", "x"]
)


@given(st.lists(st.tuples(NAMES, st.text(max_size=20) | st.sampled_from(["0", "2025", "9999-12-31", "newest"]))))
def test_nothing_that_can_be_asked_fails(client: FlaskClient, parameters: list[tuple[str, str]]) -> None:
    assert client.get("/search", query_string=parameters).status_code == 200
    assert client.get("/api/v1/search", query_string=parameters).status_code in (200, 422)
