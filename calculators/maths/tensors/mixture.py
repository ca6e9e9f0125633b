"""The frame of a mixture of experts or hybrid: its sizes, its tensors, its layers.

A reader makes one `Mixture`, calls a block function for every kind of layer and ends with
`finish`. Every block function adds the tensors and records the block, so the two cannot disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from calculators.maths.tensors import blocks
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.model import (
    Architecture,
    Attention,
    Experts,
    Layer,
    Mlp,
    Recurrent,
    Tensor,
)
from calculators.maths.tensors.stack import Stack
from calculators.maths.tensors.windows import Windows

W1_W3_W2 = ("w1", "w3", "w2")  # gate, up and down as Mixtral names them
NORMS = ("input_layernorm", "post_attention_layernorm")


@dataclass(frozen=True)
class Sizes(Frame):
    """A frame that needs other keys: `needs` beside width and vocabulary, all named at once.

    `depth` is the key of the number of layers, or that number where a list tells it.
    """

    needs: tuple[str, ...] = ("num_attention_heads",)
    depth: str | int = "num_hidden_layers"

    def __post_init__(self) -> None:
        depth = (self.depth,) if isinstance(self.depth, str) else ()
        self.text.require("hidden_size", "vocab_size", *depth, *self.needs)

    @cached_property
    def count(self) -> int:
        return self.depth if isinstance(self.depth, int) else self.text.depth(self.depth)


class Mixture:
    """The language model of a config while it is read.

    `all` are the indexes of its layers. Indexes from `count` on are multi-token-prediction
    blocks: their tensors belong to the part "mtp", and they are no layers of the architecture.
    With a stack `mtp` of their own they are numbered from 0 there, else on from the last layer.
    """

    def __init__(
        self,
        sizes: Frame,
        prefix: str = "model.",
        embedding: str | None = None,
        mtp: Stack | None = None,
    ) -> None:
        self.sizes = sizes
        self.config = sizes.text
        self.hidden, self.count = sizes.hidden, sizes.count
        self.all = range(self.count)
        self.stack = Stack(prefix)
        self.first_mtp = 0 if mtp else self.count
        self.mtp = mtp or Stack(prefix, part="mtp")
        self.mixers: list[list[Attention | Recurrent]] = [[] for _ in self.all]
        self.feeds: list[list[Mlp | Experts]] = [[] for _ in self.all]
        name = embedding or f"{prefix}embed_tokens"
        shape = (sizes.vocab, self.hidden)
        self.stack.add(None, f"{name}.weight", *shape, kind="embedding", linear=False)

    def stacks(self, layers: Iterable[int]) -> list[tuple[Stack, list[int]]]:
        """Where the tensors of these layers go: the text's own, then prediction blocks."""
        indexes = list(layers)
        text = [index for index in indexes if index < self.count]
        shift = self.first_mtp - self.count
        beyond = [index + shift for index in indexes if index >= self.count]
        return [pair for pair in ((self.stack, text), (self.mtp, beyond)) if pair[1]]

    def mix(self, layers: Iterable[int], *mixers: Attention | Recurrent) -> None:
        """Record what mixes the tokens of these layers."""
        for index in layers:
            if index < self.count:
                self.mixers[index].extend(mixers)

    def feed(self, layers: Iterable[int], *feeds: Mlp | Experts) -> None:
        """Record what follows the mixer of these layers."""
        for index in layers:
            if index < self.count:
                self.feeds[index].extend(feeds)

    def norms(self, layers: Iterable[int], *names: str, bias: bool = False) -> None:
        """Norms of the layers themselves, [hidden] each."""
        for stack, chosen in self.stacks(layers):
            blocks.layer_norms(stack, chosen, self.hidden, *names, bias=bias)

    def finish(
        self,
        *more: Sequence[Tensor],
        norm: str = "norm",
        norm_bias: bool = False,
        head: str = "lm_head",
        head_bias: bool = False,
    ) -> Architecture:
        """The architecture, after the final norm and the head; `more` are tensors of towers."""
        kinds: dict[Layer, Layer] = {}
        layers = [
            Layer(tuple(mixers), tuple(feeds))
            for mixers, feeds in zip(self.mixers, self.feeds, strict=True)
        ]
        return self.sizes.architecture(
            self.stack,
            [kinds.setdefault(layer, layer) for layer in layers],
            self.mtp.tensors(),
            *more,
            norm=norm,
            norm_bias=norm_bias,
            head=head,
            head_bias=head_bias,
        )


def mixture(
    outer: Config,
    *needs: str,
    prefix: str = "model.",
    tied: bool = False,
    head_dim: int | None = None,
) -> Mixture:
    """The usual start: attention heads and `needs` are required beside the common sizes.

    `tied` and `head_dim` are what the model class assumes where the config does not say.
    """
    return Mixture(Sizes(outer, tied, head_dim, ("num_attention_heads", *needs)), prefix)


def attention(
    model: Mixture, layers: Iterable[int], shape: Attention | None = None, **options: Any
) -> None:
    """Grouped-query attention of these layers, by default in the one shape that the config has.

    `options` are those of `blocks.attention`.
    """
    shape = shape or model.sizes.attention
    for stack, chosen in model.stacks(layers):
        blocks.attention(stack, chosen, model.hidden, shape, **options)
    model.mix(layers, shape)


def windowed(model: Mixture, windows: Windows) -> dict[Attention, list[int]]:
    """The layers of each shape of attention: alike but for the window."""
    shape = model.sizes.attention
    return blocks.grouped(replace(shape, window=window) for window in windows)


def dense_mlp(model: Mixture, layers: Iterable[int], width: int, prefix: str = "mlp.") -> None:
    """A gated feed-forward block without experts."""
    for stack, chosen in model.stacks(layers):
        blocks.gated_mlp(stack, chosen, model.hidden, width, prefix=prefix)
    model.feed(layers, Mlp(width))


def routed(
    model: Mixture,
    layers: Iterable[int],
    shape: Experts,
    *,
    prefix: str = "mlp.",
    experts: str = "experts.",
    router: str = "gate",
    router_bias: bool = False,
    correction: str | None = None,
    router_dtype: str | None = None,
    names: tuple[str, ...] = blocks.GATE_UP_DOWN,
    stacked: str | None = None,
    bias: bool = False,
    shared: str = "shared_experts.",
    shared_gate: str | None = None,
) -> None:
    """Router, experts, and the expert that every token passes when `shape` has one.

    `correction` is a vector that steers the router; `shared_gate` names a matrix [1, hidden].
    """
    for stack, chosen in model.stacks(layers):
        blocks.router(
            stack,
            chosen,
            model.hidden,
            shape.count,
            name=prefix + router,
            bias=router_bias,
            correction=prefix + correction if correction else None,
            dtype=router_dtype,
        )
        blocks.experts(
            stack,
            chosen,
            model.hidden,
            shape,
            bias=bias,
            prefix=prefix + experts,
            names=names,
            stacked=stacked,
        )
        if shape.shared_width:
            blocks.gated_mlp(
                stack,
                chosen,
                model.hidden,
                shape.shared_width,
                prefix=prefix + shared,
                kind="shared_expert",
            )
        if shape.shared_width and shared_gate:
            stack.linear(chosen, prefix + shared_gate, 1, model.hidden, kind="router")
    model.feed(layers, shape)


def expert_shape(
    config: Config,
    width: int,
    *,
    count: tuple[str, ...] = ("num_experts", "num_local_experts", "n_routed_experts"),
    per_token: tuple[str, ...] = ("num_experts_per_tok",),
    shared_width: int = 0,
) -> Experts:
    """How many experts, how many of them a token uses (not more than there are), how wide."""
    experts = config.positive(*count)
    used = config.positive(*per_token)
    if used > experts:
        raise UnknownArchitecture(f"{config.path}{per_token[0]} is {used}, of {experts} experts")
    return Experts(experts, used, width, shared_width)


def split_dense(
    model: Mixture, mtp_blocks: int = 0, default: int = 0
) -> tuple[list[int], list[int]]:
    """Dense and sparse layers: `mlp_layer_types`, else `first_k_dense_replace` and a frequency.

    Prediction blocks are whole layers with experts. `default`: the class's own count of dense
    layers where no key says.
    """
    types = model.config.strings("mlp_layer_types")[: model.count]
    last = model.count + mtp_blocks
    if types:
        dense = [index for index, kind in enumerate(types) if kind == "dense"]
    else:
        first = model.config.integer("first_k_dense_replace", default=default)
        every = model.config.positive("moe_layer_freq", default=1)
        dense = [index for index in model.all if index < first or index % every]
    leave = set(dense)
    return dense, [index for index in range(last) if index not in leave]


def prediction_blocks(model: Mixture, count: int, *, copies: bool) -> range:
    """The indexes of `count` multi-token-prediction blocks, and what they hold besides a layer.

    As DeepSeek V3 stores them: a projection of two states into one, three norms and, with
    `copies`, an embedding and a head of their own.
    """
    layers = range(model.count, model.count + count)
    hidden, vocab = model.hidden, model.sizes.vocab
    model.mtp.linear(layers, "eh_proj", hidden, 2 * hidden, kind="other")
    model.norms(layers, "enorm", "hnorm", "shared_head.norm")
    if copies:
        name = "embed_tokens.weight"
        model.mtp.add(layers, name, vocab, hidden, kind="embedding", linear=False)
        model.mtp.linear(layers, "shared_head.head", vocab, hidden, kind="head")
    return layers
