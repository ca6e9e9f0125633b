"""What quantizing costs and saves: the panel of the trade-offs page, put together."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common import format_tables, quality_panel, speedup, weighed
from calculators.common.advice import consider, ranking, rejected
from calculators.common.estimate import estimate
from calculators.common.kernels import kernels
from calculators.common.quantizing import Asked
from calculators.common.targets import PRECISIONS
from calculators.common.tradeoff_notes import notes
from calculators.kit import (
    Chart,
    Choice,
    Field,
    Figure,
    Notes,
    Shown,
    Step,
    Table,
    Working,
    exact,
    modelled,
)
from calculators.kit.units import BITS

TASKS = (
    ("general", "general tests, such as MMLU"),
    ("knowledge", "single knowledge tests"),
    ("maths", "maths"),
    ("code", "code"),
    ("reasoning", "reasoning"),
    ("instructions", "following instructions"),
    ("any", "any of them"),
)
TaskInput = Annotated[
    str,
    Field(
        "Task", Choice(TASKS), "Maths and code lose first; published rows are of tests like these."
    ),
]


@dataclass(frozen=True)
class Tradeoffs:
    """The answer: three headlines, then every format, every picture, every row."""

    compressed_bytes: Annotated[Figure, Shown("Quantized", "bytes", lead=True, term="checkpoint")]
    speedup: Annotated[
        Figure | None,
        Shown(
            "Decoding speed",
            "ratio",
            "Times the original's, at this batch.",
            lead=True,
            term="decode",
        ),
    ]
    loss_percent: Annotated[
        Figure | None, Shown("Score lost", "percent", "Of the 16-bit score.", lead=True)
    ]
    perplexity_percent: Annotated[
        Figure | None,
        Shown("More perplexity", "percent", "Than in 16 bits.", lead=True, term="perplexity"),
    ]
    original_bytes: Annotated[Figure, Shown("Original", "bytes")]
    compression_ratio: Annotated[Figure, Shown("Compression", "ratio")]
    saved_bytes: Annotated[Figure, Shown("Memory saved", "bytes")]
    saved_fraction: Annotated[Figure, Shown("Saved", "fraction")]
    kept_percent: Annotated[Figure | None, Shown("Score kept", "percent")]
    ideal_bytes: Annotated[
        Figure, Shown("The ideal figure", "bytes", "Parameters times the bits in the name.")
    ]
    bits_per_weight: Annotated[
        Figure, Shown("Bits per weight", "bits", "Over the whole model.", term="bits-per-weight")
    ]
    tokens_per_second: Annotated[Figure | None, Shown("Quantized, decodes", "tokens per second")]
    original_tokens_per_second: Annotated[
        Figure | None, Shown("Original, decodes", "tokens per second")
    ]
    published_speedup: Annotated[
        Figure | None,
        Shown(
            "Published speed-ups",
            "ratio",
            "Whole models under this kind of engine: median, least to most.",
        ),
    ]
    kl_divergence: Annotated[
        Figure | None, Shown("Mean KL divergence", "score", term="kl-divergence")
    ]
    notes: Annotated[Notes | None, Shown("Mind")]
    advice: Annotated[Table, Shown("Which should I use?")]
    rejected: Annotated[Table | None, Shown("What does not run or does not fit, and why")]
    memory: Annotated[Chart, Shown("Memory of each format")]
    formats: Annotated[Table, Shown("Every format, side by side")]
    frontier: Annotated[Chart | None, Shown("Quality against size")]
    by_size: Annotated[Table | None, Shown("Published loss by size of model")]
    losses: Annotated[Table, Shown("The published losses behind the figure")]
    curve: Annotated[Chart | None, Shown("Speed-up against batch")]
    speedups: Annotated[Table, Shown("Published speed-ups, each with its source")]
    precisions: Annotated[Table, Shown("Precisions: the name's promise, and what formats hold")]
    methods: Annotated[Table, Shown("Methods: how they work, what they need, what was measured")]
    hardware: Annotated[Table, Shown("When to use which: generations of GPUs")]
    kernels: Annotated[Table | None, Shown("Which engines run the chosen format, and where")]
    working: Annotated[Working, Shown("The sum, with your numbers")]


def tradeoffs(asked: Asked) -> Tradeoffs:
    """Every output of the page."""
    packed = _packed(asked)
    question = asked.question
    nearest = quality_panel.ask(question)
    loss = quality_panel.loss_percent(question, asked.typed_loss)
    considered = consider(asked.wanted)
    speeds = _speeds(asked)
    original = asked.original_bytes
    counted = exact if packed.basis == "exact" else modelled
    size = int(packed.value or 0)
    recipe = asked.target.recipe
    return Tradeoffs(
        compressed_bytes=packed,
        speedup=speeds.speedup,
        tokens_per_second=speeds.fast,
        original_tokens_per_second=speeds.slow,
        published_speedup=speeds.published,
        curve=speeds.curve,
        speedups=speeds.rows,
        loss_percent=loss,
        perplexity_percent=quality_panel.perplexity_percent(question),
        original_bytes=_original(asked),
        compression_ratio=counted(original / size),
        saved_bytes=counted(original - size),
        saved_fraction=counted(1 - size / original),
        kept_percent=quality_panel.kept(loss),
        ideal_bytes=modelled(asked.ideal_bytes, why="No tool writes this: scales come on top."),
        bits_per_weight=counted(BITS * size / weighed.parameters(asked.of)),
        kl_divergence=quality_panel.kl_divergence(question),
        notes=notes(asked),
        advice=ranking(asked.wanted, considered),
        rejected=rejected(considered) if any(one.against for one in considered) else None,
        memory=format_tables.memory_chart(asked.of, recipe, original),
        formats=format_tables.formats_table(asked.of, original, asked.task),
        frontier=format_tables.frontier(asked.of, recipe, nearest.basis, asked.task),
        by_size=quality_panel.by_size(question, nearest.basis),
        losses=quality_panel.loss_rows(nearest),
        precisions=format_tables.precisions_table(asked.of),
        methods=format_tables.methods_table(asked.of, asked.task),
        hardware=format_tables.hardware_table(),
        kernels=kernels(recipe.format) if recipe else None,
        working=_working(asked, size),
    )


def _packed(asked: Asked) -> Figure:
    recipe = asked.target.recipe
    if recipe is None:
        why = f"Parameters times {asked.target.bits} bits: an ideal that no format reaches."
        return modelled(asked.ideal_bytes, why=why)
    if isinstance(asked.of, int):
        ruled = estimate(asked.of, recipe)
        return modelled(round(ruled.rule), ruled.low, ruled.high, ruled.why)
    return exact(weighed.weight_bytes(asked.of, recipe), "Counted tensor by tensor.")


def _original(asked: Asked) -> Figure:
    if isinstance(asked.of, int):
        bytes_each = PRECISIONS[asked.precision]
        return modelled(asked.original_bytes, why=f"{bytes_each} bytes for each parameter.")
    return exact(asked.original_bytes, "Counted tensor by tensor.")


@dataclass(frozen=True)
class Speeds:
    """The outputs about speed; without the card's bandwidth all but the published ones are None."""

    published: Figure | None
    rows: Table
    speedup: Figure | None = None
    fast: Figure | None = None
    slow: Figure | None = None
    curve: Chart | None = None


def _speeds(asked: Asked) -> Speeds:
    fast, slow = asked.sides
    card = asked.machine.card
    told = speedup.published_figure(fast.format, asked.runner)
    table = speedup.measured_rows(fast.format, asked.runner, card.id if card else "", asked.batch)
    if card is None:
        return Speeds(told, table)
    quick, plain = (side.at(asked.batch, card, asked.runner) for side in (fast, slow))
    why = "Roofline of one card, every sequence at the context; nine of ten rows were inside."
    name, on = asked.target.name, asked.machine.name
    return Speeds(
        told,
        table,
        speedup.speedup(fast, slow, card, asked.runner, asked.batch),
        modelled(quick.tokens_per_second, quick.low, quick.high, why),
        modelled(plain.tokens_per_second, plain.low, plain.high, why),
        speedup.curve(name, fast, slow, card, asked.runner, on),
    )


def _working(asked: Asked, size: int) -> Working:
    count = weighed.parameters(asked.of)
    original = asked.original_bytes
    ideal = f"{count:,} × {asked.target.bits} bits / 8"
    return Working(
        (
            Step(
                f"In {asked.precision.upper()}",
                f"{count:,} × {BITS * original / count:.4g} bits / 8",
                f"{original:,} bytes",
            ),
            Step("The ideal", ideal, f"{asked.ideal_bytes:,} bytes"),
            Step(
                asked.target.name,
                f"{count:,} × {BITS * size / count:.4f} bits / 8",
                f"{size:,} bytes",
            ),
            Step("Ratio", f"{original:,} / {size:,}", f"{original / size:.3f}"),
            Step("Saved", f"1 − {size:,} / {original:,}", f"{100 * (1 - size / original):.2f} %"),
        )
    )
