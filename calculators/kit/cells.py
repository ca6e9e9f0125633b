"""The cells of a table as HTML, and the parts of a bar ready to be printed.

There are hundreds of them, and in the template each would take three times as long; everything
around them is the template's.
"""

import html
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from calculators.kit.calculator import Answer
from calculators.kit.outputs import Breakdown, Figure, Link, Output, Shown, Table
from calculators.kit.units import text

LONG = 40  # characters; a longer cell is prose, and may break into lines
REMEMBERED = 4096  # most cells of a table stay what they are when one key is hit
Badge = Callable[[str, str], str]  # the template's mark of a basis, with the reason


def address(to: str, root: str) -> str:
    """The address of a `Link`: pages of ours (`gpu-fit?gpu=l4`, `accuracy#gptq`) are folders below
    `root`; `#gptq` is a place on the same page.
    """
    if "://" in to or to.startswith("#"):
        return to
    page, sign, place = to.partition("#")
    path, mark, query = page.partition("?")
    folder = f"{path}/" if path else ""  # the first page stands at the root itself
    return f"{root}{folder}{mark}{query}{sign}{place}"


def rows(table: Table, root: str, badge: Badge) -> str:
    """The rows of a table; the first cell of each is its heading, the marked row stands out."""
    if not table.rows:
        return ""
    (first, *others), (headings, *cells) = table.columns, zip(*table.rows, strict=True)
    columns = [_headings(headings, first.unit, root, badge)]
    for column, items in zip(others, cells, strict=True):
        label = f' data-label="{html.escape(column.label)}"' if table.cards else ""
        columns.append(_column(items, column.unit, label, root, badge))
    return "".join(
        f"<tr{' data-mark' if number == table.mark else ''}>{''.join(row)}</tr>"
        for number, row in enumerate(zip(*columns, strict=True))
    )


def _headings(items: Iterable[Any], unit: str, root: str, badge: Badge) -> list[str]:
    return [f'<th scope="row">{_inside(item, unit, root, badge)}</th>' for item in items]


def _column(items: Iterable[Any], unit: str, label: str, root: str, badge: Badge) -> list[str]:
    start, prose = f"<td{label}>", f'<td class="wb-words"{label}>'
    if unit:
        start = prose = f'<td class="wb-number"{label}>'
    found: list[str] = []
    for item in items:
        opening = prose if not unit and _in_words(item) else start
        found.append(f"{opening}{_inside(item, unit, root, badge)}</td>")
    return found


def cell(item: Any, root: str, badge: Badge) -> str:
    """One value that stands outside a table."""
    return _inside(item, "", root, badge)


class Said(NamedTuple):
    """A figure outside a table, in the order in which it is printed. The texts are escaped."""

    shown: Shown
    name: str
    value: str
    text: str
    also: str
    band: str
    basis: str
    why: str


def said(output: Output) -> Said:
    """What is printed of an output that is a figure."""
    figure, amount = output.value, output.amount
    value, text = html.escape(str(figure.value)), html.escape(amount.text)
    also, band = amount.also, output.band  # of numbers alone
    return Said(output.shown, output.name, value, text, also, band, figure.basis, figure.why)


def figures(answer: Answer) -> list[Said]:
    """Of an answer, but for its headlines."""
    return [
        said(output)
        for output in answer.outputs
        if isinstance(output.value, Figure) and not output.shown.lead
    ]


class Part(NamedTuple):
    """A segment of a bar that is 1000 wide; `label` and `note` are escaped."""

    label: str
    note: str
    tone: str
    amount: str
    share: str
    x: float
    width: float


def parts(value: Breakdown) -> list[Part]:
    """Of the whole, or of its limit where that is larger; `share` is of the whole."""
    whole = value.total or 1
    length = max(value.total, value.limit or 0) or 1
    found: list[Part] = []
    x: float = 0
    for one in value.segments:
        width = max(0.0, 1000 * one.value / length)
        amount, share = _written(one.value, value.unit), f"{100 * one.value / whole:.1f} %"
        label, note = html.escape(one.label), html.escape(one.note)
        found.append(Part(label, note, one.tone, amount, share, round(x, 2), round(width, 2)))
        x += width
    return found


def _in_words(item: Any) -> bool:
    return isinstance(item, Link) or (isinstance(item, str) and len(item) > LONG)


def _inside(item: Any, unit: str, root: str, badge: Badge) -> str:
    kind = type(item)
    if kind is float or kind is int or kind is str:
        return _written(item, unit)
    if kind is Link:
        return _linked(item, root)
    if kind is not Figure:
        return _written(item, unit)
    said = _written(item.value, unit)
    return said if item.basis == "exact" else f"{said} {badge(item.basis, item.why)}"


def _linked(item: Link, root: str) -> str:
    return f"<a {_reference(item.to, root)}>{_written(item.text, '')}</a>"


@lru_cache(maxsize=REMEMBERED)
def _reference(to: str, root: str) -> str:
    href = html.escape(address(to, root))
    return f'href="{href}" rel="noopener"' if "://" in href else f'href="{href}"'


@lru_cache(maxsize=REMEMBERED, typed=True)
def _written(value: object, unit: str) -> str:
    said = text(value, unit)
    return html.escape(said) if isinstance(value, str) else said  # no number has a mark of HTML's
