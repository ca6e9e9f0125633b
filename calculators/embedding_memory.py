"""Memory of the vocabulary: the embedding, the output head, and whether they are one matrix."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common import dimensions
from calculators.common.counting import product
from calculators.kit import (
    Axis,
    Breakdown,
    Chart,
    Choice,
    Column,
    Example,
    Field,
    Figure,
    Note,
    Notes,
    Page,
    Question,
    Refused,
    Segment,
    Shown,
    Source,
    Step,
    Table,
    Working,
    bars,
    exact,
)
from calculators.kit.units import BITS, digits
from calculators.maths.packing.gguf_types import BLOCK_TYPES
from calculators.maths.tensors import Architecture, Tensor

GGUF = ("Q8_0", "Q6_K", "Q4_0")
# Bits of one element, and the name for the table; blocks of GGUF hold their scales too.
DTYPES = {
    "float32": ("FP32", 32.0),
    "bfloat16": ("BF16 or FP16", 16.0),
    "float8": ("FP8 or INT8", 8.0),
    **{
        name.lower(): (
            f"GGUF {name}",
            BITS * BLOCK_TYPES[name].block_bytes / BLOCK_TYPES[name].block_elements,
        )
        for name in GGUF
    },
}


@dataclass(frozen=True)
class Embedding:
    """The matrices over the vocabulary."""

    embedding_bytes: Annotated[
        Figure,
        Shown("Embedding and head", "bytes", "A tied head is the same matrix.", lead=True),
    ]
    embedding_parameters: Annotated[Figure, Shown("Parameters", "parameters", lead=True)]
    input_bytes: Annotated[Figure, Shown("Embedding", "bytes", term="embedding")]
    head_bytes: Annotated[
        Figure, Shown("Output head", "bytes", "0 where it is tied.", term="output-head")
    ]
    saved_by_tying_bytes: Annotated[
        Figure, Shown("One matrix", "bytes", "What tying saves, or would save.")
    ]
    bytes_per_token: Annotated[Figure, Shown("Row of one token", "bytes")]
    share: Annotated[Figure | None, Shown("Share of the parameters", "fraction")]
    notes: Annotated[Notes | None, Shown("Mind")]
    parts: Annotated[Breakdown, Shown("What it is made of")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    chart: Annotated[Chart, Shown("By data type")]
    dtypes: Annotated[Table, Shown("In every data type")]


def calculate(
    model: dimensions.ModelInput = None,
    vocab_size: dimensions.VocabInput = None,
    hidden_size: dimensions.WidthInput = None,
    dtype: Annotated[
        str,
        Field(
            "Data type",
            Choice(tuple((name, label) for name, (label, _) in DTYPES.items())),
            "Of the matrices. Most quantized checkpoints leave them in 16 bits.",
            term="bits-per-weight",
        ),
    ] = "bfloat16",
    output_head: dimensions.TiedInput = None,
    positions: dimensions.PositionsInput = None,
) -> Embedding:
    """What a vocabulary weighs: the embedding, the output head, and what tying them saves.

    The embedding has a row of the model's width for each entry of the vocabulary. The output head is
    a matrix of the same shape, or the same matrix again when the two are tied. Most quantized formats
    leave both in 16 bits, so a small model with a large vocabulary shrinks far less than its bits per
    weight promise.
    """
    found = dimensions.counted(
        model,
        ("vocab_size", "hidden_size"),
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        output_head=output_head,
        positions=positions,
    )
    return _memory(found, dtype)


def matrices(architecture: Architecture) -> tuple[list[Tensor], list[Tensor]]:
    """Embeddings (of tokens, of positions) and output heads of the text model."""
    text = [tensor for tensor in architecture.tensors if tensor.part == "text"]
    return (
        [tensor for tensor in text if tensor.kind == "embedding"],
        [tensor for tensor in text if tensor.kind == "head"],
    )


def stored(parameters: int, bits: float) -> int:
    """Bytes of so many elements; `bits` each, scales included."""
    return round(parameters * bits / BITS)


def _memory(found: dimensions.Counted, dtype: str) -> Embedding:
    architecture = found.architecture
    embeddings, heads = matrices(architecture)
    rows = sum(tensor.parameters for tensor in embeddings)
    head = sum(tensor.parameters for tensor in heads)
    if not rows:
        raise Refused("This model has no embedding that is counted here.", "model")
    label, bits = DTYPES[dtype]
    one = architecture.vocab_size * architecture.hidden_size
    total = rows + head
    return Embedding(
        embedding_bytes=exact(stored(total, bits), f"In {label}."),
        embedding_parameters=exact(total),
        input_bytes=exact(stored(rows, bits)),
        head_bytes=exact(stored(head, bits)),
        saved_by_tying_bytes=exact(stored(one, bits)),
        bytes_per_token=exact(stored(architecture.hidden_size, bits)),
        share=exact(total / architecture.parameters) if found.subject else None,
        notes=_notes(found, embeddings),
        parts=Breakdown(tuple(_segments(embeddings, heads, bits))),
        working=_working(embeddings, heads, dtype),
        chart=_chart(rows, head),
        dtypes=_table(rows, head, dtype),
    )


def _notes(found: dimensions.Counted, embeddings: list[Tensor]) -> Notes | None:
    notes = list(found.filled)
    if found.architecture.tied:
        notes.append(Note("The head is tied: the embedding is used twice and stored once."))
    if len(embeddings) > 1:
        more = ", ".join(product(tensor.shape) for tensor in embeddings[1:])
        notes.append(Note(f"Beside the tokens' embedding there are further ones: {more}."))
    return Notes(tuple(notes)) if notes else None


def _segments(embeddings: list[Tensor], heads: list[Tensor], bits: float) -> list[Segment]:
    tokens, *others = embeddings
    segments = [Segment("Embedding", stored(tokens.parameters, bits), "embedding")]
    more = sum(tensor.parameters for tensor in others)
    if more:
        segments.append(Segment("Further embeddings", stored(more, bits), "other"))
    head = sum(tensor.parameters for tensor in heads)
    if head:
        segments.append(Segment("Output head", stored(head, bits), "head"))
    return segments


def _working(embeddings: list[Tensor], heads: list[Tensor], dtype: str) -> Working:
    bits = DTYPES[dtype][1]
    steps = [
        Step(label, product(tensor.shape), f"{tensor.parameters:,}")
        for label, tensors in (("Embedding", embeddings), ("Output head", heads))
        for tensor in tensors
    ]
    if not heads:
        steps.append(Step("Output head", "tied to the embedding", "0"))
    total = sum(tensor.parameters for tensor in (*embeddings, *heads))
    steps.append(Step("Parameters", " + ".join(step.result for step in steps), f"{total:,}"))
    size = f"{total:,} × {digits(bits, 6)} bits / 8"
    steps.append(Step("Bytes", size, f"{stored(total, bits):,} bytes"))
    return Working(tuple(steps))


def _chart(rows: int, head: int) -> Chart:
    items = [
        (label, part, stored(count, bits) / 1e9)
        for label, bits in DTYPES.values()
        for part, count in (("Embedding", rows), ("Output head", head))
        if count
    ]
    return bars("Embedding and head by data type", Axis("GB", zero=True), items)


def _table(rows: int, head: int, dtype: str) -> Table:
    columns = (
        Column("Data type"),
        Column("Bits per element", "bits"),
        Column("Embedding", "bytes"),
        Column("Output head", "bytes"),
        Column("Together", "bytes"),
    )
    found = tuple(
        (label, bits, stored(rows, bits), stored(head, bits), stored(rows + head, bits))
        for label, bits in DTYPES.values()
    )
    return Table(columns, found, mark=list(DTYPES).index(dtype))


PAGE = Page(
    title="Embedding memory",
    description="Memory of a vocabulary: 128,256 rows of 4,096 in BF16 are "
    "[[?vocab_size=128256&hidden_size=4096#input_bytes]], and twice that with an output head of its "
    "own. Any model, config.json or size, tied or not, in every data type.",
    group="Inside a model",
    order=64,
    keywords=("embedding size", "vocabulary", "lm_head", "tied embeddings"),
    how_to=(
        "Pick a model, or drop its config.json; or type vocabulary and width.",
        "Choose the data type in which the matrices are stored.",
        "Read what the embedding and the head weigh, and what tying them saves.",
    ),
    why=(
        "These are the matrices that most quantized checkpoints leave alone: "
        "[[?model=meta-llama/Llama-3.1-8B#embedding_bytes]] of Llama 3.1 8B in any 4-bit format "
        "that keeps 16 bits there.",
        "In small models they are a large part: [[?model=google/gemma-3-1b-it#share]] of Gemma 3 1B "
        "and [[?model=Qwen/Qwen2.5-0.5B#share]] of Qwen2.5 0.5B.",
    ),
    assumes=(
        "Rows are counted as the config states them. Files padded for tensor parallelism can have "
        "some more.",
        "GGUF types include the scales of their blocks. Other 4-bit formats rarely pack these "
        "matrices.",
    ),
    examples=(
        Example(
            "128,256 × 4,096, untied",
            "vocab_size=128256&hidden_size=4096",
            {"embedding_bytes": 2 * 2 * 128_256 * 4096, "input_bytes": 1_050_673_152},
        ),
        Example(
            "The same, tied",
            "vocab_size=128256&hidden_size=4096&output_head=tied",
            {"embedding_bytes": 2 * 128_256 * 4096},
        ),
        Example(
            "Llama 3.1 8B", "model=meta-llama/Llama-3.1-8B", {"embedding_bytes": 2_101_346_304}
        ),
        Example("Gemma 3 1B, tied", "model=google/gemma-3-1b-it"),
        Example("Qwen2.5 0.5B in Q8_0", "model=Qwen/Qwen2.5-0.5B&dtype=q8_0"),
    ),
    questions=(
        Question(
            "What is the formula?",
            "Vocabulary times width elements for the embedding, the same again for the head unless "
            "it is tied, times the bits of the data type, divided by 8.",
        ),
        Question(
            "What does tying mean?",
            "The head reads the same matrix that the embedding looks rows up in. It is stored once. "
            "Small models do it because the matrix is a large part of them: in Gemma 3 1B it is "
            "[[?model=google/gemma-3-1b-it#embedding_bytes]], and would be there twice.",
        ),
        Question(
            "Why do quantized checkpoints keep the embedding in 16 bits?",
            "The embedding is a lookup, so a smaller type saves memory but no time, and errors in "
            "the head change which token wins. AWQ and GPTQ leave both alone. GGUF files quantize "
            "them, usually to Q6_K or Q8_0.",
        ),
        Question(
            "Does the embedding cost time when a token is generated?",
            "Hardly: one row of [[?model=meta-llama/Llama-3.1-8B#bytes_per_token]] is read for each "
            "token. The head is different. All of it is read and multiplied for every token that is "
            "generated, as large as it is.",
        ),
        Question(
            "Does a larger vocabulary pay?",
            "It makes texts shorter in tokens, most of all outside English and in code, and so saves "
            "cache and steps. It costs these two matrices. Compare models by characters per second, "
            "not by tokens.",
        ),
    ),
    sources=(
        Source(
            "Press and Wolf, Using the Output Embedding to Improve Language Models",
            "https://arxiv.org/abs/1608.05859",
        ),
        Source(
            "ggml, sizes of quantized blocks",
            "https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h",
        ),
    ),
    code=(stored, matrices),
)
