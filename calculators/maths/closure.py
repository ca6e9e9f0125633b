"""Logged memory against our rules, row by row and term by term.

`closures(row)` takes a row of `facts/memory_logs.json` and yields what can be compared: each term
alone, fed with the row's other logged figures, and the whole budget. Where a file's recipe is not
known its weights are taken from the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from statistics import median

from calculators.facts import Row, rows
from calculators.kit.units import GIB, MIB
from calculators.maths.device import Device, device
from calculators.maths.engines.blocks import Pool
from calculators.maths.engines.ik_graph import Fork
from calculators.maths.engines.llama_cpp import LlamaCpp
from calculators.maths.engines.model import BadPlan, Plan
from calculators.maths.engines.sglang import Sglang
from calculators.maths.engines.vllm import Vllm
from calculators.maths.kv_cache import UnknownKvDtype, kv_dtype
from calculators.maths.packing import checkpoint as pack
from calculators.maths.packing.model import Checkpoint, Packed
from calculators.maths.ranks import RankWeights, offload
from calculators.maths.tensors import Architecture, UnknownArchitecture, architecture

ROUNDING_GIB = 0.005  # half of the last digit that logs print
ROUNDING_MIB = 0.01
SIXTEEN_BIT = ("bf16", "fp16", "16-bit")

WHOLE_SHARE, WHOLE_GIB = 0.03, 0.5  # what the page claims for a whole budget
POOL_SHARE = 0.011  # SGLang: logged pools are 0.990 to 0.999 of the rule
ACTIVATION_SHARE, ACTIVATION_GIB = 0.03, 0.12  # the fit's own range (21 rows)
LIBRARIES_GIB = 0.1
WEIGHTS_SHARE = 0.005  # buffers of the loader and the allocator beside the tensors
BUFFER_SHARE = 0.0001  # tensors are aligned in the buffer
COMPUTE_SHARE = 0.03  # forks order the graph otherwise and leave other gaps
EVERY_LAYER = 1000


@dataclass(frozen=True, slots=True)
class Closure:
    """`predicted` and `observed` in one unit, and how far apart the page claims they may be."""

    row: str
    engine: str
    term: str
    unit: str
    predicted: float
    observed: float
    tolerance: float
    reason: str

    @property
    def error(self) -> float:
        """Relative to what was logged."""
        return (self.predicted - self.observed) / self.observed if self.observed else 0.0

    @property
    def closes(self) -> bool:
        return abs(self.predicted - self.observed) <= self.tolerance


@cache
def shape(model_id: str) -> Architecture | None:
    """The catalogue's model, if its layout is known."""
    for row in rows("models"):
        if row["id"] == model_id:
            try:
                return architecture(row["config"])
            except UnknownArchitecture:
                return None
    return None


@cache
def _gpu(gpu_id: str) -> Device | None:
    row = next((row for row in rows("gpus") if row["id"] == gpu_id), None)
    return device(row) if row else None


def sixteen_bit(model: Architecture) -> Checkpoint:
    """Every tensor at two bytes per element."""
    parts = tuple(Packed(t, "bfloat16", 2 * t.parameters, False) for t in model.tensors)
    return Checkpoint(parts, model.parameters, 0)


def packed(model: Architecture, row: Row) -> Checkpoint | None:
    """The logged file as we pack it; None where its recipe is not known."""
    if row["format"] in SIXTEEN_BIT:
        return sixteen_bit(model)
    return pack(model, row["recipe"]) if "recipe" in row else None


def plan_of(row: Row) -> Plan:
    """The settings of a row, with what its figures imply."""
    keys, values = kv_types(str(row.get("kv_dtype", "auto")))
    context = row.get("max_model_len") or row.get("n_ctx") or 4096
    plan = Plan(
        engine=row["engine"],
        version=row["rules_version"],
        tensor_parallel=row.get("tensor_parallel") or 1,
        pipeline_parallel=row.get("pipeline_parallel") or 1,
        context=context,
        kv_dtype=keys,
        value_dtype=values,
        memory_fraction=row.get("gpu_memory_utilization") or row.get("mem_fraction_static"),
        max_num_seqs=row.get("max_num_seqs"),
        max_loras=row.get("max_loras", 0),
        max_lora_rank=row.get("max_lora_rank", 16),
        enforce_eager=row.get("enforce_eager", False),
        max_num_batched_tokens=row.get("max_num_batched_tokens"),
        block_size=row.get("block_size"),
        context_parallel=row.get("decode_context_parallel") or 1,
        swa_full_tokens_ratio=row.get("swa_full_tokens_ratio"),
        chunked_prefill_size=row.get("chunked_prefill_size"),
        flash_attention=row.get("flash_attn", True),
        n_ubatch=row.get("n_ubatch"),
        n_parallel=row.get("n_parallel"),
        swa_full=row.get("swa_full", False),
        latent_cache="mla_attn" in row or row["rules_version"] >= "2025-04",
        cpu_expert_layers=EVERY_LAYER if _experts_on_cpu(row) else 0,
        op_offload="fork" not in str(row["engine_version"]),
        fork=_fork(row),
    )
    if row["engine"] == "llama.cpp":
        by_rows = "split-mode row" in row.get("note", "")  # the cache and the graph are on one GPU
        gpus = 1 if by_rows else max(1, row.get("gpus") or 1)
        plan = replace(plan, tensor_parallel=1, pipeline_parallel=gpus)
    return replace(plan, **row.get("implied", {}))


def _fork(row: Row) -> Fork | None:
    if "ik_llama.cpp fork" not in str(row["engine_version"]):
        return None
    return Fork(row.get("mla_attn", 0), row.get("attn_max_batch_mib", 0), row["fused_moe"])


def _experts_on_cpu(row: Row) -> bool:
    return bool(row.get("partial_offload")) and row["engine"] == "llama.cpp"


def kv_types(text: str) -> tuple[str, str | None]:
    """`K q8_0 / V f16` names both, everything else one for both; `8-bit` says no more than that."""
    if text.startswith("K "):
        keys, values = text.split(" / ")
        return keys.removeprefix("K "), values.removeprefix("V ")
    return {"8-bit": "fp8"}.get(text, text), None


def closures(row: Row) -> tuple[Closure, ...]:
    """What can be compared in this row; empty when its model is not in the catalogue."""
    model = shape(row["shape_of"]) if row["shape_of"] else None
    if model is None:
        return ()
    try:
        plan = plan_of(row)
        kv_dtype(plan.kv_dtype)
    except (BadPlan, UnknownKvDtype):
        return ()
    compare = COMPARE.get(row["engine"])
    return tuple(compare(row, model, plan)) if compare else ()


def _vllm(row: Row, model: Architecture, plan: Plan) -> Iterator[Closure]:
    engine, seen = Vllm(model, plan), row["observed"]
    gpu = _gpu(row["device"]) if row["device"] else None
    tokens = plan.max_num_batched_tokens or (engine.batch(gpu)[0] if gpu else 2048)
    blocks = engine.pool(tokens)
    rounding = row.get("kv_rounding_gib", ROUNDING_GIB)
    kv, count = seen.get("kv_cache_gib_per_gpu"), seen.get("kv_cache_tokens")
    if kv and count and kv > 0:
        low, high = (
            engine.tokens(blocks, blocks.blocks(round((kv + by * rounding) * GIB)))
            for by in (-1, 1)
        )
        middle = (low + high) / 2
        yield _make(row, "tokens", "tokens", middle, count, (high - low) / 2 + 1, "log rounding")
    elif count and "max_concurrency" in seen:
        nearest = _nearest(engine, blocks, count, seen["max_concurrency"])
        yield _make(row, "tokens", "tokens", nearest, count, 1, "a whole number of blocks")
    if "max_concurrency" in seen and kv:
        found = blocks.blocks(round(kv * GIB)) / blocks.blocks_per_request(plan.context)
        slack = 0.005 + found * rounding / kv
        yield _make(row, "concurrency", "x", found, seen["max_concurrency"], slack, "log rounding")
    if needed := seen.get("kv_needed_gib_for_max_len"):
        found = blocks.request_bytes(plan.context) / GIB
        yield _make(row, "one request", "GiB", found, needed, ROUNDING_GIB, "log rounding")
    checkpoint = packed(model, row)
    if checkpoint and (logged := seen.get("weights_gib_per_gpu")):
        loaded = engine.loaded_bytes(engine.weights(checkpoint)) / GIB
        slack = max(0.01, WEIGHTS_SHARE * logged)
        yield _make(row, "weights", "GiB", loaded, logged, slack, "loader's own buffers")
    if gpu:
        yield from _vllm_budget(row, engine, gpu)


def _nearest(engine: Vllm, blocks: Pool, count: int, concurrency: float) -> int:
    """The capacity line, among those of whole numbers of blocks near `concurrency`, next to it."""
    request = blocks.blocks_per_request(engine.plan.context)
    first, last = (round((concurrency + by) * request) for by in (-0.006, 0.006))
    lines = (engine.tokens(blocks, number) for number in range(first, last + 1))
    return min(lines, key=lambda line: abs(line - count))


def _vllm_budget(row: Row, engine: Vllm, gpu: Device) -> Iterator[Closure]:
    seen = row["observed"]
    logged = seen.get("weights_gib_per_gpu")
    checkpoint = packed(engine.model, row)
    if checkpoint:
        weights = engine.weights(checkpoint)
    else:
        extra = engine.loaded_bytes(RankWeights(0, 0, True))
        weights = RankWeights(round((logged or 0.0) * GIB) - extra, 0, True)
    budget = engine.budget(weights, gpu)
    if (active := seen.get("peak_activation_gib")) is not None:
        found = budget.term("activations") / GIB
        slack = max(ACTIVATION_GIB, ACTIVATION_SHARE * active)
        yield _make(row, "activations", "GiB", found, active, slack, "range of the fit")
    if (libraries := seen.get("non_torch_gib")) is not None:
        found = budget.term("libraries") / GIB
        yield _make(row, "libraries", "GiB", found, libraries, LIBRARIES_GIB, "range seen")
    if logged and "gpu_memory_utilization" in row and "max_model_len" in row:
        yield _make(row, "fits", "yes", budget.starts, seen["fits"], 0, "yes or no")
    kv = seen.get("kv_cache_gib_per_gpu")
    if kv and kv > 0 and logged and "gpu_memory_utilization" in row:
        slack = max(WHOLE_GIB, WHOLE_SHARE * kv)
        found = budget.kv_cache_bytes / GIB
        yield _make(row, "whole budget", "GiB", found, kv, slack, "what the page claims")


def _sglang(row: Row, model: Architecture, plan: Plan) -> Iterator[Closure]:
    engine, seen = Sglang(model, replace(plan, max_num_seqs=None)), row["observed"]
    kv, count = seen.get("kv_cache_gib_per_gpu"), seen.get("kv_cache_tokens")
    if kv and count:
        rounding = ROUNDING_GIB * (4 if engine.cells[1] else 2)  # keys and values are printed apart
        low, high = (engine.tokens(round((kv + by * rounding) * GIB)) for by in (-1, 1))
        middle = (low + high) / 2
        yield _make(row, "tokens", "tokens", middle, count, (high - low) / 2 + 1, "log rounding")
    before, after = seen.get("avail_before_weights_gib"), seen.get("avail_after_weights_gib")
    if kv and before and after and plan.memory_fraction:
        pool = after - before * (1 - plan.memory_fraction)
        yield _make(row, "pool", "GiB", pool, kv, POOL_SHARE * kv, "range of the rule")
    gpu = _gpu(row["device"]) if row["device"] else None
    logged = seen.get("weights_gib_per_gpu")
    if gpu and kv and logged and plan.memory_fraction:
        found = engine.budget(RankWeights(round(logged * GIB), 0, True), gpu).kv_cache_bytes / GIB
        slack = max(WHOLE_GIB, WHOLE_SHARE * kv)
        yield _make(row, "whole budget", "GiB", found, kv, slack, "what the page claims")


def _llama_cpp(row: Row, model: Architecture, plan: Plan) -> Iterator[Closure]:
    engine, seen = LlamaCpp(model, plan), row["observed"]
    full, sliding, states = (part / MIB for part in engine.kv_parts(plan.context))
    if kv := seen.get("kv_cache_mib"):
        slack = ROUNDING_MIB * 2
        yield _make(row, "KV cache", "MiB", full + sliding, kv, slack, "log rounding")
    if kv_gib := seen.get("kv_cache_gib"):
        found = (full + sliding) / 1024
        yield _make(row, "KV cache", "GiB", found, kv_gib, 0.05, "log rounding")
    gpu = _gpu(row["device"]) if row["device"] else None
    buffer = seen.get("model_buffer_mib")
    checkpoint = packed(model, row)
    if checkpoint and buffer and not row.get("partial_offload"):
        found = offload(model, checkpoint, plan.gpus).all_gpus_bytes / MIB
        yield _make(row, "model buffer", "MiB", found, buffer, BUFFER_SHARE * buffer, "alignment")
    if gpu and "fits" in seen and row.get("variant") == "F16":
        starts = engine.budget(engine.weights(sixteen_bit(model)), gpu).starts
        yield _make(row, "fits", "yes", starts, seen["fits"], 0, "yes or no")
    if state := seen.get("recurrent_state_mib"):
        yield _make(row, "states", "MiB", states, state, ROUNDING_MIB, "log rounding")
    compute = seen.get("compute_buffer_mib") or seen.get("compute_buffer_mib_cpu")
    streamed = engine.weights(checkpoint).streamed_bytes if checkpoint else 0
    if compute and "n_ubatch" in row:
        found = engine.compute_bytes(plan.context, streamed) / MIB
        slack = max(1.0, COMPUTE_SHARE * compute)
        yield _make(row, "compute buffer", "MiB", found, compute, slack, "range of the fit")
    if buffer and kv and compute and "n_ubatch" in row:
        rest = full + sliding + engine.compute_bytes(plan.context, streamed) / MIB
        total, logged = buffer + rest, buffer + kv + compute
        slack = max(WHOLE_GIB * 1024, WHOLE_SHARE * logged)
        yield _make(row, "whole budget", "MiB", total, logged, slack, "what the page claims")


def _make(
    row: Row,
    term: str,
    unit: str,
    predicted: float,
    observed: float,
    tolerance: float,
    reason: str,
) -> Closure:
    return Closure(row["id"], row["engine"], term, unit, predicted, observed, tolerance, reason)


@dataclass(frozen=True, slots=True)
class Summary:
    """How one term of one engine closes over `rows` logged figures; errors are absolute shares.

    `unit` is "yes" for a term that is right or wrong. `implied` of the rows have a setting that was
    read off the figures themselves: weaker proof.
    """

    engine: str
    term: str
    unit: str
    rows: int
    close: int
    median: float
    p90: float
    worst: float
    implied: int


@cache
def closure_summary(implied: bool = True) -> tuple[Summary, ...]:
    """All logs, by engine and term, in alphabetical order; about half a second.

    Without the `implied` rows what is left is proof.
    """
    found: dict[tuple[str, str], list[Closure]] = {}
    weaker = {row["id"] for row in rows("memory_logs") if row.get("implied")}
    for row in rows("memory_logs"):
        for closure in closures(row) if implied or row["id"] not in weaker else ():
            found.setdefault((closure.engine, closure.term), []).append(closure)
    return tuple(_summary(found[key], weaker) for key in sorted(found))


def _summary(found: list[Closure], implied: set[str]) -> Summary:
    errors = sorted(abs(closure.error) for closure in found)
    return Summary(
        engine=found[0].engine,
        term=found[0].term,
        unit=found[0].unit,
        rows=len(errors),
        close=sum(closure.closes for closure in found),
        median=median(errors),
        p90=errors[ceil(0.9 * len(errors)) - 1],
        worst=errors[-1],
        implied=sum(closure.row in implied for closure in found),
    )


COMPARE = {"vllm": _vllm, "sglang": _sglang, "llama.cpp": _llama_cpp, "ollama": _llama_cpp}
