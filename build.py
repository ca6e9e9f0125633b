"""Prints the site: `pages(CALCULATORS)` is everything we generate, as {path: bytes}.

`python build.py` writes `dist/`. MkDocs makes the frame and the documentation; this module is also
its hook, which adds the generated pages: one per calculator, and what `tools/documents/` yields.
No figure is typed here: prose takes them from answers.
"""

import hashlib
import html
import importlib
import inspect
import json
import logging
import pkgutil
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from calculators import CALCULATORS
from calculators.kit import Calculator, Pick, Working
from tools import assets, cards, documents, front, policy, structured, terms
from tools.cards import Card
from tools.compress import compress
from tools.printing import Body, ask, inline, jinja, linked, panel, plain, prose

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PYTHON = ROOT / ".build"  # the browser's Python on its way to `dist/`
_LISTING = re.compile(r'<div class="highlight">(<pre>.*?</pre>)\s*</div>', re.DOTALL)
DOCS_GROUP = "Learn"  # hand-written pages stand here in the menu


def body(calculator: Calculator, site_url: str) -> Body:
    """The content of a calculator's page."""
    page, slug = calculator.page, calculator.slug
    answer = ask(slug, "")
    if answer.errors:
        raise ValueError(f"{slug} refuses its own defaults: {answer.errors}")
    env = jinja().overlay()
    env.filters = jinja().filters | {
        "prose": lambda text: inline(text, slug, calculator.root),
        "markdown": lambda text: prose(text, slug, calculator.root),
    }
    content = env.get_template("home.html" if page.at_root else "content.html").render(
        calculator=calculator,
        page=page,
        answer=answer,
        result=panel(answer, calculator.root),
        worked=_worked(calculator),
        code=[(_place(function), _code(function)) for function in page.code],
        catalogues=_catalogues(),
        menu=_questions(),
        front=front.context() if page.at_root else {},
        terms=terms.tips(calculator, answer),
        root=calculator.root,
        site_url=site_url,
    )
    description = plain(page.description, slug)
    return Body(
        calculator.path,
        page.title,
        description,
        content,
        "" if page.at_root else page.group,
        page.order,
        "calculator.html",
        {"hide": ["navigation", "toc"]},
        calculator=slug,
        card=cards.of_answer(page.title, description, answer),
    )


def _questions() -> dict[str, list[Calculator]]:
    """The calculators by the question they answer, in the order of the menu."""
    groups: dict[str, list[Calculator]] = {}
    for calculator in CALCULATORS.values():
        if not calculator.page.at_root:
            groups.setdefault(calculator.page.group, []).append(calculator)
    return groups


def _worked(calculator: Calculator) -> str:
    if not calculator.page.examples:
        return ""
    answer = ask(calculator.slug, calculator.page.examples[0].query)
    steps = tuple(output for output in answer.outputs if isinstance(output.value, Working))
    leads = tuple(output for output in answer.outputs if output.shown.lead)
    shown = replace(answer, outputs=leads + steps)
    return panel(shown, calculator.root) if steps else ""


def _place(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _code(function: Any) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    return str(highlight(source, PythonLexer(), HtmlFormatter(cssclass="highlight")))


@cache
def _options() -> dict[str, bytes]:
    """Every catalogue that a picker offers: name -> JSON rows [value, label, hint, aliases...]."""
    found = {}
    for calculator in CALCULATORS.values():
        for parameter in calculator.parameters:
            picker = parameter.field.input
            if isinstance(picker, Pick) and picker.catalogue not in found:
                rows = [
                    [option.value, option.label, option.hint, *option.aliases]
                    for option in picker.options()
                ]
                text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
                found[picker.catalogue] = text.encode()
    return found


@cache
def _catalogues() -> dict[str, str]:
    return {
        name: f"assets/options/{name}-{hashlib.sha256(rows).hexdigest()[:8]}.json"
        for name, rows in _options().items()
    }


def pages(menu: Mapping[str, Calculator], site_url: str = "/") -> dict[str, bytes]:
    """What we print outside the theme, by path below `dist/`: embed twins, catalogues, data."""
    printed = {_catalogues()[name]: rows for name, rows in _options().items()}
    template, root = jinja().get_template("embed.html"), "../../"
    for calculator in menu.values():
        if calculator.page.at_root:
            continue  # what it answers, each calculator answers in full
        answer = ask(calculator.slug, "")
        text = template.render(
            calculator=calculator,
            page=calculator.page,
            answer=answer,
            result=panel(answer, root),
            catalogues=_catalogues(),
            terms=terms.tips(calculator, answer),
            assets=assets.folder(),
            python=assets.python(),
            begin=assets.boot(),
            root=root,
            site_url=site_url,
        )
        printed[f"embed/{calculator.slug}/index.html"] = policy.sealed(text).encode()
        printed[f"oembed/{calculator.slug}.json"] = _oembed(calculator, site_url)
    for document in _documents():
        if hasattr(document, "files"):
            printed |= document.files(site_url, bodies(site_url).values())
    printed["robots.txt"] = f"User-agent: *\nAllow: /\n\nSitemap: {site_url}sitemap.xml\n".encode()
    return printed


def _oembed(calculator: Calculator, site_url: str) -> bytes:
    """What a page that is given our link needs in order to show the calculator; oembed.com."""
    title, width, height = calculator.page.title, 720, 900
    card = {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Weighbridge",
        "provider_url": site_url,
        "title": title,
        "width": width,
        "height": height,
        "html": f'<iframe src="{site_url}embed/{calculator.slug}/" width="{width}" '
        f'height="{height}" title="{html.escape(title)}" loading="lazy"></iframe>',
    }
    return json.dumps(card, ensure_ascii=False).encode()


@cache
def bodies(site_url: str) -> Mapping[str, Body]:
    """Every page that goes into the theme's frame, by its path."""
    found: list[Body] = [body(calculator, site_url) for calculator in CALCULATORS.values()]
    for document in _documents():
        found += document.bodies()
    return {made.path: made for made in found}


def _documents() -> list[Any]:
    """The modules of `tools/documents/`."""
    names = (module.name for module in pkgutil.iter_modules(documents.__path__))
    return [importlib.import_module(f"{documents.__name__}.{name}") for name in names]


def menu(made: Iterable[Body], docs: Iterable[str]) -> list[dict[str, Any]]:
    """The navigation: calculators and documents by group, then the hand-written pages."""
    groups: dict[str, list[Any]] = {}
    for item in sorted(made, key=lambda one: (not one.calculator, one.order, one.path)):
        if item.group:
            groups.setdefault(item.group, []).append({item.title: _source(item.path)})
    groups[DOCS_GROUP] = groups.pop(DOCS_GROUP, []) + sorted(docs)  # the last group
    return [{"Home": "index.md"}, *({group: items} for group, items in groups.items())]


def _source(path: str) -> str:
    return f"{path}.md" if path else "index.md"


# --- The hook: MkDocs calls these while it builds. ---


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Our own files beside the theme's, and a menu that follows from what there is."""
    config.extra_css = [f"{assets.folder()}/weighbridge.css"]
    config.extra_javascript = [assets.module_script(f"{assets.folder()}/runtime/page.js")]
    config.extra["fonts"] = assets.preloaded_fonts()
    config.extra["wb"] = {
        "assets": assets.folder(),
        "modules": assets.page_modules(),
        "python": assets.python(),
        "boot": assets.boot(),
    }
    written = Path(config.docs_dir)
    docs = (str(path.relative_to(written)) for path in written.rglob("*.md"))
    config.nav = menu(
        bodies(config.site_url or "/").values(), (path for path in docs if path != "index.md")
    )
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and every asset."""
    for path in bodies(config.site_url or "/"):
        files.append(File.generated(config, _source(path), content="# generated\n"))
    for path, source in assets.sources().items():
        files.append(File.generated(config, path, abs_src_path=str(source)))
    for path, content in assets.made().items():
        files.append(File.generated(config, path, content=content))
    return files


def _made(page: MkDocsPage, config: MkDocsConfig) -> Body | None:
    source = page.file.src_uri
    path = "" if source == "index.md" else source.removesuffix(".md")
    return bodies(config.site_url or "/").get(path)


def on_page_markdown(text: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    """A generated page gets its title and meta here; a written one its figures."""
    made = _made(page, config)
    if made is None:
        root = "../" * page.url.count("/")
        return linked(text.replace("SITE_URL/", config.site_url or "/"), root=root)
    if made.path:  # the menu calls the first page Home
        page.title = made.title
    site_url = config.site_url or "/"
    page.meta.update(made.meta)
    page.meta.update(
        template=made.template,
        description=made.description,
        heading=made.title,
        picture=cards.path(made.path),
        structured=structured.of_body(made, bodies(site_url), site_url),
    )
    sections = (f"{level * '#'} {title} {{#{name}}}" for level, name, title in made.sections)
    return "\n\n".join((f"# {made.title}", *sections))


def on_page_content(text: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    """Put the printed content in place of the heading."""
    made = _made(page, config)
    if made is None:
        return _copyable(text)
    # Material's link past the menu leads to the first heading of the contents.
    return _copyable(made.html.replace("<h1>", f'<h1 id="{page.toc.items[0].id}">', 1))


def _copyable(text: str) -> str:
    """Give each listing our own button, the same that commands have, and the keyboard a way in."""
    text = text.replace("<span></span><code>", '<span></span><code tabindex="0">')
    button = '<button type="button" class="wb-button" data-copy="code">Copy</button>'
    return _LISTING.sub(rf'<div class="highlight wb-command">\1{button}</div>', text)


def on_post_page(output: str, page: MkDocsPage, config: MkDocsConfig) -> str:
    return _framed(output)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """The page for what is not found is no page to MkDocs."""
    return _framed(output) if template_name.endswith(".html") else output


def _framed(output: str) -> str:
    """Name the theme's nameless search dialog; seal the page with its Content-Security-Policy."""
    dialog = 'data-md-component="search" role="dialog"'
    return policy.sealed(output.replace(dialog, f'{dialog} aria-label="Search"', 1))


def pictures(site_url: str) -> dict[str, bytes]:
    """One picture for each page, and the icons, by path below `dist/`."""
    cache = ROOT / ".cache/pictures"
    drawn = {
        cards.path(made.path): cards.png(made.card or Card(made.title, made.description), cache)
        for made in bodies(site_url).values()
    }
    return drawn | cards.icons(assets.SITE / "icon.svg")


def on_post_build(config: MkDocsConfig) -> None:
    """Write what stands outside the theme, then the headers for hosts that can send them."""
    site_url = config.site_url or "/"
    for path, content in {**pages(CALCULATORS, site_url), **pictures(site_url)}.items():
        target = Path(config.site_dir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    policy.write_headers(Path(config.site_dir))


def _save_python() -> None:
    """What the browser's Python starts from, and its compressed forms."""
    snapshot = ["node", "tools/snapshot.mjs", ".", str(PYTHON), json.dumps(assets.python())]
    subprocess.run(snapshot, cwd=ROOT, check=True)
    compress(PYTHON)


def main() -> None:
    """Build the whole site into `dist/`."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    # Neither needs the other, so they share the time; MkDocs empties `dist/` before it begins.
    with ThreadPoolExecutor() as pool:
        saved = pool.submit(_save_python)
        mkdocs_build(load_config(str(ROOT / "mkdocs.yml")))
        saved.result()
    shutil.copytree(PYTHON, DIST, dirs_exist_ok=True)
    compress(DIST)


if __name__ == "__main__":
    main()
