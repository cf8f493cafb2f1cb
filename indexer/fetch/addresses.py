"""Which machines may be asked: those of the public Internet, and none inside the network, whatever their name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable

Resolve = Callable[[str, int], Iterable[str]]

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # all that was ever given out; IPv4-mapped and site-local lie outside
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the way to an IPv4 address, which must be public itself
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")  # IETF's own, of which older Pythons know a part
_TUNNELS = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))  # Teredo, 6to4: IPv4 in disguise


class Inside(Exception):
    """A name or an address leads into the network."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def allowed(host: str, port: int, resolve: Resolve, *, private: bool) -> list[str]:
    """The addresses of a host that may be connected to.

    The connection must be made to one of these, not to the name: what a name means may change between two questions.

    Raises:
        Inside: where any of them is not public: a name of both kinds is a trick or a mistake.
    """
    addresses = list(resolve(host, port))
    if not private:
        for address in addresses:
            if not is_public(address):
                raise Inside(f"{host} is {address}" if host != address else address)
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet, and no other wrapped in it is not."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip not in _NAT64:
            return ip in _GLOBAL_V6 and ip.is_global and not any(ip in tunnel for tunnel in _TUNNELS)
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in _PROTOCOLS
