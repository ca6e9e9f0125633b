"""What may go wrong with this very plan, said only where the plan deserves it."""

from collections.abc import Iterator

from calculators.common.capacity import most_requests
from calculators.common.kernels import generation, runs
from calculators.common.plan import Case, Machine
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.speed import Speed
from calculators.kit import Note, Notes
from calculators.kit.units import write
from calculators.maths.engines.ollama import default_context
from calculators.maths.memory import Budget
from calculators.maths.ranks import ROW_PARALLEL
from calculators.maths.roofline import host_bandwidth
from calculators.maths.speed_notes import warnings as speed_warnings

CALIBRATED = ("awq", "gptq", "w4a16", "int8-w8a8", "nvfp4")
FOUR_BITS = 5.0  # bits per weight below which reasoning is measured to suffer first
WEIGHT_ONLY_KINDS = ("awq", "gptq", "w4a16", "w8a16")
TENSOR_CORE_KINDS = ("fp8", "fp8-channel", "fp8-block", "int8-w8a8", "nvfp4", "mxfp4")


def notes(asked: Case, on: Machine, found: Budget, fast: Speed | None) -> Notes | None:
    """The gravest first."""
    said = (
        *_support(asked, on),
        *_memory(asked, found),
        *_context(asked, found),
        *_split(asked),
        *_speed(asked, found, fast),
        *_quality(asked),
    )
    return Notes(said) if said else None


def _support(asked: Case, on: Machine) -> Iterator[Note]:
    plan, kind = asked.plan, asked.recipe.format
    name, format_name = ENGINE_NAMES[plan.engine], asked.recipe.settings.name
    if on.gpu is None:
        return
    kind_of_gpu = generation(on.gpu.row)
    how = runs(plan.engine, kind, kind_of_gpu)
    if how == "no":
        yield Note(
            f"{name} does not run {format_name} on {kind_of_gpu}: see the kernels.", "warning"
        )
    elif plan.engine == "mlx" and on.device.vendor != "Apple":
        yield Note("MLX runs on Apple silicon only.", "warning")
    elif how == "unpacks" and kind in TENSOR_CORE_KINDS:
        yield Note(
            f"{kind_of_gpu} does not multiply in {format_name}: {name} unpacks the weights to 16 "
            "bits. That saves memory and reading, but prompts are read no faster.",
            "warning",
        )


def _memory(asked: Case, found: Budget) -> Iterator[Note]:
    plan = asked.plan
    if found.gives_way == "weights":
        short = asked.weights.bytes - found.limit_bytes
        if short > 0:
            yield Note(f"The weights alone are {write(short, 'bytes')} too large.", "warning")
        else:
            yield Note("The weights fit, but nothing is left for the KV cache.", "warning")
    elif found.gives_way == "context":
        yield Note(
            "The weights fit, the KV cache of one request does not: the engine refuses to start "
            f"with this context. {found.max_context:,} tokens would do.",
            "warning",
        )
    elif found.gives_way == "concurrency":
        yield Note(
            f"{int(found.max_concurrency):,} of {plan.concurrency:,} requests run at once; the "
            "others wait for their turn.",
            "warning",
        )
    elif plan.concurrency > most_requests(asked, found):
        yield Note(
            f"{ENGINE_NAMES[plan.engine]} schedules {most_requests(asked, found):,} requests by "
            "default: raise its limit.",
        )
    if asked.recipe.settings.family == "bitsandbytes":
        yield Note(
            "bitsandbytes usually quantizes while loading, without calibration: the 16-bit original "
            "is read each time, and no kernel here is as fast as AWQ's or GPTQ's."
        )
    if asked.subject is None:
        yield Note(
            "A count says nothing about the layers: weights are bits × count plus a 16-bit "
            "embedding, the KV cache is that of a Llama-shaped model. Pick the model for its own."
        )


def _context(asked: Case, found: Budget) -> Iterator[Note]:
    plan, model = asked.plan, asked.model
    if plan.engine == "ollama":
        usual = min(default_context(plan.gpus, found.device), model.max_context or plan.context)
        if usual != plan.context:
            yield Note(
                f"Left alone, Ollama gives a request {usual:,} tokens of context here, not "
                f"{plan.context:,}: keep num_ctx, as in the command below."
            )
    if model.max_context and plan.context > model.max_context:
        yield Note(f"The model was made for {model.max_context:,} tokens of context.", "warning")


def _split(asked: Case) -> Iterator[Note]:
    ranks, group = asked.plan.tensor_parallel, asked.recipe.group_size
    if ranks == 1 or group <= 0:
        return
    for part in asked.packed.parts:
        name = part.tensor.name.removesuffix(".weight")
        if part.quantized and name.endswith(ROW_PARALLEL) and len(part.tensor.shape) > 1:
            width = part.tensor.shape[1]
            if width % ranks or width // ranks % group:
                yield Note(
                    f"{ranks} GPUs share the {width:,} inputs of "
                    f"{name.rpartition('.')[2]}: {width / ranks:,.10g} each is no multiple of the "
                    f"group size {group}, so engines refuse to load it.",
                    "warning",
                )
                return


def _speed(asked: Case, found: Budget, fast: Speed | None) -> Iterator[Note]:
    if fast is None:
        return
    if fast.work.host:
        rate = host_bandwidth(fast.setup) / 1e9
        yield Note(
            f"What stays in main memory is counted at {rate:g} GB/s nominal (More settings). How fast "
            "a prompt is read from there, and so what a token costs, is not modelled."
        )
    if found.kv_cache_bytes <= 0:
        return
    batch = max(1, min(asked.plan.concurrency, int(found.max_concurrency)))
    estimate = fast.decode(batch)
    if estimate.bound == "compute" and asked.recipe.format in WEIGHT_ONLY_KINDS:
        yield Note(
            f"At {batch} requests arithmetic decides, not reading: weights in 4 bits are unpacked "
            "and multiplied in 16, so expect no speed-up over 16 bits here.",
            "warning",
        )
    if estimate.label == "weak":
        yield Note("Few measurements stand behind this speed: take the band seriously.")
    for note in speed_warnings(estimate, fast.work, fast.card, fast.setup):
        if note.code not in ("few-rows",):
            yield Note(note.text)


def _quality(asked: Case) -> Iterator[Note]:
    bits = asked.packed.quantized_bits_per_weight
    if bits is not None and bits < FOUR_BITS:
        also = (
            " Calibrate on text like your own, or pick a checkpoint that was."
            if asked.recipe.format in CALIBRATED
            else ""
        )
        yield Note(
            f"At {bits:.3g} bits reasoning, code and long answers lose first; try your own tasks "
            f"before you decide.{also}"
        )
