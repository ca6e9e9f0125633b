"""Discovers the calculators beside it. `answer(slug, query)` is the only door to them.

The folder's listing is the menu: a module is a calculator, a package is a layer below it
(`kit <- facts <- maths <- common <- the calculators`).
"""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any, Literal

from calculators.common import comparison
from calculators.common.subject import subjects
from calculators.kit import Answer, Calculator
from calculators.kit.panel import render, texts


def _discover() -> dict[str, Calculator]:
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.ispkg and found.name != "__main__"
    )
    menu = (Calculator.of(module) for module in modules)
    return {
        calculator.slug: calculator
        for calculator in sorted(menu, key=lambda item: (item.page.order, item.slug))
    }


CALCULATORS = _discover()


def ask(slug: str, query: str) -> Answer:
    """The answer of one calculator; an unknown slug is an error of the field `slug`."""
    if slug not in CALCULATORS:
        known = ", ".join(CALCULATORS)
        return Answer(slug, query, errors={"slug": f"There is no such calculator; known: {known}."})
    return CALCULATORS[slug].ask(query)


def answer(slug: str, query: str, shape: Literal["page", "whole"] = "whole") -> str:
    """JSON text: slug, errors (and offers beside them), and as a page shows them html and charts;
    the `whole` answer has the query, outputs, text and markdown too, which a keystroke need not
    wait for.
    """
    found = ask(slug, query)
    shown = render(found, CALCULATORS[slug].root if slug in CALCULATORS else "")
    if shape == "page":
        said: dict[str, Any] = {"slug": found.slug, "errors": found.errors}
    else:
        said = found.plain() | texts(found)
    if found.offers:
        said["offers"] = found.offers
    return json.dumps(said | shown, ensure_ascii=False, allow_nan=False)


def warm() -> None:
    """Answer what every later answer builds on, so that a snapshot holds it: every model in every
    format, the default question of every calculator, and what goes through a whole catalogue. More
    would only make it larger.
    """
    for slug, calculator in CALCULATORS.items():
        for query in ("", *(one.query for one in calculator.page.examples if one.surveys)):
            answer(slug, query)
    for subject in subjects():
        comparison.kept(subject)


def rehearsal(*slugs: str) -> Iterator[str]:
    """Answer every example of these calculators, one at a time; of all of them when none is named.

    It proves that a snapshot lacks nothing, and a browser is quicker at what it has done before.
    """
    for slug in slugs or CALCULATORS:
        for example in CALCULATORS[slug].page.examples:
            if ask(slug, example.query).errors:
                raise ValueError(f"{slug}?{example.query} is refused")
            yield answer(slug, example.query, "page")
