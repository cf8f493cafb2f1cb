"""What stands around an article on a page, as lines of text: buttons, advertisements, labels, credits, other articles.

Each pattern is of a whole line, and says only what an article would not say in a line of its own. What an article may
say - `Twitter` as a subhead - is furniture by its place alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 300  # letters: what is longer is a paragraph, whatever it begins with


def _any(*lines: str) -> re.Pattern[str]:
    return re.compile(rf"[\W_]*(?:{'|'.join(lines)})[\W_]*", re.IGNORECASE)


_NETWORK = (
    r"(?:facebook(?: messenger)?|x(?: \(formerly twitter\))?|twitter|reddit|pinterest|linked ?in|whats ?app|telegram"
    r"|blue ?sky|threads|mastodon|tumblr|flipboard|pocket|messenger|snapchat|instagram|tiktok|youtube|weibo|wechat"
    r"|vk|xing)"
)
_ACTION = (
    r"(?:e-?mail|copy(?: the)? (?:link|url)|link copied|print|save|bookmark|share|tweet|pin(?: it)?|gift|sms|more)"
)
_BUTTON = (
    r"(?:(?:share|post|tweet|pin|send|save|e-?mail)(?: this| it)?(?: \w+)? (?:on|to|via|by|with) )?"
    rf"(?:{_NETWORK}|{_ACTION})"
)
_BETWEEN = r"[\s|/•·,+&]+"
_FIRST = r"(?:share(?: this)?(?: \w+)?(?: on| via)?:?[\s|:]+)?"
_BUTTONS = re.compile(rf"{_FIRST}{_BUTTON}(?:{_BETWEEN}{_BUTTON})*\W*", re.IGNORECASE)
_ROW = re.compile(rf"{_FIRST}{_BUTTON}(?:{_BETWEEN}{_BUTTON})+\W*", re.IGNORECASE)

_FURNITURE = _any(
    # advertisements
    r"(?:skip )?advert(?:isement)?s?(?:\W.*)?",
    r"ads?(?: by \w+)?",
    r"sponsored(?: content| by .+)?",
    r"promoted(?: content)?",
    r"paid (?:post|content)",
    r"(?:remove|report)(?: this)? ads?",
    r"(?:story|article) continues? (?:below|after).*",
    r"continue reading(?: below| the main story|.{0,40}advertisement)?",
    r"(?:scroll|keep scrolling)(?: down)? to continue.*",
    # buttons
    r"(?:read|show|load) more(?: comments)?",
    r"read (?:the )?full (?:story|article)",
    r"share(?: this| full)?(?: article| story| page| post| options?| on| via)?",
    rf"(?:share|tweet|post|pin|send|e-?mail)(?: this| it)?(?: \w+)? (?:on|to|via|by|with) (?:{_NETWORK}|a friend)",
    r"copy(?: the)? link",
    r"link copied",
    r"print this(?: page| article| story)?",
    r"save (?:for later|article|story)",
    r"gift (?:this )?article",
    r"listen to this (?:article|story).{0,30}",
    r"back to top",
    r"(?:previous|next) (?:article|story|post)",
    r"view (?:gallery|image|slideshow).*",
    r"(?:open|enlarge) (?:this )?image.*",
    # counts
    r"\d+(?:[.,]\d+)?[km]? (?:shares?|comments?|likes?|views?)",
    r"(?:view |leave a |add a |post a |see all )?comments?",
    r"join the (?:conversation|discussion).*",
    r"(?:\d+|\w+)[ -]min(?:ute)?s?(?: read)?",
    r"(?:reading|read) time\W.*",
    # the site
    r"(?:skip|jump) to (?:main )?(?:content|navigation|search|footer).*",
    r"(?:log|sign) ?(?:in|up|out)",
    r"subscribe(?: now| today| to .*)?",
    r"sign up (?:for|to) .*newsletters?.*",
    r"get .* (?:in|to) your inbox.*",
    r"follow us(?: on .*)?",
    r"(?:©|\(c\) |copyright\b).*",
    r"all rights reserved.*",
    r"(?:privacy|cookie) (?:policy|notice)",
    r"terms (?:of|and) .{0,20}",
)
# Around the title these are buttons and labels; further down they may be subheads.
_NAVIGATION = _any(
    *(
        "menu",
        "open menu",
        "close(?: menu)?",
        "search",
        "register",
        "newsletters?",
        "donate",
        "home",
        "news",
        "my account",
    ),
    *(r"breaking(?: news)?", "live", "exclusive", "premium", "subscriber exclusive"),
    *("image", "video", "gallery", r"play(?: video)?", r"loading", r"font size.*"),
)
_CREDIT = _any(
    r"(?:(?:cover|lead|file|stock) )?(?:photo|image|picture|photograph|illustration|graphic|video|credit|caption)s?"
    r"(?: source| credits?| caption| courtesy)?\s*(?:[:/©|]|\bby\b|\bcourtesy of\b|(?<=source|aption),\s).*",
    r".*\((?:photo|image|picture|ap photo|file)\b[^()]*\)",
    r"(?:.{0,60}/\s*)?(?:getty images|shutterstock|alamy|unsplash|istock|reuters|afp|ap)",
)
_RELATED = _any(
    r"related(?: (?:articles?|stor(?:y|ies)|content|news|topics?|posts?|reading|links?|coverage|items?))?",
    r"more (?:(?:related )?(?:stories|articles|news|coverage|reading)|on this(?: story| topic)?|like this)",
    r"more (?:to (?:read|explore|discover)|(?:from|in|on|about) .{1,40})",
    r"(?:read|up) (?:more|next)",
    r"(?:read also|also read|what to read next|see also|further reading|keep (?:on )?reading)",
    r"(?:more )?you (?:may|might) (?:also )?(?:like|be interested in)",
    r"recommended(?: for you| reading| stories| articles)?",
    r"(?:most (?:read|popular|viewed|shared)|popular(?: stories| now)?|trending(?: now| stories)?)",
    r"(?:latest|top|other) (?:stories|news|articles|headlines)",
    r"editor['’]?s['’]? (?:picks?|choice)",
    r"(?:don['’]t miss|from around the web|in case you missed it)",
)
# Under a list of other articles; elsewhere they may be subheads.
_FOOT = _any(
    r"about(?: (?:us|this site|the \w+))?",
    r"(?:contact|advertise|work|write (?:for|to))(?: (?:us|with us))?",
    r"(?:careers|jobs|help|faqs?|support|press|imprint|impressum|masthead|staff|our team|site ?map)",
    r"(?:newsletters?|podcasts?|archives?|e-?paper|(?:mobile )?apps?|rss(?: feeds?)?)",
    r"(?:corrections?|accessibility|licensing|syndication)",
    r"(?:privacy|cookies?|legal(?: notice)?|disclaimer|code of ethics|editorial (?:standards|policy|guidelines))",
    r"(?:cookie|privacy) (?:settings|preferences|policy|notice|statement)|manage cookies|your privacy choices",
    r"do not sell .*|(?:terms|conditions)(?: (?:of|and|&) .{0,20})?|powered by .*",
    r"(?:©|\(c\) |copyright\b).*|all rights reserved.*",
)
_TEASER = re.compile(r"(?:related|read (?:more|also|next)|also read|see also)\s*[:|»>]\s*(.+)", re.IGNORECASE)


def _is(pattern: re.Pattern[str], line: str) -> bool:
    return len(line) <= LONGEST and pattern.fullmatch(line) is not None


def is_furniture(line: str) -> bool:
    """Whether the line is no part of an article wherever it stands."""
    return _is(_FURNITURE, line)


def is_navigation(line: str) -> bool:
    """Whether the line is none beside the title."""
    return _is(_NAVIGATION, line) or not any(map(str.isalnum, line))


def is_credit(line: str) -> bool:
    """Whether the line says what a picture shows or whose it is."""
    return _is(_CREDIT, line)


def heads_related(line: str) -> bool:
    """Whether the line stands over a list of other articles."""
    return len(line) <= 60 and _is(_RELATED, line)


def is_foot(line: str) -> bool:
    """Whether the line begins the foot of a page, where it stands behind the article."""
    return _is(_FOOT, line)


def teaser(line: str) -> str | None:
    """The other article that a line in the midst of this one points to."""
    told = _TEASER.fullmatch(line) if len(line) <= LONGEST else None
    return told[1] if told else None


def buttons(lines: Sequence[str], *, alone: bool = False) -> set[int]:
    """Which lines are buttons for sharing: rows of them, and single ones beside others unless `alone` is enough."""
    found = {at for at, line in enumerate(lines) if _is(_BUTTONS, line)}
    return {at for at in found if alone or _is(_ROW, lines[at]) or {at - 1, at + 1} & found}
