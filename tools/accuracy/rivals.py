"""What other calculators say for the same files."""

from collections.abc import Iterator
from statistics import median

from calculators.common import truth
from calculators.facts import Row
from calculators.facts.catalogue import find_model
from calculators.kit import Column, Table
from calculators.maths.packing import Recipe
from calculators.maths.rivals import Rival, side_by_side
from calculators.maths.tensors import Architecture, architecture
from tools.accuracy import Section

# Formats whose name says a whole number of bits, so that a rival's rule can be asked
FORMATS = ("awq", "gptq", "w4a16", "w8a16", "int8-w8a8", "fp8", "fp8-block")
EIGHT_BITS = ("int8-w8a8", "fp8", "fp8-block")
TEXT = """
Each rule is applied to the same architecture and the same number of bits, then held against the
same published files: those of AWQ, GPTQ and the like, whose names say a whole number of bits. Our
own row is held against them in the same way, misses included.
"""


def sections() -> Iterator[Section]:
    """One table: every rival, and ourselves."""
    ours: list[float] = []
    theirs: dict[Rival, list[float]] = {}
    for row in (row for name in FORMATS for row in truth.checked(name)):
        if row["refused"] is None:
            low, high = row.get("range_bytes") or (row["bytes"], row["bytes"])
            published = (low + high) // 2
            ours.append(row["error"])
            for said in side_by_side(_architecture(row), _bits(row), published):
                theirs.setdefault(said.rival, []).append(said.error)
    table = [
        ("Weighbridge", "every tensor, packed as the format packs it", *_errors(ours), "this site")
    ]
    for rival, errors in sorted(theirs.items(), key=lambda item: _errors(item[1])[1]):
        table.append((rival.name, rival.rule, *_errors(errors), rival.source))
    columns = (
        Column("Calculator"),
        Column("Its rule"),
        Column("Files", " "),
        Column("Median error", "fraction"),
        Column("Worst", "fraction"),
        Column("Read or run"),
    )
    yield Section(
        "rivals",
        "Side by side",
        TEXT,
        13,
        table=Table(columns, tuple(table), basis="measured", mark=0),
    )


def _errors(errors: list[float]) -> tuple[int, float, float]:
    """How many, the median of their sizes, and the worst with its sign."""
    return len(errors), median(map(abs, errors)), max(errors, key=abs)


def _bits(row: Row) -> float:
    recipe = Recipe.parse(row["recipe"])
    return 8 if recipe.format in EIGHT_BITS else recipe.bits


def _architecture(row: Row) -> Architecture:
    return architecture(row.get("config") or find_model(row["model"]).config)
