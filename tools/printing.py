"""Turns answers and prose into HTML: what the build and every generated document use."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import markdown
from jinja2 import Environment
from markupsafe import Markup

import calculators
from calculators.kit import Answer, Chart
from calculators.kit.cells import address
from calculators.kit.panel import environment
from calculators.kit.prose import fill
from tools import print_chart
from tools.cards import Card


@dataclass(frozen=True)
class Body:
    """A generated page before the theme puts its frame around it.

    `path` is where it stands below the site's root, `""` the home page; `group` and `order` place
    it in the menu, and no group leaves it out; `meta` is what the template wants besides;
    `calculator` is the slug of the one whose page it is; `variables` are its figures by name, for
    structured data; `card` is what its picture shows where a link to it is shared;
    `sections` are its headings (level, id, title), for the contents and for links; `downloads` are
    the paths of files that it offers; `schema` is the type of thing that it is about, by
    schema.org's name, where that is no calculator and no data.
    """

    path: str
    title: str
    description: str
    html: str
    group: str = ""
    order: int = 50
    template: str = "main.html"
    meta: Mapping[str, Any] = field(default_factory=dict)
    calculator: str = ""
    variables: tuple[tuple[str, Any], ...] = ()
    card: Card | None = None
    sections: tuple[tuple[int, str, str], ...] = ()
    downloads: tuple[str, ...] = ()
    schema: str = ""

    @property
    def root(self) -> str:
        """The way from this page to the site's root."""
        return "../" * (self.path.count("/") + 1) if self.path else "./"


@cache
def ask(slug: str, query: str) -> Answer:
    """One answer, computed once per build."""
    return calculators.ask(slug, query)


@cache
def jinja() -> Environment:
    """The result panel's environment, with what only the build needs on top."""
    panel = environment()
    assert panel is not None  # Jinja is among the build's locked dependencies
    made = panel.overlay()
    made.filters = panel.filters | {"prose": inline, "markdown": prose}
    return made


def prose(text: str, slug: str = "", root: str = "../") -> Markup:
    """Markdown with its figures filled in, each linked to the question that gives it."""
    return Markup(markdown.markdown(linked(text, slug, root), extensions=["tables", "attr_list"]))


def linked(text: str, slug: str = "", root: str = "../") -> str:
    """The same before the Markdown is read."""

    def write(asked: str, query: str, amount: str) -> str:
        way = address(f"{calculators.CALCULATORS[asked].path}?{query}", root)
        return f'<a href="{html.escape(way)}">{amount}</a>'

    return fill(text, slug, ask, write)


def inline(text: str, slug: str = "", root: str = "../") -> Markup:
    """The same for a phrase: no paragraph around it."""
    return Markup(prose(text, slug, root).removeprefix("<p>").removesuffix("</p>"))


def plain(text: str, slug: str = "") -> str:
    """Prose with figures as plain text, for descriptions and structured data."""
    words = re.sub(r"<[^>]+>", "", markdown.markdown(fill(text, slug, ask)))
    return html.unescape(words).strip()


def template(name: str, **context: Any) -> str:
    """A template of ours, filled."""
    return jinja().get_template(name).render(**context)


def pictures(answer: Answer) -> dict[str, str]:
    """The charts of an answer as SVG."""
    return {
        output.name: print_chart.svg(output.value.spec)
        for output in answer.outputs
        if isinstance(output.value, Chart)
    }


def panel(answer: Answer, root: str = "../") -> str:
    """The result panel with its charts printed."""
    template = jinja().get_template("parts/result.html")
    return template.render(answer=answer, pictures=pictures(answer), root=root)
