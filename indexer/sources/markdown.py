"""Read Markdown with front matter, as Hugo, Jekyll and Eleventy write it: the fields above, the text below."""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from . import dates, eleventy
from .origin import NotAnArticle, Origin, Read, Refused, decode, load, people

# What names each field; the first that is filled wins, the others stay in `extra`.
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "url": ("canonical", "canonical_url", "canonicalurl", "url", "permalink"),
    "title": ("title", "headline"),
    "summary": ("deck", "summary", "description", "excerpt", "subtitle"),
    "section": ("section", "category", "categories", "topics"),
    "type": ("article_type",),  # `type` is the template in Hugo
    "published": ("date", "published", "publishdate", "published_at"),
    "updated": ("lastmod", "updated", "modified", "last_modified_at"),
    "embargo_until": ("embargo_until", "publishdate"),  # Hugo builds a page from its publishDate on
    "language": ("language", "lang"),
    "image": ("image", "featured_image", "cover"),
    "status": ("status",),
    "notice": ("notice", "correction"),
}
AUTHORS = ("authors", "author", "byline")
TAGS = ("tags", "tag", "topics", "keywords", "categories", "category")
# Of the site's machinery: kept in `extra` like every other, but not worth a line in the report.
QUIET = {
    *("aliases", "byline", "canonical", "deck", "description", "draft", "excerpt", "expirydate", "featured_image"),
    *(
        "eleventycomputed",
        "eleventyexcludefromcollections",
        "eleventynavigation",
        "pagination",
        "templateengineoverride",
    ),
    *("layout", "permalink", "publishdate", "redirect_from", "redirectto", "slug", "subtitle", "summary", "type"),
    *("updated", "url", "weight"),
}
# What folders may say of their files, so far as it is of use here.
_MEANT = {"draft", *AUTHORS, *TAGS, *(name for names in NAMES.values() for name in names)}
_LISTS = frozenset({"tags", "categories"})  # several words here are several tags: jekyllrb.com/docs/front-matter
_FLAGS = {True: True, False: False, "true": True, "false": False, "yes": True, "no": False}
_NOTHING: tuple[Any, ...] = (None, "", "null", "~", [], {})
_PARTS = ("name", "title", "url", "src", "path", "file", "image")  # what says it, where a field is an object
# Eleventy's dates of the file: when it was copied last (https://www.11ty.dev/docs/dates/).
_OF_BUILDING = ("Last Modified", "Created", "git Last Modified", "git Created")
_JEKYLL = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")

_FENCED = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_TARGET = re.compile(r"\]\(\s*\{\{.{0,2000}?\}\}|\]\(\s*\{%.{0,2000}?%\}", re.S)  # [text]({{< ref "page" >}})
_DROPPED = re.compile(
    r"""<!--.*?-->
    |\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}
    |\{\{.{0,2000}?\}\}          # Hugo: {{< figure src="x" >}}, {{% note %}}; Jekyll: {{ page.title }}
    |\{%.{0,2000}?%\}            # Jekyll: {% include x %}
    |(?<![ \t])[ \t]*\{:?[ \t]*[#.][\w-][^{}\n]*\}  # attributes: {: .lead}, {#anchor}
    |^\[\^[^\]\s]+\]:[ \t]*       # the mark of a footnote; its text stays
    |\[\^[^\]\s]+\]""",
    re.S | re.M | re.X,
)
_BREAK = re.compile(r"<(?:br|/?(?:p|div|li|h[1-6]|tr|dt|dd|blockquote|figure|figcaption|section))\b[^<>]*>", re.I)
_UNSEEN = re.compile(r"<(script|style|iframe|noscript)\b.*?</\1\s*>", re.S | re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<[?!][^<>]*>")


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a Markdown file."""
    try:
        yield article(decode(load(stream)), origin, plain)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal))


def written(text: str) -> str:
    """The text without what is put in its place when the site is built: shortcodes, tags and values of templates."""
    return _DROPPED.sub("", text)


def plain(text: str) -> tuple[str, list[str]]:
    """Markdown as plain text, paragraphs apart by an empty line; and its headings, which stand in the text too."""
    blocks: list[str] = []
    headings: list[str] = []
    row: list[str] | None = None
    opened = ""
    for token in _PARSER.parse(written(_TARGET.sub("](# ", text))):
        match token.type:
            case "heading_open" | "tr_open":
                opened, row = token.type, [] if token.type == "tr_open" else None
            case "heading_close":
                opened = ""
            case "tr_close":
                blocks.append(" | ".join(filter(None, row or ())))
                row = None
            case "inline":
                words = _inline(token)
                (blocks if row is None else row).append(words)
                if opened == "heading_open" and words:
                    headings.append(words)
            case "code_block" if token.content.lstrip().startswith("<"):
                # Indented HTML is code by the letter; what wrote it meant the page, as in posts moved from WordPress.
                blocks.append(_untag(token.content))
            case "fence" | "code_block":
                blocks.append(token.content)
            case "html_block":
                blocks.append(_untag(token.content))
    return "\n\n".join(filter(None, (block.strip() for block in blocks))), headings


def article(text: str, origin: Origin, to_plain: Callable[[str], tuple[str, list[str]]]) -> Read:
    """The article of a text with front matter.

    Raises:
        NotAnArticle: it is none, or is not published.
    """
    fields, text = _front_matter(text)
    if fields is None and not text.startswith("#") and not re.match(r"\S.*\n[=-]{3,}\s*\n", text):
        raise NotAnArticle("not an article: neither front matter nor a heading to begin with")
    own = {str(name).lower(): value for name, value in (fields or {}).items() if value not in _NOTHING}
    meta = eleventy.merged({name: value for name, value in origin.defaults.items() if name in _MEANT}, own)
    if (
        _flag(meta.get("draft"))
        or _flag(meta.get("published")) is False
        or "_drafts" in PurePosixPath(origin.path).parts
    ):
        raise NotAnArticle("a draft: it is not published")
    if _flag(meta.get("permalink")) is False:
        raise NotAnArticle("it has no page of its own (permalink: false)")
    if _flag(meta.get("published")):
        del meta["published"]
    body, headings = to_plain(text)
    data, used = _fields(meta, origin)
    path = PurePosixPath(origin.path)
    named = _JEKYLL.fullmatch(path.parent.name if path.stem == "index" else path.stem)
    if named:
        data["published"] = data.get("published") or _date(named[1], origin)
    first = headings[0] if headings and body.startswith(headings[0]) else ""
    data["title"] = data.get("title") or first or (named[2].replace("-", " ").capitalize() if named else "")
    if first and first == data["title"]:
        body, headings = body.removeprefix(first).lstrip(), headings[1:]
    extra = {name: value for name, value in meta.items() if name not in used}
    notes = [f"unknown field {name!r} kept in extra" for name in sorted(extra.keys() - QUIET)]
    return origin.article({**data, "body": body, "subheads": headings, "extra": extra}, notes)


def _front_matter(text: str) -> tuple[Mapping[str, Any] | None, str]:
    """The fields above the text, None if there are none; and the text."""
    whole, text = text, text.lstrip()  # as Hugo does
    above = whole[: len(whole) - len(text)].count("\n")
    try:
        if text.startswith("{") and text[1:].lstrip()[:1] in '"}':
            fields, end = json.JSONDecoder().raw_decode(text)
            return fields, text[end:]
        if not text.startswith(("---\n", "+++\n")):
            return None, text
        if not (fenced := _FENCED.match(text)):
            raise NotAnArticle(f"the front matter that {text[:3]} begins has no end")
        fields = _LOADERS[fenced[1]](fenced[2])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, NotAnArticle):
            raise
        reason, line = _broken(error)
        raise NotAnArticle(f"broken front matter: {reason}", line and above + line) from None
    if not isinstance(fields, Mapping | None):
        raise NotAnArticle("broken front matter: it has no fields")
    return fields or {}, text[fenced.end() :]


def _broken(error: Exception) -> tuple[str, int | None]:
    """What is wrong in front matter, and in which of its lines; the marks above it are the first."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at column {error.colno}", error.lineno
    if isinstance(error, tomllib.TOMLDecodeError):
        place = _PLACE.search(str(error))
        return _PLACE.sub("", str(error)), int(place[1]) + 1 if place else None
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = ": ".join(filter(None, (error.context, error.problem)))
        return said + _REMEDY * (error.problem in _UNQUOTED), mark.line + 2 if mark else None
    return " ".join(str(error).replace('in "<unicode string>", ', "").split()), None


_PLACE = re.compile(r" \(at line (\d+), column \d+\)")
# What YAML says of `title: Snow: a report`, of `title: "Snow" falls` and of `title: @home`.
_UNQUOTED = (
    "mapping values are not allowed here",
    "expected <block end>, but found '<scalar>'",
    *(f"found character {mark!r} that cannot start any token" for mark in "@`%"),
)
_REMEDY = " (put a text with a colon or such a mark in quotes, as in title: 'Snow: a report')"


class _Written(yaml.BaseLoader):
    """Every value as it is written: the titles 1984, No and 2019-02-30 are no number, no False and no date."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # An alias can make a value that holds itself, or one of a billion parts.
            raise yaml.composer.ComposerError(None, None, "aliases are not read", None)
        return super().compose_node(parent, index)


_LOADERS: dict[str, Callable[[str], Any]] = {
    "---": lambda text: yaml.load(text, _Written),
    "+++": tomllib.loads,
}


def _fields(meta: Mapping[str, Any], origin: Origin) -> tuple[dict[str, Any], set[str]]:
    """The article's fields, and the names that they were taken from."""
    data: dict[str, Any] = {}
    used = {name for name in TAGS if name in meta}
    for field, names in NAMES.items():
        for name in names:
            value = _one(name, meta.get(name))
            if field == "url" and not str(value).startswith(("http://", "https://")):
                continue  # an address without its host is none
            if value:
                data[field] = value
                used.add(name)
                break
    for field in ("published", "updated", "embargo_until"):
        data[field] = _date(data.get(field), origin)
    for field in ("title", "notice"):
        data[field] = html.unescape(str(data.get(field, "")))
    data["summary"] = " ".join(_inline(_PARSER.parseInline(str(data.get("summary", "")))[0]).split())
    data["tags"] = [tag for name in TAGS for tag in _many(name, meta.get(name))]
    if by := next((name for name in AUTHORS if name in meta), None):
        value = meta[by]
        data["authors"] = people(value) if isinstance(value, str) else _many(by, value)
        used.add(by)
    return data, used


def _one(name: str, value: Any) -> Any:
    """What stands for a field of one value."""
    if name in TAGS or isinstance(value, list):
        return next(iter(_many(name, value)), None)
    if isinstance(value, Mapping):
        return next((value[part] for part in _PARTS if isinstance(value.get(part), str)), None)
    return value


def _many(name: str, value: Any) -> Sequence[str]:
    """The texts of a list, of a list of objects with names, or of a line of them."""
    if isinstance(value, str):
        parts = value.split(",") if "," in value or name not in _LISTS else value.split()
        return [part.strip() for part in parts if part.strip()]
    items = value if isinstance(value, list) else [value]
    texts = [_one("", item) if isinstance(item, Mapping) else item for item in items]
    return [html.unescape(str(text)) for text in texts if text not in _NOTHING]


def _date(value: Any, origin: Origin) -> Any:
    if value in _OF_BUILDING:
        return None
    return (dates.parse(value, origin.timezone) or value) if isinstance(value, str) else value


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool | str):
        return _FLAGS.get(value.lower() if isinstance(value, str) else value)
    return None


def _inline(block: Token) -> str:
    """The words of a paragraph or heading: of a link its text, of an image what it shows."""
    parts = []
    for token in block.children or ():
        match token.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "html_inline":
                parts.append("\n" if _BREAK.fullmatch(token.content) else "")
            case _:
                parts.append(token.content)
    return "".join(parts).strip()


def _untag(text: str) -> str:
    text = _TAG.sub("", _BREAK.sub("\n", _UNSEEN.sub("", text)))
    return "\n".join(line.strip() for line in html.unescape(text).split("\n") if line.strip())
