"""How much faster a packed model decodes: the roofline, beside what was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import median

from calculators.common.citation import link
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.targets import UNQUANTIZED, family
from calculators.facts import Row, rows
from calculators.facts.catalogue import gpus
from calculators.kit import Axis, Chart, Column, Figure, Series, Table, lines, modelled
from calculators.maths.accelerator import Accelerator
from calculators.maths.measured_speed import weight_bits
from calculators.maths.roofline import Estimate, Setup, decode
from calculators.maths.speedup_pairs import Speedup, speedups
from calculators.maths.traffic import Work

BATCHES = tuple(2**n for n in range(10))  # 1 to 512
MOST_SERIES = 3
MOST_ROWS = 24
OTHER_ENGINES = {
    "transformers": "Transformers",
    "tinychat": "TinyChat",
    "exllamav2": "ExLlamaV2",
    "exllamav3": "ExLlamaV3",
    "marlin": "Marlin",
    "awq-kernel": "AWQ's first kernel",
    "mlc-llm": "MLC",
}
KIN = (("vllm", "sglang", "tensorrt-llm"), ("llama.cpp", "ollama"))
W4A16 = ("gptq-int4", "w4a16", "awq-int4", "rtn-int4")
# Formats -> the spellings under which their speed-ups were published; AWQ, GPTQ and W4A16 share
# kernels, and GGUF files run only in their own.
PUBLISHED = {
    **dict.fromkeys(("fp8", "fp8-channel", "fp8-block"), ("fp8",)),
    "int8-w8a8": ("int8-w8a8",),
    "w8a16": ("int8-w8a16", "gptq-int8"),
    "nvfp4": ("nvfp4",),
    "mxfp4": ("mxfp4", "nvfp4"),
    **{name: (name,) for name in ("mlx", "exl2", "exl3", "hqq", "bnb-fp4", "bnb-int8")},
    "bnb-nf4": ("bnb-nf4", "nf4"),
}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: what a step reads, the format that picks its kernels."""

    work: Work
    format: str

    def at(self, batch: int, card: Accelerator, engine: str) -> Estimate:
        """The roofline of one card."""
        return decode(self.work, card, Setup.of(engine, self.format, card), batch)


def ideal_side(plain: Side, bits: int, plain_bits: int) -> Side:
    """The original's step with every weight at an ideal width."""
    share = bits / plain_bits
    work = plain.work
    narrow = replace(
        work,
        shared_bytes=round(work.shared_bytes * share),
        bits=float(bits),
        experts=tuple(replace(one, bytes=round(one.bytes * share)) for one in work.experts),
    )
    return Side(narrow, "w8a16" if bits == 8 else "w4a16")


def times(fast: Side, slow: Side, card: Accelerator, engine: str, batch: int) -> float:
    """Tokens per second of the one over the other, at the same batch."""
    quick, plain = (side.at(batch, card, engine) for side in (fast, slow))
    return quick.tokens_per_second / plain.tokens_per_second


def speedup(fast: Side, slow: Side, card: Accelerator, engine: str, batch: int) -> Figure:
    """The speed-up with the band in which published ones lay about the modelled ones."""
    value = times(fast, slow, card, engine, batch)
    seen = _band(engine, fast.work.mixture)
    what = "mixtures of experts" if seen["mixture"] else "dense models"
    under = f" under {named(engine)}" if seen["engine"] else ""
    why = (
        f"Roofline of one card. Of {seen['n']} published speed-ups of {what}{under}, nine of ten lay "
        f"between {seen['low']:.2f} and {seen['high']:.2f} times the modelled one; the constants "
        "were fitted to the same rows."
    )
    high = max(
        seen["high"], 1.0
    )  # the seven pairs of mixtures all lie below: few, one of them broken
    return modelled(value, value * seen["low"], value * high, why)


def _band(engine: str, mixture: bool) -> Row:
    found = {(row["engine"], row["mixture"]): row for row in rows("speedups")}
    return found.get((engine, mixture), found[("", mixture)])


@cache
def published(name: str) -> tuple[Speedup, ...]:
    """Published speed-ups of this format or of the formats that run in the same kernels."""
    if family(name) in UNQUANTIZED:
        return ()
    if name.startswith("gguf-"):
        kind = name.removeprefix("gguf-").upper()
        return tuple(one for one in speedups() if one.variant.upper().split(" ")[0] == kind)
    spellings = PUBLISHED.get(name, W4A16)
    return tuple(
        one
        for one in speedups()
        if one.format in spellings and weight_bits(one.format, one.variant) < 16
    )


def named(engine: str) -> str:
    """An engine or a kernel as its makers write it."""
    return ENGINE_NAMES.get(engine) or OTHER_ENGINES.get(engine, engine)


@cache
def _gpu_names() -> dict[str, str]:
    return {gpu.id: gpu.name for gpu in gpus()}


def _short(gpu: str) -> str:
    """A card's name without its maker's and its series'."""
    name = _gpu_names().get(gpu, gpu)
    for word in ("NVIDIA ", "GeForce ", "AMD "):
        name = name.removeprefix(word)
    return name


def where(one: Speedup) -> str:
    """Engine, card and model of a published speed-up, in words."""
    kernel = ", kernel" if one.kernel else f", {one.model}"
    engine = named(one.engine)
    many = f"{one.gpus} × " if one.gpus > 1 else ""
    return f"{engine}, {many}{_short(one.gpu)}{kernel}"


def curve(
    name: str, fast: Side, slow: Side, card: Accelerator, engine: str, gpu_name: str
) -> Chart:
    """Speed-up against batch: the model's line, and measured curves of the format as dots."""
    line = [(float(b), times(fast, slow, card, engine, b)) for b in BATCHES]
    measured = _curves(fast.format, card.id)
    series = [Series("This model, modelled", line)]
    series += [Series(label, points, dots=True) for label, points in measured]
    caption = (
        f"Times the original's speed against the batch. Line: this model in {name} on {gpu_name} "
        f"under {named(engine)}, by the roofline."
    )
    if measured:
        caption += (
            " Dots: published curves of the same kind of weights; a kernel is one large matrix "
            "alone, and a whole model gains less."
        )
    x = Axis("Batch: sequences at once", " ", ",d", log=True)
    return lines(caption, x, Axis("Times the speed", "ratio", ".1f", zero=True), series)


def _curves(format_id: str, gpu: str) -> Sequence[tuple[str, Sequence[tuple[float, float]]]]:
    """Published curves over more than two batches: those of this GPU first, then the longest."""
    found: dict[str, dict[float, float]] = {}
    own: dict[str, bool] = {}
    for one in published(format_id):
        if 0 < one.batch <= BATCHES[-1]:
            label = where(one)
            found.setdefault(label, {}).setdefault(float(one.batch), one.times)
            own[label] = one.gpu == gpu
    curves = [(label, sorted(points.items())) for label, points in found.items() if len(points) > 2]
    curves.sort(key=lambda item: (not own[item[0]], -len(item[1])))
    return curves[:MOST_SERIES]


def published_figure(format_id: str, engine: str) -> Figure | None:
    """Median of whole models under engines of this kind, or of all where none was measured."""
    whole = [one for one in published(format_id) if not one.kernel]
    same = [one.times for one in whole if one.engine in kin(engine)]
    found = same or [one.times for one in whole]
    if not found:
        return None
    under = " or ".join(named(name) for name in kin(engine)) if same else "any engine"
    why = f"{len(found)} figures under {under}; each compares two runs of one page."
    return Figure(median(found), "measured", min(found), max(found), why)


def kin(engine: str) -> tuple[str, ...]:
    """Engines that run the same kernels."""
    return next((group for group in KIN if engine in group), (engine,))


def as_rows(found: Iterable[Speedup]) -> Table:
    """One line for each published speed-up."""
    columns = (
        Column("Where"),
        Column("Format"),
        Column("Batch", " "),
        Column("Speed-up", "ratio"),
        Column("Source"),
    )
    table = tuple(
        (
            where(one),
            one.variant or one.format,
            one.batch or "full load",
            one.times,
            link(one.source),
        )
        for one in found
    )
    return Table(columns, table, "measured")


def measured_rows(format_id: str, engine: str, gpu: str, batch: int) -> Table:
    """Published speed-ups, one for each model, engine and card: nearest engine, card, batch first."""
    nearest: dict[str, tuple[tuple[bool, bool, bool, int], Speedup]] = {}
    for one in published(format_id):
        other = not one.kernel and one.engine not in kin(engine)
        rank = (other, one.gpu != gpu, one.kernel, abs(one.batch - batch))
        label = f"{where(one)} {one.variant or one.format}"
        if label not in nearest or rank < nearest[label][0]:
            nearest[label] = (rank, one)
    chosen = [one for _, one in sorted(nearest.values(), key=lambda pair: pair[0])]
    everything = [one.times for one in published(format_id)]
    caption = (
        f"{len(everything)} published figures, {min(everything):.2f} to {max(everything):.2f} times; "
        "each compares two runs of one page that differ in the format alone"
        if everything
        else ""
    )
    empty = "Nobody published a speed-up of this format that we know of."
    return replace(as_rows(chosen[:MOST_ROWS]), caption=caption, folded=True, empty=empty)
