"""The sections of a model's page that others measured: speed, quality, files."""

from functools import cache
from typing import Any

from calculators.common import truth
from calculators.common.citation import link
from calculators.facts.catalogue import Model, gpus
from calculators.kit import Column, Link, Table
from calculators.kit.units import digits
from calculators.maths import quality
from tools.naming import gpu_page
from tools.sheet import Section
from tools.speeds import best_of_model

MEASURED = 24  # rows of published speeds and of quality that a page shows
PER_FORMAT = 2  # of the latter


def speeds(model: Model) -> Section:
    """What was measured, by GPU."""
    names = {gpu.id: gpu.name for gpu in gpus()}
    chosen = sorted(
        best_of_model(model.id),
        key=lambda one: (one.gpu, one.gpus, one.format, -one.value),
    )
    table = tuple(
        (
            Link(names.get(one.gpu, one.gpu), gpu_page(one.gpu)),
            one.gpus,
            one.variant or one.format,
            f"{one.engine} {one.version}".strip(),
            one.batch or None,
            one.value,
            link(one.source),
        )
        for one in chosen[:MEASURED]
    )
    columns = (
        Column("GPU"),
        Column("GPUs", " "),
        Column("Format"),
        Column("Engine"),
        Column("Requests", " "),
        Column("Writes", "tokens per second"),
        Column("Source"),
    )
    said = "The best published figure of each GPU, format and engine, all requests together."
    return Section("speed", "Measured speed", Table(columns, table, "measured"), said)


@cache
def _quality_rows() -> dict[str, list[quality.Measurement]]:
    found: dict[str, list[quality.Measurement]] = {}
    for one in quality.measurements():
        found.setdefault(quality.short_name(one.model), []).append(one)
    return found


def quality_lost(model: Model) -> Section:
    """What quantizing cost it, by format."""
    known = _quality_rows().get(quality.short_name(model.id), [])
    shown: dict[str, list[tuple[Any, ...]]] = {}
    for one in known:
        of_format = shown.setdefault(one.format, [])
        lost = _lost(one)
        if lost and len(of_format) < PER_FORMAT:
            cells = (one.label, one.metric, one.baseline, one.value, lost, link(one.source))
            of_format.append(cells)
    table = [cells for _, of_format in sorted(shown.items()) for cells in of_format][:MEASURED]
    columns = (
        Column("Format"),
        Column("Measured by"),
        Column("Original", "score"),
        Column("Quantized", "score"),
        Column("Lost"),
        Column("Source"),
    )
    said = f"As published: {len(table)} of {len(known)} figures, at most {PER_FORMAT} of a format."
    value = Table(columns, tuple(table), "measured")
    return Section("quality", "Measured quality", value, said)


def _lost(one: quality.Measurement) -> str:
    """The loss on the first basis that the figure has."""
    for basis, unit in quality.BASES.items():
        loss = one.loss(basis)
        if loss is not None:
            return f"{digits(loss, 3)} {unit}" if loss >= 0 else f"none: {digits(-loss, 3)} better"
    return ""


@cache
def _audited() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in truth.all_checked():
        if row["refused"] is None:
            found.setdefault(str(row.get("model") or ""), []).append(row)
    return found


def files(model: Model) -> Section:
    """Published sizes against ours, misses included."""
    table = tuple(
        (
            row.get("repo") or row["name"],
            row["variant"],
            row["size_text"],
            row["predicted_bytes"],
            f"{100 * row['error']:+.3f} %",
            "met" if row["inside"] else "missed",
            link(row["source"][0]),
        )
        for row in _audited().get(model.id, ())
    )
    columns = (
        Column("File"),
        Column("Format"),
        Column("Published"),
        Column("Computed here", "bytes"),
        Column("Difference"),
        Column("Inside"),
        Column("Source"),
    )
    said = "Met: to the byte where bytes were published, else within what was printed."
    value = Table(columns, table, "measured")
    return Section("published", "Published files", value, said)
