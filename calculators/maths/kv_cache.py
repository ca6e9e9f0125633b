"""What a model keeps per token and per sequence while it generates, layer by layer.

`cache_layers(model)` says which layers keep what; `kv_cache_bytes` adds it up without the rounding
of any engine (blocks, padding, groups): those rules live in `calculators.maths.engines`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from calculators.facts import rows
from calculators.maths.tensors import Architecture, Attention, Recurrent

Kind = Literal["full", "sliding", "chunked", "latent", "cross", "recurrent"]

F32_BYTES = 4
DEFAULT_STATE_BYTES = 4  # recurrent states are kept in float32 unless an engine says otherwise
INDEX_QUANT_BLOCK = 128  # elements per float32 scale of a sparse indexer's fp8 key
# vllm-project/vllm:vllm/models/deepseek_v2.py@v0.33.0: head_dim + head_dim / quant_block * 4


class UnknownKvDtype(ValueError):
    """A cache type that no row of `kv_dtypes.json` describes."""


@dataclass(frozen=True, slots=True)
class KvDtype:
    """`block_bytes` for `block_elements` elements; `scale_bytes` per token and head beside them."""

    id: str
    block_elements: int
    block_bytes: int
    scale_bytes: int = 0
    latent_bytes: int | None = None

    def bytes(self, elements: int) -> int:
        """Of a row of so many elements. Rows are whole blocks, or the last block is padded."""
        return -(-elements // self.block_elements) * self.block_bytes


@cache
def kv_dtype(name: str) -> KvDtype:
    """The type of that name; `auto` is 16-bit, `fp8_e4m3` and `fp8_e5m2` are `fp8`."""
    plain = "fp8" if name.startswith("fp8_e") else {"auto": "bf16", "fp16": "f16"}.get(name, name)
    for row in rows("kv_dtypes"):
        if row["id"] == plain:
            return KvDtype(
                plain,
                row["block_elements"],
                row["block_bytes"],
                row.get("scale_bytes", 0),
                row.get("latent_bytes"),
            )
    known = ", ".join(row["id"] for row in rows("kv_dtypes"))
    raise UnknownKvDtype(f"the KV cache type {name!r} is not known here (known: {known})")


@dataclass(frozen=True, slots=True)
class CacheLayer:
    """What one layer keeps. `heads`, `key_dim`, `value_dim` per token; `span` tokens at most.

    A latent layer has one head whose key is the latent and the rotary part, and no value; its
    sparse indexer, if any, keeps `index_dim` more. Where keys are values, `value_dim` is 0. A layer
    that compresses keeps one entry for every `ratio` tokens. A recurrent layer keeps
    `conv_elements` and `state_elements` per sequence, whatever its length.
    """

    kind: Kind
    heads: int = 0
    key_dim: int = 0
    value_dim: int = 0
    span: int | None = None
    index_dim: int = 0
    ratio: int = 1
    conv_elements: int = 0
    state_elements: int = 0

    def heads_per_rank(self, tensor_parallel: int) -> int:
        """A KV head is never cut: with more ranks than heads, ranks hold copies."""
        return self.heads if self.kind == "latent" else max(1, self.heads // tensor_parallel)

    def token_bytes(self, keys: KvDtype, values: KvDtype, tensor_parallel: int = 1) -> int:
        """Bytes one entry takes in this layer on one rank; 0 for a recurrent layer."""
        if self.kind == "recurrent":
            return 0
        if self.kind == "latent":
            return latent_bytes(self, keys)
        heads = self.heads_per_rank(tensor_parallel)
        scales = keys.scale_bytes + values.scale_bytes
        return (
            keys.bytes(heads * self.key_dim + self.index_dim)
            + values.bytes(heads * self.value_dim)
            + heads * scales
        )

    def state_bytes(
        self, conv_bytes: int = 2, state_bytes: int = DEFAULT_STATE_BYTES, tensor_parallel: int = 1
    ) -> int:
        """Bytes of the recurrent state of one sequence on one rank, given bytes per element."""
        whole = self.conv_elements * conv_bytes + self.state_elements * state_bytes
        return whole // tensor_parallel

    def tokens(self, context: int) -> int:
        """Entries this layer keeps of `context` tokens."""
        kept = context if self.span is None else min(context, self.span)
        return -(-kept // self.ratio)


def latent_bytes(layer: CacheLayer, dtype: KvDtype) -> int:
    """One token of a latent layer, with its indexer's key (fp8 and a float32 scale per block)."""
    index = layer.index_dim + layer.index_dim // INDEX_QUANT_BLOCK * F32_BYTES
    own = dtype.latent_bytes if dtype.latent_bytes is not None else dtype.bytes(layer.key_dim)
    return own + index


def cache_layer(mixer: Attention | Recurrent) -> CacheLayer:
    """What one mixer keeps of a request: heads and widths in elements, not bytes."""
    if isinstance(mixer, Recurrent):
        return CacheLayer(
            "recurrent", conv_elements=mixer.conv_elements, state_elements=mixer.state_elements
        )
    if latent := mixer.latent:
        return CacheLayer(
            "latent",
            heads=1,
            key_dim=latent.kv_lora_rank + latent.rope_head_dim,
            index_dim=latent.index_head_dim,
        )
    kind: Kind = "full"
    if mixer.cross:
        kind = "cross"
    elif mixer.window:
        kind = "sliding"
    elif mixer.chunk:
        kind = "chunked"
    return CacheLayer(
        kind,
        heads=mixer.key_value_heads,
        key_dim=mixer.head_dim,
        value_dim=0 if mixer.keys_are_values and mixer.window else mixer.value_head_dim,
        span=mixer.window or mixer.chunk,
        index_dim=mixer.index_head_dim,
    )


@lru_cache(maxsize=256)  # the layers of a model have few kinds of mixers
def kept_by(mixer: Attention | Recurrent) -> tuple[CacheLayer, ...]:
    """Everything one mixer keeps: its own tokens, and what is left of those that went by.

    DeepSeek V4 keeps a compressed entry per `ratio` tokens beside the window, keys serving as
    values: 4,352 cells x 43 layers x 512 x 2 B are the 182.75 MiB that llama.cpp logs for windows.
    """
    own = cache_layer(mixer)
    if isinstance(mixer, Recurrent) or mixer.compressed is None:
        return (own,)
    entry = mixer.head_dim + mixer.compressed.index_head_dim
    return own, CacheLayer("latent", heads=1, key_dim=entry, ratio=mixer.compressed.ratio)


def cache_layers(model: Architecture) -> tuple[CacheLayer, ...]:
    """Every layer that keeps something of its own, in order.

    Left out: layers that reuse another layer's keys and values, and cross-attention, whose keys
    belong to an image and not to the text. Engines keep keys and values apart even where the model
    computes both with one projection (Gemma 4's full layers). An encoder keeps nothing.
    """
    if model.encoder:
        return ()
    return tuple(
        kept
        for layer in model.layers
        for mixer in layer.mixers
        if isinstance(mixer, Recurrent) or (mixer.shares_cache_of is None and not mixer.cross)
        for kept in kept_by(mixer)
    )


def counted(layers: Iterable[CacheLayer]) -> dict[CacheLayer, int]:
    """Equal layers together, in the order in which each kind first appears."""
    objects: dict[int, list[CacheLayer]] = {}  # mostly one of each kind, and quicker to tell apart
    for layer in layers:
        objects.setdefault(id(layer), []).append(layer)
    found: dict[CacheLayer, int] = {}
    for alike in objects.values():
        found[alike[0]] = found.get(alike[0], 0) + len(alike)
    return found


def kv_bytes_per_token(
    model: Architecture, dtype: str = "f16", values: str | None = None, tensor_parallel: int = 1
) -> int:
    """Bytes that one more token of a long context adds: every layer that keeps all tokens."""
    key, value = kv_dtype(dtype), kv_dtype(values or dtype)
    return sum(
        layer.token_bytes(key, value, tensor_parallel) * count // layer.ratio
        for layer, count in counted(cache_layers(model)).items()
        if layer.span is None
    )


def state_bytes(
    model: Architecture, state_bytes: int = DEFAULT_STATE_BYTES, tensor_parallel: int = 1
) -> int:
    """Recurrent state of one sequence on one rank; the convolution part is 16-bit."""
    return sum(
        layer.state_bytes(2, state_bytes, tensor_parallel) * count
        for layer, count in counted(cache_layers(model)).items()
    )


def kv_cache_bytes(
    model: Architecture,
    context: int,
    dtype: str = "f16",
    values: str | None = None,
    sequences: int = 1,
    tensor_parallel: int = 1,
) -> int:
    """Keys, values and states of `sequences` sequences of `context` tokens on one rank.

    A sliding layer keeps at most its window, a chunked one its chunk. No engine's rounding.
    """
    key, value = kv_dtype(dtype), kv_dtype(values or dtype)
    one = sum(
        count
        * (
            layer.tokens(context) * layer.token_bytes(key, value, tensor_parallel)
            + layer.state_bytes(tensor_parallel=tensor_parallel)
        )
        for layer, count in counted(cache_layers(model)).items()
    )
    return one * sequences
