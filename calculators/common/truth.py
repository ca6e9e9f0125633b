"""What published files say about our predictions, by format: the error that stands beside a size."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from calculators.facts import Row, rows
from calculators.kit import Column, Figure, Link, Table
from calculators.kit.units import write
from calculators.maths.audit import audit, summary
from calculators.maths.packing import Recipe, formats

AS_PUBLISHED = "original"

# Formats whose rows speak for one another, as people name them
FAMILIES = {
    "awq": "AWQ",
    "gptq": "GPTQ",
    "llama_cpp": "GGUF",
    "eight_bit": "FP8 and INT8",
    "pack_quantized": "W4A16 and W8A16",
    "bitsandbytes": "bitsandbytes",
    "fp4": "NVFP4 and MXFP4",
    "exl2": "EXL2",
    "exl3": "EXL3",
    "mlx": "MLX",
    "hqq": "HQQ",
    "unquantized": "not quantized",
    "original": "as published",
}
NONE = "No published file of this format could be cited; the layout follows the code of its tool."


@dataclass(frozen=True)
class Evidence:
    """How predictions did on published files; errors are shares of the published size, to a
    millionth.
    """

    name: str
    rows: int
    inside: int
    median_error: float | None
    worst_error: float | None

    @property
    def sentence(self) -> str:
        """For a reader."""
        if self.median_error is None or self.worst_error is None:
            return NONE
        return (
            f"{self.inside} of {self.rows} published sizes ({self.name}) are met within what their "
            f"printed figures allow; median error {percent(self.median_error)}, worst "
            f"{percent(self.worst_error)}."
        )


def percent(share: float) -> str:
    """A share as text."""
    return write(share, "fraction").text


@cache
def _by_format() -> dict[str, tuple[Row, ...]]:
    """The rows that may be shown, by the format that they name; "" for none. A model as it was
    published stands with the format that it was published in.
    """
    known = {one.id for one in formats()}
    found: dict[str, list[Row]] = {}
    for row in rows("published"):
        if row.get("citable", True):
            name = Recipe.parse(row["recipe"]).format if row.get("recipe") else ""
            if name == AS_PUBLISHED and row["format"] in known:
                name = row["format"]
            found.setdefault(name, []).append(row)
    return {name: tuple(each) for name, each in found.items()}


@cache
def checked(format_id: str) -> tuple[Row, ...]:
    """Every published row of a format that may be shown, with our prediction beside it."""
    return tuple(audit(_by_format().get(format_id, ()))["rows"])


def all_checked() -> list[Row]:
    """All of them, in the order of the formats; rows that name no format come last."""
    names = [*(one.id for one in formats()), ""]
    return [row for name in names for row in checked(name)]


def evidence(name: str, found: Iterable[Row]) -> Evidence:
    """What these rows say together."""
    said = summary(tuple(found))
    middle, worst = (
        None if error is None else round(error, 6)
        for error in (said["median_error"], said["worst_error"])
    )
    return Evidence(name, said["predicted"], said["inside"], middle, worst)


@cache
def of_format(format_id: str) -> Evidence:
    """What the rows of one format say."""
    name = next(one.name for one in formats() if one.id == format_id)
    return evidence(name, _speaking_for(format_id))


@cache
def of_family(family: str) -> Evidence:
    """What the rows of a packing family say."""
    members = (one.id for one in formats() if one.family == family)
    return evidence(FAMILIES[family], (row for one in members for row in _speaking_for(one)))


def _speaking_for(format_id: str) -> tuple[Row, ...]:
    """The rows of a format; for models as published, those of whatever format they have."""
    if format_id != AS_PUBLISHED:
        return checked(format_id)
    return tuple(row for row in all_checked() if row.get("recipe") == f"format={AS_PUBLISHED}")


def error_figure(family: str) -> Figure | None:
    """The median error of the family, its best and worst as the band."""
    found = of_family(family)
    if found.median_error is None:
        return None
    return Figure(found.median_error, "measured", 0, found.worst_error, found.sentence)


def anchor(family: str) -> str:
    """Where the rows of a family stand on the accuracy page."""
    return "by-format" if family == AS_PUBLISHED else family.replace("_", "-")


def evidence_table(format_id: str, family: str) -> Table:
    """The format and its family, each with a way to the rows behind it."""
    seen = dict.fromkeys((of_format(format_id), of_family(family)))
    table = tuple(
        (
            Link(one.name, f"accuracy#{anchor(family)}"),
            one.rows,
            one.inside,
            one.median_error,
            one.worst_error,
        )
        for one in seen
        if one.rows
    )
    columns = (
        Column("Published files"),
        Column("How many", " "),
        Column("Met", " "),
        Column("Median error", "fraction"),
        Column("Worst", "fraction"),
    )
    return Table(columns, table, basis="measured", empty=NONE)
