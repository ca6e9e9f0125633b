"""What rented GPUs cost per token, per month and against an API: the panel of the page."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common.money import Price, price_table
from calculators.kit import (
    Axis,
    Chart,
    Figure,
    Note,
    Notes,
    Series,
    Shown,
    Step,
    Table,
    Working,
    exact,
    given,
    lines,
    measured,
)
from calculators.kit.units import digits
from calculators.maths import cost
from calculators.maths.cost import DAYS_PER_MONTH, HOURS_PER_MONTH, Fleet, Load, TokenPrices

PERCENT = 100
CHART_SHARES = (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)  # per cent of the time


@dataclass(frozen=True)
class Cost:
    """What tokens cost here, per month at a load, and against an API."""

    cost_per_million_tokens: Annotated[
        Figure,
        Shown(
            "1M tokens written",
            "usd",
            "Price per hour over tokens per hour.",
            lead=True,
            term="cost-per-million-tokens",
        ),
    ]
    cost_per_million_input_tokens: Annotated[
        Figure | None, Shown("1M tokens read", "usd", "At the prefill speed.", lead=True)
    ]
    cost_per_month: Annotated[
        Figure | None, Shown("Per month", "usd per month", "Rented around the clock.", lead=True)
    ]
    usd_per_hour: Annotated[Figure, Shown("Price of the GPUs", "usd per hour")]
    gpus_needed: Annotated[
        Figure | None, Shown("GPUs for the load", "gpus", "At the utilisation given, at most.")
    ]
    load_share: Annotated[Figure | None, Shown("Time they work", "fraction")]
    cost_per_request: Annotated[Figure | None, Shown("One request", "usd")]
    api_cost_per_month: Annotated[Figure | None, Shown("The API, per month", "usd per month")]
    break_even_requests_per_day: Annotated[
        Figure | None, Shown("Requests a day from which renting is cheaper", " ")
    ]
    break_even_utilisation: Annotated[
        Figure | None,
        Shown("Time a GPU must work to beat the API", "fraction", "Above 100 %: it never does."),
    ]
    notes: Annotated[Notes | None, Shown("Mind")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    curve: Annotated[Chart, Shown("Against the share of the time they work")]
    prices: Annotated[Table | None, Shown("This GPU elsewhere")]


@dataclass(frozen=True)
class Rented:
    """GPUs that make `decode` tokens per second together; `share` of the paid time they work."""

    usd_per_gpu_hour: float
    gpus: int
    decode: float
    own_prefill: float | None
    share: float
    price: Price | None

    @property
    def usd_per_hour(self) -> float:
        return self.gpus * self.usd_per_gpu_hour

    @property
    def prefill(self) -> float:
        return self.own_prefill or self.decode

    @property
    def tokens(self) -> TokenPrices:
        return cost.own_prices(self.usd_per_hour, self.prefill, self.decode, self.share)


def cost_of(
    rented: Rented,
    request: Load,
    per_day: float | None,
    api: TokenPrices | None,
    peak_to_mean: float,
) -> Cost:
    """Of serving `per_day` requests (none: of the tokens alone), whose tokens `request` holds.

    `api`: what the same tokens cost elsewhere. `peak_to_mean`: the busiest hour over the mean one.
    """
    load = Load.of_requests(
        per_day or 0, request.input_tokens_per_day, request.output_tokens_per_day
    )
    fleet = cost.fleet(
        load,
        rented.usd_per_gpu_hour,
        rented.prefill,
        rented.decode,
        rented.gpus,
        peak_to_mean,
        rented.share,
    )
    mine = rented.tokens
    per_request = mine.of(request.input_tokens_per_day, request.output_tokens_per_day)
    price = rented.price
    hourly = given(rented.usd_per_hour)
    if price:
        hourly = measured(rented.usd_per_hour, f"{price.provider}, {price.kind}, {price.date}.")
    busy = per_day is not None
    return Cost(
        cost_per_million_tokens=exact(mine.output, "The formula below, nothing else."),
        cost_per_million_input_tokens=exact(mine.input) if rented.own_prefill else None,
        cost_per_month=exact(fleet.usd_per_month) if busy else None,
        usd_per_hour=hourly,
        gpus_needed=exact(fleet.gpus) if busy else None,
        load_share=exact(fleet.utilisation) if busy else None,
        cost_per_request=exact(per_request),
        api_cost_per_month=exact(cost.api_usd_per_month(load, api)) if api and busy else None,
        break_even_requests_per_day=_break_even(rented, request, api),
        break_even_utilisation=_break_even_share(rented, request, api),
        notes=_notes(rented, request, api, fleet if busy else None),
        working=_working(rented, fleet if busy else None),
        curve=_curve(rented, request, api),
        prices=price_table(price.gpu, rented.gpus, rented.decode, rented.share) if price else None,
    )


def _break_even(rented: Rented, request: Load, api: TokenPrices | None) -> Figure | None:
    if api is None:
        return None
    monthly = rented.usd_per_hour * HOURS_PER_MONTH
    ratio = request.input_tokens_per_day / request.output_tokens_per_day
    tokens = cost.break_even_tokens_per_day(monthly, api, ratio)
    return None if tokens is None else exact(tokens / request.output_tokens_per_day)


def _break_even_share(rented: Rented, request: Load, api: TokenPrices | None) -> Figure | None:
    if api is None:
        return None
    ratio = request.input_tokens_per_day / request.output_tokens_per_day
    share = cost.break_even_utilisation(
        rented.usd_per_hour, rented.prefill, rented.decode, api, ratio
    )
    return exact(share)


def _notes(
    rented: Rented, request: Load, api: TokenPrices | None, fleet: Fleet | None
) -> Notes | None:
    found = []
    if rented.own_prefill is None and request.input_tokens_per_day:
        found.append(
            Note("Prompts are read much faster than answers are written: type that speed.")
        )
    if fleet and fleet.deployments == 1 and fleet.utilisation < 0.1:
        said = f"The GPUs work {digits(PERCENT * fleet.utilisation, 2)} % of the time: you pay for "
        found.append(Note(said + "waiting.", "warning"))
    share = _break_even_share(rented, request, api)
    if share and isinstance(share.value, float) and share.value > 1:
        found.append(
            Note("At this speed the API is cheaper even if the GPUs never rest.", "warning")
        )
    return Notes(tuple(found)) if found else None


def _working(rented: Rented, fleet: Fleet | None) -> Working:
    hourly, share = rented.usd_per_hour, rented.share
    tokens = rented.decode * cost.SECONDS_PER_HOUR * share
    busy = "" if share == 1 else f" × {digits(share, 3)}"
    steps = []
    if rented.gpus > 1:
        said = f"{rented.gpus} × ${rented.usd_per_gpu_hour:g}"
        steps.append(Step("GPUs per hour", said, f"${hourly:,.4g}"))
    steps += [
        Step("Tokens per hour", f"{rented.decode:,g} × 3,600{busy}", f"{tokens:,.0f}"),
        Step(
            "1M tokens",
            f"${hourly:,.4g} / {tokens:,.0f} × 1,000,000",
            f"${rented.tokens.output:,.4f}",
        ),
    ]
    if fleet:
        said = f"{fleet.gpus} × ${rented.usd_per_gpu_hour:g} × 24 × {DAYS_PER_MONTH:.2f} days"
        steps.append(Step("Per month", said, f"${fleet.usd_per_month:,.2f}"))
    return Working(tuple(steps))


def _curve(rented: Rented, request: Load, api: TokenPrices | None) -> Chart:
    """A request's price against the share of the time the GPUs work, with the API's beside it."""
    read, written = request.input_tokens_per_day, request.output_tokens_per_day
    tokens = read + written
    series, api_price = [], []
    for percent in CHART_SHARES:
        mine = cost.own_prices(
            rented.usd_per_hour, rented.prefill, rented.decode, percent / PERCENT
        ).of(read, written)
        series.append((float(percent), mine / tokens * cost.TOKENS_PRICED))
        if api:
            each = api.of(read, written) / tokens * cost.TOKENS_PRICED
            api_price.append((float(percent), each))
    found = [Series("Rented GPUs", series)]
    if api_price:
        found.append(Series("API", api_price))
    return lines(
        "1M tokens of your mix of reading and writing, against how busy the GPUs are.",
        Axis("Time they work (%)"),
        Axis("1M tokens ($)", "usd", format="$,.3~g", log=True),
        found,
        basis="exact",
    )
