"""Fetching: what is refused and why, how politely, and that no way leads into the network."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from publisher import PUBLIC, Clock, Connections, Publisher, publishing

from indexer import fetch
from indexer.fetch import Fetcher, FetchError, Validators, is_address, without_secrets
from indexer.fetch.addresses import is_public, resolve


@pytest.fixture
def site() -> Iterator[Publisher]:
    with publishing() as site:
        yield site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetcher(clock: Clock) -> Iterator[Fetcher]:
    fetcher = Fetcher(private=True, sleep=clock.sleep, clock=clock)
    yield fetcher
    fetcher.close()


def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchError) as refused:
        fetcher.get(url)
    return str(refused.value)


def test_what_lies_there_with_what_the_server_says_of_it(site: Publisher, fetcher: Fetcher) -> None:
    url = site.put("/a", "Words", kind="Text/HTML; charset=utf-8", ETag='"1"', Cache_Control="public, max-age=300")
    assert fetcher.get(url) == fetch.Fetched(url, b"Words", "text/html", Validators('"1"'), 300.0)
    assert site.asked[-1].headers["User-Agent"].startswith("Broadsheet/")


@pytest.mark.parametrize(
    ("kept", "sent"),
    [({"ETag": '"1"'}, Validators('"1"')), ({"Last-Modified": "Wed"}, Validators(modified="Wed"))],
)
def test_what_is_as_it_was_is_not_sent_again(
    site: Publisher, fetcher: Fetcher, kept: dict[str, str], sent: Validators
) -> None:
    url = site.put("/a", "Words", **kept)
    assert fetcher.get(url).validators == sent
    assert fetcher.get(url, sent).data is None
    assert fetcher.get(url, Validators("another", "another")).data == b"Words"


def test_gzip_is_unpacked_and_asked_for(site: Publisher, fetcher: Fetcher) -> None:
    assert fetcher.get(site.put("/a", "Words", zipped=True)).data == b"Words"
    assert site.asked[-1].headers["Accept-Encoding"] == "gzip"


def test_redirects_are_followed_and_the_last_address_is_told(site: Publisher, fetcher: Fetcher) -> None:
    site.put("/b/c", "Words")
    site.put("/b/", status=301, Location="c")
    assert fetcher.get(site.put("/a", status=302, Location="/b/")).url == site.url("/b/c")


@pytest.mark.parametrize(
    ("replies", "slept"),
    [
        ([{"status": 503}], [1.0, 1.0]),
        ([{"status": 429, "Retry_After": "7"}], [1.0, 7.0]),
        ([{"status": 500}, {"status": 502}], [1.0, 1.0, 2.0]),
        ([{"Content_Length": "99"}], [1.0]),
    ],
)
def test_what_may_pass_is_tried_again(
    site: Publisher, fetcher: Fetcher, clock: Clock, replies: list[dict[str, Any]], slept: list[float]
) -> None:
    for reply in replies:
        url = site.then("/a", "", **reply)
    site.then("/a", "Words")
    if "Content_Length" in replies[0]:
        assert "broke off" in refusal(fetcher, url), "what has begun is not asked for twice in one run"
    else:
        assert fetcher.get(url).data == b"Words"
    assert clock.slept[: len(slept)] == slept


@pytest.mark.parametrize(
    ("reply", "reason", "asked"),
    [
        ({"status": 404}, "the server answers 404 Not Found", 1),
        ({"status": 410}, "the server answers 410 Gone", 1),
        ({"status": 503}, "the server answers 503 Service Unavailable", 3),
        ({"status": 503, "Retry_After": "3600"}, "the server answers 503 Service Unavailable", 1),
        ({"status": 301, "Location": "/a"}, "more than 5 redirects", 6),
        ({"status": 301, "Location": "file:///etc/passwd"}, "no address of the web", 1),
        ({"status": 301, "Location": "http://[half"}, "redirects to 'http://[half'", 1),
        ({"status": 200, "body": b"x" * 300}, "larger than 0 MiB (download it, and index the file)", 1),
        ({"status": 200, "body": b"x" * 300, "zipped": True}, "larger than 0 MiB (download it, and index the file)", 1),
        ({"status": 200, "body": b"no gzip at all", "Content_Encoding": "gzip"}, "broke off: ", 1),
    ],
)
def test_what_cannot_be_had_says_why(
    site: Publisher, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, reply: dict[str, Any], reason: str, asked: int
) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 256)
    assert refusal(fetcher, site.put("/a", **reply)).startswith(reason)
    assert len(site.paths()) == asked


def test_a_bomb_is_not_unpacked_to_its_end(site: Publisher, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 2**20)
    read: list[int] = []
    stream = fetch.urllib3.HTTPResponse.stream

    def counted(self: Any, *arguments: Any, **options: Any) -> Iterator[bytes]:
        for part in stream(self, *arguments, **options):
            read.append(len(part))
            yield part

    monkeypatch.setattr(fetch.urllib3.HTTPResponse, "stream", counted)
    assert "larger than 1 MiB" in refusal(fetcher, site.put("/a", gzip.compress(bytes(2**26)), Content_Encoding="gzip"))
    assert sum(read) < 2**22


def test_how_long_a_server_asks_to_wait_is_told(site: Publisher, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as refused:
        fetcher.get(site.put("/a", status=503, Retry_After="3600"))
    assert (refused.value.status, refused.value.again) == (503, 3600.0)


@pytest.mark.parametrize(
    ("robots", "path", "reason"),
    [
        ("User-agent: *\nDisallow: /a", "/a", "robots.txt of the site forbids it"),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", "robots.txt of the site forbids it"),
        ("User-agent: *\nDisallow: /\nAllow: /a", "/a", ""),
        ("User-agent: *\nDisallow: /\n\nUser-agent: broadsheet\nAllow: /", "/a", ""),
        ("User-agent: other\nDisallow: /", "/a", ""),
        ("<html>no rules", "/a", ""),
    ],
)
def test_robots_txt_is_obeyed(site: Publisher, fetcher: Fetcher, robots: str, path: str, reason: str) -> None:
    site.put("/robots.txt", robots)
    url = site.put(path, "Words")
    if reason:
        assert refusal(fetcher, url).startswith(reason)
        assert site.paths() == []
    else:
        assert fetcher.get(url).data == b"Words"


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (429, False), (500, False)])
def test_without_robots_txt_all_is_allowed_and_without_an_answer_nothing(
    site: Publisher, fetcher: Fetcher, status: int, allowed: bool
) -> None:
    site.put("/robots.txt", status=status)
    url = site.put("/a", "Words")
    if allowed:
        assert fetcher.get(url).data == b"Words"
    else:
        assert refusal(fetcher, url).startswith(
            f"robots.txt of the site cannot be read, which forbids everything: the server answers {status}"
        )


def test_robots_txt_of_where_a_redirect_leads_is_obeyed_too(site: Publisher, fetcher: Fetcher) -> None:
    with publishing() as other:
        other.put("/robots.txt", "User-agent: *\nDisallow: /")
        other.put("/b", "Words")
        assert "forbids it" in refusal(fetcher, site.put("/a", status=301, Location=other.url("/b")))
        assert other.paths() == []


def test_robots_txt_is_read_again_after_a_day_and_soon_after_a_failure(
    site: Publisher, fetcher: Fetcher, clock: Clock
) -> None:
    url = site.put("/a", "Words")
    for wait, asked in ((0.0, 1), (3600.0, 1), (24 * 3600.0, 2)):
        clock.now += wait
        fetcher.get(url)
        assert [one.path for one in site.asked].count("/robots.txt") == asked
    site.put("/robots.txt", status=500)
    clock.now += 25 * 3600.0
    refusal(fetcher, url)
    site.put("/robots.txt", "")
    clock.now += 301.0
    assert fetcher.get(url).data == b"Words"


@pytest.mark.parametrize(
    ("rate", "robots", "slept"), [(1, "", 1.0), (4, "", 0.25), (4, "User-agent: *\nCrawl-delay: 3", 3.0)]
)
def test_one_host_is_asked_slowly(site: Publisher, clock: Clock, rate: float, robots: str, slept: float) -> None:
    site.put("/robots.txt", robots)
    fetcher = Fetcher(private=True, rate=rate, sleep=clock.sleep, clock=clock)
    url = site.put("/a", "Words")
    for _ in range(3):
        fetcher.get(url)
    fetcher.close()
    assert clock.slept[-2:] == [slept, slept]


def test_two_hosts_do_not_wait_for_each_other(site: Publisher, fetcher: Fetcher, clock: Clock) -> None:
    url = site.put("/a", "Words")
    fetcher.get(url)
    before = len(clock.slept)
    refusal(fetcher, url.replace("127.0.0.1", "127.0.0.2").replace("http", "https") + "x")
    assert [slept for slept in clock.slept[before:] if slept not in (1.0, 2.0)] == []


# Secrets


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://ana:pass@a.example/x?y=@z", "https://a.example/x?y=@z"),
        ("https://a.example/x@y", "https://a.example/x@y"),
        ("HTTP://u@a.example", "HTTP://a.example"),
    ],
)
def test_secrets_are_not_said(url: str, said: str) -> None:
    assert without_secrets(url) == said
    assert is_address(url)


def test_a_name_and_password_go_to_their_site_alone(site: Publisher, fetcher: Fetcher) -> None:
    with publishing() as other:
        other.put("/b", "Words")
        url = site.put("/a", status=301, Location=other.url("/b"))
        found = fetcher.get(url.replace("http://", "http://ana:p%40ss@"))
        assert "ana" not in found.url
        assert "Authorization" not in other.asked[-1].headers
        assert site.asked[-1].headers["Authorization"] == "Basic YW5hOnBAc3M="
        fetcher.get(site.put("/c", "Words"))
        assert site.asked[-1].headers["Authorization"] == "Basic YW5hOnBAc3M="


def test_no_error_names_a_password(site: Publisher, fetcher: Fetcher) -> None:
    assert "pass" not in refusal(fetcher, site.url("/no").replace("http://", "http://ana:pass@"))
    assert "pass" not in refusal(fetcher, "http://ana:pass@127.0.0.1:1/")


# The way into the network


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),  # NAT64 of the first
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.0.8", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("100::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) == public


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
        ),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::127.0.0.1]", "[fe80::1]"),
        *("①②⑦.⓪.⓪.①", "169.254.169.254", "ana:pass@127.0.0.1", "public.example@127.0.0.1"),
    ],
)
def test_no_spelling_of_an_inner_address_is_asked(site: Publisher, clock: Clock, host: str) -> None:
    port = site.address.rsplit(":", 1)[1]
    fetcher = Fetcher(sleep=clock.sleep, clock=clock)
    said = refusal(fetcher, f"http://{host}:{port}/a")
    fetcher.close()
    assert "inside the network" in said
    assert "--allow-private" in said
    assert site.asked == []


def names(table: dict[str, list[str]]) -> Any:
    """A resolver that knows these names; a list of answers is given one after the other."""

    def look(host: str, port: int) -> list[str]:
        if host not in table:
            return resolve(host, port)
        answers = table[host]
        return [answers.pop(0) if len(answers) > 1 else answers[0]]

    return look


def test_a_name_that_leads_inside_is_not_asked(site: Publisher, clock: Clock) -> None:
    fetcher = Fetcher(resolve=names({"public.example": ["127.0.0.1"]}), sleep=clock.sleep, clock=clock)
    assert "public.example is 127.0.0.1" in refusal(fetcher, site.url("/a").replace("127.0.0.1", "public.example"))
    assert site.asked == []


def test_a_name_with_one_inner_address_among_public_ones_is_not_asked(clock: Clock) -> None:
    def both(host: str, port: int) -> list[str]:
        del host, port
        return [PUBLIC, "10.0.0.1"]

    fetcher = Fetcher(resolve=both, sleep=clock.sleep, clock=clock)
    assert "public.example is 10.0.0.1" in refusal(fetcher, "http://public.example/")


def test_the_connection_goes_to_the_address_that_was_looked_at(
    site: Publisher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may mean something else a moment later; the socket is told an address, never the name."""
    site.put("/a", "Words")
    seen = Connections(monkeypatch, site)
    fetcher = Fetcher(resolve=names({"public.example": [PUBLIC]}), sleep=clock.sleep, clock=clock)
    assert fetcher.get("http://public.example/a").data == b"Words"
    fetcher.close()
    assert set(seen.to) == {PUBLIC}
    assert site.asked[-1].headers["Host"] == "public.example"


def test_a_name_that_changes_between_two_requests_is_looked_at_again(
    site: Publisher, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Connections(monkeypatch, site)
    fetcher = Fetcher(resolve=names({"public.example": [PUBLIC, "127.0.0.1"]}), sleep=clock.sleep, clock=clock)
    assert "public.example is 127.0.0.1" in refusal(fetcher, "http://public.example/a")
    fetcher.close()
    assert site.paths() == [], "robots.txt was asked for, at the public address, and nothing else"


@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "http://[::1]/"])
def test_a_redirect_into_the_network_is_not_followed(
    site: Publisher, clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    seen = Connections(monkeypatch, site)
    site.put("/a", status=302, Location=where)
    fetcher = Fetcher(resolve=_literal({"public.example": PUBLIC}), sleep=clock.sleep, clock=clock)
    assert "inside the network" in refusal(fetcher, "http://public.example/a")
    fetcher.close()
    assert set(seen.to) == {PUBLIC}


def test_robots_txt_is_no_way_in_either(site: Publisher, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Connections(monkeypatch, site)
    site.put("/robots.txt", status=302, Location="http://10.0.0.1/")
    fetcher = Fetcher(resolve=_literal({"public.example": PUBLIC}), sleep=clock.sleep, clock=clock)
    assert "inside the network" in refusal(fetcher, "http://public.example/a")
    fetcher.close()
    assert set(seen.to) == {PUBLIC}


def _literal(table: dict[str, str]) -> Any:
    return lambda host, _: [table.get(host, host)]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://a b/",
        "http://a:99999/",
        "https://[::1",
    ],
)
def test_what_is_no_address_of_the_web(fetcher: Fetcher, url: str) -> None:
    assert refusal(fetcher, url).startswith("no address of the web")


def test_a_host_that_is_not_there(fetcher: Fetcher) -> None:
    assert refusal(fetcher, "http://127.0.0.1:1/").startswith("cannot be reached: ")
