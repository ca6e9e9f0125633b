"""The blocks that decoders and towers are made of, as calls on a `Stack`.

Each adds the tensors of one block to all of `layers` at once, so a reader calls it once for every
kind of layer, not for every layer.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

from calculators.maths.tensors.model import Attention, Experts, Kind
from calculators.maths.tensors.stack import Layers, Stack

QKVO = ("q_proj", "k_proj", "v_proj", "o_proj")
GATE_UP_DOWN = ("gate_proj", "up_proj", "down_proj")

# Width of the norms on queries and keys: of one head, of one head with weights for each head, or
# of all heads together.
HeadNorms = Literal["head", "each_head", "all_heads"]

K = TypeVar("K")


def grouped(kinds: Iterable[K]) -> dict[K, list[int]]:
    """The indexes of each kind of layer, kinds in order of first appearance."""
    found: dict[K, list[int]] = {}
    for index, kind in enumerate(kinds):
        found.setdefault(kind, []).append(index)
    return found


def attention(
    stack: Stack,
    layers: Layers,
    hidden: int,
    shape: Attention,
    *,
    bias: bool = False,
    out_bias: bool | None = None,
    norms: HeadNorms | None = None,
    norm_names: tuple[str, str] = ("q_norm", "k_norm"),
    norm_bias: bool = False,
    fused: str | None = None,
    query_gate: bool = False,
    prefix: str = "self_attn.",
    names: tuple[str, str, str, str] = QKVO,
) -> None:
    """Query, key, value and output projections, and norms on queries and keys.

    `bias` is that of q, k, v, and of the output unless `out_bias` says otherwise. `fused` names
    one tensor [q + k + v rows, hidden] in place of three. `query_gate`: q holds a gate of its own
    size. A block that shares a cache has no k, v or k norm; with keys as values there is no v.
    """
    query = shape.query_heads * shape.head_dim * (2 if query_gate else 1)
    key = shape.key_value_heads * shape.head_dim
    value = shape.key_value_heads * shape.value_head_dim
    shares = shape.shares_cache_of is not None
    rows = [(names[0], query)]
    if not shares:
        rows.append((names[1], key))
        if not shape.keys_are_values:
            rows.append((names[2], value))
    if fused:
        rows = [(fused, sum(out_features for _, out_features in rows))]
    for name, out_features in rows:
        stack.linear(layers, prefix + name, out_features, hidden, bias=bias, kind="attention")
    stack.linear(
        layers,
        prefix + names[3],
        hidden,
        shape.query_heads * shape.value_head_dim,
        bias=bias if out_bias is None else out_bias,
        kind="attention",
    )
    heads = (shape.query_heads,) if shares else (shape.query_heads, shape.key_value_heads)
    for name, count in zip(norm_names, heads, strict=False):
        if norms:
            width = {
                "head": (shape.head_dim,),
                "each_head": (count, shape.head_dim),
                "all_heads": (count * shape.head_dim,),
            }[norms]
            stack.norm(layers, prefix + name, *width, bias=norm_bias)


def gated_mlp(
    stack: Stack,
    layers: Layers,
    hidden: int,
    width: int,
    *,
    bias: bool = False,
    fused: str | None = None,
    prefix: str = "mlp.",
    names: tuple[str, str, str] = GATE_UP_DOWN,
    kind: Kind = "mlp",
) -> None:
    """Gate, up [width, hidden] and down [hidden, width]; `fused` names gate and up in one."""
    for name in (fused,) if fused else names[:2]:
        rows = 2 * width if fused else width
        stack.linear(layers, prefix + name, rows, hidden, bias=bias, kind=kind)
    stack.linear(layers, prefix + names[2], hidden, width, bias=bias, kind=kind)


def plain_mlp(
    stack: Stack,
    layers: Layers,
    hidden: int,
    width: int,
    *,
    bias: bool = False,
    prefix: str = "mlp.",
    names: tuple[str, str] = ("up_proj", "down_proj"),
    kind: Kind = "mlp",
) -> None:
    """Up [width, hidden] and down [hidden, width], without a gate."""
    stack.linear(layers, prefix + names[0], width, hidden, bias=bias, kind=kind)
    stack.linear(layers, prefix + names[1], hidden, width, bias=bias, kind=kind)


def router(
    stack: Stack,
    layers: Layers,
    hidden: int,
    count: int,
    *,
    name: str = "mlp.gate",
    bias: bool = False,
    correction: str | None = None,
    dtype: str | None = None,
) -> None:
    """The router [experts, hidden]; `correction` names a vector [experts] that steers it.

    The files hold `e_score_correction_bias` in float32: it is what the totals of Kimi K2.6 and of
    MLX's GLM-4.7 and MiniMax M2.5 have over 16 bits.
    """
    stack.add(layers, f"{name}.weight", count, hidden, kind="router", dtype=dtype)
    if bias:
        stack.add(layers, f"{name}.bias", count, kind="router", dtype=dtype)
    if correction:
        steers = "float32" if "e_score_correction_bias" in correction else None
        stack.add(layers, correction, count, kind="router", dtype=steers)


def experts(
    stack: Stack,
    layers: Layers,
    hidden: int,
    shape: Experts,
    *,
    bias: bool = False,
    prefix: str = "mlp.experts.",
    names: tuple[str, ...] = GATE_UP_DOWN,
    stacked: str | None = None,
) -> None:
    """The routed experts: matrices of their own, `{prefix}{}.{name}.weight`.

    `stacked` names the one tensor [experts, ...] that holds all gate and up matrices; the down
    matrices are then stacked as `names[-1]`. Experts that are not gated have no gate.
    """
    up = names[:-1] if shape.gated else names[-2:-1]
    rows = shape.width
    if stacked:
        up, rows = (stacked,), rows * len(up)
    matrices = [(name, rows, hidden) for name in up] + [(names[-1], hidden, shape.width)]
    for name, out_features, in_features in matrices:
        weight, offset = f"{prefix}{{}}.{name}.weight", f"{prefix}{{}}.{name}.bias"
        if stacked:
            weight, offset = prefix + name, f"{prefix}{name}_bias"
        vectors = [(offset, (out_features,))] if bias else []
        for full, dimensions in [(weight, (out_features, in_features)), *vectors]:
            stack.add(
                layers,
                full,
                *dimensions,
                kind="expert",
                copies=shape.count,
                active=shape.per_token,
                stacked=bool(stacked),
            )


def layer_norms(stack: Stack, layers: Layers, width: int, *names: str, bias: bool = False) -> None:
    """Norms of the layer itself, each [width]."""
    for name in names:
        stack.norm(layers, name, width, bias=bias)
