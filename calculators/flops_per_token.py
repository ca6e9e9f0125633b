"""Operations of one token: forward and training, weights and attention apart."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common import dimensions
from calculators.kit import (
    Axis,
    Breakdown,
    Chart,
    Example,
    Field,
    Figure,
    Note,
    Notes,
    Page,
    Quantity,
    Question,
    Segment,
    Series,
    Shown,
    Source,
    Step,
    Switch,
    Working,
    exact,
    lines,
    modelled,
)
from calculators.maths import flops
from calculators.maths.tensors import Architecture, Attention

SIX = 6  # operations for each parameter and trained token: Kaplan et al. 2020, section 2.1
CHARTED = tuple(2**power for power in range(8, 21))  # tokens of context


@dataclass(frozen=True)
class Operations:
    """Operations of one token."""

    forward_flops_per_token: Annotated[
        Figure,
        Shown(
            "Forward", "flop", "The mean over a sequence of the context.", term="flop", lead=True
        ),
    ]
    training_flops_per_token: Annotated[
        Figure, Shown("Training", "flop", "Forward and backward.", lead=True)
    ]
    weight_flops: Annotated[Figure, Shown("Of forward: weights in the layers", "flop")]
    head_flops: Annotated[Figure, Shown("Of forward: output head", "flop")]
    attention_flops: Annotated[
        Figure,
        Shown("Of forward: attention over the context", "flop", "Scores and weighted sum, mean."),
    ]
    state_flops: Annotated[
        Figure | None, Shown("Of forward: recurrent state", "flop", term="recurrent-state")
    ]
    last_token_flops: Annotated[
        Figure,
        Shown(
            "Forward of the last token", "flop", "It looks at the whole context, as in decoding."
        ),
    ]
    active_parameters: Annotated[
        Figure, Shown("Parameters used by one token", "parameters", term="active-parameters")
    ]
    six_n: Annotated[Figure, Shown("The rule 6 × N", "flop", "N: parameters used by one token.")]
    against_six_n: Annotated[Figure, Shown("Training against 6 × N", "ratio")]
    notes: Annotated[Notes | None, Shown("Mind")]
    parts: Annotated[Breakdown, Shown("One token, forward")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    chart: Annotated[Chart, Shown("Against the context")]


def calculate(
    context: Annotated[
        int,
        Field(
            "Context",
            Quantity("tokens", 1, 1e8, whole=True, examples="8192 or 128k"),
            "Length of the sequence.",
            term="context-window",
        ),
    ] = 8192,
    model: dimensions.ModelInput = None,
    num_hidden_layers: dimensions.LayersInput = None,
    hidden_size: dimensions.WidthInput = None,
    intermediate_size: dimensions.FfnInput = None,
    vocab_size: dimensions.VocabInput = None,
    num_attention_heads: dimensions.HeadsInput = None,
    num_key_value_heads: dimensions.KeyValueHeadsInput = None,
    recompute: Annotated[
        bool,
        Field(
            "Recompute activations",
            Switch(),
            "Training runs the forward pass twice to save memory.",
            advanced=True,
        ),
    ] = False,
    head_dim: dimensions.HeadDimInput = None,
    mlp: dimensions.GatedInput = None,
    num_experts: dimensions.ExpertsInput = None,
    num_experts_per_tok: dimensions.PerTokenInput = None,
    num_shared_experts: dimensions.SharedInput = None,
) -> Operations:
    """Floating-point operations of one token, forward and in training, with the attention term apart.

    Convention: a multiplication and an addition are two operations. Every weight that a token passes
    costs one of each. Attention adds, for every token looked at, a product with its key and one with
    its value. The backward pass costs twice the forward one, because it forms gradients of inputs and
    of weights. The mean over a causal sequence is half of what its last token pays for attention.
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
        num_experts=num_experts,
        num_experts_per_tok=num_experts_per_tok,
        num_shared_experts=num_shared_experts,
    )
    return _operations(found, context, recompute)


def _operations(found: dimensions.Counted, context: int, recompute: bool) -> Operations:
    architecture = found.architecture
    last = flops.forward(architecture, context)
    mean = flops.forward_per_token(architecture, context)
    attention = flops.prompt(architecture, context).attention / context
    training = flops.training_per_token(architecture, context, recompute)
    rule = SIX * architecture.active_parameters
    parts = (
        Segment("Weights in the layers", last.linear, "weights"),
        Segment("Output head", last.head, "head"),
        Segment("Attention over the context", attention, "attention"),
        Segment("Recurrent state", last.state, "recurrent"),
    )
    why = "Matrix products; norms, softmax and activations are below one per cent and left out."
    return Operations(
        forward_flops_per_token=exact(mean, why),
        training_flops_per_token=exact(training, why),
        weight_flops=exact(last.linear),
        head_flops=exact(last.head),
        attention_flops=exact(attention),
        state_flops=exact(last.state) if last.state else None,
        last_token_flops=exact(last.total),
        active_parameters=exact(architecture.active_parameters),
        six_n=modelled(rule, why="The rule of thumb."),
        against_six_n=exact(training / rule),
        notes=_notes(found),
        parts=Breakdown(tuple(part for part in parts if part.value), "flop"),
        working=_working(architecture, context, attention, mean, training),
        chart=_chart(architecture, context),
    )


def _notes(found: dimensions.Counted) -> Notes | None:
    notes = list(found.filled)
    mixers = [
        mixer
        for layer in found.architecture.layers
        for mixer in layer.mixers
        if isinstance(mixer, Attention)
    ]
    if any(mixer.compressed or (mixer.latent and mixer.latent.index_head_dim) for mixer in mixers):
        text = "This model picks or compresses the tokens it looks at; counted as if it saw all."
        notes.append(Note(text, "warning"))
    elif any(mixer.window or mixer.chunk for mixer in mixers):
        notes.append(Note("Layers with a window or chunks look at no more tokens than these hold."))
    return Notes(tuple(notes)) if notes else None


def _working(
    architecture: Architecture, context: int, attention: float, mean: float, training: float
) -> Working:
    one = flops.forward(architecture, context)
    weights = flops.active_linear_parameters(architecture)
    size = f"2 × {architecture.vocab_size:,} × {architecture.hidden_size:,}"
    passes = training / mean
    parts = [one.linear, one.head, attention, *([one.state] if one.state else [])]
    steps = [
        Step("Weights in the layers", f"2 × {weights:,}", f"{one.linear:,}"),
        Step("Output head", size, f"{one.head:,}"),
        Step("Attention", _attention_text(architecture, context), _whole(attention)),
    ]
    if one.state:
        steps.append(Step("Recurrent state", "4 for each element, with its convolution",
                          f"{one.state:,}"))  # fmt: skip
    steps += [
        Step("Forward", " + ".join(map(_whole, parts)), _whole(mean)),
        Step("Training", f"{passes:.0f} × {_whole(mean)}", _whole(training)),
        Step("6 × N", f"6 × {architecture.active_parameters:,}",
             f"{SIX * architecture.active_parameters:,}"),
    ]  # fmt: skip
    return Working(tuple(steps))


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _attention_text(architecture: Architecture, context: int) -> str:
    """The sum for layers that are alike and see everything, else what it is the sum of."""
    mixers = [
        mixer
        for layer in architecture.layers
        for mixer in layer.mixers
        if isinstance(mixer, Attention)
    ]
    widths = {flops.attention_width(mixer) for mixer in mixers}
    seen = {flops.attended_sum(mixer, context) for mixer in mixers}
    if len(widths) == len(seen) == 1:
        mean = _whole(seen.pop() / context)
        one = mixers[0]
        width = one.head_dim + one.value_head_dim
        return f"2 × {one.query_heads} heads × {width} × {mean} tokens × {len(mixers)} layers"
    return f"2 × heads × widths × tokens seen, over {len(mixers)} layers"


def _chart(architecture: Architecture, context: int) -> Chart:
    giga = 1e9
    weights = flops.forward(architecture)
    fixed = (weights.total - weights.attention) / giga
    mean = [(n, flops.forward_per_token(architecture, n) / giga) for n in CHARTED]
    last = [(n, flops.forward(architecture, n).total / giga) for n in CHARTED]
    here = (context, flops.forward_per_token(architecture, context) / giga)
    return lines(
        "Operations of one token against the context",
        Axis("Tokens of context", "tokens", "~s", log=True),
        Axis("GFLOP per token, forward", "", ",.4~g", log=True),
        (
            Series("Weights and head", [(n, fixed) for n in CHARTED]),
            Series("Mean over the sequence", mean),
            Series("Last token", last),
            Series("Your context", [here], dots=True),
        ),
        basis="exact",
    )


LLAMA = "model=meta-llama/Llama-3.1-8B&context=8192"
PAGE = Page(
    title="FLOPs per token",
    description="Operations of one token of a language model: Llama 3.1 8B at 8,192 tokens needs "
    f"[[?{LLAMA}#forward_flops_per_token]] forward and [[?{LLAMA}#training_flops_per_token]] in "
    "training. Attention, head and experts apart; beside the rule 6ND.",
    group="Inside a model",
    order=65,
    keywords=("FLOPs per token", "6ND", "training compute", "attention FLOPs", "MFU"),
    how_to=(
        "Pick a model, or drop its config.json; or type its dimensions.",
        "Set the context: the length of the sequence that is read or trained on.",
        "Read forward and training; the bar shows what attention adds.",
    ),
    why=(
        "The rule 2N for a forward pass leaves out attention, which at 128k tokens is most of the "
        "work: Llama 3.1 8B then needs "
        "[[?model=meta-llama/Llama-3.1-8B&context=131072#forward_flops_per_token]], not "
        f"[[?{LLAMA}#weight_flops]].",
        "Utilisation (MFU) is tokens per second times this figure over the peak of the GPU. Both "
        "sides must follow one convention.",
    ),
    assumes=(
        "Counted are products of matrices: weights, output head, scores and weighted sums of "
        "attention, recurrent state. Norms, softmax, activation functions and the lookup of the "
        "embedding are left out.",
        "Attention is causal. A kernel that computes masked scores as well does up to twice the "
        "attention term.",
        "Of experts, those that one token uses. Vision towers and prediction blocks do not run for "
        "a text token.",
        "The rule 6 × N takes all parameters that one token uses, with the embedding, as Hoffmann "
        "et al. count.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B at 8k",
            LLAMA,
            {
                "weight_flops": 2 * 6_979_321_856,
                "head_flops": 2 * 525_336_576,
                "forward_flops_per_token": 2 * 6_979_321_856
                + 2 * 525_336_576
                + 2 * 32 * 32 * 256 * 8193 / 2,
            },
        ),
        Example("The same at 128k", "model=meta-llama/Llama-3.1-8B&context=128k"),
        Example(
            "DeepSeek V3 in training",
            "model=deepseek-ai/DeepSeek-V3&context=4096",
        ),
        Example(
            "GPT-3 175B, by its dimensions",
            "num_hidden_layers=96&hidden_size=12288&vocab_size=50257&num_attention_heads=96"
            "&mlp=plain&context=2048",
            {"training_flops_per_token": 3.14e23 / 300e9},
            0.02,
            "3.14e23 for 300B tokens as published, which is 6 x 174.6B without attention",
        ),
        Example("Mixtral 8x7B", "model=mistralai/Mixtral-8x7B-Instruct-v0.1&context=8192"),
    ),
    questions=(
        Question(
            "Where does 6ND come from?",
            "Two operations for each of N parameters going forward, four going backward, times D "
            "tokens. It leaves out attention over the context and counts the embedding, which is "
            f"only looked up. For Llama 3.1 8B at 8,192 tokens the full count is "
            f"[[?{LLAMA}#against_six_n]] of the rule.",
        ),
        Question(
            "Why is backward twice forward?",
            "Each matrix takes part in two products on the way back: one gives the gradient of its "
            "input, one that of its weights. If activations are recomputed to save memory, the "
            "forward pass runs once more: four passes in place of three.",
        ),
        Question(
            "FLOPs, FLOPS, MACs?",
            "FLOPs here are operations. FLOPS, or FLOP/s, is a speed. A multiply-accumulate (MAC) is "
            "two operations, so a figure in MACs is half of ours. Spec sheets of GPUs count two for "
            "each multiply-add as well; take their dense figure, not the sparse one.",
        ),
        Question(
            "When does attention matter?",
            "When the context approaches the number of parameters over the attention width: for "
            f"Llama 3.1 8B attention is [[?{LLAMA}#attention_flops]] at 8,192 tokens against "
            f"[[?{LLAMA}#weight_flops]] in weights. Sliding windows and latent attention do not "
            "change it alike: a window caps it, a latent cache does not.",
        ),
        Question(
            "Does this tell me tokens per second?",
            "Only for long prompts and large batches. Decoding a few sequences waits for memory: "
            "each step reads all weights whatever it computes. The [GPU page](../gpu-fit/) holds "
            "both bounds against each other.",
        ),
        Question(
            "Mean or last token?",
            "In a causal sequence the first token looks at one and the last at all. Training and "
            "prefill pay the mean; a token generated at the end of the context pays the last.",
        ),
    ),
    sources=(
        Source(
            "Kaplan et al., Scaling Laws for Neural Language Models",
            "https://arxiv.org/abs/2001.08361",
            "section 2.1",
        ),
        Source("Chowdhery et al., PaLM", "https://arxiv.org/abs/2204.02311", "appendix B: MFU"),
        Source(
            "Hoffmann et al., Training Compute-Optimal Large Language Models",
            "https://arxiv.org/abs/2203.15556",
            "appendix F",
        ),
        Source("Brown et al., GPT-3", "https://arxiv.org/abs/2005.14165", "appendix D"),
    ),
    code=(flops.forward, flops.forward_per_token, flops.training_per_token),
)
