"""Dated prices of GPUs by provider, and what tokens cost at them."""

from dataclasses import dataclass
from functools import cache

from calculators.common.citation import link
from calculators.facts import rows
from calculators.kit import Column, Link, Refused, Table
from calculators.maths.cost import usd_per_million_tokens

CHEAPEST = "cheapest"


@dataclass(frozen=True)
class Price:
    """One GPU for one hour, as somebody listed it that day."""

    gpu: str
    provider: str
    kind: str
    usd_per_hour: float
    date: str
    source: str
    note: str


@cache
def rentals() -> dict[str, tuple[Price, ...]]:
    """By GPU, cheapest first; of one provider and kind the newest row stands."""
    newest: dict[tuple[str, str, str], Price] = {}
    for row in rows("prices"):
        if "usd_per_gpu_hour" not in row or not row.get("provider"):
            continue
        key = (row["gpu"], row["provider"], row["kind"])
        if key not in newest or newest[key].date < row["date"]:
            newest[key] = Price(
                row["gpu"],
                row["provider"],
                row["kind"],
                float(row["usd_per_gpu_hour"]),
                row["date"],
                row["source"][0],
                row.get("note", ""),
            )
    found: dict[str, list[Price]] = {}
    for price in newest.values():
        found.setdefault(price.gpu, []).append(price)
    return {
        gpu: tuple(sorted(prices, key=lambda price: (price.usd_per_hour, price.provider)))
        for gpu, prices in found.items()
    }


@cache
def providers() -> tuple[str, ...]:
    """Everybody who lists a price, by name."""
    return tuple(sorted({price.provider for found in rentals().values() for price in found}))


def key(provider: str) -> str:
    """How a link spells a provider."""
    return "-".join("".join(c if c.isalnum() else " " for c in provider.casefold()).split())


def cheapest(gpu_id: str) -> Price | None:
    """The lowest price that is not a marketplace's; a marketplace's where there is no other."""
    known = rentals().get(gpu_id, ())
    listed = [price for price in known if not price.kind.startswith("marketplace")]
    return next(iter(listed or known), None)


def price_of(gpu_id: str, gpu_name: str, provider: str) -> Price:
    """A provider's price, or a refusal that names those who have one."""
    known = rentals().get(gpu_id, ())
    if not known:
        raise Refused(f"No dated price of {gpu_name} is known here: type your own.", "gpu")
    if provider == CHEAPEST:
        found = cheapest(gpu_id)
    else:
        found = next((price for price in known if key(price.provider) == provider), None)
    if found is None:
        have = ", ".join(sorted({price.provider for price in known}))
        raise Refused(f"No price of {gpu_name} from there is known; there are: {have}.", "provider")
    return found


def price_table(gpu_id: str, gpus: int, tokens_per_second: float, utilisation: float) -> Table:
    """Every dated price of a GPU, and a million tokens at it."""
    table = tuple(
        (
            price.provider,
            price.kind,
            gpus * price.usd_per_hour,
            usd_per_million_tokens(gpus * price.usd_per_hour, tokens_per_second, utilisation),
            price.date,
            source(price),
        )
        for price in rentals().get(gpu_id, ())
    )
    columns = (
        Column("Provider"),
        Column("Kind"),
        Column("Price" if gpus == 1 else f"{gpus} GPUs", "usd per hour"),
        Column("1M tokens", "usd"),
        Column("Read on"),
        Column("Source"),
    )
    empty = "No dated price of this GPU is known here: type your own."
    said = "Prices move by the week: look at the date, and type your own where you know better."
    return Table(columns, table, basis="measured", caption=said, empty=empty)


def source(price: Price) -> Link | str:
    """Where the price was read."""
    return link(price.source)
