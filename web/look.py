"""What every page brings along: the style sheet and the theme as one file, the script, the logo, header and footer."""

from __future__ import annotations

import hashlib
import mimetypes
from base64 import b64encode
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, url_for
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from web import bundle
from web.language import Language
from web.settings import Settings

STATIC = Path(__file__).parent / "static"
SCRIPT = Path(__file__).parent / "script" / "page.js"
ICON = "data:image/svg+xml;base64," + b64encode((STATIC / "icon.svg").read_bytes()).decode()  # no request of its own
FOREVER = "public, max-age=31536000, immutable"  # the address changes with the content


def init_app(app: Flask, settings: Settings) -> None:
    """Read the files of the site once, when the service starts, and give templates what is the same on each page."""
    language = Language(settings.language)
    style = (STATIC / "style.css").read_bytes()
    if settings.theme:
        style += b"\n" + settings.theme.read_bytes()
    logo = settings.logo.read_bytes() if settings.logo else b""
    look = Blueprint("look", __name__)
    script = bundle.join(SCRIPT)
    files = {f"style-{digest(style)}.css": style, f"script-{digest(script)}.js": script}
    if settings.logo:
        files[f"logo-{digest(logo)}{settings.logo.suffix.lower()}"] = logo

    @look.get("/look/<name>")
    def file(name: str) -> ResponseReturnValue:
        if name not in files:
            abort(404)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(files[name], mimetype=kind, headers={"Cache-Control": FOREVER})

    app.register_blueprint(look)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_translations(language.texts, newstyle=True)  # type: ignore[attr-defined]
    if settings.templates:
        site = PrefixLoader({"site": FileSystemLoader(settings.templates)})
        app.jinja_loader = ChoiceLoader([site, app.jinja_loader or FileSystemLoader([])])

    @app.context_processor
    def same_on_each_page() -> dict[str, object]:
        addresses = [url_for("look.file", name=name) for name in files]
        return {
            "settings": settings,
            "language": language,
            "style_url": addresses[0],
            "script_url": addresses[1],
            "logo_url": addresses[2] if settings.logo else None,
            "icon_url": ICON,
        }


def digest(content: bytes) -> str:
    """What stands in the address of a file, so that nobody keeps an old one."""
    return hashlib.blake2b(content, digest_size=6).hexdigest()
