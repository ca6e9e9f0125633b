"""What one decoding step reads from memory and multiplies."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum

from calculators.maths.flops import active_linear_parameters
from calculators.maths.kv_cache import kept_by, kv_dtype
from calculators.maths.packing.model import Checkpoint, Packed
from calculators.maths.tensors import Architecture, Recurrent


@dataclass(frozen=True, slots=True)
class ExpertBytes:
    """`bytes` of all `count` experts (of every layer), of which one token uses `per_token`."""

    bytes: int
    count: int
    per_token: int


@dataclass(frozen=True, slots=True)
class Host:
    """What a step reads from main memory: of weights, of one sequence's cache, of experts."""

    shared_bytes: int
    kv_bytes: int = 0
    experts: tuple[ExpertBytes, ...] = ()

    def bytes(self, batch: int = 1) -> float:
        return self.shared_bytes + routed_bytes(self.experts, batch) + self.kv_bytes * batch


@dataclass(frozen=True, slots=True)
class Work:
    """One decoding step; what stays in main memory is counted in `host` alone.

    `shared_bytes`   weights that every step reads, whatever the batch
    `kv_bytes`       cache that one sequence reads per token, recurrent states included
    `parameters`     weights that multiply one token, the head included
    `bits`           stored per weight of the matrices, on average, scales included
    `all_reduces`    sums over cards per step under tensor parallelism
    """

    shared_bytes: int
    kv_bytes: int = 0
    parameters: int = 0
    bits: float = 16.0
    experts: tuple[ExpertBytes, ...] = ()
    hidden_size: int = 0
    all_reduces: int = 0
    host: Host | None = None

    @property
    def mixture(self) -> bool:
        return bool(self.experts or (self.host and self.host.experts))

    @property
    def weight_bits(self) -> int:
        """16, 8 or 4: kernels below 6.5 bits behave like 4."""
        if self.bits > 12:
            return 16
        return 8 if self.bits > 6.5 else 4

    def weight_bytes(self, batch: int = 1) -> float:
        """Weights that a step of `batch` tokens reads: experts as often as any token asks."""
        return self.shared_bytes + routed_bytes(self.experts, batch)

    def at(self, kv_bytes: int) -> "Work":
        """The same step at another context."""
        return replace(self, kv_bytes=kv_bytes)


@dataclass(frozen=True, slots=True)
class Split:
    """The first `layers` stay in main memory, and the experts of the first `expert_layers`.

    One more than the model has: the output, too. llama.cpp's `-ngl` and `--n-cpu-moe`.
    """

    layers: int = 0
    expert_layers: int = 0

    @classmethod
    def of(cls, count: int, n_gpu_layers: int | None, cpu_expert_layers: int) -> "Split":
        """For a model of `count` layers; None puts all of them and the output on GPUs."""
        wanted = count + 1 if n_gpu_layers is None else min(n_gpu_layers, count + 1)
        return cls(count + 1 - wanted, cpu_expert_layers)

    def bytes(self, part: Packed, count: int) -> int:
        """Of these tensors, what stays."""
        held = part.tensor.layers
        if not held:
            return part.bytes if self.layers > count else 0
        expert = part.tensor.kind == "expert"
        below = max(self.layers, self.expert_layers if expert else 0)
        if not below:
            return 0
        return part.bytes * sum(layer < below for layer in held) // len(held)


ALL_REDUCES_PER_LAYER = 2  # after attention and after the feed-forward (Shoeybi et al. 2019)


def routed_bytes(experts: Sequence[ExpertBytes], batch: int) -> float:
    """Experts that a step of `batch` tokens reads."""
    return fsum(
        group.bytes * distinct_experts(group.count, group.per_token, batch) / group.count
        for group in experts
    )


def distinct_experts(count: int, per_token: int, batch: int) -> float:
    """Expected number of experts that `batch` tokens touch when each picks `per_token` evenly.

    E (1 - (1 - k/E)^b). Real routers are uneven and touch fewer.
    """
    return count * (1 - (1 - per_token / count) ** batch)


def work(
    architecture: Architecture,
    checkpoint: Checkpoint,
    context_tokens: int,
    kv_type: str = "bf16",
    split: Split | None = None,
) -> Work:
    """The step of a packed model at a context.

    The input embedding is a lookup of one row: its table counts only when it is the head too.
    Vision towers and multi-token-prediction blocks do not run. `split` leaves some in main memory.
    """
    split = split or Split()
    running = [part for part in checkpoint.parts if _runs(part, architecture)]
    shared = [part for part in running if not _routed(part)]
    routed = [part for part in running if _routed(part)]
    kept = {id(part): split.bytes(part, len(architecture.layers)) for part in running}
    below = replace(architecture, layers=architecture.layers[: split.layers])
    cached = kv_bytes_read(below, context_tokens, kv_type)
    host = Host(
        sum(kept[id(part)] for part in shared),
        cached,
        tuple(_experts(part, kept[id(part)]) for part in routed if kept[id(part)]),
    )
    return Work(
        shared_bytes=sum(part.bytes for part in shared) - host.shared_bytes,
        kv_bytes=kv_bytes_read(architecture, context_tokens, kv_type) - cached,
        parameters=active_linear_parameters(architecture)
        + architecture.vocab_size * architecture.hidden_size,
        bits=mean_bits(running),
        experts=tuple(_experts(part, part.bytes - kept[id(part)]) for part in routed),
        hidden_size=architecture.hidden_size,
        all_reduces=ALL_REDUCES_PER_LAYER * len(architecture.layers),
        host=host if any(kept.values()) else None,
    )


def _experts(part: Packed, size: int) -> ExpertBytes:
    return ExpertBytes(size, part.tensor.copies, part.tensor.active)


def _routed(part: Packed) -> bool:
    return part.tensor.active < part.tensor.copies


def _runs(part: Packed, architecture: Architecture) -> bool:
    tensor = part.tensor
    if tensor.part != "text":
        return False
    if tensor.kind != "embedding":
        return True
    return architecture.tied and tensor.shape == (architecture.vocab_size, architecture.hidden_size)


def mean_bits(parts: Sequence[Packed]) -> float:
    """Bits per weight of the matrices that run; 16 when there is none."""
    matrices = [part for part in parts if part.tensor.linear]
    weights = sum(part.tensor.parameters for part in matrices)
    return 8 * sum(part.bytes for part in matrices) / weights if weights else 16.0


def kv_bytes_read(architecture: Architecture, context_tokens: int, kv_type: str = "bf16") -> int:
    """Cache that one new token reads: a layer that shares another's cache reads it once more.

    Windows and chunks bound a layer; a recurrent state is read and written back. Models that pick
    tokens with a sparse indexer read less than this.
    """
    dtype = kv_dtype(kv_type)
    read = 0
    mixers = Counter(mixer for layer in architecture.layers for mixer in layer.mixers)
    for mixer, count in mixers.items():
        for kept in kept_by(mixer):
            if isinstance(mixer, Recurrent):
                read += count * 2 * kept.state_bytes()
            elif not mixer.cross:
                read += count * kept.token_bytes(dtype, dtype) * kept.tokens(context_tokens)
    return read
