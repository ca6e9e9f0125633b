"""What a million tokens cost on rented GPUs, and from when on that beats an API."""

from typing import Annotated

from calculators.common.money import CHEAPEST, key, price_of, providers
from calculators.common.rented import Cost, Rented, cost_of
from calculators.facts.catalogue import Gpu, find_gpu, gpu_options
from calculators.kit import (
    Choice,
    Example,
    Field,
    Page,
    Pick,
    Quantity,
    Question,
    Refused,
    Source,
)
from calculators.maths import cost
from calculators.maths.cost import Load, TokenPrices

PERCENT = 100


def _usd(label: str, help: str = "", advanced: bool = False) -> Field:
    field = Quantity("usd", 0, 1e6)
    return Field(label, field, help, advanced=advanced, placeholder="0.60")


def _speed(label: str, help: str, **more: str) -> Field:
    return Field(label, Quantity("", 0.001, 1e9), help, **more)  # type: ignore[arg-type]


PROVIDERS = ((CHEAPEST, "the cheapest listed"), *((key(name), name) for name in providers()))


def calculate(
    usd_per_hour: Annotated[
        float | None,
        Field(
            "Price per hour",
            Quantity("usd", 0, 1e6),
            "Of one GPU. Or pick a GPU below.",
            excludes=("gpu",),
            placeholder="1.64",
            default="1.64",
        ),
    ] = None,
    gpu: Annotated[
        Gpu | None,
        Field(
            "or a GPU at its listed price",
            Pick("gpus", gpu_options, find_gpu, lambda chosen: str(chosen.id)),
            "Dated prices by provider.",
            excludes=("usd_per_hour",),
            placeholder="H100",
        ),
    ] = None,
    provider: Annotated[
        str, Field("Provider", Choice(PROVIDERS), "Of the GPU's price.", advanced=True)
    ] = CHEAPEST,
    gpus: Annotated[
        int, Field("GPUs", Quantity("", 1, 100_000, whole=True), "That make the speed together.")
    ] = 1,
    tokens_per_second: Annotated[
        float, _speed("Tokens written per second", "Of all requests together; see GPU fit.")
    ] = 1800,
    input_tokens_per_second: Annotated[
        float | None,
        _speed("Tokens read per second", "The prefill speed. Empty: as fast as written."),
    ] = None,
    utilisation: Annotated[
        float,
        Field("Utilisation", Quantity("percent", 0.01, 100), "Of the time that is paid for."),
    ] = 100,
    requests_per_day: Annotated[
        float | None,
        Field(
            "Requests per day", Quantity("", 0, 1e12), "For the monthly cost.", placeholder="10k"
        ),
    ] = None,
    input_tokens: Annotated[
        int, Field("Tokens read per request", Quantity("tokens", 0, 1e8, whole=True))
    ] = 1024,
    output_tokens: Annotated[
        int, Field("Tokens written per request", Quantity("tokens", 1, 1e8, whole=True))
    ] = 256,
    api_input_usd: Annotated[float | None, _usd("API price, 1M tokens read")] = None,
    api_output_usd: Annotated[float | None, _usd("API price, 1M tokens written")] = None,
    peak_to_mean: Annotated[
        float,
        Field(
            "Busiest hour",
            Quantity("", 1, 1000),
            "Times the mean load; GPUs are needed for it.",
            advanced=True,
        ),
    ] = 1,
) -> Cost:
    """What a million tokens cost on rented GPUs, from the price per hour and the measured speed.

    A GPU costs the same whether it works or waits, so the price of a token is the price of an hour
    divided by the tokens of that hour. Reading a prompt and writing an answer run at very different
    speeds; a second goes to one or the other, and each token bears the seconds of its kind. An API
    charges only for tokens, a GPU for time: below some load the API is cheaper, above it the GPU.
    """
    price = price_of(gpu.id, gpu.name, provider) if gpu is not None else None
    hourly = price.usd_per_hour if price else usd_per_hour
    if hourly is None:
        raise Refused("Type a price per hour, or pick a GPU.", "usd_per_hour")
    rented = Rented(
        hourly, gpus, tokens_per_second, input_tokens_per_second, utilisation / PERCENT, price
    )
    request = Load.of_requests(1, input_tokens, output_tokens)
    api = None
    if api_output_usd is not None or api_input_usd is not None:
        api = TokenPrices(api_input_usd or 0.0, api_output_usd or 0.0)
    return cost_of(rented, request, requests_per_day, api, peak_to_mean)


def _example(price: str, speed: str, expected: float) -> Example:
    return Example(
        f"${price} an hour at {int(speed):,} tokens/s",
        f"usd_per_hour={price}&tokens_per_second={speed}",
        {"cost_per_million_tokens": expected},
        0.002,
        "the expected figure has three decimals",
    )


PAGE = Page(
    title="Cost per million tokens",
    description="What a million tokens cost on rented GPUs: $1.64 an hour at 1,800 tokens per second "
    "is [[?usd_per_hour=1.64&tokens_per_second=1800#cost_per_million_tokens]]. Input and output "
    "apart, monthly cost at a load, break-even against an API, dated prices by provider.",
    group="What does it cost?",
    order=40,
    keywords=("cost per token", "GPU rental", "API break-even", "inference cost", "H100 price"),
    how_to=(
        "Type the price of an hour, or pick a GPU and a provider; the prices carry their dates.",
        "Type the tokens per second that all requests make together. If you have none, take them "
        "from GPU fit: it binds the speed to the batch that memory allows.",
        "Set how much of the paid time the GPUs really work, add a load and an API's price, and "
        "read the month and the break-even.",
    ),
    why=(
        "Price, speed and utilisation stand apart, so you see which of them decides.",
        "Reading and writing are priced apart, as APIs do: a second goes to one or the other.",
        "Nothing is looked up in a table: $3.28 an hour at 1,200 tokens per second is "
        "[[?usd_per_hour=3.28&tokens_per_second=1200#cost_per_million_tokens]] by the formula.",
    ),
    assumes=(
        "Exact arithmetic; all uncertainty is in the speed that you type and in the price's date.",
        "GPUs are rented around the clock, a month has 365 / 12 days, and whole deployments are "
        "added until the busiest hour is served at the utilisation given.",
        "Storage, traffic, taxes and people are not in it.",
    ),
    examples=(
        _example("1.64", "1800", 0.253),
        _example("3.28", "1200", 0.759),
        _example("2.98", "1600", 0.517),
        _example("2.98", "2400", 0.345),
        _example("1.04", "3800", 0.076),
        Example(
            "An H100 against an API",
            "gpu=h100-sxm&tokens_per_second=2400&input_tokens_per_second=20000&utilisation=60"
            "&requests_per_day=50000&api_input_usd=0.15&api_output_usd=0.60",
        ),
    ),
    questions=(
        Question(
            "How is the cost of a million tokens computed?",
            "Dollars per hour, divided by tokens per second × 3,600, times a million. At $2.98 an "
            "hour, 1,600 tokens per second give "
            "[[?usd_per_hour=2.98&tokens_per_second=1600#cost_per_million_tokens]] and 2,400 give "
            "[[?usd_per_hour=2.98&tokens_per_second=2400#cost_per_million_tokens]].",
        ),
        Question(
            "Why does utilisation matter so much?",
            "Idle time is paid for. At half the utilisation every token costs twice as much: "
            "[[?usd_per_hour=1.64&tokens_per_second=1800&utilisation=50#cost_per_million_tokens]] "
            "instead of [[?usd_per_hour=1.64&tokens_per_second=1800#cost_per_million_tokens]].",
        ),
        Question(
            "Which speed should I type?",
            "The tokens per second of all requests together, at the batch you really run, not the "
            "speed one user sees. A benchmark at a batch of one makes a GPU look many times too "
            "expensive, a benchmark at saturation too cheap for a service that must answer fast.",
        ),
        Question(
            "When is an API cheaper?",
            "As long as your load leaves the GPUs waiting. The break-even is the number of requests "
            "a day at which the API's bill reaches the rent; below it you pay for idle time.",
        ),
        Question(
            "Does quantization make tokens cheaper?",
            "Only where it makes the same GPU faster at your batch, lets a cheaper GPU hold the "
            "model, or leaves memory for a larger batch. The last is often the largest gain.",
        ),
    ),
    sources=(
        Source(
            "Prices by provider, each with its own date and source",
            "",
            "the rows shown beside the answer",
        ),
        Source(
            "Spheron, AWQ guide, the table of costs that is checked here",
            "https://www.spheron.network/blog/awq-quantization-guide-llm-deployment",
        ),
    ),
    code=(cost.usd_per_million_tokens, cost.fleet),
    disclaimer="Prices are what somebody listed on the day given. Ask the provider before you buy.",
)
