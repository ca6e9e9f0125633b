"""A model from the catalogue, or one that is typed dimension by dimension; never both."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from calculators.common.subject import MODEL, Subject
from calculators.kit import Choice, Field, Note, Quantity, Refused
from calculators.kit.inputs import Input
from calculators.maths.dimensions import Biases, Dimensions, Misfit, decoder
from calculators.maths.tensors import Architecture
from calculators.maths.tensors.config import INTEGER_AT_MOST, LAYERS_AT_MOST

NAMES = {
    "num_attention_heads": "query heads",
    "num_key_value_heads": "key-value heads",
    "head_dim": "head width",
    "intermediate_size": "feed-forward width",
}


# The model's field where typed dimensions, each of which excludes it, may stand in for it.
ModelInput = Annotated[
    Subject | None,
    Field(
        "Model",
        MODEL,
        help="Any part of a name, or paste or drop a config.json. Clear it to type dimensions.",
        term="checkpoint",
        placeholder="Llama 3.1 8B",
        default="meta-llama/Llama-3.1-8B",
    ),
]


def _typed(label: str, input: Input, help: str, example: str = "", **more: Any) -> Field:
    return Field(label, input, help, excludes=("model",), placeholder=example, **more)


def _whole(most: int = INTEGER_AT_MOST, least: int = 1) -> Quantity:
    return Quantity("", least, most, whole=True, examples="4096")


LayersInput = Annotated[
    int | None,
    _typed("Layers", _whole(LAYERS_AT_MOST), "Depth: num_hidden_layers.", "32"),
]
WidthInput = Annotated[
    int | None, _typed("Width", _whole(), "Of the residual stream: hidden_size.", "4096")
]
FfnInput = Annotated[
    int | None,
    _typed(
        "Feed-forward width",
        _whole(),
        "intermediate_size, or that of one expert. Empty: as wide as usual.",
        "14336",
        term="mlp",
    ),
]
VocabInput = Annotated[
    int | None,
    _typed(
        "Vocabulary", _whole(), "Rows of the embedding: vocab_size.", "128256", term="vocabulary"
    ),
]
HeadsInput = Annotated[
    int | None,
    _typed(
        "Query heads",
        _whole(),
        "num_attention_heads. Empty: of 128 elements each.",
        "32",
        term="attention",
    ),
]
KeyValueHeadsInput = Annotated[
    int | None,
    _typed(
        "Key-value heads",
        _whole(),
        "num_key_value_heads. Empty: as many as query heads; 1 is multi-query.",
        "8",
        term="gqa",
    ),
]
HeadDimInput = Annotated[
    int | None,
    _typed("Head width", _whole(), "head_dim. Empty: width / query heads.", "128", advanced=True),
]
GatedInput = Annotated[
    Literal["plain"] | None,
    _typed(
        "Feed-forward block",
        Choice((("", "gated, three matrices"), ("plain", "plain, two matrices"))),
        "SwiGLU and its like are gated; GPT-2 is plain.",
        term="mlp",
        advanced=True,
    ),
]
TiedInput = Annotated[
    Literal["tied"] | None,
    _typed(
        "Output head",
        Choice((("", "its own matrix"), ("tied", "tied to the embedding"))),
        "tie_word_embeddings.",
        term="output-head",
        advanced=True,
    ),
]
BiasInput = Annotated[
    Biases | None,
    _typed(
        "Biases",
        Choice(
            (
                ("", "none, as in Llama"),
                ("qkv", "of query, key and value (Qwen 2)"),
                ("attention", "of all attention matrices"),
                ("all", "of all matrices in the layers (GPT-2)"),
            )
        ),
        "A vector as long as the output.",
        advanced=True,
    ),
]
NormInput = Annotated[
    Literal["layer"] | None,
    _typed(
        "Norms",
        Choice((("", "RMSNorm, one vector"), ("layer", "LayerNorm, two vectors"))),
        "Two in each layer and one at the end.",
        term="norm",
        advanced=True,
    ),
]
PositionsInput = Annotated[
    int | None,
    _typed(
        "Learned positions",
        _whole(),
        "GPT-2 has 1,024. Empty: rotary ones, which have no weights.",
        "1024",
        advanced=True,
    ),
]
ExpertsInput = Annotated[
    int | None,
    _typed(
        "Experts",
        _whole(100_000),
        "In each layer. Empty: one dense block.",
        "8",
        term="moe",
        advanced=True,
    ),
]
PerTokenInput = Annotated[
    int | None,
    _typed(
        "Experts per token",
        _whole(100_000),
        "num_experts_per_tok.",
        "2",
        term="active-parameters",
        advanced=True,
    ),
]
SharedInput = Annotated[
    int | None,
    _typed(
        "Shared experts",
        _whole(1000),
        "That every token passes beside those it chooses.",
        "1",
        advanced=True,
    ),
]


@dataclass(frozen=True)
class Counted:
    """What is counted: `subject` is None for typed dimensions, whose gaps were `filled`."""

    name: str
    architecture: Architecture
    subject: Subject | None = None
    filled: tuple[Note, ...] = ()


def counted(model: Subject | None, needed: tuple[str, ...], **typed: Any) -> Counted:
    """The model, or the decoder of the typed dimensions, of which `needed` must be there.

    `typed` are the page's inputs by their names; None is not typed.
    """
    given = {name: value for name, value in typed.items() if value is not None}
    if model is not None:
        return Counted(model.name, model.architecture, model)
    if not given:
        raise Refused("Pick a model, or type its dimensions.", "model")
    for name in needed:
        if name not in given:
            raise Refused("This dimension is needed too.", name)
    words = {"mlp": "gated", "output_head": "tied", "norm": "layer_norm"}
    sizes: dict[str, Any] = {words.get(name, name): value for name, value in given.items()}
    sizes |= {
        "gated": "mlp" not in given,
        "tied": "output_head" in given,
        "layer_norm": "norm" in given,
    }
    dimensions = Dimensions(**sizes)
    try:
        made = decoder(dimensions)
    except Misfit as misfit:
        raise Refused(str(misfit), misfit.field if misfit.field in typed else needed[0]) from None
    return Counted("typed dimensions", made, None, _filled(dimensions, typed))


def _filled(dimensions: Dimensions, typed: dict[str, Any]) -> tuple[Note, ...]:
    filled = {name: used for name, used in dimensions.assumed().items() if name in typed}
    if not filled:
        return ()
    listed = ", ".join(f"{NAMES[name]} {used:,}" for name, used in filled.items())
    return (Note(f"Not typed, so taken as most models have it: {listed}."),)
