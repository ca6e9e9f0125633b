"""Running a checkpoint: what it takes besides the weights, and which accelerators hold it."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import NamedTuple

from calculators.facts import rows
from calculators.kit import Breakdown, Column, Link, Segment, Table
from calculators.maths.device import Device, device
from calculators.maths.memory import Budget, Engine, Plan, engine
from calculators.maths.packing import Checkpoint
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


class Room(NamedTuple):
    """Bytes of weights for which a device has room, and what it holds beside them."""

    bytes: int
    taken_bytes: int


Like = tuple[object, ...]


class Kinds(NamedTuple):
    """Devices by usable memory. `alike`: what of each an engine looks at, the same for many."""

    devices: tuple[Device, ...]
    usable_bytes: list[int]
    alike: list[Like]


@dataclass(frozen=True)
class Host:
    """A model under an engine with one request: ask it which devices hold a packed checkpoint."""

    engine: str
    asked: Engine
    kinds: Kinds
    _rooms: dict[RankWeights, dict[Like, Room]] = field(default_factory=dict, repr=False)

    def holding(self, packed: Checkpoint, most: int) -> tuple[Budget, ...]:
        """What the `most` smallest devices that run it then hold."""
        weights = self.asked.weights(packed)
        return tuple(
            self.asked.budget(weights, one) for one, _ in islice(self._fitting(weights), most)
        )

    def smallest(self, weights: RankWeights) -> tuple[Device, int] | None:
        """The smallest device that runs it, and the bytes that it then holds."""
        return next(self._fitting(weights), None)

    def _fitting(self, weights: RankWeights) -> Iterator[tuple[Device, int]]:
        size, kinds = weights.bytes, self.kinds
        # 16-bit copies are kept of what is quantized; without any to keep it makes no difference.
        copied = weights.quantized and weights.latent_up_bytes > 0
        empty = replace(weights, bytes=0, quantized=copied)
        rooms = self._rooms.setdefault(empty, {})
        for place in range(bisect_left(kinds.usable_bytes, size), len(kinds.devices)):
            like = kinds.alike[place]
            room = rooms.get(like)
            if room is None:
                room = rooms[like] = self._room(empty, kinds.devices[place])
            if room.bytes >= size:
                yield kinds.devices[place], size + room.taken_bytes

    def _room(self, empty: RankWeights, one: Device) -> Room:
        budget = self.asked.budget(empty, one)
        return Room(budget.kv_cache_bytes - budget.kv_needed_bytes, budget.total_bytes)


@cache
def _kinds_for(engine: str) -> Kinds:
    """MLX runs on Apple's machines alone, vLLM on the others, llama.cpp on all."""
    apple = {"mlx": True, "vllm": False}.get(engine)
    found = tuple(one for one in devices() if apple in (None, one.vendor == "Apple"))
    alike: list[Like] = [
        (one.usable_bytes, one.marketed_bytes, one.vendor, one.compute_capability) for one in found
    ]
    return Kinds(found, [one.usable_bytes for one in found], alike)


def host(model: Architecture, engine_name: str, context: int) -> Host:
    """The model under that engine with its defaults, one request of `context` tokens."""
    asked = engine(model, Plan(engine=engine_name, context=context))
    return Host(engine_name, asked, _kinds_for(engine_name))


def usual_engine(family: str) -> str:
    """The engine that usually runs a packing family."""
    return USUAL_ENGINE.get(family, "vllm")


def smallest_gpus(holding: Iterable[Budget]) -> Table:
    """The smallest devices that run it, and how full they are."""
    return _filled("Needed", ((budget.device, budget.total_bytes) for budget in holding))


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
