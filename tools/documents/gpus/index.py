"""The list of accelerators, by class and memory."""

from typing import Any

from calculators.common.money import rentals
from calculators.common.weighing import short_name
from calculators.facts.catalogue import gpus
from calculators.kit import Column, Link, Table
from tools.documents.gpus.gathered import CLASSES, FOLDER, TRAIL, machine_of
from tools.naming import gpu_page
from tools.printing import Body
from tools.sheet import SHEET_META, Section, Sheet, printed


def listing() -> Body:
    """One line for each accelerator."""
    table: list[tuple[Any, ...]] = []
    for gpu in gpus():
        on, row = machine_of(gpu), gpu.row
        price = next(iter(rentals().get(gpu.id, ())), None)
        table.append(
            (
                Link(short_name(on) if on else gpu.name, gpu_page(gpu.id)),
                CLASSES.get(row["class"], row["class"]),
                on and on.device.usable_bytes,
                row["memory_bandwidth_gb_s"] * 1e9,
                (row.get("dense_tflops") or {}).get("fp16"),
                price and price.usd_per_hour,
            )
        )
    table.sort(key=lambda cells: (list(CLASSES.values()).index(cells[1]), -(cells[2] or 0)))
    columns = (
        Column("GPU"),
        Column("Class"),
        Column("Usable memory", "bytes"),
        Column("Bandwidth", "bytes per second"),
        Column("FP16", "TFLOPS"),
        Column("Rent from", "usd per hour"),
    )
    title = "GPUs"
    description = (
        f"{len(table)} accelerators with the memory that programs can really use, bandwidth, dense "
        "arithmetic rates, dated prices, and the models that fit on each."
    )
    sheet = Sheet(
        title,
        description,
        TRAIL[:1],
        (),
        (),
        (Section("all", "By class and memory", Table(columns, tuple(table))),),
        (),
        (Link("The catalogue's own rows", "data"),),
    )
    return Body(FOLDER, title, description, printed(sheet, "../"), "Look up", 2, meta=SHEET_META)
