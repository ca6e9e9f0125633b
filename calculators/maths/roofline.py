"""How fast a model decodes: seconds per step from bytes, operations and measured constants.

    step = base + max(weights, products) + cache + exchange + host

Each term is its ideal time at the card's nominal rate times a fitted cost; the constants and their
bands come from published measurements (`facts/roofline.json`). A step makes one token for each
sequence of the batch. `host`: what stays in main memory is read there by the CPU, at the nominal
rate times the cost of a device of no known class; GPUs wait meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Literal

from calculators.maths.accelerator import Accelerator
from calculators.maths.batching import OPERATIONS_PER_WEIGHT, Kernel, kernel_of, product_dtype
from calculators.maths.constants import (
    ALIASES,
    NEWEST,
    Constants,
    Factor,
    device_factor,
    find,
    mixture_factor,
    single,
)
from calculators.maths.engines.model import setting
from calculators.maths.traffic import Work

Bound = Literal["memory", "compute", "launch"]
Split = Literal["tensor", "layer"]

ACTIVATION_BYTES = 2  # activations cross between cards in 16 bit


@dataclass(frozen=True, slots=True)
class Setup:
    """How the cards and the engine are used.

    `dtype`: in which the products run (fp16, fp8, int8, fp4); `kernel`: of weight-only formats;
    `generation`: of engine builds, the newest unless said. `host_bandwidth`: of main memory, bytes
    per second, nominal.
    """

    engine: str = "vllm"
    generation: str = NEWEST
    cards: int = 1
    split: Split = "tensor"
    dtype: str = "fp16"
    kernel: Kernel | None = None
    host_bandwidth: float = 0.0

    @classmethod
    def of(
        cls,
        engine: str,
        format_name: str,
        card: Accelerator,
        cards: int = 1,
        split: Split | None = None,
        generation: str = NEWEST,
    ) -> "Setup":
        """What an engine does with a format on these cards: some deal out layers, some cut
        each matrix."""
        usual: Split = "layer" if engine in LAYER_SPLIT else "tensor"
        return cls(
            engine=engine,
            generation=generation,
            cards=cards,
            split=split or usual,
            dtype=product_dtype(format_name, card),
            kernel=kernel_of(engine, format_name),
        )


LAYER_SPLIT = ("llama.cpp", "ollama", "ik_llama.cpp", "mlx", "exllamav2", "transformers")


@dataclass(frozen=True, slots=True)
class Estimate:
    """`low` to `high`: where nine of ten measurements fell that the fit had not seen.

    `seconds` of one step by term. `label`: "fitted" or "weak" (fewer than 20 measurements, or
    constants borrowed from another engine or class). `n`: measurements behind the constants.
    """

    tokens_per_second: float
    low: float
    high: float
    bound: Bound
    batch: int
    seconds: Mapping[str, float] = field(hash=False)
    label: str
    n: int
    basis: str
    source: tuple[str, ...] = field(repr=False)

    @property
    def step_seconds(self) -> float:
        return fsum(self.seconds.values())

    @property
    def per_sequence(self) -> float:
        """Tokens per second that one of the batch's sequences sees."""
        return self.tokens_per_second / self.batch


def decode(work: Work, card: Accelerator, setup: Setup | None = None, batch: int = 1) -> Estimate:
    """Tokens per second of `batch` sequences together, each at the context of `work`."""
    setup = setup or Setup()
    constants = find("decode", setup.engine, setup.generation, card.device_class)
    own = device_factor("decode", setup.engine, setup.generation, card.id)
    mixed = (
        mixture_factor("decode", setup.engine, setup.generation, card.device_class)
        if work.mixture
        else None
    )
    scale = own.time if own else 1.0
    seconds = _terms(work, card, setup, batch, constants, mixed.time if mixed else 1.0)
    seconds = {name: value * scale for name, value in seconds.items()}
    speed = batch / fsum(seconds.values())
    low, high = _band(mixed or own or constants, batch)
    return Estimate(
        tokens_per_second=speed,
        low=speed * low,
        high=speed * high,
        bound=_bound(seconds),
        batch=batch,
        seconds=seconds,
        label="weak" if work.host else _label(constants, setup),
        n=constants.n,
        basis=constants.named,
        source=constants.source,
    )


def _terms(
    work: Work,
    card: Accelerator,
    setup: Setup,
    batch: int,
    constants: Constants,
    mixed: float,
) -> dict[str, float]:
    """Seconds by term. Of weights and products only the slower counts: they overlap.

    `mixed`: how much longer either takes when experts are picked token by token.
    """
    together = setup.cards if setup.split == "tensor" else 1
    bandwidth = card.bandwidth * together
    reading = mixed * constants.cost[str(work.weight_bits)] * work.weight_bytes(batch) / bandwidth
    computing = mixed * _products(work, card, setup, batch) / together
    return {
        "base": constants.base,
        "weights": reading if reading >= computing else 0.0,
        "products": computing if computing > reading else 0.0,
        "cache": constants.cost["kv"] * work.kv_bytes * batch / bandwidth,
        "exchange": _exchange(work, card, setup, batch),
        "host": _host(work, setup, batch),
    }


def _host(work: Work, setup: Setup, batch: int) -> float:
    """Seconds for what stays in main memory; decoding of few sequences is bound by reading."""
    if work.host is None:
        return 0.0
    cost = find("decode", setup.engine, setup.generation, "").cost[str(work.weight_bits)]
    return cost * work.host.bytes(batch) / host_bandwidth(setup)


def host_bandwidth(setup: Setup) -> float:
    """Of main memory, as said or as assumed; bytes per second, nominal."""
    return setup.host_bandwidth or float(setting("host.bandwidth_bytes_per_second"))


def _products(work: Work, card: Accelerator, setup: Setup, batch: int) -> float:
    """Seconds on one card; 0 when its rate is not known."""
    peak = card.peak(setup.dtype) or card.peak()
    if not peak:
        return 0.0
    dtype = setup.dtype if card.peak(setup.dtype) else "fp16"
    rates = find("prefill", setup.engine, setup.generation, card.device_class)
    own = device_factor("prefill", setup.engine, setup.generation, card.id)
    cost = rates.cost.get(dtype, rates.cost["fp16"]) * (own.time if own else 1.0)
    if setup.kernel:
        cost = max(cost, 1 / setup.kernel.share)
    return cost * OPERATIONS_PER_WEIGHT * work.parameters * batch / peak


def _exchange(work: Work, card: Accelerator, setup: Setup, batch: int) -> float:
    """Sums over cards (a ring moves 2 (n - 1) / n of the data), or hand-overs between them."""
    if setup.cards == 1:
        return 0.0
    if setup.split == "layer":
        return (setup.cards - 1) * float(single("layer_split")["per_card_ms"]) / 1e3
    wait = float(single("tensor_parallel")["all_reduce_us"]) / 1e6
    moved = 2 * (setup.cards - 1) / setup.cards * batch * work.hidden_size * ACTIVATION_BYTES
    link = card.link_bytes_per_second
    return work.all_reduces * (wait + (moved / link if link else 0.0))


def _bound(seconds: Mapping[str, float]) -> Bound:
    """What takes the larger part: fixed time, products, or reading."""
    fixed = seconds["base"] + seconds["exchange"]
    if fixed > fsum(seconds.values()) / 2:
        return "launch"
    return "compute" if seconds["products"] > seconds["cache"] else "memory"


def _band(known: Factor | Constants, batch: int) -> tuple[float, float]:
    """At a batch the constants for products count too: then also what throughput rows show."""
    if batch == 1:
        return known.low, known.high
    wide = single("batch")
    return min(known.low, wide["low"]), max(known.high, wide["high"])


def _label(constants: Constants, setup: Setup) -> str:
    engine, _, device_class = constants.key
    own = engine == ALIASES.get(setup.engine, setup.engine) and device_class
    return constants.label if own else "weak"


def speedup(
    packed: Work,
    plain: Work,
    card: Accelerator,
    batch: int = 1,
    packed_setup: Setup | None = None,
    plain_setup: Setup | None = None,
) -> float:
    """Decoding speed of a packed model over that of its 16-bit original, at the same batch."""
    fast = decode(packed, card, packed_setup, batch)
    return fast.tokens_per_second / decode(plain, card, plain_setup, batch).tokens_per_second
