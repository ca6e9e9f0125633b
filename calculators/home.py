"""The first page: one model in every usual format, and what runs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlencode

from calculators.common.estimate import estimate, ideal_bits
from calculators.common.fitting import memory_bar
from calculators.common.quality_panel import ask, said
from calculators.common.subject import PARAMS, ContextInput, Subject, subject
from calculators.common.targets import quality_question
from calculators.common.weighing import Hosted, Weighed, offers_of, short_name, weighings
from calculators.facts.catalogue import Gpu, find_gpu, gpu_options, model_options
from calculators.kit import (
    Breakdown,
    Column,
    Example,
    Field,
    Figure,
    Link,
    Note,
    Notes,
    Page,
    Pick,
    Question,
    Refused,
    Shown,
    Source,
    Table,
    exact,
    given,
    modelled,
)
from calculators.kit.units import BITS, write
from calculators.maths.packing import assembly

Cell = Link | str | None
Of = Subject | int  # a model, or a bare count of parameters
FOUR_BITS = ("AWQ, 4 bits", "GPTQ, 4 bits", "GGUF Q4_K_M", "MLX, 4 bits")  # the first that is there


@dataclass(frozen=True)
class Home:
    """What a model comes to, at a glance."""

    parameters: Annotated[Figure, Shown("Parameters", "parameters", lead=True)]
    sixteen_bit_bytes: Annotated[Figure, Shown("In 16 bits", "bytes", lead=True)]
    four_bit_bytes: Annotated[Figure | None, Shown("In 4 bits", "bytes", lead=True)]
    hardware: Annotated[Figure | None, Shown("4 bits run on", lead=True)]
    formats: Annotated[Table, Shown("In the formats people use")]
    notes: Annotated[Notes | None, Shown("Mind")]
    memory: Annotated[Breakdown | None, Shown("The memory of its GPU, in 4 bits")]


def model_or_count(text: str) -> Of:
    """A name of the catalogue, a pasted config.json, or a count such as 70.6B."""
    try:
        return subject(text)
    except Refused as unknown:
        if not text[:1].isdigit():
            raise
        try:
            return int(PARAMS.parse(text))
        except Refused as mistake:
            raise Refused(f"{mistake} {unknown}") from None


def _spelled(of: Of) -> str:
    return str(of) if isinstance(of, int) else of.model.text


def calculate(
    model: Annotated[
        Of | None,
        Field(
            "Model or parameter count",
            Pick("models", model_options, model_or_count, _spelled, takes_config=True),
            help="Llama 3.1 8B, 70.6B, 8x7B … or drop a config.json.",
            placeholder="Llama 3.1 8B, or 70.6B",
            default="meta-llama/Llama-3.1-8B",
        ),
    ] = None,
    gpu: Annotated[
        Gpu | None,
        Field(
            "Your GPU, optional",
            Pick("gpus", gpu_options, find_gpu, lambda chosen: str(chosen.id)),
            placeholder="any",
        ),
    ] = None,
    context: ContextInput = 8192,
) -> Home:
    """What a language model weighs, where it fits, how fast it runs, what it costs.

    A checkpoint is not parameters times bits. The list of tensors is built from the model's own
    config, and each tensor is packed as the format packs it: embeddings, heads, scales and zero
    points included. Memory follows the rules of the engine, speed a roofline fitted to published
    measurements. Every figure says whether it is exact, measured or modelled, and how far off it
    may be; every constant has a source.
    """
    if model is None:
        raise Refused("Type a model or a parameter count.", "model")
    weighed = _weighed(model, context)
    if not weighed:
        raise Refused("No usual format can hold this model.", "model")
    return _on(model, weighed, gpu) if gpu else _anywhere(model, weighed)


@lru_cache(maxsize=32)
def _weighed(of: Of, context: int) -> tuple[Weighed, ...]:
    if isinstance(of, int):
        return weighings(None, of, context)
    return weighings(of, None, context)


def _anywhere(of: Of, weighed: tuple[Weighed, ...]) -> Home:
    four = _four_bits(weighed)
    host = four.smallest if four else None
    columns = (
        *HEAD,
        Column("Smallest hardware"),
        Column("Writes", " "),
        Column("Cheapest to rent"),
        Column("1M tokens", " "),
    )
    rows = tuple(
        (
            *_head(of, one),
            _place(of, one.smallest),
            _writes(of, one.smallest),
            _rent(of, one.cheapest),
            _million(of, one.cheapest),
        )
        for one in weighed
    )
    name = host.offer.name if host else "several machines"
    why = "The fewest GPUs among those with a dated price, with one request of the context."
    return _home(of, weighed, modelled(name, why=why), columns, rows, host)


def _on(of: Of, weighed: tuple[Weighed, ...], gpu: Gpu) -> Home:
    try:
        machine = offers_of(gpu)[0].machine
    except Refused as mistake:
        raise Refused(str(mistake).partition(":")[0] + ".", "gpu") from None
    columns = (
        *HEAD,
        Column(f"On {short_name(machine)}"),
        Column("Longest context", " "),
        Column("Writes", " "),
        Column("1M tokens", " "),
    )
    hosts = {one.label: one.over(gpu) for one in weighed}
    rows = tuple(
        (
            *_head(of, one),
            _fits(of, one, hosts[one.label], gpu),
            _longest(of, hosts[one.label]),
            _writes(of, hosts[one.label]),
            _million(of, hosts[one.label]),
        )
        for one in weighed
    )
    four = _four_bits(weighed)
    host = hosts[four.label] if four else None
    name = host.offer.name if host else "not on this GPU"
    why = "The fewest of them that run it with one request of the context."
    return _home(of, weighed, modelled(name, why=why), columns, rows, host)


def _home(
    of: Of,
    weighed: tuple[Weighed, ...],
    hardware: Figure,
    columns: tuple[Column, ...],
    rows: tuple[tuple[Cell, ...], ...],
    host: Hosted | None,
) -> Home:
    four, plain = _four_bits(weighed), _named(weighed, "BF16")
    return Home(
        parameters=given(of) if isinstance(of, int) else exact(of.architecture.parameters),
        sixteen_bit_bytes=_sixteen(of, plain or weighed[0]),
        four_bit_bytes=_four(of, four) if four else None,
        hardware=hardware if four else None,
        notes=_notes(of, four),
        formats=Table(columns, rows, caption=CAPTION, cards=True),
        memory=memory_bar(host.budget) if host else None,
    )


def _named(weighed: tuple[Weighed, ...], label: str) -> Weighed | None:
    return next((one for one in weighed if one.label == label), None)


def _four_bits(weighed: tuple[Weighed, ...]) -> Weighed | None:
    found = (_named(weighed, label) for label in FOUR_BITS)
    return next((one for one in found if one), None)


def _rule(params: int, one: Weighed) -> int:
    return round(params * ideal_bits(one.case.recipe) / BITS)


def _sixteen(of: Of, one: Weighed) -> Figure:
    if isinstance(of, int):
        return modelled(_rule(of, one), why="Two bytes for each parameter.")
    return exact(one.bytes, f"{one.label}.")


def _four(of: Of, one: Weighed) -> Figure:
    """Counted for a model; for a count the rule, with what real models of that size come to."""
    if isinstance(of, int):
        rule = estimate(of, one.case.recipe)
        return modelled(round(rule.rule), rule.low, rule.high, f"{one.label}. {rule.why}")
    return exact(one.bytes, f"{one.label}.")


def _notes(of: Of, four: Weighed | None) -> Notes | None:
    if not isinstance(of, int):
        return None
    said = (
        "A bare count: sizes are the rule parameters × bits / 8, hardware and speed those of a "
        "model shaped like Llama 3. Pick a model to have its tensors counted."
    )
    near = estimate(of, four.case.recipe).notes.notes if four else ()
    return Notes((Note(said), *near))


# --- Cells, each with a way to the calculator that explains it. ---

CAPTION = (
    "Quality lost: the median of the nearest published measurements, their number in brackets. "
    "Hardware runs one request of the context; 1M tokens are written at the largest batch."
)
HEAD = (Column("Format"), Column("Weighs", " "), Column("Quality lost"))


def _who(of: Of) -> dict[str, object] | None:
    """The model in a link; a visitor's own config is too long for one."""
    if isinstance(of, int):
        return {"params": of}
    return None if of.model.own else {"model": of.model.id}


def _link(
    of: Of, slug: str, text: str, query: Mapping[str, object], value: float | None = None
) -> Cell:
    who = _who(of)
    if who is None:
        return text
    return Link(text, f"{slug}?{urlencode({**who, **query}, safe='/')}", value)


def _head(of: Of, one: Weighed) -> tuple[Any, ...]:
    format_id = one.case.recipe.format
    size = _rule(of, one) if isinstance(of, int) else one.bytes
    text = write(size, "bytes").text
    lost = said(ask(_question(of, one)))
    return (
        one.label,
        _link(of, "checkpoint-size", text, {"format": format_id}, size),
        "—" if lost in ("baseline", "nothing published") else _link(of, "quantization", lost, {}),
    )


def _question(of: Of, one: Weighed) -> Any:
    if isinstance(of, int):
        size = float(f"{of / 1e9:.1e}")  # published rows are of round sizes too
        return quality_question(one.case.recipe, "", size, "general")
    billions = of.architecture.parameters / 1e9
    return quality_question(one.case.recipe, of.model.id, billions, "general")


def _place(of: Of, host: Hosted | None) -> Cell:
    return _link(of, "gpu-fit", host.offer.name, host.asked) if host else "several machines"


def _fits(of: Of, one: Weighed, host: Hosted | None, gpu: Gpu) -> Cell:
    if host is None:
        runs = one.runs(offers_of(gpu)[0])
        return "does not fit" if runs else "not run on this GPU"
    filled = f"{100 * host.filled:.0f} % full"
    many = host.offer.gpus
    text = f"fits, {filled}" if many == 1 else f"needs {many}, each {filled}"
    return _link(of, "gpu-fit", text, host.asked)


def _longest(of: Of, host: Hosted | None) -> Cell:
    if host is None:
        return None
    tokens = host.budget.max_context
    return _link(of, "kv-cache", write(tokens, "tokens").text, {}, tokens)


def _writes(of: Of, host: Hosted | None) -> Cell:
    speed = host.tokens_per_second if host else None
    if host is None or speed is None:
        return None
    return _link(of, "gpu-fit", write(speed, "tokens per second").text, host.asked, speed)


def _rent(of: Of, host: Hosted | None) -> Cell:
    if host is None:
        return None
    hourly = write(host.offer.usd_per_hour, "usd per hour")
    return _link(of, "gpu-fit", f"{hourly}, {host.offer.name}", host.asked)


def _million(of: Of, host: Hosted | None) -> Cell:
    usd = host.usd_per_million_tokens if host else None
    if host is None or usd is None:
        return None
    offer = host.offer
    query = {"gpu": offer.machine.device.id, "gpus": offer.gpus}
    speed = round((offer.usd_per_hour or 0) / usd * 1e6 / 3600)
    to = f"token-cost?{urlencode(query | {'tokens_per_second': speed})}"
    return Link(write(usd, "usd").text, to, usd)


PAGE = Page(
    title="What does a language model weigh?",
    description="Type a model or a parameter count: what it weighs in BF16, FP8, AWQ, GPTQ, NVFP4 and "
    "GGUF, the smallest hardware that runs it, speed and cost. Llama 3.1 8B is "
    "[[?model=meta-llama/Llama-3.1-8B#four_bit_bytes]] in AWQ, counted tensor by tensor.",
    group="Home",
    order=0,
    at_root=True,
    keywords=(
        *("LLM size calculator", "VRAM calculator", "quantization", "AWQ", "GGUF", "GPU"),
        "cost per token",
    ),
    how_to=(
        "Type any part of a model's name, or a parameter count such as `70.6B`, or drop a "
        "config.json.",
        "Type a GPU if you have one in mind, and the context that you mean to run.",
        "Follow any cell to the calculator that explains it.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B",
            "model=meta-llama/Llama-3.1-8B",
            {
                "parameters": 8_030_261_248,
                "sixteen_bit_bytes": 16_060_522_496,
                "four_bit_bytes": 5_727_854_592,
            },
        ),
        Example("Llama 3.3 70B", "model=meta-llama/Llama-3.3-70B-Instruct"),
        Example(
            "70.6B parameters",
            "model=70.6B",
            {"four_bit_bytes": 36.6e9},
            0.005,
            "the figure that calculators print has one decimal",
        ),
        Example("Qwen3 30B-A3B on an RTX 4090", "model=Qwen/Qwen3-30B-A3B&gpu=rtx-4090"),
        Example("DeepSeek V3", "model=deepseek-ai/DeepSeek-V3"),
    ),
    questions=(
        Question(
            "How large is a 70B model?",
            "Llama 3.3 70B is [[?model=meta-llama/Llama-3.3-70B-Instruct#sixteen_bit_bytes]] in BF16 "
            "and [[?model=meta-llama/Llama-3.3-70B-Instruct#four_bit_bytes]] in AWQ. Parameters "
            "times bits would say [[?model=70.6B#four_bit_bytes]], but embeddings and the output "
            "head stay in 16 bits.",
        ),
        Question(
            "Does anything that I type leave my machine?",
            "No. The formulas are Python and run in this page; it works offline after the first "
            "visit, and nobody else is contacted.",
        ),
        Question(
            "How sure are these figures?",
            "Each says what it is: exact is counted from tensors, measured was published by "
            "somebody, modelled is a formula with a stated error. The accuracy page holds every "
            "prediction against the published file.",
        ),
    ),
    sources=(
        Source("How each format stores its tensors: the source of each is on the page of its size"),
    ),
    code=(assembly.assemble,),
)
