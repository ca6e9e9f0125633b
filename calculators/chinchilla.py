"""Compute-optimal training: parameters and tokens for a budget, and what it costs on GPUs."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common.money import cheapest, rentals
from calculators.common.training import fits_compared, loss_curves, sum_of_training
from calculators.facts.catalogue import Gpu, find_gpu, gpu_options
from calculators.kit import (
    Chart,
    Choice,
    Example,
    Field,
    Figure,
    Note,
    Notes,
    Page,
    Pick,
    Quantity,
    Question,
    Refused,
    Shown,
    Source,
    Table,
    Working,
    given,
    measured,
    modelled,
)
from calculators.kit.units import write
from calculators.maths import scaling
from calculators.maths.accelerator import accelerators
from calculators.maths.scaling import (
    LAWS,
    REPLICATION,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    Law,
    Optimum,
)

DEFAULT_LAW = "rule-of-20"
# Its constants do not fit the paper's own data (Besiroglu et al. 2024), so it is shown, not banded.
OUTSIDE_BAND = ("approach-3",)
KEYS = {"bf16": "fp16", "fp8": "fp8"}


@dataclass(frozen=True)
class Optimal:
    """How a budget is best spent."""

    optimal_parameters: Annotated[
        Figure, Shown("Parameters", "parameters", term="parameter", lead=True)
    ]
    optimal_tokens: Annotated[Figure, Shown("Tokens to train on", "training tokens", lead=True)]
    training_flops: Annotated[Figure, Shown("Training compute, 6ND", "flop", term="flop")]
    tokens_per_parameter: Annotated[Figure, Shown("Tokens for each parameter", "score")]
    loss: Annotated[
        Figure,
        Shown("Loss to expect", "score", "Nats per token on the authors' data, replicated fit."),
    ]
    gpu_hours: Annotated[Figure, Shown("GPU-hours", "GPU-hours")]
    wall_seconds: Annotated[Figure, Shown("Wall time", "seconds", "On all GPUs.")]
    price: Annotated[Figure | None, Shown("Price of a GPU", "usd per hour")]
    cost: Annotated[Figure | None, Shown("Cost", "usd", "Of this one run, without failures.")]
    notes: Annotated[Notes | None, Shown("Mind")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    chart: Annotated[Chart, Shown("Loss against size, at the same compute")]
    fits: Annotated[Table, Shown("What each fit says")]


GPU = Pick("gpus", gpu_options, find_gpu, lambda chosen: chosen.id)
DEFAULT_GPU = find_gpu("h100-sxm")


def calculate(
    flops: Annotated[
        float | None,
        Field(
            "Compute budget",
            Quantity("flop", 1e15, 1e30, examples="1e24 or 588 ZFLOP"),
            "Operations of the whole training.",
            excludes=("gpu_hours", "params", "tokens"),
            default="5.88e23",
            placeholder="5.88e23",
            term="flop",
        ),
    ] = None,
    gpu_hours: Annotated[
        float | None,
        Field(
            "or GPU-hours",
            Quantity("GPU-hours", 0.001, 1e12, examples="100000 or 2.8M"),
            "On the GPU below, at its utilisation.",
            excludes=("flops", "params", "tokens"),
            placeholder="1M",
        ),
    ] = None,
    params: Annotated[
        int | None,
        Field(
            "or a model's size",
            Quantity("parameters", 1e5, 1e15, whole=True, examples="70B or 350M"),
            "How many tokens is it worth?",
            excludes=("flops", "gpu_hours", "tokens"),
            placeholder="70B",
            term="parameter",
        ),
    ] = None,
    tokens: Annotated[
        int | None,
        Field(
            "or tokens of data",
            Quantity("training tokens", 1e6, 1e17, whole=True, examples="15T or 300B"),
            "How large a model are they worth?",
            excludes=("flops", "gpu_hours", "params"),
            placeholder="15T",
        ),
    ] = None,
    law: Annotated[
        str,
        Field(
            "Fit",
            Choice(tuple((key, law.name) for key, law in LAWS.items())),
            "Hoffmann et al. answered three times; the third was fitted again in 2024.",
            term="chinchilla",
        ),
    ] = DEFAULT_LAW,
    gpu: Annotated[
        Gpu, Field("GPU", GPU, "For time and cost.", placeholder="H100 SXM")
    ] = DEFAULT_GPU,
    gpus: Annotated[int, Field("How many GPUs", Quantity("", 1, 1e7, whole=True))] = 1024,
    mfu: Annotated[
        float,
        Field(
            "Utilisation",
            Quantity("percent", 0.1, 100),
            "MFU: share of the peak that useful operations reach.",
            term="mfu",
        ),
    ] = 40,
    precision: Annotated[
        str,
        Field(
            "Precision",
            Choice((("bf16", "BF16"), ("fp8", "FP8"))),
            "Whose dense peak counts.",
            advanced=True,
        ),
    ] = "bf16",
    price: Annotated[
        float | None,
        Field(
            "Price of a GPU per hour",
            Quantity("usd", 0, 1e6),
            "Empty: the lowest dated list price known here.",
            placeholder="2.50",
            advanced=True,
        ),
    ] = None,
) -> Optimal:
    """How large a model, and how many tokens, a training budget is best spent on.

    At a fixed budget a larger model sees fewer tokens. Somewhere between too small and too short lies
    the least loss. Hoffmann et al. measured it with over 400 models and trained Chinchilla by it: 70B
    parameters on 1.4T tokens, 20 for each parameter. Their three ways of fitting disagree, and the
    choice is yours here; the table shows them all.
    """
    peak = _peak(gpu, precision)
    share = mfu / 100
    if gpu_hours is not None:
        flops = gpu_hours * SECONDS_PER_HOUR * peak * share
    best = _best(LAWS[law], flops, params, tokens)
    paid, shown_price = _price(gpu, price)
    run = scaling.training(best.flops, peak, share, gpus, paid or 0.0)
    every = {key: _best(other, flops, params, tokens) for key, other in LAWS.items()}
    loss = REPLICATION.loss(best.parameters, best.tokens)
    return Optimal(
        optimal_parameters=given(params)
        if params
        else _banded(best.parameters, [one.parameters for one in _inside(every)]),
        optimal_tokens=given(tokens)
        if tokens
        else _banded(best.tokens, [one.tokens for one in _inside(every)]),
        training_flops=given(best.flops)
        if flops and gpu_hours is None
        else modelled(best.flops, why="6 operations for each parameter and token."),
        tokens_per_parameter=modelled(best.tokens_per_parameter),
        loss=modelled(loss, why="1.8172 of it stays however large the model."),
        gpu_hours=modelled(run.gpu_hours, why="At the utilisation given."),
        wall_seconds=modelled(
            run.days * SECONDS_PER_DAY, why=f"On {gpus:,} GPUs that work all the time."
        ),
        price=shown_price,
        cost=None
        if paid is None
        else modelled(run.usd, why="GPU-hours times the price, useful hours only."),
        notes=_notes(gpu, paid, best),
        working=sum_of_training(best, peak, share, run.gpu_hours, paid),
        chart=loss_curves(best),
        fits=fits_compared(every, law),
    )


def _best(law: Law, flops: float | None, params: int | None, tokens: int | None) -> Optimum:
    if params is not None:
        return scaling.for_parameters(params, law)
    if tokens is not None:
        return scaling.for_tokens(tokens, law)
    if flops is None:
        raise Refused("Type a budget, GPU-hours, a size or a number of tokens.", "flops")
    return scaling.for_budget(flops, law)


def _inside(every: dict[str, Optimum]) -> list[Optimum]:
    return [one for key, one in every.items() if key not in OUTSIDE_BAND]


def _banded(value: float, others: list[float]) -> Figure:
    why = "The range is what the fits say, but for approach 3, whose constants miss its own data."
    return modelled(round(value), min(*others, value), max(*others, value), why)


def _peak(gpu: Gpu, precision: str) -> float:
    found = accelerators().get(gpu.id)
    peak = found.peak(KEYS[precision]) if found else None
    if peak:
        return peak
    if precision == "fp8" and found and found.peak():
        raise Refused(f"{gpu.name} has no FP8 rate that is known here.", "precision")
    raise Refused(f"No rate of {gpu.name} is known here.", "gpu")


def _price(gpu: Gpu, typed: float | None) -> tuple[float | None, Figure | None]:
    """The price per GPU-hour, and as a figure that says where it is from."""
    if typed is not None:
        return typed, given(typed)
    found = cheapest(gpu.id)
    if found is None:
        return None, None
    return found.usd_per_hour, measured(found.usd_per_hour, f"{found.provider}, {found.date}.")


def _notes(gpu: Gpu, paid: float | None, best: Optimum) -> Notes | None:
    notes = []
    listed = [price.usd_per_hour for price in rentals().get(gpu.id, ())]
    if listed:
        low, high = (write(end, "usd per hour") for end in (listed[0], listed[-1]))
        notes.append(Note(f"Dated rental prices of {gpu.name} run from {low} to {high}."))
    elif paid is None:
        notes.append(Note(f"No rental price of {gpu.name} is known here; type one.", "warning"))
    if best.tokens > 20e12:
        notes.append(
            Note("That is more text than the largest public training sets hold.", "warning")
        )
    return Notes(tuple(notes)) if notes else None


PAGE = Page(
    title="Chinchilla: compute-optimal training",
    description="Parameters and tokens for a training budget: 5.88e23 FLOP are best spent on "
    "[[?flops=5.88e23#optimal_parameters]] parameters and [[?flops=5.88e23#optimal_tokens]] tokens. "
    "Every published fit, 6ND, GPU-hours and cost on any GPU.",
    group="Inside a model",
    order=66,
    keywords=("Chinchilla", "scaling laws", "compute-optimal", "6ND", "training cost", "GPU-hours"),
    how_to=(
        "Type a budget in operations or in GPU-hours; or a model's size, or the tokens you have.",
        "Choose the fit. The rule of 20 is what Chinchilla was trained by.",
        "Set GPU, number and utilisation to read time and cost.",
    ),
    why=(
        "The published fits differ by more than most people who quote them know; they stand side by "
        "side here, each with its source.",
        "The curve shows how flat the optimum is: a model half as large loses little, and serves at "
        "half the price.",
    ),
    assumes=(
        "Training costs 6 operations for each parameter and token. Attention over the context comes "
        "on top: see [operations per token](../flops-per-token/).",
        "The laws were fitted to dense decoders of up to 16B parameters on one data set. Other data, "
        "repeated data and mixtures of experts move the optimum.",
        "Time and cost are those of useful operations at the utilisation you give: no restarts, no "
        "failed runs, no evaluation.",
    ),
    examples=(
        Example(
            "Chinchilla's budget",
            "flops=5.88e23",
            {"optimal_parameters": 70e9, "optimal_tokens": 1.4e12},
        ),
        Example("How many tokens for 8B?", "params=8B", {"optimal_tokens": 160e9}),
        Example(
            "Gopher's budget, approach 1",
            "flops=5.76e23&law=approach-1",
            {"optimal_parameters": 67e9, "optimal_tokens": 1.5e12},
            0.05,
            "table 3 of the paper rounds tokens to two digits",
        ),
        Example("A million H100-hours", "gpu_hours=1M&gpu=h100-sxm"),
        Example("15T tokens of data", "tokens=15T", {"optimal_parameters": 750e9}),
    ),
    questions=(
        Question(
            "Is it 20 tokens for each parameter?",
            "That is what Chinchilla was trained with, and a good rule near its size. By approach 2 "
            "it is [[?params=70B&law=approach-2#tokens_per_parameter]] for 70B, by the replicated "
            "fit [[?params=70B&law=replication#tokens_per_parameter]], and it drifts with the "
            "budget wherever the two exponents differ.",
        ),
        Question(
            "Why do Llama models train on far more tokens?",
            "Because they are made to be used. The optimum here is for training alone. A smaller "
            "model that is trained longer costs more to train for the same loss and less for every "
            "token that it ever serves. Llama 3 8B saw 15T tokens, against "
            "[[?params=8B#optimal_tokens]] tokens by the rule of 20.",
        ),
        Question(
            "What is wrong with approach 3?",
            "Its published constants ask for "
            "[[?params=70B&law=approach-3#tokens_per_parameter]] tokens for each parameter at 70B, "
            "unlike the other two. Besiroglu et al. read the data off the paper's plots, fitted "
            "again and found constants that agree with them; the fit had stopped too early.",
        ),
        Question(
            "What utilisation is realistic?",
            "PaLM and Llama 3 report 38 to 46 % of the dense BF16 peak ([sources](../glossary/mfu/)). "
            "Expect less for mixtures, for long contexts, for FP8 and for slow networks. Measure: "
            "tokens per second times operations per token over the peak.",
        ),
        Question(
            "Does it hold for mixtures of experts?",
            "Not directly. Operations follow the parameters that a token uses, while quality also "
            "follows the total. Put the active parameters in for the cost, and take the optimum as a "
            "hint only.",
        ),
        Question(
            "What does it cost to train a 70B model?",
            "With [[?params=70B#optimal_tokens]] tokens and 40 % of the peak it takes "
            "[[?params=70B&gpu=h100-sxm#gpu_hours]] on H100, about "
            "[[?params=70B&gpu=h100-sxm#cost]] at the lowest dated list price. People, data, failed "
            "runs and storage are not in it.",
        ),
    ),
    sources=(
        Source(
            "Hoffmann et al., Training Compute-Optimal Large Language Models",
            "https://arxiv.org/abs/2203.15556",
        ),
        Source(
            "Besiroglu et al., Chinchilla Scaling: A replication attempt",
            "https://arxiv.org/abs/2404.10102",
        ),
        Source(
            "Kaplan et al., Scaling Laws for Neural Language Models",
            "https://arxiv.org/abs/2001.08361",
        ),
        Source("Llama 3, 15T tokens", "https://arxiv.org/abs/2407.21783"),
    ),
    code=(scaling.for_budget, scaling.ParametricLoss, scaling.training),
)
