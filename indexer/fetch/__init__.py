"""Get what lies at an address: politely, within limits, and never from inside the network unless that is allowed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3.util import Url, parse_url

from . import robots
from .addresses import Inside, Resolve, allowed, resolve
from .errors import FetchError

__all__ = ["FetchError", "Fetched", "Fetcher", "Validators", "is_address", "without_secrets"]

LARGEST = 50 * 2**20  # bytes, unpacked: what the protocol of sitemaps allows; a page or a feed may have 32 MiB
REDIRECTS = 5
ATTEMPTS = 3
AGAIN = frozenset({429, 500, 502, 503, 504})  # may be otherwise a moment later
CONNECT, SILENCE, WHOLE = 10.0, 30.0, 120.0  # seconds to connect, between two bytes, for all of it
LONGEST_WAIT = 60.0  # seconds that are waited because a server asks for it; a longer wait is the next run's
_SCHEMES = {"http": 80, "https": 443}
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Validators:
    """By what a server tells whether something has changed since."""

    etag: str = ""
    modified: str = ""

    def headers(self) -> dict[str, str]:
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lies at an address; without data where it is as it was."""

    url: str  # where it was in the end
    data: bytes | None
    type: str = ""  # the media type, in lower case, as the server says
    validators: Validators = Validators()
    fresh_for: float = 0.0  # seconds for which it need not be asked again, as the server says


def is_address(path: object) -> bool:
    """Whether it is fetched, and no file."""
    return str(path).lower().startswith(("http://", "https://"))


def without_secrets(url: str) -> str:
    """The address without a name and password in it, as it may be said and kept."""
    return re.sub(r"(?<=://)[^/?#]*@", "", url, count=1)


class Fetcher:
    """Fetches for one command. One request at a time, `rate` a second from one host at most."""

    def __init__(
        self,
        *,
        rate: float = 1.0,
        private: bool = False,
        contact: str | None = None,
        resolve: Resolve = resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = 1 / rate
        self._private = private
        self._agent = f"{robots.ROBOT}/{version('broadsheet')} ({f'+{contact}' if contact else 'site search'})"
        self._resolve, self._sleep, self._clock = resolve, sleep, clock
        self._pools = urllib3.PoolManager(num_pools=20)
        self._robots = robots.Robots(self._robots_txt, clock)
        self._next: dict[str, float] = {}  # when each host may be asked again
        self._secrets: dict[str, str] = {}  # what was given in an address for its site, as a header

    def get(self, url: str, validators: Validators | None = None) -> Fetched:
        """What lies there, through redirects.

        Raises:
            FetchError: with the reason, for anything else.
        """
        headers = validators.headers() if validators else {}
        found = self._follow(url, headers, LARGEST, self._permitted)
        if len(found.data or b"") > LARGEST:
            raise FetchError(f"larger than {LARGEST // 2**20} MiB (download it, and index the file)")
        return found

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that robots.txt of the site of this address names; none where it cannot be read."""
        return self._robots.sitemaps(_site(_parsed(url)))

    def close(self) -> None:
        """Let go of connections."""
        self._pools.clear()

    def _permitted(self, target: Url) -> float:
        return self._robots.permitted(_site(target), without_secrets(target.url))

    def _robots_txt(self, url: str) -> bytes:
        return self._follow(url, {}, robots.LARGEST, lambda _: 0.0).data or b""

    def _follow(self, url: str, headers: Mapping[str, str], largest: int, permitted: Callable[[Url], float]) -> Fetched:
        for _ in range(REDIRECTS + 1):
            target = _parsed(url)
            self._keep_secret(target)
            gap = max(self._gap, permitted(target))
            response = self._asked(target, headers, gap)
            try:
                where = response.headers.get("Location")
                if response.status in (301, 302, 303, 307, 308) and where:
                    try:
                        url = urljoin(target.url, where)
                    except ValueError:
                        raise FetchError(f"redirects to {where!r}, which is no address") from None
                    continue
                return self._fetched(target, response, largest)
            finally:
                response.close()
        raise FetchError(f"more than {REDIRECTS} redirects")

    def _fetched(self, target: Url, response: urllib3.BaseHTTPResponse, largest: int) -> Fetched:
        headers = response.headers
        validators = Validators(headers.get("ETag", ""), headers.get("Last-Modified", ""))
        age = _MAX_AGE.search(headers.get("Cache-Control", ""))
        fresh_for = float(age[1]) if age else 0.0
        url = without_secrets(target.url)
        if response.status == 304:
            return Fetched(url, None, validators=validators, fresh_for=fresh_for)
        if response.status != 200:
            reason = f"the server answers {response.status} {response.reason or ''}".rstrip()
            raise FetchError(reason, response.status, _seconds(headers.get("Retry-After")))
        kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
        return Fetched(url, self._body(response, largest), kind, validators, fresh_for)

    def _body(self, response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
        """All of it, unpacked; where it is larger, a little more than `largest`."""
        end, data = self._clock() + WHOLE, bytearray()
        try:
            for part in response.stream(64 * 1024, decode_content=True):
                data += part
                if len(data) > largest:
                    break
                if self._clock() > end:
                    raise FetchError(f"not there after {WHOLE:.0f} s")
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise FetchError(f"broke off: {_said(problem)}") from problem
        return bytes(data)

    def _asked(self, target: Url, headers: Mapping[str, str], gap: float) -> urllib3.BaseHTTPResponse:
        """The answer, also if it is an error; what may pass is tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            self._wait(str(target.host), gap)
            try:
                response = self._once(target, headers)
                if response.status not in AGAIN or attempt == ATTEMPTS:
                    return response
                wait = _seconds(response.headers.get("Retry-After"))
                if wait > LONGEST_WAIT:
                    return response
                response.close()
            except Inside as problem:
                raise FetchError(f"inside the network ({problem}): allow it by --allow-private") from None
            except (urllib3.exceptions.HTTPError, OSError, UnicodeError) as problem:
                if attempt == ATTEMPTS:
                    raise FetchError(f"cannot be reached: {_said(problem)}") from problem
                wait = 0.0
            self._sleep(max(wait, 2.0 ** (attempt - 1)))
        raise AssertionError  # the last attempt returns or raises

    def _once(self, target: Url, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        host, port = str(target.host).strip("[]"), target.port or _SCHEMES[str(target.scheme)]
        addresses = allowed(host, port, self._resolve, private=self._private)
        # To the address that was looked at, with the name where TLS and HTTP want it (urllib3: "Custom SNI hostname").
        named = {"server_hostname": host, "assert_hostname": host} if target.scheme == "https" else {}
        sent = {
            "Host": f"{target.host}:{target.port}" if target.port else str(target.host),
            "User-Agent": self._agent,
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
            **headers,
        }
        if secret := self._secrets.get(_site(target)):
            sent["Authorization"] = secret
        problem: Exception = OSError("it has no address")
        for address in addresses:
            pool = self._pools.connection_from_host(address, port, str(target.scheme), named)
            try:
                return pool.urlopen(
                    "GET",
                    target.request_uri,
                    headers=sent,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=urllib3.Timeout(connect=CONNECT, read=SILENCE),
                )
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                problem = error  # the host may have another
        raise problem

    def _wait(self, host: str, gap: float) -> None:
        """Until the host may be asked again."""
        now = self._clock()
        if (until := self._next.get(host, now)) > now:
            self._sleep(until - now)
        self._next[host] = max(until, now) + gap

    def _keep_secret(self, target: Url) -> None:
        if target.auth:
            header = urllib3.util.make_headers(basic_auth=unquote(target.auth))
            self._secrets[_site(target)] = header["authorization"]


def _parsed(url: str) -> Url:
    """The parts of an address, in ASCII.

    Raises:
        FetchError: if it is none.
    """
    try:
        host = urlsplit(url).hostname or ""
        target = parse_url(url if host.isascii() else url.replace(host, host.encode("idna").decode(), 1))
    except (ValueError, UnicodeError, urllib3.exceptions.LocationParseError):
        raise FetchError("no address of the web") from None
    if target.scheme not in _SCHEMES or not target.host:
        raise FetchError("no address of the web: it begins with neither http:// nor https://")
    return target


def _site(target: Url) -> str:
    port = f":{target.port}" if target.port else ""
    return f"{target.scheme}://{target.host}{port}"


def _seconds(text: str | None) -> float:
    """Retry-After: seconds, or a date."""
    if not text:
        return 0.0
    if text.strip().isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _said(problem: Any) -> str:
    """What a library says, without the object that it speaks of."""
    return re.sub(r"^(?:<[^>]*>|HTTPS?Connection(?:Pool)?\([^)]*\)): ", "", str(problem)) or type(problem).__name__
