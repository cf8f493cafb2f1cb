"""CSV: the marks between cells, cells of several lines, names of columns, and what is refused with its line."""

import io
from typing import Any

import pytest

from indexer.sources import Names, Read, Refused, read
from search.article import to_dict


def found(text: str | bytes, name: str = "-", names: Names | None = None) -> list[Read | Refused]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read([name], stdin=io.BytesIO(data), mapping=names))


HEAD = "id,title,body,tags\n"


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        (HEAD + "1,Snow,It fell.,alps", [{"id": "1", "title": "Snow", "body": "It fell.", "tags": ["alps"]}]),
        (
            HEAD + '1,Snow,"It\n\nfell, ""all"" night.",',
            [{"id": "1", "title": "Snow", "body": 'It\n\nfell, "all" night.'}],
        ),
        (HEAD.replace("\n", "\r\n") + "1,Snow,It fell.,\r\n", [{"id": "1", "title": "Snow", "body": "It fell."}]),
        (
            "\ufeff" + HEAD.replace(",", ";") + "1;Snow;It, fell.;\n",
            [{"id": "1", "title": "Snow", "body": "It, fell."}],
        ),
        (HEAD.replace(",", "\t") + "1\tSnow\tIt fell.\n", [{"id": "1", "title": "Snow", "body": "It fell."}]),
        (HEAD.replace(",", "|") + "1|Snow|It fell.|\n", [{"id": "1", "title": "Snow", "body": "It fell."}]),
        (
            HEAD + '1,a,b,"x, y"\n2,a,b,"x, y | z"\n3,a,b,x;y',
            [
                {"id": "1", "title": "a", "body": "b", "tags": ["x", "y"]},
                {"id": "2", "title": "a", "body": "b", "tags": ["x, y", "z"]},
                {"id": "3", "title": "a", "body": "b", "tags": ["x", "y"]},
            ],
        ),
        (
            'Title,Text,Author,Date\nSnow,It fell.,"Lima, Ana; Hu, Joe",6 August 2025\n',
            [
                {
                    "title": "Snow",
                    "body": "It fell.",
                    "authors": ["Lima, Ana", "Hu, Joe"],
                    "published": "2025-08-06T00:00:00Z",
                },
            ],
        ),
        ("id,title,body,\n\n1,Snow,It fell.,\n,,,\n", [{"id": "1", "title": "Snow", "body": "It fell."}]),
        (HEAD + "1,a,b," + "x" * 200_000, [{"id": "1", "title": "a", "body": "b", "tags": ["x" * 200_000]}]),
    ],
)
def test_each_row_is_an_article(text: str, articles: list[dict[str, Any]]) -> None:
    for data in (text.encode(), text.removeprefix("\ufeff").encode("utf-16")):
        items = found(data)
        assert all(isinstance(item, Read) for item in items), items
        got = [to_dict(item.article) for item in items if isinstance(item, Read)]
        ours = [{name: one.get(name) for name in wanted} for one, wanted in zip(got, articles, strict=True)]
        assert ours == articles


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a,b\n1,2\n", 1, "no column is a title or a body: there are a, b (--mapping says which is which)"),
        (HEAD, 1, "names of fields, and no row below them"),
        (HEAD + "\n\n", 1, "names of fields, and no row below them"),
        ("\n\t", None, "empty"),
        ("", None, "empty"),
        ("title,body,title\nx,y,z\n", 1, "several columns are called 'title'"),
        (
            HEAD + '1,a,"b\nc",d\n2,a,b,c,d\n',
            4,
            "5 cells under 4 names (a text with commas or lines belongs in quotes)",
        ),
        (HEAD + "1,a,b,c\n2,,,\n", 3, "it has neither title nor body"),
        (HEAD + '1,a,b,c\n2,"a"b,c,d\n', 3, "not CSV, and not read on from here: ',' expected after '\"'"),
        (HEAD + '1,a,b,c\n2,"a,b,c\n3,a,b,c\n', 4, "not CSV, and not read on from here: unexpected end of data"),
        (
            HEAD.encode() + b"1,a,caf\xe9,c\n",
            1,
            "broken encoding: not UTF-8 soon after this line (iconv -f WINDOWS-1252 -t UTF-8)",
        ),
    ],
)
def test_what_is_refused_has_its_line(tmp_path: Any, text: str | bytes, line: int | None, reason: str) -> None:
    (tmp_path / "a.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    *_, refused = read([tmp_path / "a.csv"])
    assert isinstance(refused, Refused)
    assert refused.reason.startswith(reason), refused
    assert refused.line is None if line is None else refused.line is not None and refused.line <= line + 1


def test_a_mapping_is_for_cells_too() -> None:
    names = Names(fields={"title": ("Überschrift",), "tags": ("Themen",)}, separator="/", constants={"language": "de"})
    (one,) = found("Überschrift;Themen;Rest\nSchnee;Alpen/Hütten, alt;x\n", "-", names)
    assert isinstance(one, Read)
    data = to_dict(one.article)
    assert (data["title"], data["tags"], data["language"]) == ("Schnee", ["Alpen", "Hütten, alt"], "de")
    assert data["extra"] == {"Rest": "x"}
