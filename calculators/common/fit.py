"""The answer of the GPU fit page: three questions, one panel each."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from calculators.common.before_after import before_after, short
from calculators.common.capacity import GIVES_WAY, band, memory_chart, most_requests, terms
from calculators.common.closures import closed
from calculators.common.commands import serve
from calculators.common.fitting import memory_bar
from calculators.common.holders import (
    cheapest_table,
    fastest_table,
    fewest_table,
    holders,
)
from calculators.common.kernels import generation, kernels
from calculators.common.making import effort, make
from calculators.common.money import cheapest, price_table
from calculators.common.offers import offers, offers_table
from calculators.common.plan import Case, Machine
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.speed import (
    BOUNDS,
    Speed,
    bounds,
    decode_figure,
    prefill_figure,
    published,
    published_table,
    speed,
    step,
    throughput_chart,
)
from calculators.common.warn import notes
from calculators.kit import (
    Breakdown,
    Chart,
    Commands,
    Figure,
    Note,
    Notes,
    Shown,
    Step,
    Table,
    Working,
    exact,
    given,
    measured,
    modelled,
)
from calculators.maths.cost import SECONDS_PER_HOUR, usd_per_million_tokens
from calculators.maths.engines.model import setting
from calculators.maths.memory import Budget, Plan


@dataclass(frozen=True)
class Fit:
    """What one of the three questions comes to; the fields of the others are None."""

    fits: Annotated[
        Figure | None, Shown("Does it fit?", "", "All requests at once.", lead=True)
    ] = None
    max_context: Annotated[
        Figure | None,
        Shown(
            "Longest context",
            "tokens",
            "Of one request, at most the model's own.",
            lead=True,
            term="context-window",
        ),
    ] = None
    max_concurrency: Annotated[
        Figure | None,
        Shown(
            "Requests at once",
            "ratio",
            "Of the full context, as the engine logs it.",
            lead=True,
            term="concurrency",
        ),
    ] = None
    decode_tokens_per_second: Annotated[
        Figure | None,
        Shown("Writing", "tokens per second", "All requests together.", lead=True, term="decode"),
    ] = None
    gpus_found: Annotated[
        Figure | None, Shown("Kinds of GPU that hold it", " ", "With at most eight.", lead=True)
    ] = None
    cheapest_gpu: Annotated[Figure | None, Shown("Cheapest to rent", lead=True)] = None
    best_model: Annotated[Figure | None, Shown("First choice", lead=True)] = None
    gives_way: Annotated[Figure | None, Shown("What gives way first")] = None
    weights_bytes_per_gpu: Annotated[
        Figure | None, Shown("Weights per GPU", "bytes", term="checkpoint")
    ] = None
    kv_cache_bytes_per_gpu: Annotated[
        Figure | None, Shown("Room for the KV cache, per GPU", "bytes", term="kv-cache")
    ] = None
    kv_cache_tokens: Annotated[
        Figure | None, Shown("Tokens that fit", "tokens", "As the engine logs it.", term="kv-cache")
    ] = None
    kv_needed_bytes_per_gpu: Annotated[
        Figure | None, Shown("KV cache asked for, per GPU", "bytes", term="kv-cache")
    ] = None
    total_bytes_per_gpu: Annotated[
        Figure | None, Shown("Together per GPU", "bytes", "With the cache that you ask for.")
    ] = None
    usable_bytes_per_gpu: Annotated[
        Figure | None,
        Shown(
            "A GPU really has", "bytes", "As CUDA, HIP or Metal reports it.", term="usable-memory"
        ),
    ] = None
    limit_bytes_per_gpu: Annotated[
        Figure | None, Shown("The engine may use", "bytes", term="gpu-memory-utilization")
    ] = None
    tokens_per_second_per_request: Annotated[
        Figure | None, Shown("Each request", "tokens per second", term="time-per-output-token")
    ] = None
    bound_by: Annotated[Figure | None, Shown("Writing is bound by", "", "", "roofline")] = None
    prefill_tokens_per_second: Annotated[
        Figure | None, Shown("Reading the prompt", "tokens per second", term="prefill")
    ] = None
    time_to_first_token_seconds: Annotated[
        Figure | None,
        Shown(
            "Time to the first token", "seconds", "From an idle engine.", term="time-to-first-token"
        ),
    ] = None
    largest_batch: Annotated[
        Figure | None,
        Shown("Largest batch", " ", "What memory and the engine's limit allow.", term="batch"),
    ] = None
    serving_tokens_per_second: Annotated[
        Figure | None,
        Shown(
            "Writing at that batch",
            "tokens per second",
            "Prompts' time taken off.",
            term="throughput",
        ),
    ] = None
    usd_per_hour: Annotated[Figure | None, Shown("Rent of all GPUs", "usd per hour")] = None
    cost_per_million_tokens: Annotated[
        Figure | None,
        Shown("1M tokens written", "usd", "At the largest batch.", term="cost-per-million-tokens"),
    ] = None
    notes: Annotated[Notes | None, Shown("Mind")] = None
    memory: Annotated[Breakdown | None, Shown("Memory of each GPU")] = None
    cheapest_gpus: Annotated[Table | None, Shown("Cheapest")] = None
    fastest_gpus: Annotated[Table | None, Shown("Fastest")] = None
    fewest_gpus: Annotated[Table | None, Shown("Fewest and smallest")] = None
    models: Annotated[Table | None, Shown("Best models for this GPU")] = None
    log_lines: Annotated[Commands | None, Shown("What the engine will log")] = None
    memory_by_context: Annotated[Chart | None, Shown("Memory against context")] = None
    throughput: Annotated[Chart | None, Shown("Speed against requests")] = None
    bounds: Annotated[Table | None, Shown("Both bounds, and what is expected", term="roofline")] = (
        None
    )
    decode_step: Annotated[Breakdown | None, Shown("Where the time of a token goes")] = None
    published: Annotated[Table | None, Shown("Measured by others")] = None
    working: Annotated[Working | None, Shown("The sum, with your numbers")] = None
    prices: Annotated[Table | None, Shown("What it costs, by provider")] = None
    before_after: Annotated[Table | None, Shown("Before and after AWQ")] = None
    commands: Annotated[Commands | None, Shown("Run it")] = None
    make: Annotated[Commands | None, Shown("Make the checkpoint")] = None
    terms: Annotated[Table | None, Shown("Every term of the memory")] = None
    closure: Annotated[Table | None, Shown("How well these rules reproduce logs")] = None
    kernels: Annotated[Table | None, Shown("Which GPU runs this format")] = None


@dataclass(frozen=True)
class Asked:
    """What is asked besides the case and the machine."""

    prompt_tokens: int
    output_tokens: int
    usd_per_gpu_hour: float | None
    utilisation: float


def does_it_fit(case: Case, on: Machine, asked: Asked) -> Fit:
    """Question (a)."""
    found = case.budget(on.device)
    fast = speed(case, on, asked.prompt_tokens, asked.output_tokens)
    running = fast if found.kv_cache_bytes > 0 else None
    rates = _speed(case, on, found, running) if running else {}
    money = {}
    if running and not running.work.host:  # the prompt's time is not known there
        money = _money(case, on, found, running, asked)
    return Fit(
        **_memory(case, found),
        **rates,
        **money,
        notes=_with_effort(case, notes(case, on, found, fast)),
        memory=memory_bar(found),
        log_lines=_log(case, found),
        memory_by_context=memory_chart(case, on, found),
        published=published_table(published(on, case)),
        before_after=before_after(case.subject, case.plan.context),
        commands=serve(case, generation(on.gpu.row) if on.gpu else ""),
        make=make(case),
        terms=terms(found),
        closure=closed(case.plan.engine),
        kernels=kernels(case.recipe.format),
    )


def _memory(case: Case, found: Budget) -> dict[str, Any]:
    counted = exact if case.scale == 1 else modelled
    pool = max(0, found.kv_cache_bytes)
    low, high = band(case, found, pool)
    device = found.device
    times = max(0.0, found.max_concurrency)
    tokens = max(0, found.kv_cache_tokens)
    return {
        "fits": modelled(found.fits, why="Weights, cache and runtime against the engine's limit."),
        "max_context": modelled(found.max_context),
        "max_concurrency": modelled(times, *band(case, found, times)),
        "gives_way": modelled(GIVES_WAY[found.gives_way]),
        "weights_bytes_per_gpu": counted(found.term("weights"), why="Of the fullest GPU."),
        "kv_cache_bytes_per_gpu": modelled(pool, low, high, "What the rest leaves."),
        "kv_cache_tokens": modelled(tokens, *band(case, found, tokens)),
        "kv_needed_bytes_per_gpu": counted(found.kv_needed_bytes),
        "total_bytes_per_gpu": modelled(found.total_bytes),
        "usable_bytes_per_gpu": Figure(
            device.usable_bytes, device.basis, why=_read_out(device.basis)
        ),
        "limit_bytes_per_gpu": modelled(found.limit_bytes),
    }


def _read_out(basis: str) -> str:
    if basis == "measured":
        return "Read out on such a card."
    return "By rule: nobody's read-out of this card is known."


def _speed(case: Case, on: Machine, found: Budget, fast: Speed) -> dict[str, Any]:
    batch = max(1, min(case.plan.concurrency, int(found.max_concurrency)))
    estimate = fast.decode(batch)
    each = estimate.per_sequence
    return {
        "decode_tokens_per_second": decode_figure(estimate),
        "tokens_per_second_per_request": modelled(
            each, estimate.low / batch, estimate.high / batch
        ),
        "bound_by": modelled(BOUNDS[estimate.bound]),
        "prefill_tokens_per_second": prefill_figure(fast.read) if fast.read else None,
        "time_to_first_token_seconds": _first_token(fast),
        "throughput": throughput_chart(fast, most_requests(case, found), published(on, case)),
        "bounds": bounds(fast, batch),
        "decode_step": step(estimate),
    }


def _first_token(fast: Speed) -> Figure | None:
    seconds = fast.first_token_seconds
    if seconds is None:
        return None
    return modelled(seconds, why=f"A prompt of {fast.task.prompt_tokens:,} tokens and one step.")


def _money(case: Case, on: Machine, found: Budget, fast: Speed, asked: Asked) -> dict[str, Any]:
    batch = max(1, most_requests(case, found))
    serving = fast.serving(batch)
    gpus = case.plan.gpus
    share = asked.utilisation
    money: dict[str, Any] = {
        "largest_batch": modelled(batch),
        "serving_tokens_per_second": modelled(serving, why=f"{batch:,} requests that never pause."),
    }
    if on.gpu:
        money["prices"] = price_table(on.gpu.id, gpus, serving, share)
    listed = cheapest(on.gpu.id) if on.gpu else None
    if asked.usd_per_gpu_hour is not None:
        hourly = given(asked.usd_per_gpu_hour * gpus)
    elif listed:
        said = f"{listed.provider}, {listed.kind}, {listed.date}: the lowest listed."
        hourly = measured(listed.usd_per_hour * gpus, said)
    else:
        return money
    each = usd_per_million_tokens(float(hourly.value or 0), serving, share)
    busy = "" if share == 1 else f" × {share:g}"
    tokens = serving * SECONDS_PER_HOUR * share
    return money | {
        "usd_per_hour": hourly,
        "cost_per_million_tokens": modelled(each, why="Rent over tokens, at the largest batch."),
        "working": Working(
            (
                Step("Tokens per hour", f"{serving:,.4g} × 3,600{busy}", f"{tokens:,.0f}"),
                Step("1M tokens", f"${hourly.value:,.4g} / {tokens:,.0f} × 10⁶", f"${each:,.4g}"),
            )
        ),
    }


def _log(case: Case, found: Budget) -> Commands | None:
    if found.kv_cache_bytes <= 0:
        return None
    name = ENGINE_NAMES[case.plan.engine]
    version = case.plan.version or setting(f"{case.plan.engine}.version")
    return Commands(((f"{name} {version}", "text", "\n".join(found.log_lines)),))


def _with_effort(case: Case, said: Notes | None) -> Notes | None:
    if not make(case):
        return said
    return Notes((*(said.notes if said else ()), Note(effort(case))))


def which_gpus(case: Case, asked: Asked) -> Fit:
    """Question (b)."""
    found = holders(case, asked.prompt_tokens, asked.output_tokens)
    priced = [one for one in found if one.usd_per_hour is not None]
    best = min(priced, key=lambda one: one.usd_per_hour or 0.0, default=None)
    of = _spelled(case)
    many = f"{best.count} × {short(best.budget.device)}" if best else "no priced GPU"
    return Fit(
        gpus_found=modelled(len(found), why="Of the catalogue's, under this engine."),
        cheapest_gpu=modelled(many, why=f"${best.usd_per_hour:g} an hour." if best else ""),
        notes=Notes(
            (Note("Speeds and prices are of the fewest GPUs of a kind that hold your plan."),)
        ),
        cheapest_gpus=cheapest_table(found, of),
        fastest_gpus=fastest_table(found, of),
        fewest_gpus=fewest_table(found, of),
        kernels=kernels(case.recipe.format),
    )


def _spelled(case: Case) -> str:
    """The plan as a query without its GPUs; empty for a visitor's own config, which is too long."""
    if case.subject is not None and case.subject.model.own:
        return ""
    plan = case.plan
    who = {"model": case.subject.model.id} if case.subject else {"params": case.params}
    what = {"format": case.recipe.format, "context": plan.context, "concurrency": plan.concurrency}
    return urlencode(who | what | {"kv_dtype": plan.kv_dtype, "engine": plan.engine}, safe="/")


def which_models(on: Machine, plan: Plan, slowest: float) -> Fit:
    """Question (c)."""
    found = offers(on, plan, slowest)
    first = found[0] if found else None
    name = f"{first.case.name} in {first.case.recipe.settings.name}" if first else "none"
    return Fit(
        best_model=modelled(name, why="The largest recent model that fits and is fast enough."),
        notes=Notes(
            (
                Note(
                    f"Counted under {ENGINE_NAMES[plan.engine]} with a context of {plan.context:,} "
                    f"tokens, {plan.concurrency:,} at once. Models that write fewer than "
                    f"{slowest:g} tokens per second for each are left out."
                ),
            )
        ),
        models=offers_table(found),
    )
