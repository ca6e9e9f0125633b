"""How well the memory rules reproduce real logs, engine by engine and term by term."""

from functools import cache

from calculators.common.plan_fields import ENGINE_NAMES
from calculators.kit import Column, Table
from calculators.maths.closure import closure_summary


@cache
def closed(engine: str) -> Table:
    """One line per term: logs, median and worst error, and how many lie inside what we claim."""
    kind = "llama.cpp" if engine == "ollama" else engine
    lines = tuple(
        (found.term, found.rows, found.close / found.rows, found.median, found.worst)
        for found in closure_summary(implied=False)
        if found.engine == kind and found.unit != "yes"
    )
    columns = (
        Column("Of the logs"),
        Column("Rows", " "),
        Column("Inside the claim", "fraction"),
        Column("Median error", "fraction"),
        Column("Worst error", "fraction"),
    )
    name = ENGINE_NAMES[engine]
    return Table(
        columns,
        lines,
        basis="measured",
        folded=True,
        caption=f"Published logs of {name} against the rules used here.",
        empty=f"No log of {name} that can be compared is known: its figures are rules, not checked.",
    )
