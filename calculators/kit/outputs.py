"""What a calculator answers with. Each kind has one branch in `templates/parts/output.html`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from calculators.kit.units import Amount, text, write

Basis = Literal["exact", "measured", "modelled", "given"]
LONG = 40  # rows
Cell = Any  # str, number, Figure, Link or None


@dataclass(frozen=True, slots=True)
class Shown:
    """How an output is shown, as `Annotated[Figure, Shown(...)]`. `lead` is the headline figure."""

    label: str
    unit: str = ""
    help: str = ""
    term: str = ""
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and what it rests on.

    `exact` is counted, `measured` was published by somebody, `modelled` is a formula with a stated
    error (`low` to `high`), `given` comes from the visitor. `why` says so in words.
    """

    value: float | int | bool | str | None
    basis: Basis
    low: float | None = None
    high: float | None = None
    why: str = ""


def exact(value: Any, why: str = "") -> Figure:
    """Counted, not modelled."""
    return Figure(value, "exact", why=why)


def measured(value: Any, why: str) -> Figure:
    """Published by somebody; `why` names the source."""
    return Figure(value, "measured", why=why)


def modelled(
    value: Any, low: float | None = None, high: float | None = None, why: str = ""
) -> Figure:
    """From a formula; `low` and `high` bound what was seen, `why` says how well it does."""
    return Figure(value, "modelled", low, high, why)


def given(value: Any, why: str = "typed by you") -> Figure:
    """The visitor's own."""
    return Figure(value, "given", why=why)


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads to a calculator with a query (`to="gpu-fit?gpu=l4"`) or to a source.

    `value` is what the text says, where that is a number.
    """

    text: str
    to: str
    value: float | int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a whole. `tone` picks a colour that means the same kind on every page."""

    label: str
    value: float
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Parts of a whole, drawn as one stacked bar with its table; `limit` draws a line."""

    segments: tuple[Segment, ...]
    unit: str = "bytes"
    limit: float | None = None
    limit_label: str = ""
    basis: Basis = "exact"

    @property
    def total(self) -> float:
        return sum(segment.value for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers are written in `unit`."""

    label: str
    unit: str = ""
    term: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `folded` tables open on demand; `mark` is the row that is the answer.

    Where there is no room for the columns, each row of `cards` becomes a card.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    basis: Basis = "exact"
    caption: str = ""
    folded: bool = False
    mark: int | None = None
    empty: str = "Nothing to show."
    cards: bool = False

    @property
    def long(self) -> bool:
        """Longer than any window: a browser may wait until it is scrolled to."""
        return len(self.rows) > LONG


@dataclass(frozen=True, slots=True)
class Chart:
    """A Vega-Lite specification; `table` is what a screen reader or a spreadsheet gets instead."""

    spec: Mapping[str, Any] = field(hash=False)
    caption: str
    table: Table
    basis: Basis = "modelled"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a calculation with the visitor's own numbers in it."""

    label: str
    expression: str
    result: str


@dataclass(frozen=True, slots=True)
class Working:
    """The calculation, step by step."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that these inputs deserve. `warning` is for what may go wrong."""

    text: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Notes:
    """What to mind, one below the other."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines ready to paste, as (title, language, text)."""

    blocks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Output:
    """A named output in an answer: the declaration and the value together."""

    name: str
    shown: Shown
    value: Any

    @property
    def kind(self) -> str:
        return type(self.value).__name__.lower()

    @property
    def amount(self) -> Amount:
        return write(self.value.value, self.shown.unit)

    @property
    def band(self) -> str:
        """The range as text, empty when there is none."""
        if self.value.low is None or self.value.high is None:
            return ""
        low, high = (text(end, self.shown.unit) for end in (self.value.low, self.value.high))
        return f"{low} to {high}"

    def plain(self) -> dict[str, Any]:
        """As JSON: {"value", "unit", "basis"} and, where there is a band, "low" and "high"."""
        value = self.value
        if isinstance(value, Figure):
            found = {"value": value.value, "unit": self.shown.unit, "basis": value.basis}
            band = {"low": value.low, "high": value.high}
            return found | {key: end for key, end in band.items() if end is not None}
        return {
            "value": _plain(value),
            "unit": self.kind,
            "basis": getattr(value, "basis", "exact"),
        }


def _plain(value: Any) -> Any:
    match value:
        case Breakdown():
            return {segment.label: segment.value for segment in value.segments}
        case Table():
            labels = [column.label for column in value.columns]
            return [dict(zip(labels, map(_plain, row), strict=True)) for row in value.rows]
        case Chart():
            return _plain(value.table)
        case Working():
            return [f"{step.label}: {step.expression} = {step.result}" for step in value.steps]
        case Notes():
            return [note.text for note in value.notes]
        case Commands():
            return {title: text for title, _, text in value.blocks}
        case Figure():
            return value.value
        case Link():
            return value.text if value.value is None else value.value
        case _:
            return value
