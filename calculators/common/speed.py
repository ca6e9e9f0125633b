"""How fast a plan runs: estimates with their bands, both bounds, and what others measured."""

from dataclasses import dataclass, replace
from functools import cached_property

from calculators.common.citation import link
from calculators.common.plan import Case, Machine
from calculators.common.plan_fields import LAYER_SPLIT
from calculators.kit import (
    Axis,
    Breakdown,
    Chart,
    Column,
    Figure,
    Segment,
    Series,
    Table,
    lines,
    modelled,
)
from calculators.maths.accelerator import Accelerator
from calculators.maths.batching import OPERATIONS_PER_WEIGHT
from calculators.maths.constants import NEWEST, generation_of
from calculators.maths.flops import PromptFlops, prompt
from calculators.maths.measured_speed import Measurement, nearest_measurements
from calculators.maths.prefill import Prefill, prefill, serving_throughput, time_to_first_token
from calculators.maths.roofline import Estimate, Setup, decode, host_bandwidth
from calculators.maths.traffic import Split, Work, work

CURVE = 9  # points of the throughput chart: batches of 1, 2, 4 ... 256, and on to what fits
NEAR, PUBLISHED = 24, 8  # measurements looked at, and shown
SHORT = 16  # letters of a variant's name that a table has room for
TERMS = {
    "base": ("Fixed: launches, sampling", "runtime"),
    "weights": ("Reading the weights", "weights"),
    "products": ("Multiplying", "activation"),
    "cache": ("Reading the cache", "kv"),
    "exchange": ("Exchange between GPUs", "graphs"),
    "host": ("Reading main memory", "other"),
}
BOUNDS = {
    "memory": "memory bandwidth",
    "compute": "arithmetic",
    "launch": "fixed costs per token",
}


@dataclass(frozen=True)
class Task:
    """What a plan's requests ask of any card, in the middle of their answers."""

    case: Case
    prompt_tokens: int
    output_tokens: int

    @cached_property
    def work(self) -> Work:
        """One decoding step."""
        context = self.prompt_tokens + self.output_tokens // 2
        model, plan = self.case.model, self.case.plan
        split = Split.of(len(model.layers), plan.n_gpu_layers, plan.cpu_expert_layers)
        found = work(model, self.case.packed, context, plan.kv_dtype, split)
        if self.case.scale == 1:
            return found
        host = found.host
        return replace(
            found,
            host=replace(host, shared_bytes=round(host.shared_bytes * self.case.scale))
            if host
            else None,
            shared_bytes=round(found.shared_bytes * self.case.scale),
            parameters=round(found.parameters * self.case.scale),
        )

    @cached_property
    def flops(self) -> PromptFlops:
        """Of the prompt."""
        found = prompt(self.case.model, self.prompt_tokens)
        return replace(found, linear=round(found.linear * self.case.scale))

    @cached_property
    def prompt_weight_bytes(self) -> float:
        """Weights that the prompt reads: all experts, if it is long enough."""
        return self.work.weight_bytes(self.prompt_tokens)


@dataclass(frozen=True)
class Speed:
    """A task on cards of one kind."""

    task: Task
    card: Accelerator
    setup: Setup

    @property
    def work(self) -> Work:
        return self.task.work

    def decode(self, batch: int) -> Estimate:
        return decode(self.work, self.card, self.setup, batch)

    @cached_property
    def read(self) -> Prefill | None:
        """The prompt; None where no rate of the card is known, or layers stay in main memory: how
        fast those cross to the card for a prompt is not modelled.
        """
        task = self.task
        if self.work.host:
            return None
        return prefill(
            task.flops,
            task.prompt_tokens,
            self.card,
            self.setup,
            task.prompt_weight_bytes,
            self.work.mixture,
        )

    @cached_property
    def first_token_seconds(self) -> float | None:
        if self.read is None:
            return None
        return time_to_first_token(self.read, self.work, self.card, self.setup)

    def serving(self, batch: int) -> float:
        """Tokens written per second by `batch` requests that never pause, prompts included."""
        tokens = self.task.output_tokens
        return serving_throughput(self.work, self.card, self.setup, batch, self.read, tokens)


def speed(asked: Case, on: Machine, prompt_tokens: int, output_tokens: int) -> Speed | None:
    """None where no bandwidth is known."""
    plan = asked.plan
    if on.card is None:
        return None
    setup = setup_of(asked.recipe.format, plan.engine, on.card, plan.tensor_parallel, plan.gpus)
    if plan.version:
        setup = replace(setup, generation=generation_of(plan.engine, plan.version))
    if plan.host_bandwidth:
        setup = replace(setup, host_bandwidth=plan.host_bandwidth)
    return Speed(Task(asked, prompt_tokens, output_tokens), on.card, setup)


def setup_of(
    format_id: str, engine: str, card: Accelerator, tensor_parallel: int, gpus: int
) -> Setup:
    """Ranks that share matrices work together; stages that hold layers work one after the other."""
    if engine in LAYER_SPLIT or tensor_parallel == 1:
        return Setup.of(engine, format_id, card, gpus, "layer", NEWEST)
    return Setup.of(engine, format_id, card, tensor_parallel, "tensor", NEWEST)


def decode_figure(found: Estimate) -> Figure:
    """Tokens per second of all requests together, with the band and what bounds it."""
    why = f"Bound by {BOUNDS[found.bound]}. Constants: {found.basis}, {found.n} measurements."
    return modelled(found.tokens_per_second, found.low, found.high, why)


def prefill_figure(found: Prefill) -> Figure:
    """Tokens of the prompt read per second, with the band."""
    why = f"Products in {found.dtype.upper()}. Constants: {found.basis}, {found.n} measurements."
    return modelled(found.tokens_per_second, found.low, found.high, why)


def step(found: Estimate) -> Breakdown:
    """What one decoding step waits for."""
    segments = tuple(
        Segment(*TERMS[name][:1], seconds, TERMS[name][1])
        for name, seconds in found.seconds.items()
        if seconds
    )
    return Breakdown(segments, "seconds", basis="modelled")


def bounds(found: Speed, batch: int) -> Table:
    """What the card's nominal rates would allow, and what is expected of them."""
    card, setup, one = found.card, found.setup, found.work
    together = setup.cards if setup.split == "tensor" else 1
    seconds = (one.weight_bytes(batch) + one.kv_bytes * batch) / (card.bandwidth * together)
    if one.host:
        seconds += one.host.bytes(batch) / host_bandwidth(setup)
    rows: list[tuple[object, ...]] = [
        ("Writing, at the nominal bandwidth", batch / seconds, None, None)
    ]
    peak = card.peak(setup.dtype) or card.peak()
    if peak:
        ceiling = peak * together / (OPERATIONS_PER_WEIGHT * one.parameters)
        rows.append(("Writing, at the nominal arithmetic", ceiling, None, None))
    expected = found.decode(batch)
    rows.append(
        ("Writing, expected", expected.tokens_per_second, expected.low, expected.high),
    )
    if peak and found.read:
        task = found.task
        ceiling = peak * together * task.prompt_tokens / task.flops.total
        rows.append(("Reading the prompt, at the nominal arithmetic", ceiling, None, None))
        read = found.read
        rows.append(("Reading the prompt, expected", read.tokens_per_second, read.low, read.high))
    unit = "tokens per second"
    columns = (Column("What"), Column("Speed", unit), Column("From", unit), Column("To", unit))
    said = (
        "The slower bound of each pair decides. From and to: where nine of ten measurements fell."
    )
    return Table(columns, tuple(rows), "modelled", said)


def throughput_chart(found: Speed, most: int, measured: tuple[Measurement, ...]) -> Chart:
    """All requests together against their number, up to what memory allows and beyond."""
    batches = sorted({*(2**n for n in range(CURVE)), max(1, most)})
    estimates = [found.decode(batch) for batch in batches]
    inside = [one for one in estimates if one.batch <= most]
    beyond = [one for one in estimates if one.batch >= max(1, most)]
    series = [Series("All together", [(one.batch, one.tokens_per_second) for one in inside])]
    if len(beyond) > 1:
        points = [(one.batch, one.tokens_per_second) for one in beyond]
        series.append(Series("Beyond the memory", points))
    series += [
        Series("Each request", [(one.batch, one.per_sequence) for one in inside]),
        Series("Low", [(one.batch, one.low) for one in inside]),
        Series("High", [(one.batch, one.high) for one in inside]),
    ]
    dots = [
        (float(one.batch), one.value)
        for one in measured
        if one.measure in ("decode", "throughput") and one.batch and one.gpus == found.setup.cards
    ]
    if dots:
        series.append(Series("Measured", dots, dots=True))
    return lines(
        "Tokens written per second against requests at once. Low and high: where nine of ten "
        "measurements fell.",
        Axis("Requests at once", log=True, format="~s"),
        Axis("Tokens per second", "tokens per second", log=True, format="~s"),
        [one for one in series if one.points],
    )


def published(on: Machine, asked: Case) -> tuple[Measurement, ...]:
    """Measurements of this very GPU and model, or one of the same shapes."""
    if on.gpu is None or asked.subject is None or asked.subject.model.own:
        return ()
    near = nearest_measurements(on.gpu.id, asked.subject.model.id, asked.recipe.format, NEAR)
    mine = [one for one in near if one.gpus == asked.plan.gpus]
    return tuple((mine or near)[:PUBLISHED])


WHAT = {
    "decode": "writing, one stream",
    "prefill": "reading",
    "throughput": "writing, all together",
    "generated": "written, prompt's time included",
    "total": "read and written",
}


def published_table(found: tuple[Measurement, ...]) -> Table:
    """Who measured what, with the source."""
    rows = tuple(
        (
            WHAT.get(one.measure, one.measure),
            one.value,
            one.variant if 0 < len(one.variant) <= SHORT else one.format,
            f"{one.engine} {one.version}".strip(),
            one.gpus,
            one.batch or None,
            one.prompt_tokens + one.context_tokens or None,
            link(one.source),
        )
        for one in found
        if not one.measure.endswith("speedup")
    )
    columns = (
        Column("What"),
        Column("Speed", "tokens per second"),
        Column("Format"),
        Column("Engine"),
        Column("GPUs", " "),
        Column("Requests", " "),
        Column("Prompt", "tokens"),
        Column("Source"),
    )
    empty = "Nobody's measurement of this model on this GPU is known here."
    return Table(columns, rows, basis="measured", empty=empty)
