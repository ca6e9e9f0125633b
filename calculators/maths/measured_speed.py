"""Published speed measurements, one by one, and those nearest to a visitor's choice."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from calculators.facts import Row, rows

Measure = Literal[
    "decode", "prefill", "throughput", "generated", "total", "speedup", "kernel_speedup"
]
MEASURES: tuple[Measure, ...] = (
    "decode",
    "throughput",
    "prefill",
    "generated",
    "total",
    "speedup",
    "kernel_speedup",
)
Shape = tuple[object, ...]
SHAPE_KEYS = (
    "hidden_size",
    "num_hidden_layers",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
    "num_experts",
    "num_local_experts",
    "moe_intermediate_size",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was run, and on what; the fields are those that `facts/speed.json` explains."""

    model: str
    model_id: str
    format: str
    variant: str
    engine: str
    version: str
    generation: str
    gpu: str
    gpus: int
    source: str

    @property
    def weight_bits(self) -> int:
        """16, 8 or 4: how the bulk of the weights is stored, by class."""
        return weight_bits(self.format, self.variant)


def run_of(row: Row) -> dict[str, Any]:
    """The fields of a `Run`, from a row of `facts/speed.json`."""
    return {
        "model": row["model"],
        "model_id": row.get("model_id", ""),
        "format": row["format"],
        "variant": row.get("variant", ""),
        "engine": row["engine"],
        "version": str(row.get("version", "")),
        "generation": row["generation"],
        "gpu": row["gpu"],
        "gpus": row.get("gpus", 1),
        "source": row["source"][0],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Run):
    """One published figure.

    `value` is tokens per second, or times the 16-bit speed for the two speed-ups.
    `split`: "tensor" or "layer" when `gpus` is above 1, else empty.
    """

    split: str
    measure: Measure
    value: float
    batch: int
    prompt_tokens: int
    output_tokens: int
    context_tokens: int
    weight_bytes_read: int
    kv_bytes_read: int
    weights: str

    @property
    def mixture(self) -> bool:
        """True for a mixture of experts whose active bytes were counted or estimated."""
        return self.weights.startswith("moe")


def weight_bits(format_name: str, variant: str = "") -> int:
    """16, 8 or 4 for a format: below 6.5 bits counts as 4, as those kernels unpack alike."""
    text = f"{format_name} {variant}".lower()
    if (
        any(mark in text for mark in ("bf16", "fp16", "f16 ", " f16", "original", "fp32"))
        and "q4f16" not in text
    ):
        return 16
    if any(mark in text for mark in ("fp8", "int8", "w8a", "q8", "8bit")):
        return 8
    return 4


@cache
def measurements() -> tuple[Measurement, ...]:
    """All of them, series spread out into points."""
    return tuple(point for row in rows("speed") for point in _spread(row))


def _spread(row: Row) -> Iterator[Measurement]:
    run = run_of(row)
    for point in row["points"]:
        value, batch, prompt, output, context, kv_bytes = (*point, 0, 0, 0, 0, 0)[:6]
        yield Measurement(
            **run,
            split=row.get("split", ""),
            measure=row["measure"],
            value=value,
            batch=batch,
            prompt_tokens=prompt,
            output_tokens=output,
            context_tokens=context,
            weight_bytes_read=row.get("weight_bytes_read", 0),
            kv_bytes_read=kv_bytes,
            weights=row.get("weights", ""),
        )


@cache
def _by_gpu_and_shape() -> dict[tuple[str, Shape], tuple[Measurement, ...]]:
    shapes = _shapes()
    index: dict[tuple[str, Shape], list[Measurement]] = {}
    for found in measurements():
        if found.model_id in shapes:
            index.setdefault((found.gpu, shapes[found.model_id]), []).append(found)
    return {key: tuple(group) for key, group in index.items()}


@cache
def _shapes() -> dict[str, Shape]:
    """Models whose configs agree in these keys run alike: Llama 3 and 3.1, and their fine-tunes."""
    return {row["id"]: _shape(row["config"]) for row in rows("models")}


def _shape(config: dict[str, object]) -> Shape:
    inner = config.get("text_config")
    found = ((inner if isinstance(inner, dict) else config).get(key) for key in SHAPE_KEYS)
    return tuple(tuple(value) if isinstance(value, list) else value for value in found)


# A recipe's name -> the formats and variants under which benchmarks list it.
SPELLINGS = {
    "awq": ("awq-int4",),
    "gptq": ("gptq-int4",),
    "w4a16": ("w4a16", "gptq-int4", "awq-int4"),
    "w8a16": ("int8-w8a16", "gptq-int8"),
    "fp8-channel": ("fp8",),
    "fp8-block": ("fp8",),
    "fp16": ("fp16", "f16"),
    "bf16": ("bf16",),
}


def nearest_measurements(
    gpu_id: str, model_id: str, format_name: str, limit: int = 6
) -> tuple[Measurement, ...]:
    """Published figures of this GPU and of this model or one of the same shapes, best match first.

    `format_name`: a recipe's id (`awq`, `gguf-q4_k_m`) or a format or variant of `speed.json`. Rows
    of other formats follow only when their weights have the same class of width. One point of a
    series stands for it: the shortest run.
    """
    wanted = format_name.lower().removeprefix("gguf-")
    spellings = SPELLINGS.get(wanted, (wanted,))
    width = weight_bits(wanted)
    ranked: dict[tuple[object, ...], tuple[tuple[object, ...], Measurement]] = {}
    for found in _by_gpu_and_shape().get((gpu_id, _shapes().get(model_id, ())), ()):
        same = found.format.lower() in spellings or found.variant.lower() in spellings
        if not same and found.weight_bits != width:
            continue
        series = (found.engine, found.version, found.variant, found.measure, found.gpus)
        length = found.context_tokens + found.prompt_tokens + found.output_tokens
        rank = (
            not same,
            found.model_id != model_id,
            MEASURES.index(found.measure),
            found.gpus,
            -int(found.generation),
            found.batch,
            length,
        )
        if series not in ranked or rank < ranked[series][0]:
            ranked[series] = (rank, found)
    return tuple(found for _, found in sorted(ranked.values(), key=lambda pair: pair[0])[:limit])
