"""The text of a post in Ghost as HTML: as it was rendered, else of what its editors keep (Lexical, mobiledoc)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from .origin import NotAnArticle

_MARKDOWN = MarkdownIt("commonmark")
# Nodes of Lexical and what they are in HTML; all others are what their children are.
_NODES = {"paragraph": "p", "quote": "blockquote", "aside": "blockquote", "listitem": "li", "list": "ul"}
# What cards hold, and how it is to be read.
_CARDS = {
    **dict.fromkeys(("heading", "header", "subheader", "html", "caption", "calloutText", "content"), "html"),
    **dict.fromkeys(("code", "productTitle"), "text"),
    **dict.fromkeys(("productDescription",), "html"),
    "markdown": "markdown",
}
_NOT_SHOWN = ("email", "email-cta", "signup")  # cards of newsletters, and those that ask for an address
_HEADS = ("h1", "h2", "h3", "h4", "h5", "h6")


def html(post: Mapping[str, Any]) -> str:
    """The first that is filled.

    Raises:
        NotAnArticle: what an editor keeps is broken.
    """
    if isinstance(rendered := post.get("html"), str) and rendered.strip():
        return rendered
    for name, made in (("lexical", _lexical), ("mobiledoc", _mobiledoc)):
        if isinstance(kept := post.get(name), str) and kept.strip():
            try:
                return made(json.loads(kept))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                raise NotAnArticle(f"broken {name}: {error}") from None
    plain = post.get("plaintext")
    return escape(plain, quote=False).replace("\n\n", "<br><br>") if isinstance(plain, str) else ""


def _lexical(document: Any) -> str:
    return _node(document["root"])


def _node(node: Any) -> str:
    kind = str(node.get("type"))
    if "text" in kind.split("-"):
        return escape(str(node.get("text", "")), quote=False)
    if kind == "linebreak":
        return "<br>"
    within = "".join(map(_node, node.get("children") or ())) or _card(kind, node)
    tag = _NODES.get(kind)
    if kind.endswith("heading") and "children" in node:
        tag = node["tag"] if node.get("tag") in _HEADS else "h2"
    return f"<{tag}>{within}</{tag}>" if tag else within


def _card(kind: str, card: Mapping[str, Any]) -> str:
    if kind in _NOT_SHOWN:
        return ""
    parts = []
    for name, read_as in _CARDS.items():
        if isinstance(value := card.get(name), str) and value:
            match read_as:
                case "markdown":
                    value = _MARKDOWN.render(value)
                case "text":
                    value = escape(value, quote=False)
            parts.append(f"<div>{value}</div>")
    return "".join(parts)


def _mobiledoc(document: Any) -> str:
    parts = []
    for section in document["sections"]:
        match section:
            case [1, str(tag), list(markers), *_]:
                parts.append(f"<{tag}>{_markers(markers, document)}</{tag}>")
            case [3, _, list(items), *_]:
                parts += [f"<li>{_markers(item, document)}</li>" for item in items]
            case [10, int(number), *_]:
                parts.append(_card(*document["cards"][number][:2]))
    return "".join(parts)


def _markers(markers: Iterable[Any], document: Any) -> str:
    texts = []
    for kind, _, _, value in markers:
        is_text = kind == 0
        texts.append(escape(str(value), quote=False) if is_text else f" {escape(str(document['atoms'][value][1]))} ")
    return "".join(texts)
