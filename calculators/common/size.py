"""What a checkpoint weighs: the panel that every page of the size family shows."""

from dataclasses import dataclass, replace
from typing import Annotated

from calculators.common import comparison, estimate, truth, weighed
from calculators.common.estimate import ideal_bits
from calculators.common.fitting import (
    holding_weights,
    host,
    memory_bar,
    smallest_gpus,
    usual_engine,
)
from calculators.common.recipes import packed_as, recipe
from calculators.common.subject import Subject
from calculators.kit import (
    Breakdown,
    Column,
    Figure,
    Note,
    Notes,
    Refused,
    Segment,
    Shown,
    Step,
    Table,
    Working,
    exact,
    modelled,
)
from calculators.kit.units import BITS, digits
from calculators.maths.memory import Budget
from calculators.maths.packing import Checkpoint, Recipe
from calculators.maths.tensors import Architecture

__all__ = ["BITS", "KINDS", "Asked", "Size", "by_kind", "ideal_bits", "packed_as", "recipe", "size"]

SIXTEEN_BIT_BYTES = 2
MOST_GPUS = 6  # rows of the table of those that run it
KINDS = {
    "embedding": "Embedding",
    "head": "Output head",
    "attention": "Attention",
    "mlp": "MLP",
    "expert": "Experts",
    "shared_expert": "Shared experts",
    "router": "Router",
    "norm": "Norms",
    "recurrent": "Recurrent mixers",
    "vision": "Vision tower",
    "projector": "Projector",
    "other": "Other",
}


@dataclass(frozen=True)
class Size:
    """The answer of every page of the size family."""

    checkpoint_bytes: Annotated[
        Figure,
        Shown("Checkpoint", "bytes", "All tensors as stored.", lead=True, term="checkpoint"),
    ]
    run_bytes: Annotated[
        Figure | None,
        Shown("To run it", "bytes", "Weights, KV cache at the context, runtime.", lead=True),
    ]
    file_bytes: Annotated[
        Figure | None,
        Shown("Files on disk", "bytes", "Tensors and the headers that name them."),
    ]
    bits_per_weight: Annotated[
        Figure, Shown("Bits per weight, whole model", "bits", term="bits-per-weight")
    ]
    quantized_bits_per_weight: Annotated[
        Figure | None,
        Shown(
            "Bits per weight, quantized part",
            "bits",
            "With scales and zero points.",
            term="bits-per-weight",
        ),
    ]
    parameters: Annotated[Figure, Shown("Parameters", "parameters", term="parameter")]
    original_bytes: Annotated[Figure, Shown("In 16 bits", "bytes")]
    compression_ratio: Annotated[Figure, Shown("Compression against 16 bits", "ratio")]
    download_seconds: Annotated[Figure, Shown("Download", "seconds", "At the line speed given.")]
    published_error: Annotated[
        Figure | None,
        Shown(
            "Error on published files",
            "fraction",
            "Median, and the range of all; mostly the rounding of what was printed.",
            term="residual",
        ),
    ]
    notes: Annotated[Notes | None, Shown("Mind")]
    evidence: Annotated[Table, Shown("Held against published files", term="residual")]
    parts: Annotated[Breakdown | None, Shown("What it is made of")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    memory: Annotated[Breakdown | None, Shown("On the smallest GPU that runs it")]
    gpus: Annotated[Table, Shown("Smallest GPUs that run it")]
    formats: Annotated[Table | None, Shown("Every format of it")]
    tensors: Annotated[Table | None, Shown("Every tensor, by name pattern")]


@dataclass(frozen=True)
class Asked:
    """What is asked besides the recipe; `compare` asks for every other format too."""

    subject: Subject | None
    params: int | None
    context: int
    line_megabits: float
    compare: bool = False


def size(asked: Asked, recipe: Recipe) -> Size:
    """Bytes of the model, or of the parameter count, packed by the recipe."""
    if asked.subject is not None:
        return _of_model(asked.subject, asked, recipe)
    if asked.params is not None:
        return _of_count(asked.params, asked, recipe)
    raise Refused("Pick a model, or type a parameter count.", "model")


def _of_model(subject: Subject, asked: Asked, recipe: Recipe) -> Size:
    model, family = subject.architecture, recipe.settings.family
    packed = weighed.packed(subject, recipe)
    original = SIXTEEN_BIT_BYTES * packed.parameters
    hosted = host(subject, usual_engine(family), asked.context)
    weights = hosted.asked.weights(packed)
    holding = hosted.holding(weights, MOST_GPUS)
    budget = hosted.asked.budget(weights, holding[0].device) if holding else None
    return Size(
        checkpoint_bytes=exact(packed.tensor_bytes, _counted(family)),
        run_bytes=_run(budget),
        file_bytes=_files(packed, recipe),
        bits_per_weight=exact(packed.bits_per_weight),
        quantized_bits_per_weight=_quantized_bits(packed),
        parameters=exact(packed.parameters),
        original_bytes=exact(original),
        compression_ratio=exact(original / packed.tensor_bytes),
        download_seconds=_download(packed.file_bytes, asked),
        published_error=truth.error_figure(family),
        notes=_notes(packed, model, recipe),
        evidence=truth.evidence_table(recipe.format, family),
        parts=_breakdown(packed),
        working=_working(packed),
        memory=memory_bar(budget) if budget else None,
        gpus=smallest_gpus(holding),
        formats=comparison.of_model(subject, recipe, asked.context) if asked.compare else None,
        tensors=_tensors(packed),
    )


def _counted(family: str) -> str:
    return f"Counted tensor by tensor. {truth.of_family(family).sentence}"


def _run(budget: Budget | None) -> Figure | None:
    if budget is None:
        return None
    why = f"Under {budget.plan.engine} with its defaults, one request of the context."
    return modelled(budget.total_bytes, why=why)


def _files(packed: Checkpoint, recipe: Recipe) -> Figure:
    if recipe.settings.family != "llama_cpp":
        why = "Tensors to the byte; what a tool writes into the header may differ by kilobytes."
        return modelled(packed.file_bytes, why=why)
    weighed = packed.header_basis == "measured"
    how = "as weighed in a file of this vocabulary" if weighed else "estimated from its size"
    return modelled(packed.file_bytes, why=f"The tokenizer in the header is {how}.")


def _download(file_bytes: float, asked: Asked) -> Figure:
    return modelled(
        BITS * file_bytes / (asked.line_megabits * 1e6), why="At the full speed of the line."
    )


def _quantized_bits(packed: Checkpoint) -> Figure | None:
    bits = packed.quantized_bits_per_weight
    return None if bits is None else exact(bits)


def _notes(packed: Checkpoint, model: Architecture, recipe: Recipe) -> Notes | None:
    """What a reader who compares with a download should know."""
    found = []
    left_out = model.parameters - packed.parameters
    if left_out > 0:
        found.append(
            Note(
                f"{recipe.settings.tool} does not write {left_out:,} of the model's "
                f"{model.parameters:,} parameters: prediction blocks or towers that the format "
                "leaves out or keeps in a file of their own."
            )
        )
    if left_out < 0 and model.tied:
        until = ""
        if recipe.format == "awq":
            until = " (AutoAWQ did until November 2024, and the published files are of that time)"
        found.append(
            Note(f"The head, tied to the embedding, is stored as a matrix of its own{until}.")
        )
    if packed.parameters and not any(part.quantized for part in packed.parts) and recipe.bits < 16:
        found.append(Note("Nothing of this model is quantized by this recipe.", "warning"))
    return Notes(tuple(found)) if found else None


def by_kind(packed: Checkpoint) -> dict[str, int]:
    """Bytes of each kind of tensor, in the order of `KINDS`, kinds without any left out."""
    found = dict.fromkeys(KINDS, 0)
    for part in packed.parts:
        tower = part.tensor.part in ("vision", "audio")
        found["vision" if tower else part.tensor.kind] += part.bytes
    return {kind: total for kind, total in found.items() if total}


def _breakdown(packed: Checkpoint) -> Breakdown:
    return Breakdown(
        tuple(Segment(KINDS[kind], total, kind) for kind, total in by_kind(packed).items())
    )


def _working(packed: Checkpoint) -> Working:
    steps = []
    for label, parts in (
        ("Quantized", [part for part in packed.parts if part.quantized]),
        ("Left as it is", [part for part in packed.parts if not part.quantized]),
    ):
        weights = sum(part.tensor.parameters for part in parts)
        total = sum(part.bytes for part in parts)
        if weights:
            bits = digits(BITS * total / weights, 6)
            steps.append(Step(label, f"{weights:,} × {bits} bits / 8", f"{total:,} bytes"))
    total = packed.tensor_bytes
    if len(steps) > 1:
        addends = " + ".join(step.result.removesuffix(" bytes") for step in steps)
        steps.append(Step("Together", addends, f"{total:,} bytes"))
    average = f"{packed.bits_per_weight:.4f} bits"
    steps.append(Step("Bits per weight", f"{total:,} × 8 / {packed.parameters:,}", average))
    return Working(tuple(steps))


def _tensors(packed: Checkpoint) -> Table:
    rows = tuple(
        (
            part.tensor.name,
            " × ".join(map(str, part.tensor.shape)),
            part.tensor.count,
            part.stored_as,
            part.bytes,
        )
        for part in packed.parts
    )
    columns = (
        Column("Tensor"),
        Column("Shape"),
        Column("How many", " "),
        Column("Stored as"),
        Column("Together", "bytes"),
    )
    return Table(columns, rows, folded=True, caption="[out, in], as the layer index runs")


def _of_count(params: int, asked: Asked, recipe: Recipe) -> Size:
    """The classic rule, and what real models make of it."""
    family = recipe.settings.family
    said = estimate.estimate(params, recipe)
    original = SIXTEEN_BIT_BYTES * params
    return Size(
        checkpoint_bytes=modelled(round(said.rule), said.low, said.high, said.why),
        run_bytes=None,
        file_bytes=None,
        bits_per_weight=modelled(said.bits, why=said.why),
        quantized_bits_per_weight=exact(said.bits),
        parameters=Figure(params, "given"),
        original_bytes=modelled(original, why="Two bytes for each parameter."),
        compression_ratio=modelled(original / said.rule, why=said.why),
        download_seconds=_download(said.rule, asked),
        published_error=None,
        notes=said.notes,
        evidence=replace(truth.evidence_table(recipe.format, family), caption=estimate.NOT_COUNTED),
        parts=None,
        working=Working(
            (
                Step(
                    "Checkpoint",
                    f"{params:,} × {digits(said.bits, 6)} bits / 8",
                    f"{said.rule:,.0f} bytes",
                ),
                Step("In 16 bits", f"{params:,} × 2 bytes", f"{original:,} bytes"),
            )
        ),
        memory=None,
        gpus=holding_weights(round(said.high or said.rule)),
        formats=comparison.of_count(params, recipe) if asked.compare else None,
        tensors=None,
    )
