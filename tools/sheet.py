"""A page of figures about one thing: its headline figures, then titled sections of tables and bars.

Models and GPUs are printed by it (`templates/sheet.html`), with the result panel's own macros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from calculators import CALCULATORS
from calculators.common.citation import link
from calculators.kit import Figure, Link, Shown, Table
from calculators.kit.outputs import Output
from tools.printing import ask, template

CONTEXT = 8192  # tokens of the one request that every "fits" and "runs" on a sheet means
SHEET_META = {"hide": ["navigation", "toc"]}  # a sheet takes the theme's whole width


@dataclass(frozen=True)
class Section:
    """`value` is a Table or a Breakdown, `said` stands above it, `folded` ones open on demand."""

    id: str
    title: str
    value: Any
    said: str = ""
    folded: bool = False

    @property
    def kind(self) -> str:
        return type(self.value).__name__.lower()


@dataclass(frozen=True)
class Sheet:
    """`trail` leads here: (title, address from the root). `missing` says what is not known."""

    title: str
    lead: str
    trail: tuple[Link, ...]
    leads: tuple[Output, ...]
    facts: tuple[tuple[str, Any], ...]
    sections: tuple[Section, ...]
    calculators: tuple[Link, ...]
    sources: tuple[Link | str, ...]
    notes: tuple[str, ...] = ()
    missing: str = ""


def printed(sheet: Sheet, root: str) -> str:
    """The sheet as HTML; empty sections are left out."""
    shown = [section for section in sheet.sections if not _empty(section)]
    return template("sheet.html", sheet=sheet, sections=shown, root=root)


def _empty(section: Section) -> bool:
    return isinstance(section.value, Table) and not section.value.rows


def lead(label: str, unit: str, figure: Figure | None, help: str = "") -> tuple[Output, ...]:
    """One headline figure, or nothing where it is not known."""
    if figure is None or figure.value is None:
        return ()
    return (Output(label, Shown(label, unit, help, lead=True), figure),)


def calculators_of(
    field: str, value: str, instead: Mapping[str, str] | None = None, without: Sequence[str] = ()
) -> tuple[Link, ...]:
    """Every calculator that asks for this field, with the value filled in.

    `instead`: what to fill in besides where its other defaults do not suit the value; one that
    refuses even so is left out, like those named in `without`.
    """
    found = []
    for slug, calculator in CALCULATORS.items():
        if field not in calculator.defaults or calculator.page.at_root or slug in without:
            continue
        query = urlencode({field: value})
        if instead is not None and ask(slug, query).errors:
            fitting = {name: text for name, text in instead.items() if name in calculator.defaults}
            query = urlencode({field: value, **fitting})
            if ask(slug, query).errors:
                continue
        found.append(Link(calculator.page.title, f"{slug}?{query}"))
    return tuple(found)


def to(slug: str, text: str, **query: object) -> Link | str:
    """A link to a calculator's answer; plain text while there is no such calculator."""
    return Link(text, f"{slug}?{urlencode(query)}") if slug in CALCULATORS else text


def sources(cited: Sequence[str]) -> tuple[Link | str, ...]:
    """Every citation once, in full: the address where there is one."""
    return tuple(dict.fromkeys(_whole(source) for source in cited))


def _whole(source: str) -> Link | str:
    found = link(source)
    return Link(source, found.to) if isinstance(found, Link) else source
