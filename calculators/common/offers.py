"""The best model and format for a GPU: recent and large first, in the widest format that fits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from calculators.common import usual_formats
from calculators.common.kernels import generation, runs
from calculators.common.plan import Case, Machine, case, packing, shares
from calculators.common.speed import setup_of
from calculators.common.subject import Subject, subjects
from calculators.kit import Column, Link, Refused, Table
from calculators.maths.kv_cache import kv_bytes_per_token
from calculators.maths.memory import Budget, Plan
from calculators.maths.packing import Recipe
from calculators.maths.roofline import decode
from calculators.maths.traffic import Work, kv_bytes_read, work

# Formats from the widest to the narrowest, by how they are run: the first that fits is offered.
# None has less than 4 bits: at equal size a larger model in 4 bits was better than a smaller one
# in more, and below 4 the loss outweighs it (Dettmers and Zettlemoyer 2023, arXiv:2212.09720).
OFFERED = {
    "vllm": ("bf16", "fp8-channel", "awq"),
    "sglang": ("bf16", "fp8-channel", "awq"),
    "tensorrt-llm": ("bf16", "fp8", "nvfp4", "awq"),
    "llama.cpp": ("gguf-q8_0", "gguf-q6_k", "gguf-q5_k_m", "gguf-q4_k_m"),
    "ollama": ("gguf-q8_0", "gguf-q6_k", "gguf-q5_k_m", "gguf-q4_k_m"),
    "mlx": ("bf16", "mlx:8", "mlx:6", "mlx:4"),
}
BITS = {"bf16": 16, "fp8": 8, "fp8-channel": 8, "gguf-q8_0": 8, "gguf-q6_k": 6, "gguf-q5_k_m": 5}
BITS |= {"mlx:8": 8, "mlx:6": 6}  # the others have 4
RECENT_MONTHS = 18
MODELS_SHOWN = 12


def _months(released: str | None) -> int:
    """Months since year 0, 0 where the month is not known."""
    if not released:
        return 0
    year, _, month = released.partition("-")
    return 12 * int(year) + int(month[:2] or 1)


@cache
def _ranked() -> tuple[Subject, ...]:
    """Recent models before older ones, larger before smaller; one of several of equal shape."""
    known = [one for one in subjects() if not one.architecture.encoder]
    newest = max(_months(one.model.row.get("released")) for one in known)

    def order(one: Subject) -> tuple[bool, float]:
        age = newest - _months(one.model.row.get("released"))
        return age > RECENT_MONTHS, -capacity(one)

    found: dict[tuple[object, ...], Subject] = {}
    for one in sorted(known, key=order):
        shape = (one.architecture.parameters, one.model.row.get("family"))
        found.setdefault(shape, one)
    return tuple(found.values())


def capacity(one: Subject) -> float:
    """Mean of all and of active parameters, geometric: a mixture stands between the two."""
    shape = one.architecture
    return math.sqrt(shape.parameters * shape.active_parameters)


@cache
def _packing(offered: str) -> Recipe:
    """`mlx:6` is MLX with 6 bits."""
    format_id, _, bits = offered.partition(":")
    return packing(format_id, int(bits) if bits else None)


def _least_bytes(one: Subject, offered: str) -> int | None:
    """Of the text model in that format; None where its tool refuses it."""
    found = usual_formats.weight(one, _packing(offered))
    return found.text_bytes if found else None


@lru_cache(maxsize=512)
def _case(one: Subject, offered: str) -> Case | None:
    """The packed model, apart from any plan; None where its tool refuses it."""
    try:
        return case(one, None, _packing(offered), Plan())
    except Refused:
        return None


@lru_cache(maxsize=1024)
def _token_bytes(one: Subject, kv_dtype: str) -> int:
    return kv_bytes_per_token(one.architecture, kv_dtype)


@dataclass(frozen=True)
class Offer:
    """A model in the widest format that fits."""

    case: Case
    budget: Budget
    speed: float | None
    offered: str


def offers(on: Machine, plan: Plan, slowest: float) -> list[Offer]:
    """The first models in order that fit and write at least `slowest` tokens per second each."""
    plan = replace(plan, n_gpu_layers=None, cpu_expert_layers=0)
    found: list[Offer] = []
    for one in _ranked():
        offer = _offer(one, on, plan, slowest)
        if offer:
            found.append(offer)
        if len(found) == MODELS_SHOWN:
            break
    return found


def _offer(one: Subject, on: Machine, plan: Plan, slowest: float) -> Offer | None:
    room = on.device.usable_bytes * plan.gpus
    if plan.context > (one.architecture.max_context or plan.context):
        return None
    if plan.tensor_parallel > 1 and not shares(one.architecture, plan.tensor_parallel):
        return None
    # What the requests keep at least, before any engine rounds it up.
    kept = plan.context * plan.concurrency * _token_bytes(one, plan.kv_dtype)
    for offered in _formats(on, plan.engine):
        least = _least_bytes(one, offered)
        if least is None or least + kept >= room:
            continue
        packed = _case(one, offered)
        if packed is None:
            continue
        asked = packed.planned(plan)
        fast = _each(one, offered, asked, on)  # the cheaper question first
        if fast is not None and fast < slowest:
            continue
        budget = asked.budget(on.device)
        if budget.fits:
            return Offer(asked, budget, fast, offered)
    return None


def _formats(on: Machine, engine: str) -> Iterator[str]:
    kind = generation(on.gpu.row) if on.gpu else ""
    for offered in OFFERED[engine]:
        how = runs(engine, offered.partition(":")[0], kind)
        if how != "no" and not (offered.startswith("fp8") and how == "unpacks"):
            yield offered


@lru_cache(maxsize=512)
def _step(one: Subject, offered: str) -> Work:
    """One decoding step of a model that can be packed so, with an empty cache."""
    found = _case(one, offered)
    assert found is not None
    return work(found.model, found.packed, 1)


def _each(one: Subject, offered: str, asked: Case, on: Machine) -> float | None:
    """Tokens per second that each request sees in the middle of its context."""
    if on.card is None:
        return None
    plan = asked.plan
    kept = kv_bytes_read(asked.model, max(1, plan.context // 2), plan.kv_dtype)
    setup = setup_of(asked.recipe.format, plan.engine, on.card, plan.tensor_parallel, plan.gpus)
    return decode(_step(one, offered).at(kept), on.card, setup, plan.concurrency).per_sequence


def offers_table(found: list[Offer]) -> Table:
    """Ranked, each with its reason."""
    rows = tuple(
        (
            Link(one.case.name, _link(one)),
            " ".join((one.case.recipe.settings.name, one.offered.partition(":")[2])).strip(),
            one.case.model.parameters,
            one.case.packed.tensor_bytes,
            one.budget.total_bytes / one.budget.limit_bytes,
            one.speed,
            one.case.subject.model.row.get("released") if one.case.subject else None,
            _reason(one),
        )
        for one in found
    )
    columns = (
        Column("Model"),
        Column("Format"),
        Column("Parameters", "parameters"),
        Column("Weights", "bytes"),
        Column("Filled", "fraction"),
        Column("Each request", "tokens per second"),
        Column("Released"),
        Column("Why"),
    )
    said = (
        f"Models of the last {RECENT_MONTHS} months first, the largest first, each in the widest "
        "format that fits with your context and requests. Size is no benchmark: try your own tasks."
    )
    empty = "No model of the catalogue fits: shorten the context or take fewer requests."
    return Table(
        columns, rows, basis="modelled", caption=said, mark=0 if rows else None, empty=empty
    )


def _link(one: Offer) -> str:
    model = one.case.subject.model.id if one.case.subject else ""
    gpu = one.budget.device.id
    plan = one.case.plan
    return (
        f"gpu-fit?model={model}&format={one.offered.replace(':', '&bits=')}&gpu={gpu}"
        f"&gpus={plan.gpus}&context={plan.context}&concurrency={plan.concurrency}&engine={plan.engine}"
    )


def _reason(one: Offer) -> str:
    bits = BITS.get(one.offered, 4)
    words = "unquantized" if bits == 16 else f"{bits} bits: the widest that fits and keeps up"
    active = one.case.model.active_parameters
    if active < 0.5 * one.case.model.parameters:
        words += f"; reads {active / 1e9:,.3g}B parameters per token"
    return words
