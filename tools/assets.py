"""What the browser loads besides pages: our modules and styles, fonts, and libraries from npm."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.config_options import ExtraScriptValue

ROOT = Path(__file__).parent.parent
SITE = ROOT / "site"
MODULES = ROOT / "node_modules"
FONTS = {
    "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "mono.woff2": "@fontsource-variable/jetbrains-mono/files/"
    "jetbrains-mono-latin-wght-normal.woff2",
}
# What the snapshot is made of, besides Pyodide.
PYTHON = (
    "calculators",
    "templates",
    "requirements.txt",
    "site/runtime/memory.js",
    "tools/snapshot.mjs",
)
# Under the names by which runtime/chart.js asks for them.
VENDOR = {
    f"{name}.js": f"{name}/build/{name}.min.js" for name in ("vega", "vega-lite", "vega-embed")
}


@cache
def stylesheet() -> str:
    """All our styles as one sheet: the tokens, the page, then the parts, then what paper wants."""
    *first, last = (SITE / "styles" / name for name in ("tokens.css", "page.css", "print.css"))
    parts = sorted(set((SITE / "styles").glob("*.css")) - {*first, last})
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in (*first, *parts, last))


@cache
def folder() -> str:
    """Where our own assets stand: named by their content, so that they may be cached forever."""
    digest = hashlib.sha256(stylesheet().encode())
    for module in sorted((SITE / "runtime").glob("*.js")):
        digest.update(module.read_bytes())
    digest.update((ROOT / "package-lock.json").read_bytes())
    return f"assets/{digest.hexdigest()[:12]}"


@cache
def python() -> dict[str, Any]:
    """The files of the browser's Python, by path below `dist/`, and what Pyodide wants to know.

    Pages say this and tools/snapshot.mjs writes it, so each is named by what goes into it.
    """
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    pyodide: str = lock["packages"]["node_modules/pyodide"]["integrity"]
    info = json.loads((MODULES / "pyodide/pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    digest = hashlib.sha256(pyodide.encode())
    made_of = (ROOT / name for name in PYTHON)
    for path in sorted(path for one in made_of for path in (one, *one.rglob("*"))):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    name = digest.hexdigest()[:12]
    return {
        "pyodide": f"assets/python/pyodide.{hashlib.sha256(pyodide.encode()).hexdigest()[:12]}/",
        "snapshot": f"assets/python/snapshot.{name}.bin",
        "sources": f"assets/python/sources.{name}.zip",
        "lock": {"info": info, "packages": {}},
    }


def boot() -> str:
    """The script that a page starts with, to be written into it."""
    return (SITE / "runtime/boot.js").read_text(encoding="utf-8")


def sources() -> dict[str, Path]:
    """Files copied as they are: path below `dist/` -> file."""
    found = {
        f"{folder()}/runtime/{module.name}": module
        for module in sorted((SITE / "runtime").glob("*.js"))
    }
    found |= {f"{folder()}/vendor/{name}": MODULES / path for name, path in VENDOR.items()}
    found |= {f"{folder()}/fonts/{name}": MODULES / path for name, path in FONTS.items()}
    for name in ("embed.js", "sw.js", "icon.svg", "manifest.webmanifest"):
        if (SITE / name).is_file():
            found[name] = SITE / name
    return found


def made() -> dict[str, str]:
    """Files that are put together: path below `dist/` -> text."""
    return {f"{folder()}/weighbridge.css": stylesheet()}


def preloaded_fonts() -> list[str]:
    return [f"{folder()}/fonts/inter.woff2"]


def page_modules() -> list[str]:
    """The modules that a page imports, named ahead so that they arrive side by side."""
    elsewhere = {"worker.js", "store.js", "memory.js"}
    names = sorted(module.name for module in (SITE / "runtime").glob("*.js"))
    return [f"{folder()}/runtime/{name}" for name in names if name not in elsewhere]


def module_script(path: str) -> ExtraScriptValue:
    script = ExtraScriptValue(path)
    script.type = "module"
    return script


def version(package: str) -> str:
    """The locked version of an npm package."""
    text = (MODULES / package / "package.json").read_text(encoding="utf-8")
    return str(json.loads(text)["version"])
