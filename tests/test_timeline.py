"""The timeline: which bars it has, where each leads, what stands at the peaks; the same as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html

from search.article import from_dict
from search.engines import Put, connect
from web import create_app
from web.settings import Settings

# By month of 2023 and 2024; March 2023, August 2023 and May 2024 stand out, June 2024 beside May does not.
MONTHS = {
    "2023-01": 2,
    "2023-03": 9,
    "2023-04": 1,
    "2023-08": 6,
    "2023-12": 2,
    "2024-05": 7,
    "2024-06": 3,
    "2024-10": 2,
}
Making = Callable[..., FlaskClient]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Making]:
    engines = []

    def make(counts: dict[str, int], **values: str) -> FlaskClient:
        engine = connect(f"whoosh:{tmp_path / str(len(engines))}")
        engines.append(engine)
        articles = [
            {
                "id": f"{time}-{n}",
                "url": f"/{time}/{n}",
                "title": f"Tide {'tide ' * n}of {time}",
                "published": f"{time}-{n + 1:02}" if len(time) == 7 else time,
                **values,
            }
            for time, count in counts.items()
            for n in range(count)
        ]
        engine.accept(engine.begin("test", []), [Put(from_dict(one), "test") for one in articles])
        engine.catch_up()
        return create_app(Settings(), engine).test_client()

    yield make
    for engine in engines:
        engine.close()


class Timeline:
    """What one address shows of time."""

    def __init__(self, client: FlaskClient, query: str = "") -> None:
        response = client.get(f"/search?{query}")
        assert response.status_code == 200
        self.figures: Any = html.document_fromstring(response.text).xpath("//figure[@class='timeline']")
        self.bars = self.nodes("svg/a")

    def nodes(self, path: str) -> list[Any]:
        steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
        return [node for figure in self.figures for node in figure.xpath(f".//{steps}")]

    def texts(self, path: str) -> list[str]:
        return [" ".join(node.text_content().split()) for figure in self.figures for node in figure.xpath(path)]

    @property
    def labels(self) -> list[str]:
        return [bar.get("aria-label") for bar in self.bars]

    def asks(self, start: str) -> dict[str, list[str]]:
        (url,) = [bar.get("href") for bar in self.bars if bar.get("aria-label").startswith(start)]
        return parse_qs(urlsplit(url).query)

    def heights(self) -> list[int]:
        return [int(bar.xpath("*[@class='height']/@height")[0]) for bar in self.bars]


def test_months_are_bars_as_high_as_they_hold(made: Making) -> None:
    timeline = Timeline(made(MONTHS))
    assert timeline.labels[:3] == ["January 2023: 2 articles", "March 2023: 9 articles", "April 2023: 1 article"]
    assert len(timeline.labels) == len(MONTHS)
    january, march, april, august = timeline.heights()[:4]
    assert march > august > january > april > 0
    assert august / march == pytest.approx(6 / 9, abs=0.02)
    # Each in its place: the axis has the months without articles too.
    x = [float(bar.xpath("*[@class='slot']/@x")[0].rstrip("%")) for bar in timeline.bars]
    assert x == pytest.approx([100 * month / 22 for month in (0, 2, 3, 7, 11, 16, 17, 21)], abs=0.01)


def test_a_bar_leads_to_its_time_and_out_again(made: Making) -> None:
    client = made({**MONTHS, "2015-06": 1})
    timeline = Timeline(client, "q=tide&sort=oldest&page=2&per_page=1")
    assert timeline.labels == ["2015: 1 article", "2023: 20 articles", "2024: 12 articles"]
    assert timeline.asks("2024") == {
        "q": ["tide"],
        "from_date": ["2024"],
        "to_date": ["2024"],
        "sort": ["oldest"],
        "per_page": ["1"],
    }
    timeline = Timeline(client, "from_date=2024&to_date=2024")
    assert timeline.labels == ["May 2024: 7 articles", "June 2024: 3 articles", "October 2024: 2 articles"]
    assert timeline.texts(".//ol[@class='crumbs']/li") == ["All dates", "2024"]
    timeline = Timeline(client, "from_date=2024-06&to_date=2024-06")
    assert timeline.labels[:2] == ["1 June 2024: 1 article", "2 June 2024: 1 article"]
    assert timeline.texts(".//ol[@class='crumbs']/li") == ["All dates", "2024", "June 2024"]
    assert [node.get("href") for node in timeline.nodes("ol/li/a")][:2] == [
        "/search",
        "/search?from_date=2024&to_date=2024",
    ]
    timeline = Timeline(client, "from_date=2024-06-02&to_date=2024-06-02")
    assert [bar.get("aria-label") for bar in timeline.bars if "chosen" in bar.get("class")] == [
        "2 June 2024: 1 article"
    ]
    assert len(timeline.bars) == 3


def test_a_range_is_marked_among_the_others(made: Making) -> None:
    timeline = Timeline(made(MONTHS), "from_date=2023-03&to_date=2023-08")
    chosen = [bar.get("data-from") for bar in timeline.bars if "chosen" in bar.get("class")]
    assert chosen == ["2023-03", "2023-04", "2023-08"]
    assert timeline.texts(".//ol[@class='crumbs']/li") == ["All dates", "2023", "March 2023 – August 2023"]
    assert timeline.figures[0].get("data-base") == "/search"


def test_the_peaks_are_named_by_what_comes_first_there(made: Making) -> None:
    client = made(MONTHS)
    numbers, labels, tops = (
        Timeline(client, "q=tide").texts(f".//ol[@class='peaks']//*[contains(@class, '{name}')]")
        for name in ("number", "when", "top")
    )
    assert numbers == ["1", "2", "3"]
    assert labels == ["March 2023", "August 2023", "May 2024"]  # at least twice the median, which is 2.5
    for time, top in zip(("2023-03", "2023-08", "2024-05"), tops, strict=True):
        page = html.document_fromstring(client.get(f"/search?q=tide&from_date={time}&to_date={time}").text)
        assert top == " ".join(page.xpath("(//ol[@class='results']//h2)[1]")[0].text_content().split())


def test_a_peak_says_that_its_article_was_retracted(made: Making) -> None:
    client = made(MONTHS, status="retracted")
    peaks = Timeline(client, "q=tide").texts(".//ol[@class='peaks']/li")
    assert len(peaks) == 3
    assert all(peak.endswith(" Retracted") for peak in peaks)


def test_five_peaks_at_most_and_they_are_the_highest(made: Making) -> None:
    counts = {f"2023-{month:02}": 1 if month % 2 else month for month in range(1, 13)}
    timeline = Timeline(made({**counts, "2024-02": 12}))
    assert [node.get("data-from") for node in timeline.bars if "peak" in node.get("class")] == [
        "2023-06",
        "2023-08",
        "2023-10",
        "2023-12",
        "2024-02",
    ]


@pytest.mark.parametrize(
    ("counts", "peaks"),
    [
        ({"2023-01": 3, "2023-02": 3, "2023-03": 3}, []),
        ({"2023-01": 2, "2023-02": 3, "2023-03": 2}, []),
        ({"2023-01": 2, "2023-02": 4, "2023-03": 2}, ["2023-02"]),
        ({"2023-01": 2, "2023-02": 6, "2023-03": 6, "2023-04": 2, "2023-05": 2}, ["2023-02"]),
    ],
)
def test_a_peak_is_twice_the_median_and_higher_than_its_neighbours(
    made: Making, counts: dict[str, int], peaks: list[str]
) -> None:
    timeline = Timeline(made(counts))
    assert [bar.get("data-from") for bar in timeline.bars if "peak" in bar.get("class")] == peaks


def test_the_table_says_the_same_newest_first(made: Making) -> None:
    timeline = Timeline(made({"2023-01": 2, "2023-03": 1}), "q=tide")
    assert timeline.texts(".//table/tbody/tr") == ["March 20231", "January 20232"]
    assert [node.get("href") for node in timeline.nodes("tbody/tr/th/a")] == [
        "/search?q=tide&from_date=2023-03&to_date=2023-03",
        "/search?q=tide&from_date=2023-01&to_date=2023-01",
    ]


@pytest.mark.parametrize(
    ("counts", "query", "bars"),
    [
        ({"2023-01": 2}, "", 2),  # two days
        ({"2023-01": 1}, "", 0),  # nothing to choose
        ({"2023-01": 1}, "from_date=2023&to_date=2023", 1),  # but a way back
        ({"2023-01": 1}, "q=zebra", 0),
        ({"2023-01": 1}, "q=zebra&from_date=2023&to_date=2023", 0),
        ({"0001-01": 1, "2023-01": 1}, "", 2),  # not two thousand bars
        ({"2023-01": 1, "9999-12": 1}, "", 2),
        ({"2023-01": 2}, "from_date=2023-06", 2),
    ],
)
def test_how_many_bars(made: Making, counts: dict[str, int], query: str, bars: int) -> None:
    assert len(Timeline(made(counts), query).bars) == bars
