"""The texts of the page, as templates and modules have them; run as a script it brings the catalogues up to date."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.language import TRANSLATIONS

WEB = Path(__file__).parent.parent / "web"
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "msg": None, "text": None, "texts_for": (1, 2)}


def texts() -> Catalog:
    """Every text once, in English."""
    catalogue = Catalog()
    for _, _, message, _, _ in extract_from_dir(WEB, METHODS, keywords=KEYWORDS):
        catalogue.add(message)
    return catalogue


def catalogue(path: Path) -> Catalog:
    """What is held of one language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def main() -> None:
    for path in sorted(TRANSLATIONS.glob("*.po")):
        held = catalogue(path)
        held.update(texts(), no_fuzzy_matching=True, update_creation_date=False)
        held.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, held, width=120)
        empty = [message.id for message in held if message.id and not message.string]
        print(f"{path.name}: {len(held)} texts, {len(empty)} to translate")


if __name__ == "__main__":
    main()
