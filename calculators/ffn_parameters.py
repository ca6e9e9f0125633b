"""Feed-forward blocks: two or three matrices, one block or many experts, total and in use."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from calculators.common import dimensions
from calculators.common.counting import (
    FEED_FORWARD_KINDS,
    Kind,
    layer_kinds,
    layer_notes,
    module,
    most_common,
    product,
    tensor_table,
)
from calculators.common.size import SIXTEEN_BIT_BYTES
from calculators.kit import (
    Breakdown,
    Column,
    Example,
    Figure,
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
    exact,
)
from calculators.maths.tensors import Tensor
from calculators.maths.tensors.blocks import experts, gated_mlp, plain_mlp

WEIGHTS = ("mlp", "expert", "shared_expert")
BLOCKS = {
    "mlp": "Dense block",
    "expert": "Experts",
    "shared_expert": "Shared experts",
    "router": "Router",
}


@dataclass(frozen=True)
class FeedForward:
    """The feed-forward blocks."""

    ffn_parameters: Annotated[
        Figure,
        Shown(
            "Feed-forward of one layer",
            "parameters",
            "All experts, without router.",
            term="mlp",
            lead=True,
        ),
    ]
    active_parameters: Annotated[
        Figure,
        Shown(
            "Of it, used by one token",
            "parameters",
            "Chosen and shared.",
            term="active-parameters",
            lead=True,
        ),
    ]
    expert_parameters: Annotated[Figure | None, Shown("One expert", "parameters", term="moe")]
    router_parameters: Annotated[
        Figure | None, Shown("Router of one layer", "parameters", term="router")
    ]
    all_layers_parameters: Annotated[Figure, Shown("Of all layers", "parameters")]
    all_layers_active: Annotated[Figure, Shown("Of all layers, used by one token", "parameters")]
    share: Annotated[Figure | None, Shown("Share of the model", "fraction")]
    layer_bytes: Annotated[Figure, Shown("One layer in 16 bits", "bytes")]
    notes: Annotated[Notes | None, Shown("Mind")]
    parts: Annotated[Breakdown, Shown("One layer")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    kinds: Annotated[Table | None, Shown("Kinds of layers")]
    tensors: Annotated[Table, Shown("Every tensor, by name pattern")]


def calculate(
    model: dimensions.ModelInput = None,
    hidden_size: dimensions.WidthInput = None,
    intermediate_size: dimensions.FfnInput = None,
    num_hidden_layers: dimensions.LayersInput = None,
    mlp: dimensions.GatedInput = None,
    num_experts: dimensions.ExpertsInput = None,
    num_experts_per_tok: dimensions.PerTokenInput = None,
    num_shared_experts: dimensions.SharedInput = None,
    bias: dimensions.BiasInput = None,
) -> FeedForward:
    """The feed-forward block of a layer: its matrices, its experts, and what one token uses of them.

    A plain block widens the stream and narrows it again: two matrices. A gated one (SwiGLU, GeGLU)
    multiplies two widened copies with each other before narrowing: three matrices. A mixture of
    experts holds many such blocks and a router that picks a few for each token; shared experts are
    used by every token.
    """
    found = dimensions.counted(
        model,
        ("hidden_size",),
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=num_hidden_layers,
        mlp=mlp,
        num_experts=num_experts,
        num_experts_per_tok=num_experts_per_tok,
        num_shared_experts=num_shared_experts,
        bias=bias,
    )
    return _size(found)


def _is_feed_forward(tensor: Tensor) -> bool:
    return tensor.kind in FEED_FORWARD_KINDS and tensor.part == "text"


def _size(found: dimensions.Counted) -> FeedForward:
    kinds = layer_kinds(found.architecture, _is_feed_forward)
    common = most_common(kinds)
    if common is None:
        raise Refused("This model has no feed-forward blocks that are counted here.", "model")
    one = common.of(*WEIGHTS)
    router = common.of("router")
    every = sum(kind.of(*WEIGHTS) * len(kind.layers) for kind in kinds)
    return FeedForward(
        ffn_parameters=exact(one),
        active_parameters=exact(common.of(*WEIGHTS, active_only=True)),
        expert_parameters=_one_expert(common),
        router_parameters=exact(router) if router else None,
        all_layers_parameters=exact(every),
        all_layers_active=exact(
            sum(kind.of(*WEIGHTS, active_only=True) * len(kind.layers) for kind in kinds)
        ),
        share=exact(every / found.architecture.parameters) if found.subject else None,
        layer_bytes=exact(SIXTEEN_BIT_BYTES * one),
        notes=layer_notes(found, kinds, "have no feed-forward block"),
        parts=_parts(common),
        working=_working(common, every),
        kinds=_table(kinds) if len(kinds) > 1 else None,
        tensors=tensor_table(filter(_is_feed_forward, found.architecture.tensors)),
    )


def _one_expert(kind: Kind) -> Figure | None:
    of_one = sum(tensor.elements for tensor in kind.tensors if tensor.kind == "expert")
    return exact(of_one) if of_one else None


def _parts(kind: Kind) -> Breakdown:
    """A dense block by its matrices; with experts, what a token uses and what rests."""
    if not kind.of("expert"):
        sizes: Counter[str] = Counter()
        for tensor in kind.tensors:
            sizes[module(tensor)] += tensor.elements * tensor.copies
        tones = ("mlp", "expert", "shared_expert", "router", "other")
        segments = [
            Segment(name, count, tones[min(at, len(tones) - 1)])
            for at, (name, count) in enumerate(sizes.items())
        ]
        return Breakdown(tuple(segments), "parameters")
    chosen = kind.of("expert", active_only=True)
    segments = [
        Segment("Experts that a token uses", chosen, "expert"),
        Segment("Other experts", kind.of("expert") - chosen, "free"),
        Segment("Shared experts", kind.of("shared_expert"), "shared_expert"),
        Segment("Dense block", kind.of("mlp"), "mlp"),
        Segment("Router", kind.of("router"), "router"),
    ]
    return Breakdown(tuple(part for part in segments if part.value), "parameters")


def _working(kind: Kind, every: int) -> Working:
    steps = []
    for name, label in BLOCKS.items():
        if name not in ("router", "expert"):
            steps += _block(label, [tensor for tensor in kind.tensors if tensor.kind == name])
    tensors = [tensor for tensor in kind.tensors if tensor.kind == "expert"]
    if tensors:
        one = sum(tensor.elements for tensor in tensors)
        count, used = tensors[0].copies, tensors[0].active
        steps += _block("One expert", tensors)
        steps.append(Step("All experts", f"{one:,} × {count}", f"{one * count:,}"))
        steps.append(Step("Chosen for a token", f"{one:,} × {used}", f"{one * used:,}"))
    total, layers = kind.of(*WEIGHTS), len(kind.layers)
    parts = [f"{kind.of(name):,}" for name in WEIGHTS if kind.of(name)]
    if len(parts) > 1:
        steps.append(Step("One layer", " + ".join(parts), f"{total:,}"))
    if layers > 1 and every == total * layers:
        steps.append(Step("All layers", f"{total:,} × {layers} layers", f"{every:,}"))
    return Working(tuple(steps))


def _block(label: str, tensors: list[Tensor]) -> list[Step]:
    if not tensors:
        return []
    text = " + ".join(product(tensor.shape) for tensor in tensors)
    return [Step(label, text, f"{sum(tensor.elements for tensor in tensors):,}")]


def _table(kinds: tuple[Kind, ...]) -> Table:
    rows = tuple(
        (
            kind.text,
            len(kind.layers),
            kind.of(*WEIGHTS),
            kind.of(*WEIGHTS, active_only=True),
            ", ".join(label for name, label in BLOCKS.items() if kind.of(name)),
        )
        for kind in kinds
    )
    columns = (
        Column("Layers"),
        Column("How many", " "),
        Column("One layer", "parameters"),
        Column("Used by a token", "parameters"),
        Column("Holds"),
    )
    return Table(columns, rows)


PAGE = Page(
    title="Feed-forward parameters",
    description="Parameters of a feed-forward block with two or three matrices, of one expert and of "
    "all: one layer of Llama 3.1 8B has "
    "[[?model=meta-llama/Llama-3.1-8B#ffn_parameters.also]], one of Mixtral 8x7B "
    "[[?model=mistralai/Mixtral-8x7B-Instruct-v0.1#ffn_parameters.also]].",
    group="Inside a model",
    order=63,
    keywords=("FFN parameters", "MLP", "SwiGLU", "mixture of experts", "active parameters"),
    how_to=(
        "Pick a model, or drop its config.json; or type width and feed-forward width.",
        "For a mixture, say how many experts there are and how many a token uses; the feed-forward "
        "width is then that of one expert.",
        "Read one layer, one expert, and what a token uses.",
    ),
    why=(
        "Most of a model is here: [[?model=meta-llama/Llama-3.1-8B#share]] of Llama 3.1 8B, "
        "[[?model=deepseek-ai/DeepSeek-V3#share]] of DeepSeek V3. It is what quantization shrinks.",
        "The used part sets the speed of a mixture; all of it has to be in memory.",
    ),
    assumes=(
        "The router is shown apart and is not part of the feed-forward figures.",
        "One layer is of the most common kind; a table shows the others, such as the dense first "
        "layers of DeepSeek V3.",
        "A feed-forward width that is left empty is four times the width for a plain block, and two "
        "thirds of that, rounded up to a multiple of 256, for a gated one.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B, by its dimensions",
            "hidden_size=4096&intermediate_size=14336&num_hidden_layers=32",
            {"ffn_parameters": 3 * 4096 * 14336, "all_layers_parameters": 5_637_144_576},
        ),
        Example(
            "Mixtral 8x7B, by its dimensions",
            "hidden_size=4096&intermediate_size=14336&num_hidden_layers=32&num_experts=8"
            "&num_experts_per_tok=2",
            {"ffn_parameters": 1_409_286_144, "active_parameters": 352_321_536},
        ),
        Example(
            "GPT-2, plain",
            "hidden_size=768&intermediate_size=3072&mlp=plain&bias=all&num_hidden_layers=12",
            {"ffn_parameters": 2 * 768 * 3072 + 3072 + 768},
        ),
        Example(
            "DeepSeek V3",
            "model=deepseek-ai/DeepSeek-V3",
            {"expert_parameters": 3 * 7168 * 2048, "active_parameters": 9 * 3 * 7168 * 2048},
        ),
        Example("gpt-oss 120B", "model=openai/gpt-oss-120b"),
    ),
    questions=(
        Question(
            "Two matrices or three?",
            "A plain block (GPT-2, OPT, Falcon) has two: up and down, `2·d·f`. A gated one (Llama, "
            "Mistral, Qwen, Gemma) has a gate beside them, `3·d·f`. Gated blocks are made about a "
            "third narrower to weigh the same: 8/3 of the width instead of 4 times.",
        ),
        Question(
            "Where does 11,008 in Llama come from?",
            "Four times the width of 4,096, times two thirds, rounded up to a multiple of 256. Leave "
            "the feed-forward width empty and this page does the same. Later models are wider than "
            "that: Llama 3.1 8B has 14,336.",
        ),
        Question(
            "What does one token use of a mixture?",
            "The experts that the router picks, and the shared ones. In DeepSeek V3 that is "
            "[[?model=deepseek-ai/DeepSeek-V3#active_parameters]] of "
            "[[?model=deepseek-ai/DeepSeek-V3#ffn_parameters]] in each layer that has experts. A "
            "batch of many tokens uses nearly all of them.",
        ),
        Question(
            "How large is one expert?",
            "It is a feed-forward block of its own width: "
            "[[?model=deepseek-ai/DeepSeek-V3#expert_parameters]] in DeepSeek V3, "
            "[[?model=mistralai/Mixtral-8x7B-Instruct-v0.1#expert_parameters]] in Mixtral 8x7B. "
            "Newer mixtures have many small experts rather than few large ones.",
        ),
        Question(
            "Is the router large?",
            "No: a row of the model's width for each expert, "
            "[[?model=deepseek-ai/DeepSeek-V3#router_parameters]] in a layer of DeepSeek V3. It "
            "usually stays in 16 bits because a wrong choice costs more than it saves.",
        ),
    ),
    sources=(
        Source("Vaswani et al., Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
        Source("Shazeer, GLU Variants Improve Transformer", "https://arxiv.org/abs/2002.05202"),
        Source("Jiang et al., Mixtral of Experts", "https://arxiv.org/abs/2401.04088"),
        Source("DeepSeek-V3 Technical Report", "https://arxiv.org/abs/2412.19437"),
    ),
    code=(gated_mlp, plain_mlp, experts),
)
