"""Generated pages: each once, each findable; `browser/test_links.py` follows their links."""

import json
import struct
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

import build
import calculators
from calculators import CALCULATORS
from calculators.facts.catalogue import gpus, models
from tools import cards, structured
from tools.cards import Card
from tools.naming import gpu_page, model_page
from tools.printing import Body

SITE = "https://example.org/below/"
BODIES = build.bodies(SITE)
PRINTED = build.pages(CALCULATORS, SITE)
SHEETS = {path: made for path, made in BODIES.items() if path.startswith(("models/", "gpus/"))}
SITE_FOLDER = Path(__file__).parents[1] / "site"


class Anchors(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [to for name, to in attrs if name == "href" and to and tag == "a"]


def inside(path: str) -> Iterator[tuple[str, str]]:
    """(path, query) of every link of a page that stays on the site."""
    place = f"{SITE}{path}/" if path else SITE
    for address in Anchors(BODIES[path].html).addresses:
        to = urljoin(place, address)
        if to.startswith(SITE):
            parts = urlsplit(to.removeprefix(SITE))
            yield unquote(parts.path), parts.query


def test_each_model_and_gpu_has_its_own_page() -> None:
    expected = {model_page(model) for model in models()} | {gpu_page(gpu.id) for gpu in gpus()}
    assert set(SHEETS) == expected
    assert len(SHEETS) == len(models()) + len(gpus())


def questions() -> list[tuple[str, str]]:
    """A few of the questions that pages of models and GPUs link to, and all of the first page's."""
    some = (
        "",
        "models/llama-3.1-8b",
        "models/gpt-oss-120b",
        "gpus/rtx-4090",
        "gpus/apple-m3-ultra",
    )
    found = {
        (to.strip("/"), query)
        for path in some
        for to, query in inside(path)
        if query and to.strip("/") in CALCULATORS
    }
    return sorted(found)


@pytest.mark.parametrize(("slug", "query"), questions())
def test_a_link_into_a_calculator_asks_what_it_understands(slug: str, query: str) -> None:
    assert not calculators.ask(slug, query).errors


def test_pages_say_what_a_search_engine_shows() -> None:
    titles = [made.meta.get("title", made.title) for made in BODIES.values()]
    descriptions = [made.description for made in BODIES.values()]
    assert all(titles)
    assert len(set(titles)) == len(titles)
    assert all(len(description) >= 50 for description in descriptions)
    assert len(set(descriptions)) == len(descriptions)


@pytest.mark.parametrize("path", BODIES)
def test_structured_data_is_json_with_what_each_type_needs(path: str) -> None:
    text = structured.of_body(BODIES[path], BODIES, SITE)
    assert "<" not in text
    graph = json.loads(text)["@graph"]
    for node in graph:
        for name in NEEDED[node["@type"]]:
            assert node[name], (node["@type"], name)
    trails = [node for node in graph if node["@type"] == "BreadcrumbList"]
    assert len(trails) == (1 if path else 0)
    for step in trails[0]["itemListElement"] if trails else ():
        assert step["item"] == SITE or step["item"].removeprefix(SITE).strip("/") in BODIES


NEEDED = {  # what Google's documentation of rich results requires, or schema.org's examples hold
    "WebApplication": ("name", "url", "description", "applicationCategory", "offers"),
    "FAQPage": ("mainEntity",),
    "Dataset": ("name", "description", "license", "creator", "url"),
    "DataCatalog": ("name", "description"),
    "BreadcrumbList": ("itemListElement",),
    "DefinedTermSet": ("name", "hasDefinedTerm"),
    "DefinedTerm": ("name", "description", "inDefinedTermSet"),
}


def test_robots_are_told_where_the_sitemap_is() -> None:
    assert f"Sitemap: {SITE}sitemap.xml" in PRINTED["robots.txt"].decode()


def test_the_app_has_its_icons() -> None:
    manifest = json.loads((SITE_FOLDER / "manifest.webmanifest").read_text(encoding="utf-8"))
    icons = cards.icons(SITE_FOLDER / "icon.svg")
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            width, height = map(int, icon["sizes"].split("x"))
            assert struct.unpack(">II", icons[icon["src"]][16:24]) == (width, height)
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


def test_a_picture_is_drawn_with_the_sites_own_type(tmp_path: Path) -> None:
    with_text = cards.png(Card("Llama 3.1 8B", "AWQ", "5.728 GB"), tmp_path)
    without = cards.png(Card("", "", ""), tmp_path)
    assert struct.unpack(">II", with_text[16:24]) == (cards.WIDTH, cards.HEIGHT)
    assert len(with_text) > 1.5 * len(without), "no font: the text is missing"
    assert cards.png(Card("Llama 3.1 8B", "AWQ", "5.728 GB"), tmp_path) == with_text


def test_a_picture_is_escaped() -> None:
    assert "<b>" not in cards.svg(Card("<b>", "&", "<b>"))


FACTS = [
    ("models/llama-3.1-8b", "5.728 GB"),
    ("models/llama-3.1-8b", "8,030,261,248"),
    ("models/mixtral-8x7b-instruct-v0.1", "per token"),
    ("gpus/rtx-4090", "23.64 GiB"),
    ("gpus/apple-m3-ultra", "GiB"),
]


@pytest.mark.parametrize(("path", "text"), FACTS)
def test_pages_print_what_the_maths_says(path: str, text: str) -> None:
    assert text in SHEETS[path].html


def test_what_is_not_known_is_said() -> None:
    partial = [model for model in models() if "What is missing" in SHEETS[model_page(model)].html]
    assert 0 < len(partial) < 10


def test_made_of_one_menu() -> None:
    assert isinstance(BODIES[""], Body)
    assert BODIES[""].calculator == "home"
    menu = build.menu(BODIES.values(), [])
    assert menu[0] == {"Home": "index.md"}
