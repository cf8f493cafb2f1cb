"""Join ES modules to one and minify it: who installs the service needs no tools of JavaScript.

A module may import names by `import { a, b } from "./other.js"` and a style sheet as a constructable one by
`import style from "./style.css" with { type: "css" }`; so the sources are modules that a browser reads as they are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import rcssmin
import rjsmin

_IMPORT = re.compile(r'^import (?:\{[\w\s,]+\}|(\w+)) from "(\.[^"]+)"(?: with \{ type: "css" \})?;\n', re.M)
_EXPORT = re.compile(r"^export (?=(?:async|const|let|class|function)\b)", re.M)
_NAME = re.compile(r"^(?:async )?(?:const|let|class|function) (\w+)", re.M)
_LEFT = re.compile(r"^(?:import|export) .*", re.M)


class BundleError(ValueError):
    """Modules cannot be joined; the message names what is in the way."""


def join(entry: Path) -> bytes:
    """The module and all that it imports as one module: each once, before those that import it.

    Raises:
        BundleError: where two modules have a name in common, since joined they share one scope; or where a module
            imports or exports in another way than those above.
    """
    modules: dict[Path, str] = {}
    _add(entry.resolve(), modules)
    source = "".join(modules.values())
    if twice := [name for name, count in Counter(_NAME.findall(source)).items() if count > 1]:
        raise BundleError(f"{entry}: several of its modules define {', '.join(twice)}; name them apart")
    if left := _LEFT.search(source):
        raise BundleError(f"{entry}: it cannot be joined by {left[0]!r}; see the head of web/bundle.py")
    return str(rjsmin.jsmin(source)).encode()


def _add(path: Path, modules: dict[Path, str]) -> None:
    if path in modules:
        return
    source = path.read_text(encoding="utf-8")
    sheets = ""
    for name, address in _IMPORT.findall(source):
        imported = (path.parent / address).resolve()
        if name:
            sheets += f"const {name} = {_sheet(imported)};\n"
        else:
            _add(imported, modules)
    modules[path] = sheets + _EXPORT.sub("", _IMPORT.sub("", source))


def _sheet(path: Path) -> str:
    rules = json.dumps(rcssmin.cssmin(path.read_text(encoding="utf-8")), ensure_ascii=False)
    return f"((sheet) => (sheet.replaceSync({rules}), sheet))(new CSSStyleSheet())"
