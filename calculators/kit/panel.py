"""An answer as a reader sees it: the result panel's HTML, and the same as text and Markdown."""

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calculators.kit.calculator import Answer
from calculators.kit.cells import address, cell, figures, parts, rows, said
from calculators.kit.outputs import Breakdown, Chart, Figure, Link, Output, Table, Working
from calculators.kit.units import text as written

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[2] / "templates"
# They stand everywhere and say few things, so what they say is kept: as a macro, `badge(basis, why)`,
# or three times as fast as a filter, `basis | badge(why)`.
MARKS = ("badge", "term", "naming", "head", "heading")
REMEMBERED = 1024  # of each


@cache
def environment() -> "Environment | None":
    """The one Jinja environment of build and browser; None where only the standard library is."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ModuleNotFoundError:
        return None
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        undefined=StrictUndefined,
    )
    made.filters["amount"] = written
    made.filters["address"] = address
    made.filters["cell"] = cell
    made.filters["figures"] = figures
    made.filters["rows"] = rows
    made.filters["said"] = said
    made.filters["parts"] = parts
    made.tests["figure"] = lambda value: isinstance(value, Figure)
    made.tests["link"] = lambda value: isinstance(value, Link)
    for mark in MARKS:
        macro = getattr(made.get_template(f"parts/{mark}.html").module, mark)
        made.globals[mark] = made.filters[mark] = lru_cache(maxsize=REMEMBERED)(macro)
    return made


def render(answer: Answer, root: str = "../") -> dict[str, Any]:
    """{"html", "charts"} of an answer; both empty when a field was refused.

    `root` is the way from the page that shows it to the site's root.
    """
    if answer.errors:
        return {"html": "", "charts": {}}
    jinja = environment()
    panel = jinja.get_template("parts/result.html") if jinja else None
    charts = {
        output.name: output.value.spec
        for output in answer.outputs
        if isinstance(output.value, Chart)
    }
    return {"html": panel.render(answer=answer, root=root) if panel else "", "charts": charts}


def texts(answer: Answer) -> dict[str, str]:
    """{"text", "markdown"} of an answer; both empty when a field was refused."""
    if answer.errors:
        return {"text": "", "markdown": ""}
    return {"text": text(answer), "markdown": markdown(answer)}


def text(answer: Answer) -> str:
    """The answer for a terminal: figures first, then every table."""
    lines = []
    figures = [output for output in answer.outputs if isinstance(output.value, Figure)]
    width = max((len(output.shown.label) for output in figures), default=0)
    for output in figures:
        also = f" ({output.amount.also})" if output.amount.also else ""
        band = f", {output.band}" if output.band else ""
        lines.append(
            f"{output.shown.label:<{width}}  {output.amount}{also}  [{output.value.basis}{band}]"
        )
    for output in answer.outputs:
        if not isinstance(output.value, Figure | Chart):
            lines += ["", output.shown.label, *_lines(output)]
    return "\n".join(lines)


def markdown(answer: Answer) -> str:
    """The figures as a Markdown table."""
    rows = [
        f"| {output.shown.label} | {output.amount} | {output.amount.also} | {output.value.basis} |"
        for output in answer.outputs
        if isinstance(output.value, Figure)
    ]
    return "\n".join(["| | | | basis |", "| --- | ---: | ---: | --- |", *rows])


def _lines(output: Output) -> list[str]:
    value = output.value
    if isinstance(value, Breakdown):
        return _columns([(part.label, written(part.value, value.unit)) for part in value.segments])
    if isinstance(value, Table):
        head = tuple(column.label for column in value.columns)
        body = [
            tuple(
                cell_text(cell, column.unit)
                for cell, column in zip(row, value.columns, strict=True)
            )
            for row in value.rows
        ]
        return _columns([head, *body])
    if isinstance(value, Working):
        return [f"  {step.label}: {step.expression} = {step.result}" for step in value.steps]
    plain = output.plain()["value"]
    entries = plain.values() if isinstance(plain, dict) else plain
    return [f"  {line}" for entry in entries for line in str(entry).splitlines()]


def cell_text(cell: Any, unit: str) -> str:
    """One table cell as text."""
    if isinstance(cell, Link):
        return cell.text
    return written(cell.value if isinstance(cell, Figure) else cell, unit)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
