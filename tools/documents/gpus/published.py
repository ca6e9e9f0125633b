"""The sections of an accelerator's page that others publish: prices and speeds."""

from functools import cache

from calculators.common.citation import link
from calculators.common.money import rentals
from calculators.common.subject import subjects
from calculators.facts import rows
from calculators.facts.catalogue import Gpu
from calculators.kit import Column, Link, Table
from calculators.kit.units import write
from tools.naming import model_page
from tools.sheet import Section
from tools.speeds import best_on_gpu

MEASURED = 30  # rows


def prices(gpu: Gpu) -> Section:
    """Dated prices, to rent and to buy."""
    rented = [
        (
            price.provider,
            price.kind,
            f"{write(price.usd_per_hour, 'usd per hour')}",
            price.date,
            link(price.source),
        )
        for price in rentals().get(gpu.id, ())
    ]
    bought = [
        (
            "to buy",
            row["condition"],
            f"${row['usd_low']:,} to ${row['usd_high']:,}",
            row["date"],
            link(row["source"][0]),
        )
        for row in rows("prices")
        if row["gpu"] == gpu.id and "usd_low" in row
    ]
    columns = (
        Column("From"),
        Column("Kind"),
        Column("Price"),
        Column("Read on"),
        Column("Source"),
    )
    said = "Prices move by the week: look at the date."
    value = Table(columns, tuple(rented + bought), "measured")
    return Section("prices", "Prices", value, said)


@cache
def _pages_of_models() -> dict[str, str]:
    return {found.model.id: model_page(found.model) for found in subjects()}


def speeds(gpu: Gpu) -> Section:
    """What was measured on it, the newest engines first."""
    best = best_on_gpu(gpu.id)
    chosen = sorted(best, key=lambda one: (-int(one.generation), one.model, -one.value))
    pages = _pages_of_models()
    table = tuple(
        (
            Link(one.model, pages[one.model_id]) if one.model_id in pages else one.model,
            one.variant or one.format,
            f"{one.engine} {one.version}".strip(),
            one.gpus,
            one.batch or None,
            one.value,
            link(one.source),
        )
        for one in chosen[:MEASURED]
    )
    columns = (
        Column("Model"),
        Column("Format"),
        Column("Engine"),
        Column("GPUs", " "),
        Column("Requests", " "),
        Column("Writes", "tokens per second"),
        Column("Source"),
    )
    said = (
        f"{min(len(best), MEASURED)} of {len(best)} published figures, the newest engines first; "
        "all requests together."
    )
    value = Table(columns, table, "measured")
    return Section("speed", "Measured speed", value, said, folded=len(table) > 12)
