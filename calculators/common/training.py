"""What a training budget's page shows besides figures: the sum, the curves of loss, all fits."""

from math import exp, log

from calculators.kit import Axis, Chart, Column, Link, Series, Step, Table, Working, lines
from calculators.kit.units import digits, write
from calculators.maths import scaling
from calculators.maths.scaling import LAWS, REPLICATION, Optimum

CURVE_SPAN = 30  # times smaller and larger than the optimum
CURVE_POINTS = 41
GIGA, TERA = 1e9, 1e12


def sum_of_training(
    best: Optimum, peak: float, share: float, hours: float, price: float | None
) -> Working:
    """6ND, then GPU-hours at `peak` operations per second of which `share` are useful, then cost.

    `price`: dollars per GPU-hour, None where it is not known.
    """
    size, data = (digits(value, 4) for value in (best.parameters / GIGA, best.tokens / TERA))
    total = f"{best.flops:.4g}"
    steps = [
        Step("Compute", f"6 × {size}e9 parameters × {data}e12 tokens", f"{total} FLOP"),
        Step(
            "Tokens for each parameter",
            f"{data}e12 / {size}e9",
            digits(best.tokens_per_parameter, 4),
        ),
        Step("Useful operations of a GPU", f"{peak:.4g} FLOP/s × {share:g}",
             f"{peak * share:.4g} FLOP/s"),
        Step("GPU-hours", f"{total} / {peak * share:.4g} / 3600", f"{hours:,.0f}"),
    ]  # fmt: skip
    if price is not None:
        cost = write(hours * price, "usd").text
        steps.append(Step("Cost", f"{hours:,.0f} × ${price:g}", cost))
    return Working(tuple(steps))


def loss_curves(best: Optimum) -> Chart:
    """Loss in nats per token against size at this compute, a tenth and ten times of it."""

    def curve(flops: float) -> list[tuple[float, float]]:
        middle = scaling.for_budget(flops).parameters
        sizes = [
            middle * exp(log(CURVE_SPAN) * (2 * at / (CURVE_POINTS - 1) - 1))
            for at in range(CURVE_POINTS)
        ]
        return [(size / GIGA, REPLICATION.loss(size, flops / 6 / size)) for size in sizes]

    here = (best.parameters / GIGA, REPLICATION.loss(best.parameters, best.tokens))
    return lines(
        "Loss of the replicated fit for models of different size trained with the same compute",
        Axis("Billion parameters", "", "~g", log=True),
        Axis("Loss, nats per token", "score", ".3~f"),
        (
            Series("A tenth of the compute", curve(best.flops / 10)),
            Series("This compute", curve(best.flops)),
            Series("Ten times the compute", curve(best.flops * 10)),
            Series("Your answer", [here], dots=True),
        ),
    )


def fits_compared(every: dict[str, Optimum], chosen: str) -> Table:
    """Each fit's answer to the same question; the `chosen` one is marked."""
    table = tuple(
        (
            Link(LAWS[key].name, f"https://arxiv.org/abs/{_arxiv(LAWS[key].source)}"),
            one.parameters,
            one.tokens,
            one.tokens_per_parameter,
            one.flops,
        )
        for key, one in every.items()
    )
    columns = (
        Column("Fit"),
        Column("Parameters", "parameters"),
        Column("Tokens", "training tokens"),
        Column("Tokens per parameter", "score"),
        Column("Compute", "flop"),
    )
    return Table(columns, table, "modelled", mark=list(every).index(chosen))


def _arxiv(source: str) -> str:
    return source.partition("arXiv:")[2].partition(",")[0]
