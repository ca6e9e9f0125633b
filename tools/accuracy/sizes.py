"""Published checkpoint sizes against predictions: the summary, the misses, every row."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, quote, urlencode

from calculators import CALCULATORS
from calculators.common import truth
from calculators.common.citation import address
from calculators.common.truth import FAMILIES
from calculators.facts import Row
from calculators.kit import Axis, Chart, Column, Link, Table, bars
from calculators.kit.units import MINUS, write
from calculators.maths.packing import Recipe, formats
from tools.accuracy import Section

# The distribution's classes: an error of at most so much, and what it is called
CLASSES = (
    (1e-7, "to the byte"),
    (1e-5, "below 0.001 %"),
    (1e-4, "below 0.01 %"),
    (1e-3, "below 0.1 %"),
    (1e-2, "below 1 %"),
    (2e-2, "below 2 %"),
)
HEAD = (
    Column("File"),
    Column("Published", " "),
    Column("Predicted", " "),
    Column("Error", " "),
)
MET_MEANS = """
A row is **met** when the prediction equals the published bytes of the tensors; when it equals the
bytes of a whole file but for the slack of a header, which holds metadata that no config tells; or,
for a figure that was printed rounded, when it lies within what the rounding leaves. The error is
against the middle of that interval, so a figure printed as 3.90 GB shows an error of up to 0.13 %
though nothing is wrong. Rows whose source cannot be opened by anybody are not shown, and not
counted here.
"""


def sections() -> Iterator[Section]:
    """The whole, by format, what is missed, what is not predicted; then every row by family."""
    rows = truth.all_checked()
    predicted = [row for row in rows if row["refused"] is None]
    lead = _lead(predicted) + MET_MEANS
    yield Section("sizes", "Checkpoint sizes", lead, 10, chart=_chart(predicted))
    yield Section("by-format", "By format", "", 11, table=_by_format())
    missed = [row for row in predicted if not row["inside"]]
    yield Section(
        "misses",
        "What we miss, and why",
        f"{len(missed)} published sizes lie outside. Each has its reason, as far as it is known.",
        12,
        table=_missed(missed),
    )
    refused = [row for row in rows if row["refused"] is not None]
    yield Section(
        "not-predicted",
        "What is not predicted",
        f"{len(refused)} published figures are not held against a prediction: they are not sizes "
        "of checkpoints, or nobody can tell from a recipe what is in them.",
        40,
        table=_refused(refused),
    )
    yield from _families()


def _lead(predicted: Sequence[Row]) -> str:
    said = truth.evidence("all formats", predicted)
    return (
        f"**{said.inside} of {said.rows} published sizes are met**; the median error is "
        f"{truth.percent(said.median_error or 0)} and the worst "
        f"{truth.percent(said.worst_error or 0)}.\n"
    )


def _chart(predicted: Iterable[Row]) -> Chart:
    counts: dict[tuple[str, str], int] = {}
    for row in predicted:
        key = _class(abs(row["error"])), FAMILIES[_recipe(row).settings.family]
        counts[key] = counts.get(key, 0) + 1
    items = [
        (label, family, float(counts[label, family]))
        for _, label in CLASSES
        for family in FAMILIES.values()
        if (label, family) in counts
    ]
    caption = "Published sizes by our error, most of which is the rounding of the printed figure"
    return bars(caption, Axis("Published sizes", " "), items, basis="measured")


def _class(error: float) -> str:
    return next((label for most, label in CLASSES if error <= most), "more")


def _by_format() -> Table:
    table = []
    for one in formats():
        said = truth.of_format(one.id)
        if said.rows and one.id != truth.AS_PUBLISHED:
            table.append(
                (
                    Link(one.name, f"#{truth.anchor(one.family)}"),
                    said.rows,
                    said.inside,
                    said.median_error,
                    said.worst_error,
                )
            )
    columns = (
        Column("Format"),
        Column("Published", " "),
        Column("Met", " "),
        Column("Median error", "fraction"),
        Column("Worst", "fraction"),
    )
    return Table(columns, tuple(table), basis="measured")


def _missed(rows: Iterable[Row]) -> Table:
    table = tuple((*_cells(row), row.get("explanation", ""), _source(row)) for row in rows)
    return Table((*HEAD, Column("Why"), Column("Source")), table, basis="measured")


def _refused(rows: Iterable[Row]) -> Table:
    table = tuple(
        (f"{row['name']}, {row['variant']}", row.get("size_text"), row["refused"], _source(row))
        for row in rows
    )
    columns = (Column("File"), Column("Published", " "), Column("Why not"))
    return Table((*columns, Column("Source")), table, basis="measured", folded=True)


def _families() -> Iterator[Section]:
    for place, (family, name) in enumerate(FAMILIES.items()):
        members = [one.id for one in formats() if one.family == family]
        rows = [row for one in members for row in truth.checked(one) if row["refused"] is None]
        if rows:
            table = tuple(
                (*_cells(row), "yes" if row["inside"] else "no", _source(row)) for row in rows
            )
            columns = (*HEAD, Column("Met"), Column("Source"))
            title = f"Every row: {name}"
            text = truth.of_family(family).sentence
            yield Section(
                truth.anchor(family),
                title,
                text,
                20 + place,
                table=Table(columns, table, folded=True),
            )


def _cells(row: Row) -> tuple[object, ...]:
    """Where the publisher gives bytes, both are shown in bytes."""
    to_the_byte = "bytes" in row
    predicted = row["predicted_bytes"]
    return (
        _question(row),
        f"{row['bytes']:,} bytes" if to_the_byte else _printed(row),
        f"{predicted:,} bytes" if to_the_byte else write(predicted, "bytes").text,
        f"{100 * row['error']:+.4f} %".replace("-", MINUS),
    )


def _printed(row: Row) -> str:
    """The middle of the interval in GB, and what was printed: many a printed GB is a GiB."""
    middle = write(sum(row["range_bytes"]) / 2, "bytes").text
    return f"{middle} (printed {row['size_text']})" if "size_text" in row else middle


def _recipe(row: Row) -> Recipe:
    return Recipe.parse(row["recipe"])


def _question(row: Row) -> Link | str:
    """The file's name, leading to the calculator that answers the same, where there is one."""
    settings = dict(parse_qsl(row["recipe"]))
    slug = "checkpoint-size"
    if settings["format"].startswith("gguf-"):
        slug = "gguf-size"
        settings["type"] = settings.pop("format").removeprefix("gguf-")
    asked = f"{urlencode(settings)}&model={quote(str(row.get('model')))}"
    name = f"{row['name']}, {row['variant']}"
    known = not row.get("config") and not CALCULATORS[slug].ask(asked).errors
    return Link(name, f"{slug}?{asked}") if known else name


def _source(row: Row) -> Link | str:
    said = row["source"][0]
    url = address(said)
    return Link(row.get("repo") or said.partition(":")[0], url) if url else said
