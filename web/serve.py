"""Serve the application with waitress until the process is told to end."""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType

from flask import Flask
from waitress.server import create_server

from web.settings import Settings

LARGEST_HEAD = 32 * 1024  # bytes: room for any search, not for thousands of wrong parameters to be named
LARGEST_BODY = 64 * 1024  # nothing is uploaded here


class ListenError(OSError):
    """The service cannot listen where it was told to; the message names the remedy."""


def serve(app: Flask, settings: Settings, ready: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM or Ctrl-C; `ready` is called with the address once it listens.

    Raises:
        ListenError: where nothing can listen.
    """
    try:
        server = create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            ident=None,
            max_request_header_size=LARGEST_HEAD,
            max_request_body_size=LARGEST_BODY,
        )
    except (OSError, ValueError) as problem:
        raise ListenError(_remedy(problem, settings)) from None
    # A request that waits for a thread is no failure, and told of each the log holds nothing else.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _end)
    ready(_address(server, settings.host))
    server.run()  # returns after SystemExit or KeyboardInterrupt, its threads ended
    server.close()


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _address(server: object, host: str) -> str:
    # A name such as localhost may stand for several addresses, each with a socket of its own.
    listens = getattr(server, "effective_listen", None) or [(host, getattr(server, "effective_port", 0))]
    return f"http://{f'[{host}]' if ':' in host else host}:{listens[0][1]}"


def _remedy(problem: Exception, settings: Settings) -> str:
    where = f"{settings.host}:{settings.port}"
    match getattr(problem, "errno", None):
        case errno.EADDRINUSE:
            return f"{where} is in use by another program: end it, or choose another port with --port"
        case errno.EACCES:
            return f"{where} needs more rights: choose a port above 1023 with --port"
    return f"{where} cannot be listened to ({problem}): choose an address of this machine with --host"
