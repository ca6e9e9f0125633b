"""The words of the trade: entries written in `site/glossary/*.toml`, a file per subject.

An entry's `means` is its definition and also the tip of every label that names the term.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from calculators import CALCULATORS
from calculators.kit import Answer, Calculator, Chart, Table
from tools.printing import ask

FOLDER = Path(__file__).parents[1] / "site" / "glossary"


@dataclass(frozen=True)
class Entry:
    """A term. `support` and `sources` lead from names to addresses, those on this site counted from
    its root (`data#gpus`); `asks` are `slug?query`.

    `means` is plain text; `more`, `matters` and `takeaways` are Markdown with `[[...]]` figures.
    `live` is the `slug?query` of the calculator that is embedded; `measured` are ids of sayings on
    the folklore page, whose words are worked out from published rows.
    """

    id: str
    title: str
    means: str
    matters: str
    takeaways: tuple[str, ...] = ()
    more: str = ""
    support: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    live: str = ""
    measured: tuple[str, ...] = ()
    see: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """The entries of one file, by title."""

    id: str
    title: str
    order: int
    entries: tuple[Entry, ...]


@cache
def subjects() -> tuple[Subject, ...]:
    """All files, in their order."""
    return tuple(sorted(map(_read, FOLDER.glob("*.toml")), key=lambda subject: subject.order))


def _read(path: Path) -> Subject:
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    found = (Entry(id=name, **row) for name, row in file["terms"].items())
    by_title = sorted(found, key=lambda entry: entry.title.casefold())
    return Subject(path.stem, file["subject"], file["order"], tuple(by_title))


@cache
def entries() -> dict[str, Entry]:
    """Every entry by its id, in the order of subjects and titles."""
    return {entry.id: entry for subject in subjects() for entry in subject.entries}


def used(calculator: Calculator, answer: Answer) -> Iterable[str]:
    """The terms that a calculator's form and result name."""
    yield from (parameter.field.term for parameter in calculator.parameters)
    yield from (shown.term for shown in calculator.shown.values())
    for output in answer.outputs:
        table = output.value.table if isinstance(output.value, Chart) else output.value
        if isinstance(table, Table):
            yield from (column.term for column in table.columns)


def tips(calculator: Calculator, answer: Answer) -> dict[str, str]:
    """The tips that a calculator's page carries: term -> definition."""
    named = dict.fromkeys(used(calculator, answer))
    return {term: entries()[term].means for term in named if term in entries()}


@cache
def users() -> dict[str, tuple[Calculator, ...]]:
    """The calculators whose form or result names a term, by term."""
    found: dict[str, dict[str, Calculator]] = {}
    for slug, calculator in CALCULATORS.items():
        for term in filter(None, used(calculator, ask(slug, ""))):
            found.setdefault(term, {})[slug] = calculator
    return {term: tuple(those.values()) for term, those in found.items()}
