"""Parameters of a transformer: from a model, a config.json, or its dimensions."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common import dimensions
from calculators.common.counting import (
    breakdown,
    layer_kinds,
    layer_table,
    most_common,
    spelled,
    steps,
    tensor_table,
)
from calculators.common.size import SIXTEEN_BIT_BYTES
from calculators.kit import (
    Breakdown,
    Example,
    Figure,
    Note,
    Notes,
    Page,
    Question,
    Shown,
    Source,
    Table,
    Working,
    exact,
    measured,
)
from calculators.maths.dimensions import decoder
from calculators.maths.tensors import Architecture


@dataclass(frozen=True)
class Parameters:
    """What a model is made of."""

    parameters: Annotated[Figure, Shown("Parameters", "parameters", term="parameter", lead=True)]
    active_parameters: Annotated[
        Figure,
        Shown(
            "Used by one token",
            "parameters",
            "Experts that are not chosen, towers and prediction blocks left out.",
            term="active-parameters",
            lead=True,
        ),
    ]
    non_embedding_parameters: Annotated[
        Figure,
        Shown("Without embedding and head", "parameters", "As scaling laws often count."),
    ]
    layer_parameters: Annotated[
        Figure | None, Shown("One layer", "parameters", "Of the most common kind.")
    ]
    published_parameters: Annotated[
        Figure | None, Shown("Published", "parameters", "The total that the repository states.")
    ]
    bf16_bytes: Annotated[Figure, Shown("In 16 bits", "bytes", "Two bytes each.")]
    notes: Annotated[Notes | None, Shown("Mind")]
    parts: Annotated[Breakdown, Shown("What it is made of")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    layers: Annotated[Table, Shown("Layer by layer")]
    tensors: Annotated[Table, Shown("Every tensor, by name pattern")]


def calculate(
    model: dimensions.ModelInput = None,
    num_hidden_layers: dimensions.LayersInput = None,
    hidden_size: dimensions.WidthInput = None,
    intermediate_size: dimensions.FfnInput = None,
    vocab_size: dimensions.VocabInput = None,
    num_attention_heads: dimensions.HeadsInput = None,
    num_key_value_heads: dimensions.KeyValueHeadsInput = None,
    head_dim: dimensions.HeadDimInput = None,
    mlp: dimensions.GatedInput = None,
    output_head: dimensions.TiedInput = None,
    bias: dimensions.BiasInput = None,
    norm: dimensions.NormInput = None,
    positions: dimensions.PositionsInput = None,
    num_experts: dimensions.ExpertsInput = None,
    num_experts_per_tok: dimensions.PerTokenInput = None,
    num_shared_experts: dimensions.SharedInput = None,
) -> Parameters:
    """How many parameters a transformer has, counted from its layers, and how many a token uses.

    A decoder is an embedding, a stack of layers and an output head. Each layer has attention (query,
    key, value and output matrices), a feed-forward block of two or three matrices or a set of such
    blocks called experts, and norms. With a model or a config.json every tensor is listed as the
    checkpoint stores it; with dimensions a decoder like Llama is built from them and counted by the
    same code.
    """
    found = dimensions.counted(
        model,
        ("num_hidden_layers", "hidden_size", "vocab_size"),
        num_hidden_layers=num_hidden_layers,
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        vocab_size=vocab_size,
        num_attention_heads=num_attention_heads,
        num_key_value_heads=num_key_value_heads,
        head_dim=head_dim,
        mlp=mlp,
        output_head=output_head,
        bias=bias,
        norm=norm,
        positions=positions,
        num_experts=num_experts,
        num_experts_per_tok=num_experts_per_tok,
        num_shared_experts=num_shared_experts,
    )
    return _parameters(found)


def _parameters(found: dimensions.Counted) -> Parameters:
    architecture = found.architecture
    common = most_common(layer_kinds(architecture))
    outside = sum(
        tensor.parameters for tensor in architecture.tensors if tensor.kind in ("embedding", "head")
    )
    return Parameters(
        parameters=exact(architecture.parameters, "Summed over all tensors."),
        active_parameters=exact(
            architecture.active_parameters, "The text model; embedding and head in full."
        ),
        non_embedding_parameters=exact(architecture.parameters - outside),
        layer_parameters=exact(sum(one.elements * one.copies for one in common.tensors))
        if common
        else None,
        published_parameters=_published(found),
        bf16_bytes=exact(SIXTEEN_BIT_BYTES * architecture.parameters),
        notes=_notes(found),
        parts=breakdown(architecture.tensors),
        working=Working(steps(architecture.tensors)),
        layers=layer_table(architecture),
        tensors=tensor_table(architecture.tensors),
    )


def _published(found: dimensions.Counted) -> Figure | None:
    row = found.subject.model.row if found.subject else {}
    published = row.get("published_parameters")
    if not published:
        return None
    more = "; ".join(f"with {count:,} of {name}" for name, count in row.get("published_adjust", ()))
    return measured(published, f"Stated by {row['id']}{': ' + more if more else ''}.")


def _notes(found: dimensions.Counted) -> Notes | None:
    notes = list(found.filled)
    if found.architecture.active_parameters < found.architecture.parameters:
        notes += _idle(found.architecture)
    return Notes(tuple(notes)) if notes else None


def _idle(architecture: Architecture) -> list[Note]:
    resting = {
        "experts that a token does not choose": sum(
            tensor.parameters - tensor.parameters * tensor.active // tensor.copies
            for tensor in architecture.tensors
            if tensor.part == "text"
        ),
        "towers for images and sound": _part(architecture, "vision", "audio"),
        "blocks that predict further tokens": _part(architecture, "mtp"),
    }
    listed = ", ".join(f"{count:,} in {name}" for name, count in resting.items() if count)
    return [Note(f"Not used by a text token: {listed}.")]


def _part(architecture: Architecture, *parts: str) -> int:
    return sum(tensor.parameters for tensor in architecture.tensors if tensor.part in parts)


LLAMA = (
    "num_hidden_layers=32&hidden_size=4096&intermediate_size=14336&vocab_size=128256"
    "&num_attention_heads=32&num_key_value_heads=8"
)
GPT_2 = (
    "num_hidden_layers=12&hidden_size=768&intermediate_size=3072&vocab_size=50257"
    "&num_attention_heads=12&mlp=plain&output_head=tied&bias=all&norm=layer&positions=1024"
)
MIXTRAL = (
    "num_hidden_layers=32&hidden_size=4096&intermediate_size=14336&vocab_size=32000"
    "&num_attention_heads=32&num_key_value_heads=8&num_experts=8&num_experts_per_tok=2"
)
PAGE = Page(
    title="Transformer parameter count",
    description="Parameters of a transformer from depth, width, vocabulary, heads and experts, or "
    "from a config.json: Llama 3.1 8B has "
    "[[?model=meta-llama/Llama-3.1-8B#parameters.also]]. Total, used by a token, layer by layer.",
    group="Inside a model",
    order=61,
    keywords=("parameter count", "transformer parameters", "active parameters", "config.json"),
    how_to=(
        "Pick a model by any part of its name, or drop its config.json.",
        "Or type dimensions: layers, width and vocabulary are enough, and what you leave empty is "
        "filled in as most models have it. Heads, biases, tying and experts are under the fields.",
        "Read the total, the part that one token uses, and the sum line by line.",
    ),
    why=(
        "A name is rounded, and not always by the same rule: Llama 2 7B has "
        "[[?model=meta-llama/Llama-2-7b-hf#parameters]] and Gemma 7B "
        "[[?model=google/gemma-7b#parameters]].",
        "Of a mixture of experts a token uses a small part, and that part sets the speed: of "
        "[[?model=deepseek-ai/DeepSeek-V3#parameters]] in DeepSeek V3 it is "
        "[[?model=deepseek-ai/DeepSeek-V3#active_parameters]].",
        "Design a model: change one dimension and see what it costs.",
    ),
    assumes=(
        "Counted are the tensors that a checkpoint stores: weights and biases, not optimizer state, "
        "not buffers such as rotary frequencies. A tied head is counted once.",
        "Used by one token: the text model with the experts that the router chooses, embedding and "
        "head in full. Publishers count differently by the size of the embedding.",
        "Every catalogue model is held against the total that its repository states, by a test.",
    ),
    examples=(
        Example("Llama 3.1 8B, by its dimensions", LLAMA, {"parameters": 8_030_261_248}),
        Example(
            "GPT-2, by its dimensions",
            GPT_2,
            {"parameters": 124_439_808, "active_parameters": 124_439_808},
        ),
        Example(
            "Mixtral 8x7B, by its dimensions",
            MIXTRAL,
            {"parameters": 46_702_792_704, "active_parameters": 12_879_925_248},
        ),
        Example(
            "Llama 2 7B",
            "model=meta-llama/Llama-2-7b-hf",
            {"parameters": 6_738_415_616},
        ),
        Example(
            "DeepSeek V3",
            "model=deepseek-ai/DeepSeek-V3",
            {"active_parameters": 37e9},
            0.02,
            "published as 37B, rounded; here with the embedding",
        ),
        Example("Qwen3 30B-A3B", "model=Qwen/Qwen3-30B-A3B", {"parameters": 30_532_122_624}),
    ),
    questions=(
        Question(
            "What is the formula?",
            "For a decoder like Llama with depth L, width d, feed-forward width f, vocabulary V, h "
            "query heads and k key-value heads of width w each: `V·d` for the embedding, in each "
            "layer `2·d·h·w + 2·d·k·w` for attention, `3·d·f` for the gated block and `2·d` for "
            "norms, then `d` for the last norm and `V·d` for the head unless it is tied. The panel "
            "does this sum with your numbers.",
        ),
        Question(
            "Is 12·L·d² close?",
            "It is the same sum for GPT-2's shape: four attention matrices of d² and two "
            "feed-forward matrices of 4·d². Embeddings, biases and norms are missing, and with "
            "grouped-query attention and a gated block the factor is no longer 12. For GPT-2 it "
            f"leaves out the difference between [[?{GPT_2}#parameters]] and "
            f"[[?{GPT_2}#non_embedding_parameters]].",
        ),
        Question(
            "Why does 8x7B not mean 56 billion?",
            "Only the feed-forward blocks exist eight times. Attention, embedding and norms exist "
            "once, so Mixtral 8x7B has "
            "[[?model=mistralai/Mixtral-8x7B-Instruct-v0.1#parameters]]. Two of eight experts work "
            "on a token: [[?model=mistralai/Mixtral-8x7B-Instruct-v0.1#active_parameters]].",
        ),
        Question(
            "Do active parameters decide how much memory I need?",
            "No. Any token may choose any expert, so all of them have to be in memory. Active "
            "parameters decide how many bytes are read and how many operations are done for a "
            "token, which is speed.",
        ),
        Question(
            "Why does the count on a model's page differ?",
            "Repositories count what the files hold. Some hold buffers beside the weights; Llama 2 "
            "7B states [[?model=meta-llama/Llama-2-7b-hf#published_parameters.also]] because 2,048 "
            "rotary frequencies are in it. Quantized repositories often count packed words, each of "
            "which holds several weights.",
        ),
        Question(
            "What does a tied head save?",
            "One matrix of vocabulary times width. It matters most for small models with a large "
            "vocabulary: the [embedding calculator](../embedding-memory/) shows the share.",
        ),
    ),
    sources=(
        Source("Vaswani et al., Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
        Source(
            "Transformers, the model code that says which tensors there are",
            "https://github.com/huggingface/transformers/tree/033b1a82/src/transformers/models",
        ),
        Source(
            "Kaplan et al., Scaling Laws for Neural Language Models",
            "https://arxiv.org/abs/2001.08361",
            "table 1 has the count without embeddings",
        ),
    ),
    code=(decoder, steps, spelled),
)
