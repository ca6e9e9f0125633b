"""One accelerator: headline figures, facts, and the sections in their order."""

from collections.abc import Iterator
from typing import Any

from calculators.common.money import rentals
from calculators.common.plan import Machine
from calculators.facts import Row
from calculators.facts.catalogue import Gpu
from calculators.kit import Figure, measured
from calculators.kit.units import write
from tools.cards import Card
from tools.documents.gpus.fits import everything, picks
from tools.documents.gpus.gathered import CLASSES, TRAIL, Fit, fits_on, machine_of, marketed
from tools.documents.gpus.hardware import memory, rates
from tools.documents.gpus.published import prices, speeds
from tools.naming import gpu_page
from tools.printing import Body
from tools.sheet import SHEET_META, Sheet, calculators_of, lead, printed, sources


def page_of(gpu: Gpu) -> Body:
    """The page of an accelerator, with or without memory of its own."""
    on = machine_of(gpu)
    fits = tuple(fits_on(on, gpu.row)) if on else ()
    description = _description(gpu, on, fits)
    sheet = Sheet(
        gpu.name,
        description.partition(": ")[2],
        TRAIL,
        _leads(gpu, on),
        tuple(_facts(gpu.row)),
        (
            *memory(on),
            rates(gpu.row),
            picks(on, fits),
            everything(on, fits),
            prices(gpu),
            speeds(gpu),
        ),
        calculators_of("gpu", gpu.id, without=_without(gpu)) if on else (),
        sources((*gpu.row["source"], *gpu.row.get("memory_source", ()))),
        tuple(_notes(gpu.row)),
        missing=_missing(gpu.row, on),
    )
    bandwidth = gpu.row["memory_bandwidth_gb_s"]
    usable = on.device.usable_bytes if on else None
    variables = [("memory bandwidth, GB/s", bandwidth)]
    if usable:
        variables.append(("usable memory, bytes", usable))
    return Body(
        gpu_page(gpu.id),
        gpu.name,
        description,
        printed(sheet, "../../"),
        meta=SHEET_META | {"title": f"{gpu.name}: usable memory, speed, what fits"},
        variables=tuple(variables),
        card=Card(
            gpu.name,
            description.partition(": ")[2],
            write(usable, "bytes").text if usable else f"{bandwidth:,g} GB/s",
            memory(on)[0].value.segments if on else (),
        ),
    )


def _description(gpu: Gpu, on: Machine | None, fits: tuple[Fit, ...]) -> str:
    row = gpu.row
    parts = [f"{row['memory_bandwidth_gb_s']:,g} GB/s"]
    if on:
        usable = write(on.device.usable_bytes, "bytes")
        box = marketed(on).removesuffix(" GB")
        parts.insert(0, f"{usable.text} usable ({usable.also} of the {box} on the box)")
    if row.get("dense_tflops", {}).get("fp16"):
        parts.append(f"{row['dense_tflops']['fp16']:,g} dense FP16 TFLOPS")
    said = f"{gpu.name}: {', '.join(parts)}."
    if on is None:
        said += " It has no memory of its own: how much is installed decides what fits."
    if fits:
        largest = fits[0]
        said += (
            f" The largest model that fits: {largest.subject.name} in {largest.weighed.label},"
            f" {write(largest.weighed.bytes, 'bytes')}."
        )
    return said


def _leads(gpu: Gpu, on: Machine | None) -> tuple[Any, ...]:
    row, usable = gpu.row, None
    if on:
        usable = Figure(on.device.usable_bytes, on.device.basis, why=f"Of {marketed(on)}.")
    tflops = row.get("dense_tflops", {}).get("fp16")
    price = next(iter(rentals().get(gpu.id, ())), None)
    bandwidth = row["memory_bandwidth_gb_s"] * 1e9
    return (
        *lead("Usable memory", "bytes", usable),
        *lead("Bandwidth", "bytes per second", Figure(bandwidth, "exact", why="Nominal.")),
        *lead("FP16, dense", "TFLOPS", Figure(tflops, "exact", why=row.get("tflops_basis", ""))),
        *lead(
            "Rent from",
            "usd per hour",
            measured(price.usd_per_hour, f"{price.provider}, {price.date}.") if price else None,
        ),
    )


def _without(gpu: Gpu) -> tuple[str, ...]:
    """What a cost needs is a price."""
    return () if gpu.id in rentals() else ("token-cost",)


def _facts(row: Row) -> Iterator[tuple[str, Any]]:
    named = (
        ("Maker", "vendor"),
        ("Architecture", "architecture"),
        ("Compute capability", "compute_capability"),
        ("LLVM target", "gfx"),
        ("Memory", "memory_type"),
        ("Link to peers", "interconnect"),
        ("PCIe", "pcie"),
        ("Released", "released"),
    )
    yield "Class", CLASSES.get(row["class"], row["class"])
    for label, key in named:
        if row.get(key):
            yield label, row[key]
    if row.get("tdp_w"):
        yield "Power", f"{row['tdp_w']:,} W"
    if row.get("memory_options_gb"):
        yield "Sold with", ", ".join(f"{size} GB" for size in row["memory_options_gb"])
    if row.get("formats"):
        yield "Multiplies in", ", ".join(row["formats"])


def _missing(row: Row, on: Machine | None) -> str:
    unknown = []
    if on is None:
        unknown.append("it has no memory of its own: type how much it may use in a calculator")
    if not row.get("dense_tflops") and not row.get("fp32_tflops"):
        unknown.append("no arithmetic rate is published or known, so that only writing is modelled")
    return f"What is missing: {'; '.join(unknown)}." if unknown else ""


def _notes(row: Row) -> Iterator[str]:
    if row.get("conflicts"):
        yield f"Sources disagree: {row['conflicts']}."
    for key in ("note", "release_note", "tflops_note", "tdp_note", "interconnect_note"):
        if row.get(key):
            said = str(row[key])
            yield f"{said[:1].upper()}{said[1:]}" + ("" if said.endswith(".") else ".")
    yield f"Read on {row['date']}."
