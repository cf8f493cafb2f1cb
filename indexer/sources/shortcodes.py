"""WordPress's shortcodes -> the text that they stand around (https://codex.wordpress.org/Shortcode_API)."""

from __future__ import annotations

import re

# Between these stands an address or nothing.
_SILENT = re.compile(r"\[(audio|embed|gallery|playlist|video)\b[^\[\]]*\](?:[^\[\]]*\[/\1\])?")
_CORE = frozenset(("audio", "caption", "embed", "gallery", "playlist", "video", "wp_caption"))
_CAPTIONS = ("caption", "wp_caption")
_VALUE = r"""(?:"[^"\[\]]*"|'[^'\[\]]*'|[^\s"'\[\]<>]+)"""
_MARK = re.compile(rf"\[(?P<ends>/?)(?P<name>[A-Za-z][\w-]*)(?P<values>(?:\s+[\w-]+\s*=\s*{_VALUE})*)\s*/?\]")
_CLOSED = re.compile(r"\[/([A-Za-z][\w-]*)\]")
_SAYS = re.compile(r"""\scaption\s*=\s*(?:"([^"]*)"|'([^']*)')""")  # as before WordPress 3.4
_APART = "<br><br>"


def remove(html: str) -> str:
    """The text without them. `[sic]`, which names nothing and ends nowhere, is a word."""
    if "[" not in html:
        return html
    html = _SILENT.sub("", html)
    closed = set(_CLOSED.findall(html))

    def text(mark: re.Match[str]) -> str:
        name = mark["name"]
        if not (mark["ends"] or mark["values"] or name in _CORE or name in closed):
            return mark[0]
        if name not in _CAPTIONS:
            return ""
        says = _SAYS.search(mark["values"])
        return f"{_APART}{says[1] or says[2] or ''}" if says else _APART

    return _MARK.sub(text, html)
