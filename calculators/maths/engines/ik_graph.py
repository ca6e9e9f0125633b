"""The graphs of ik_llama.cpp, a fork of llama.cpp with kernels of its own for latent attention.

Source: `ikawrakow/ik_llama.cpp @bb8ff4e9` (June 2025): src/llama.cpp (`build_deepseek2`,
`llm_build_kv`, `llm_build_moe_ffn`, `llm_build_norm`), ggml/src/ggml-alloc.c
(`ggml_op_can_inplace`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calculators.kit.units import MIB
from calculators.maths.engines.llama_graph import COPIES, F16_BYTES, Builder, Reserve
from calculators.maths.kv_cache import F32_BYTES
from calculators.maths.tensors import Architecture, Attention, Experts, Layer


@dataclass(frozen=True, slots=True)
class Fork:
    """Its own switches: `-mla`, `-amb` in MiB (0: no limit) and `-fmoe`."""

    mla: int = 3
    attn_max_batch_mib: int = 0
    fused_moe: bool = True


class IkBuilder(Builder):
    """Where its graphs differ: fused norms and products are not made in place."""

    def __init__(self, model: Architecture, reserve: Reserve, fork: Fork) -> None:
        super().__init__(model, reserve)
        self.fork = fork
        names = {tensor.name for tensor in model.tensors}
        self.query_norm = any("q_norm" in name for name in names)
        ranks = [t.shape[0] for t in model.tensors if "q_a_proj" in t.name]
        self.query_rank = max(ranks, default=0)

    def layers(self) -> Sequence[Layer]:
        """All: norms that are not made in place take turns between two places."""
        return self.model.layers

    def inputs(self) -> list[int]:
        held = super().inputs()
        if not self.reserve.pipelined:
            return held
        self.kept += held
        return []

    def copies(self, stream: int) -> list[int]:
        """The last GPU keeps the copies of what it is handed, through the logits."""
        self.kept += [stream, *(self.graph.add(self.hidden) for _ in range(COPIES - 1))]
        return []

    def norm(self, source: int, elements: int) -> int:
        return self.node(elements, source)

    def gated(self, width: int, normed: int) -> int:
        up, gate = self.node(width, normed), self.node(width, normed)
        return self.node(width, gate, up)

    def attention(self, mixer: Attention, normed: int) -> int:
        heads, key_value = mixer.query_heads, mixer.key_value_heads
        queries = self.node(heads * mixer.head_dim, normed)
        if self.query_norm:
            queries = self.node(heads * mixer.head_dim, queries)
        queries = self.node(heads * mixer.head_dim, queries, in_place=True)
        keys = self.node(key_value * mixer.head_dim, normed)
        if self.query_norm:
            keys = self.node(key_value * mixer.head_dim, keys)
        keys = self.node(key_value * mixer.head_dim, keys, in_place=True)
        values = self.node(key_value * mixer.value_head_dim, normed)
        self.graph.add(0, keys)
        self.graph.add(0, values)
        each = mixer.head_dim, mixer.value_head_dim
        return self.scores(queries, heads, key_value, each, bool(mixer.window))

    def latent(self, mixer: Attention, normed: int) -> int:
        assert mixer.latent
        rank, rope, heads = mixer.latent.kv_lora_rank, mixer.latent.rope_head_dim, mixer.query_heads
        if self.query_rank:
            normed_queries = self.norm(self.node(self.query_rank, normed), self.query_rank)
        else:
            normed_queries = normed
        queries = self.node(heads * mixer.head_dim, normed_queries)
        turned = self.node(heads * rope, queries)
        compressed = self.node(rank + rope, normed)
        turned_key = self.node(rope, compressed)
        normed_key = self.norm(compressed, rank)
        self.graph.add(0, self.node(rank + rope, turned_key, normed_key))
        if self.fork.mla > 1 and self.reserve.flash_attention:
            return self.whole_heads(mixer, self.node(heads * mixer.head_dim, turned, queries))
        absorbed = self.node(heads * rank, queries)
        wide = self.node(heads * (rank + rope), turned, absorbed)
        if self.reserve.flash_attention:
            summed = self.scores(wide, heads, 1, (rank + rope, rank), False)
        else:
            summed = self.stepwise(wide, heads, rank)
        values = self.node(heads * mixer.value_head_dim, summed)
        return self.node(heads * mixer.value_head_dim, values)

    def whole_heads(self, mixer: Attention, queries: int) -> int:
        """`-mla 2` and `3` with flash attention, for a prompt: keys and values of all cached tokens
        are brought out of their latents, so many heads at a time as `-amb` allows.

        The graph lists these projections before the attention that reads them, so that the keys
        and values of all heads are alive together; `-amb` limits the float32 product alone.
        """
        assert mixer.latent
        cells, rope = self.reserve.cells, mixer.latent.rope_head_dim
        plain = mixer.head_dim - rope
        product = (plain + mixer.value_head_dim) * cells * F32_BYTES
        at_once = self.heads_at_once(mixer.query_heads, product)
        half = F16_BYTES * at_once * cells
        turned: tuple[int, ...] = ()
        made: list[tuple[int, int]] = []
        for _ in range(mixer.query_heads // at_once):
            both = self.graph.add(at_once * product)
            keys = self.graph.add(half * plain, both)
            values = self.graph.add(half * mixer.value_head_dim, both)
            if not turned:  # a quantized cache is unpacked first
                quantized = self.reserve.keys.block_elements > 1
                unpacked = (self.graph.add(F16_BYTES * rope * cells),) if quantized else ()
                turned = (self.graph.add(half * rope, *unpacked),)
            made.append((self.graph.add(half * (rope + plain), *turned, keys), values))
        mask = self.mask(False)
        width = at_once * mixer.value_head_dim
        summed = 0
        for number, (keys, values) in enumerate(made, 1):
            part = self.graph.add(self.row(width), queries, keys, values, mask)
            summed = part if number == 1 else self.node(number * width, summed, part)
        return summed

    def heads_at_once(self, heads: int, product: int) -> int:
        """Halves the heads until their product fits `-amb`, as long as they can be halved."""
        limit, size = self.fork.attn_max_batch_mib, heads * product // MIB
        while limit and heads % 2 == 0 and size > limit:
            heads, size = heads // 2, size // 2
        return heads

    def stepwise(self, queries: int, heads: int, rank: int) -> int:
        """Without flash attention: the scores of so many heads at a time as `-amb` allows."""
        cells = self.reserve.cells
        mask = self.mask(False)
        transposed = self.graph.add(F16_BYTES * rank * cells) if self.fork.mla > 1 else queries
        limit, size = self.fork.attn_max_batch_mib, self.row(heads * cells) // MIB
        steps = min(heads, -(-size // limit)) if limit and size > limit else 1
        step = -(-heads // steps)
        summed = 0
        for first in range(0, heads, step):
            here = min(step, heads - first)
            products = self.node(here * cells, queries)
            weights = self.node(here * cells, products, mask, in_place=True)
            part = self.node(here * rank, weights, transposed)
            summed = self.node((first + here) * rank, summed, part) if first else part
        return summed

    def experts(self, block: Experts, normed: int) -> int:
        """`-fmoe` makes gate, up and their product in one node; the sum of experts is one, too.

        Experts that the CPU computes arrive side by side: the GPU weighs and adds them.
        """
        hidden, width = self.model.hidden_size, block.per_token * block.width
        chosen = self.node(block.count, self.node(block.count, normed), in_place=True)
        if self.reserve.experts_elsewhere:
            self.graph.add(0, chosen)
            down = self.node(block.per_token * hidden)
        else:
            if self.fork.fused_moe:
                middle = self.node(width, normed, chosen, *self.stream(), *self.stream())
            else:
                up = self.node(width, normed, chosen, *self.stream())
                gate = self.node(width, normed, chosen, *self.stream())
                middle = self.node(width, gate, up)
            down = self.node(block.per_token * hidden, middle, chosen, *self.stream())
        weighted = self.node(block.per_token * hidden, down, in_place=True)
        return self.shared(block, normed, self.node(hidden, weighted))


def ik_graph_bytes(model: Architecture, reserve: Reserve, fork: Fork) -> int:
    """Bytes of the compute buffer of a device that holds the whole model."""
    return IkBuilder(model, reserve, fork).build()
