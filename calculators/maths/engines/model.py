"""What an engine is asked, and what it answers: `Plan`, `Term`, `Budget`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol

from calculators.facts import rows
from calculators.maths.device import Basis, Device
from calculators.maths.engines.ik_graph import Fork
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import RankWeights, rank_weights
from calculators.maths.tensors import Architecture, Experts, Mlp

GivesWay = Literal["weights", "context", "concurrency"]


class BadPlan(ValueError):
    """A plan that no engine can run; the message says which value and why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model shall be run. None means: the engine's default for that version.

    `context` tokens of one request, `concurrency` requests at once; `memory_fraction` in the
    engine's own sense. `n_gpu_layers` and `cpu_expert_layers` are llama.cpp's `-ngl` and
    `--n-cpu-moe`; without `op_offload` (`--no-op-offload`) the CPU computes what it holds.
    `host_bandwidth` is main memory's, in bytes per second.
    `max_loras` slots for adapters of rank `max_lora_rank` are vLLM's; `enforce_eager` captures no
    CUDA graphs. `fork` are the switches of ik_llama.cpp, where that runs in llama.cpp's place.
    """

    engine: str = "vllm"
    version: str | None = None
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    context: int = 8192
    concurrency: int = 1
    kv_dtype: str = "auto"
    value_dtype: str | None = None
    memory_fraction: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    block_size: int | None = None
    prefix_caching: bool | None = None
    speculative_tokens: int = 0
    draft_layers: int | None = None  # attention layers of the drafter; None: one when it drafts
    context_parallel: int = 1
    state_bytes: int | None = None  # per element of a recurrent state
    swa_full_tokens_ratio: float | None = None
    chunked_prefill_size: int | None = None
    flash_attention: bool = True
    n_ubatch: int | None = None
    n_parallel: int | None = None
    unified_cache: bool = True
    swa_full: bool = False
    latent_cache: bool = True
    output_rows: int | None = None
    n_gpu_layers: int | None = None
    cpu_expert_layers: int = 0
    op_offload: bool = True
    display: bool = False
    vision: bool = True
    host_bandwidth: float | None = None
    max_loras: int = 0
    max_lora_rank: int = 16
    enforce_eager: bool = False
    fork: Fork | None = None

    def __post_init__(self) -> None:
        for name in ("tensor_parallel", "pipeline_parallel", "context", "concurrency"):
            if getattr(self, name) < 1:
                raise BadPlan(f"{name} is {getattr(self, name)}, below 1")
        if self.memory_fraction is not None and not 0 < self.memory_fraction <= 1:
            raise BadPlan(f"memory_fraction is {self.memory_fraction}, not between 0 and 1")

    @property
    def gpus(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the memory of a GPU. `basis` says what the figure is, `error` how sure."""

    name: str
    bytes: int
    basis: Basis
    error: str = ""


@dataclass(frozen=True)
class Budget:
    """Memory of the fullest GPU. All sizes in bytes per GPU, tokens and requests of the whole.

    `limit_bytes` is what the engine may use of `device.usable_bytes`; `terms` are what it uses,
    the KV cache apart: `kv_cache_bytes` is the pool it can have, `kv_needed_bytes` what
    `plan.concurrency` requests of `plan.context` tokens take of it.
    """

    plan: Plan
    device: Device
    limit_bytes: int
    terms: tuple[Term, ...]
    kv_cache_bytes: int
    kv_cache_tokens: int
    kv_needed_bytes: int
    one_request_bytes: int
    max_concurrency: float
    longest: Callable[[], int] = field(repr=False, compare=False)
    logged: Callable[["Budget"], tuple[str, ...]] = field(repr=False, compare=False)

    @property
    def usable_bytes(self) -> int:
        return self.device.usable_bytes

    @property
    def fixed_bytes(self) -> int:
        """Everything but the KV cache."""
        return sum(term.bytes for term in self.terms)

    @property
    def total_bytes(self) -> int:
        """What the model takes with the plan's requests in it."""
        return self.fixed_bytes + self.kv_needed_bytes

    @property
    def starts(self) -> bool:
        """The engine loads the model and can serve one request of the full context."""
        return self.one_request_bytes <= self.kv_cache_bytes

    @property
    def fits(self) -> bool:
        """All of the plan's requests are served at once."""
        return self.gives_way is None

    @property
    def gives_way(self) -> GivesWay | None:
        """What has to shrink first: the weights, the context, or the number of requests."""
        if self.kv_cache_bytes <= 0:
            return "weights"
        if not self.starts:
            return "context"
        return None if self.plan.concurrency <= self.max_concurrency else "concurrency"

    @property
    def max_context(self) -> int:
        """The longest context that one request can have; at most the model's own."""
        return self.longest() if self.kv_cache_bytes > 0 else 0

    @property
    def log_lines(self) -> tuple[str, ...]:
        """What this version of the engine will print."""
        return self.logged(self)

    def term(self, name: str) -> int:
        return sum(term.bytes for term in self.terms if term.name == name)


class Engine(Protocol):
    """A model and a plan, ready to be asked about many formats (`weights`) and GPUs (`budget`)."""

    def weights(self, checkpoint: Checkpoint) -> RankWeights: ...

    def budget(self, weights: RankWeights, device: Device) -> Budget: ...


def version_of(text: str) -> tuple[int, ...]:
    """`0.8.5.post1` -> (0, 8, 5); `2026-08` -> (2026, 8). Raises `BadPlan` for anything else."""
    parts = text.lower().removeprefix("v").replace("-", ".").split(".")
    numbers = [part for part in parts if not part.startswith(("post", "rc", "dev", "b"))]
    if not numbers or not all(part.isdigit() for part in numbers):
        raise BadPlan(f"the engine version {text!r} is not understood")
    return tuple(int(part) for part in numbers)


@cache
def setting(name: str, version: tuple[int, ...] | None = None) -> Any:
    """The value of the last row of `engines.json` of this name that holds for `version`."""
    found = None
    for row in rows("engines"):
        if row["id"] == name and (
            version is None or "from" not in row or version_of(row["from"]) <= version
        ):
            found = row
    if found is None:
        raise KeyError(name)
    return found["value"]


@cache
def error_of(name: str, version: tuple[int, ...] | None = None) -> str:
    """How sure the row behind `setting(name, version)` is."""
    value = setting(name, version)
    return next(
        str(row.get("error", ""))
        for row in rows("engines")
        if row["id"] == name and row["value"] == value
    )


def plan_version(plan: Plan) -> tuple[int, ...]:
    return version_of(plan.version or setting(f"{plan.engine}.version"))


def feed_forward_width(model: Architecture) -> int:
    """Of the widest block that one token goes through, counting the experts it uses."""
    widths = [
        block.width
        if isinstance(block, Mlp)
        else block.per_token * block.width + block.shared_width
        for layer in model.layers
        for block in layer.feed_forward
        if isinstance(block, Mlp | Experts)
    ]
    return max(widths, default=4 * model.hidden_size)


def longest_context(fits: Callable[[int], bool], upper: int) -> int:
    """The largest context up to `upper` that fits, by bisection; 0 when not even one token does."""
    if fits(upper):
        return upper
    low, high = 0, upper
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def drafting(plan: Plan) -> int:
    """Attention layers that drafting adds to the cache: one multi-token-prediction block."""
    return int(plan.speculative_tokens > 0) if plan.draft_layers is None else plan.draft_layers


def fullest_rank(model: Architecture, checkpoint: Checkpoint, plan: Plan) -> RankWeights:
    """What a server's fullest rank loads: towers with `vision`, drafting layers only to draft."""
    towers = ("vision", "audio") if plan.vision else ()
    parts = ("text", *towers, *(("mtp",) if plan.speculative_tokens else ()))
    ranks, stages = plan.tensor_parallel, plan.pipeline_parallel
    return rank_weights(model, checkpoint, ranks, stages, parts=parts)
