"""What a plan needs against what a GPU has: the chart over contexts, and what gives way first."""

from dataclasses import replace

from calculators.common.plan import Case, Machine
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.kit import Axis, Chart, Column, Series, Table, lines
from calculators.kit.units import GIB
from calculators.maths.closure import WHOLE_GIB, WHOLE_SHARE
from calculators.maths.engines.sglang import Sglang
from calculators.maths.engines.vllm import Vllm
from calculators.maths.memory import Budget

FEWEST, POINTS = 2048, 6  # of the chart: tokens on its axis at least, and points
BEYOND = 1.25  # of what fits: the chart shows where the line is crossed
USUAL_SLOTS = 256  # sequences that llama.cpp, TensorRT-LLM and MLX are run with at most
LOGGED = ("vllm", "sglang", "llama.cpp", "ollama")  # engines whose logs were held against the rules
GIVES_WAY = {
    None: "nothing: it fits",
    "weights": "the weights: another format, or more GPUs",
    "context": "the context: one request of this length is too long",
    "concurrency": "the number of requests: some will wait",
}


def most_requests(asked: Case, found: Budget) -> int:
    """The largest batch: what memory allows, up to what the engine schedules by default."""
    engine = asked.engine
    if isinstance(engine, Vllm):
        limit = engine.batch(found.device)[1]
    elif isinstance(engine, Sglang):
        limit = engine.defaults(found.device)[1]
    else:
        limit = USUAL_SLOTS
    return max(0, min(int(found.max_concurrency), limit))


def band(asked: Case, found: Budget, value: float) -> tuple[float | None, float | None]:
    """Where `value` lies if the pool is as far off as the worst tenth of the logs were not.

    `value` is proportional to the pool; engines without a log get no band.
    """
    if asked.plan.engine not in LOGGED or found.kv_cache_bytes <= 0:
        return None, None
    off = max(WHOLE_SHARE, WHOLE_GIB * GIB / found.kv_cache_bytes)
    return max(0.0, value * (1 - off)), value * (1 + off)


def contexts_up_to(asked: int, largest: int | None, fits: int) -> list[int]:
    """Evenly spaced contexts of a chart, beyond what is asked and what fits."""
    most = max(FEWEST, 2 * asked, round(BEYOND * fits))
    if largest:
        most = max(asked, FEWEST, min(most, largest))
    return sorted({asked, *(max(1, most * step // POINTS) for step in range(1, POINTS + 1))})


def memory_chart(asked: Case, on: Machine, found: Budget) -> Chart:
    """Memory of a GPU against the context, for the plan's requests and for one alone."""
    plan = asked.plan
    contexts = contexts_up_to(plan.context, asked.model.max_context, found.max_context)
    together, alone = [], []
    for context in contexts:
        other = asked.planned(replace(plan, context=context)).engine.budget(
            asked.weights, on.device
        )
        together.append((float(context), other.total_bytes / 1e9))
        alone.append((float(context), (other.fixed_bytes + other.one_request_bytes) / 1e9))
    series = [Series("One request", alone)]
    if plan.concurrency > 1:
        series.insert(0, Series(f"{plan.concurrency:,} requests", together))
    limit = (f"{ENGINE_NAMES[plan.engine]} may use", found.limit_bytes / 1e9)
    return lines(
        "Memory of each GPU against the context; above the line it does not fit.",
        Axis("Context of each request (tokens)", format="~s"),
        Axis("Memory per GPU (GB)", zero=True),
        series,
        rules=(limit,),
    )


def terms(found: Budget) -> Table:
    """Every term of the budget, with how sure it is."""
    rows = [(term.name.capitalize(), term.bytes, term.basis, term.error) for term in found.terms]
    rows.append(("KV cache, asked for", found.kv_needed_bytes, "modelled", "by the engine's rule"))
    rows.append(("KV cache, room", found.kv_cache_bytes, "modelled", "what the rest leaves"))
    rows.append(("The engine may use", found.limit_bytes, "modelled", ""))
    rows.append(("CUDA, HIP or Metal reports", found.usable_bytes, found.device.basis, ""))
    rows.append(("On the box", found.device.marketed_bytes, "exact", ""))
    columns = (Column("Per GPU"), Column("Size", "bytes"), Column("Basis"), Column("How sure"))
    return Table(columns, tuple(rows), basis="modelled", folded=True)
