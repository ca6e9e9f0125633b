"""Money: what tokens cost on rented GPUs, what a load costs per month, and when it beats an API.

$ per 1M tokens = $ per hour / (tokens per second x 3600) x 1,000,000
"""

from dataclasses import dataclass
from math import ceil

SECONDS_PER_HOUR = 3600
TOKENS_PRICED = 1_000_000  # APIs price per million tokens
DAYS_PER_MONTH = 365 / 12
HOURS_PER_MONTH = DAYS_PER_MONTH * 24
SECONDS_PER_DAY = 86_400


class NoThroughput(ValueError):
    """A cost per token needs a speed above zero, and a utilisation above 0 and up to 1."""


def usd_per_million_tokens(
    usd_per_hour: float, tokens_per_second: float, utilisation: float = 1.0
) -> float:
    """`utilisation`: share of the rented time in which tokens flow at that speed.

    Raises `NoThroughput` when no tokens flow.
    """
    if tokens_per_second <= 0 or not 0 < utilisation <= 1:
        raise NoThroughput(
            f"{tokens_per_second:g} tokens per second at a utilisation of {utilisation:g}"
        )
    tokens_per_hour = tokens_per_second * SECONDS_PER_HOUR * utilisation
    return usd_per_hour / tokens_per_hour * TOKENS_PRICED


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars per million tokens read and written."""

    input: float
    output: float

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """Dollars for so many tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / TOKENS_PRICED


def own_prices(
    usd_per_hour: float,
    prefill_tokens_per_second: float,
    decode_tokens_per_second: float,
    utilisation: float = 1.0,
) -> TokenPrices:
    """Input and output apart: a GPU second goes either to prompts or to decoding, so each token
    bears the seconds of its own kind. `decode_tokens_per_second` is of the whole batch."""
    return TokenPrices(
        usd_per_million_tokens(usd_per_hour, prefill_tokens_per_second, utilisation),
        usd_per_million_tokens(usd_per_hour, decode_tokens_per_second, utilisation),
    )


@dataclass(frozen=True, slots=True)
class Load:
    """Tokens per day, read and written."""

    input_tokens_per_day: float
    output_tokens_per_day: float

    @classmethod
    def of_requests(cls, per_day: float, input_tokens: float, output_tokens: float) -> "Load":
        """So many requests of one size."""
        return cls(per_day * input_tokens, per_day * output_tokens)

    def busy_seconds(
        self, prefill_tokens_per_second: float, decode_tokens_per_second: float
    ) -> float:
        """Seconds per day that one deployment works at these speeds."""
        if prefill_tokens_per_second <= 0 or decode_tokens_per_second <= 0:
            raise NoThroughput("a load needs both speeds above zero")
        return (
            self.input_tokens_per_day / prefill_tokens_per_second
            + self.output_tokens_per_day / decode_tokens_per_second
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """`deployments` rented around the clock; `utilisation`: share of the time they work."""

    deployments: int
    gpus: int
    utilisation: float
    usd_per_month: float


def fleet(
    load: Load,
    usd_per_gpu_hour: float,
    prefill_tokens_per_second: float,
    decode_tokens_per_second: float,
    gpus_per_deployment: int = 1,
    peak_to_mean: float = 1.0,
    most_utilisation: float = 1.0,
) -> Fleet:
    """GPUs for a load, whole deployments at a time.

    Speeds are of one deployment. `peak_to_mean`: how much busier the busiest hour is than the
    mean; `most_utilisation`: how full a deployment may be in that hour.
    """
    if not 0 < most_utilisation <= 1:
        raise NoThroughput(f"a utilisation of {most_utilisation:g}")
    busy = load.busy_seconds(prefill_tokens_per_second, decode_tokens_per_second)
    share = busy / SECONDS_PER_DAY
    deployments = max(1, ceil(share * peak_to_mean / most_utilisation))
    gpus = deployments * gpus_per_deployment
    return Fleet(deployments, gpus, share / deployments, gpus * usd_per_gpu_hour * HOURS_PER_MONTH)


def api_usd_per_month(load: Load, prices: TokenPrices) -> float:
    """What an API charges for the load."""
    return prices.of(load.input_tokens_per_day, load.output_tokens_per_day) * DAYS_PER_MONTH


def break_even_tokens_per_day(
    usd_per_month: float, prices: TokenPrices, input_per_output: float = 0.0
) -> float | None:
    """Output tokens per day from which an API at `prices` costs more than a fixed monthly sum.

    `input_per_output`: input tokens that come with each output token. None when the API is free,
    so that it never costs more. Whether the GPUs can serve so many is the fleet's question.
    """
    usd_per_output_token = prices.of(input_per_output, 1.0)
    if usd_per_output_token <= 0:
        return None
    return usd_per_month / DAYS_PER_MONTH / usd_per_output_token


def break_even_utilisation(
    usd_per_hour: float,
    prefill_tokens_per_second: float,
    decode_tokens_per_second: float,
    prices: TokenPrices,
    input_per_output: float = 0.0,
) -> float:
    """Share of the time a deployment must work to cost what the API charges; above 1: never."""
    seconds = input_per_output / prefill_tokens_per_second + 1 / decode_tokens_per_second
    api_usd_per_busy_hour = prices.of(input_per_output, 1.0) / seconds * SECONDS_PER_HOUR
    return usd_per_hour / api_usd_per_busy_hour if api_usd_per_busy_hour > 0 else float("inf")
