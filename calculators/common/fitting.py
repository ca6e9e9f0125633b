"""Running a checkpoint: what it takes besides the weights, and which accelerators hold it."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple, Protocol

from calculators.common.subject import Subject
from calculators.facts import rows
from calculators.kit import Breakdown, Column, Link, Segment, Table
from calculators.maths.device import Device, device
from calculators.maths.engines.llama_cpp import LlamaCpp
from calculators.maths.engines.mlx import Mlx
from calculators.maths.engines.vllm import Vllm
from calculators.maths.memory import Budget, Engine, Plan
from calculators.maths.ranks import RankWeights
from calculators.maths.tensors import Architecture

# Which engine usually runs a packing family; vLLM runs the others.
USUAL_ENGINE = {"llama_cpp": "llama.cpp", "mlx": "mlx"}
# A row of facts/gpus.json that describes a laptop's part is no card that one buys to serve models.
PORTABLE = ("laptop",)
NONE_HOLDS = "No single accelerator of the catalogue holds it; several together may."
TERMS = {
    "weights": ("Weights", "weights"),
    "tables": ("Position tables", "runtime"),
    "kv_cache": ("KV cache", "kv"),
    "activations": ("Activations", "activation"),
    "libraries": ("Libraries", "runtime"),
    "graphs": ("CUDA graphs", "graphs"),
}


@cache
def devices() -> tuple[Device, ...]:
    """Accelerators of the catalogue that are sold to serve models, by memory."""
    found = (device(row) for row in rows("gpus") if row.get("class") not in PORTABLE)
    return tuple(
        sorted(
            (one for one in found if one is not None), key=lambda one: (one.usable_bytes, one.name)
        )
    )


class Usual(Engine, Protocol):
    """An engine for which devices of a kind differ by nothing but their limit."""

    def limit(self, device: Device) -> int: ...

    def kind(self, device: Device) -> Hashable: ...


ENGINES: dict[str, Callable[[Architecture, Plan], Usual]] = {
    "vllm": Vllm,
    "llama.cpp": LlamaCpp,
    "mlx": Mlx,
}
NO_MODEL = Architecture("", 0, 0, False, "", (), ())


class Place(NamedTuple):
    """A device, what an engine may use of it, and what kind of device it is for the engine."""

    limit: int
    device: Device
    kind: Hashable


class Beside(NamedTuple):
    """Bytes of a device that weights cannot have, and what stands there once it runs."""

    kept: int
    taken: int


class Held(NamedTuple):
    """A device that runs a model, and the bytes that it then holds."""

    device: Device
    bytes: int


@dataclass(frozen=True)
class Host:
    """A model under an engine with one request: ask it which devices hold a packed checkpoint."""

    asked: Usual
    places: list[Place]
    _beside: dict[RankWeights, dict[Hashable, Beside]] = field(default_factory=dict, repr=False)

    def holding(self, weights: RankWeights, most: int) -> list[Held]:
        """The `most` smallest devices that run it."""
        return list(islice(self._fitting(weights), most))

    def smallest(self, weights: RankWeights) -> Held | None:
        """The smallest device that runs it."""
        return next(self._fitting(weights), None)

    def _fitting(self, weights: RankWeights) -> Iterator[Held]:
        size = weights.bytes
        # 16-bit copies are kept of what is quantized; without any to keep it makes no difference.
        copied = weights.quantized and weights.latent_up_bytes > 0
        empty = replace(weights, bytes=0, quantized=copied)
        beside = self._beside.setdefault(empty, {})
        first = bisect_left(self.places, size, key=itemgetter(0))
        for limit, one, kind in islice(self.places, first, None):
            found = beside.get(kind)
            if found is None:
                budget = self.asked.budget(empty, one)
                kept = limit - budget.kv_cache_bytes + budget.kv_needed_bytes
                found = beside[kind] = Beside(kept, budget.total_bytes)
            if size + found.kept <= limit:
                yield Held(one, size + found.taken)


@cache
def _places(engine: str) -> list[Place]:
    """MLX runs on Apple's machines alone, vLLM on the others, llama.cpp on all. What an engine may
    use of them depends on no model.
    """
    apple = {"mlx": True, "vllm": False}.get(engine)
    asked = ENGINES[engine](NO_MODEL, Plan(engine=engine))
    return [
        Place(asked.limit(one), one, asked.kind(one))
        for one in devices()
        if apple in (None, one.vendor == "Apple")
    ]


@lru_cache(maxsize=8)  # all engines of a few questions
def host(subject: Subject, engine_name: str, context: int) -> Host:
    """The model under that engine with its defaults, one request of `context` tokens."""
    asked = ENGINES[engine_name](subject.architecture, Plan(engine=engine_name, context=context))
    return Host(asked, _places(engine_name))


def usual_engine(family: str) -> str:
    """The engine that usually runs a packing family."""
    return USUAL_ENGINE.get(family, "vllm")


def smallest_gpus(holding: Iterable[Held]) -> Table:
    """The smallest devices that run it, and how full they are."""
    return _filled("Needed", holding)


def holding_weights(weights: int, most: int = 6) -> Table:
    """The smallest devices whose usable memory is at least so many bytes; no cache, no runtime."""
    holding = [one for one in devices() if one.usable_bytes >= weights]
    return _filled("Weights alone", ((one, weights) for one in holding[:most]))


def _filled(what: str, held: Iterable[tuple[Device, int]]) -> Table:
    table = tuple(
        (
            Link(one.name, f"gpu-fit?gpu={one.id}"),
            one.usable_bytes,
            size,
            size / one.usable_bytes,
        )
        for one, size in held
    )
    columns = (
        Column("GPU"),
        Column("Usable memory", "bytes"),
        Column(what, "bytes"),
        Column("Filled", "fraction"),
    )
    return Table(columns, table, basis="modelled", empty=NONE_HOLDS)


def memory_bar(budget: Budget) -> Breakdown:
    """What a GPU holds, as one bar; the line is what the engine may use of it."""
    named = [
        (*TERMS.get(term.name, (term.name.capitalize(), "other")), term) for term in budget.terms
    ]
    segments = [Segment(label, term.bytes, tone, term.error) for label, tone, term in named]
    segments.insert(1, Segment("KV cache", budget.kv_needed_bytes, "kv"))
    label = f"{budget.device.name}: the engine may use"
    return Breakdown(tuple(segments), "bytes", budget.limit_bytes, label, "modelled")
