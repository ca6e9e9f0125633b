"""The graphs that llama.cpp reserves memory for, layer by layer, as bytes of their tensors.

Order and sizes follow `ggml-org/llama.cpp @0c1e57098`: src/llama-graph.cpp (`build_attn`,
`build_ffn`, `build_moe_ffn`), src/models/{llama,qwen3moe,deepseek2,delta-net-base}.cpp. All
activations are float32. Checked against the sizes that builds of April 2025 to October 2026
reserve for 20 architectures (`graph_reserve` without allocation), not only against logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calculators.maths.engines.ggml_graph import Graph
from calculators.maths.kv_cache import F32_BYTES, KvDtype
from calculators.maths.tensors import Architecture, Attention, Experts, Layer, Recurrent

F16_BYTES = 2
GLU_SINCE = (2025, 7)  # gate and up make a third tensor; before, gate was overwritten (PR 14158)
HALF_MASK_SINCE = (2026, 6)  # flash attention's mask is made as 16-bit, no float32 copy before it
MIXED_INPUT_SINCE = (2026, 10)  # batches may hold tokens and embeddings; both inputs are copied
DEQUANTIZED_KV_SINCE = (2026, 6)  # PR 23907: room for 16-bit keys and values of the whole cache
CONV_KERNEL = 4
COPIES = 4  # of a graph's inputs, with layers on several GPUs (GGML_SCHED_MAX_COPIES)
SET_ROWS_SINCE = (2025, 8)  # values are stored by index; without flash attention one per element
INDEX_BYTES = 8
# Queries are projected with a gate beside them, of the same width.
GATED = ("qwen3_5", "qwen3_next", "qwen4", "step3p5")
PARALLEL = ("cohere", "cohere2", "gpt_neox", "phi", "falcon")  # attention beside the feed-forward
STATE_DIM = 128  # of every published Mamba 2 and delta-rule layer


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a graph is reserved for: rows of a batch, rows of logits, cells of each cache."""

    version: tuple[int, ...]
    tokens: int
    outputs: int
    cells: int
    window_cells: int
    keys: KvDtype
    values: KvDtype
    flash_attention: bool = True
    absorbed: bool = True  # latent attention works on latents, not on whole keys
    pipelined: bool = False  # layers on several GPUs: inputs are kept in several copies
    streamed_bytes: int = 0  # one layer's tensor of experts, copied in from main memory
    experts_elsewhere: bool = False  # the CPU computes them; their sum is copied in
    cuda: bool = True  # or HIP, which is built of the same sources


class Builder:
    """Adds layers to a graph; `row` is one float32 per token and element."""

    def __init__(self, model: Architecture, reserve: Reserve) -> None:
        self.model, self.reserve, self.graph = model, reserve, Graph()
        self.rows = reserve.tokens
        self.hidden = self.row(model.hidden_size)
        self.masks: dict[bool, int] = {}
        self.cast: dict[bool, int] = {}
        self.kept: list[int] = []  # to the very end
        recent = reserve.pipelined or reserve.version >= HALF_MASK_SINCE
        self.half_masks = reserve.flash_attention and recent
        self.gated_attention = model.model_type.startswith(GATED)

    def row(self, elements: int) -> int:
        return F32_BYTES * self.rows * elements

    def node(self, elements: int, *sources: int, in_place: bool = False) -> int:
        return self.graph.add(self.row(elements), *sources, in_place=in_place)

    def norm(self, source: int, elements: int) -> int:
        """Normalisation and its weight, in place where nobody else reads the source."""
        return self.node(elements, source, in_place=True)

    def mask(self, sliding: bool) -> int:
        """The mask in the type that attention reads; made from a float32 one in older builds."""
        if self.half_masks or not self.reserve.flash_attention:
            return self.masks[sliding]
        if sliding not in self.cast:
            wide = self.masks[sliding]
            self.cast[sliding] = self.graph.add(self.graph.nodes[wide].size // 2, wide)
        return self.cast[sliding]

    def build(self) -> int:
        """Bytes of the whole graph's buffer."""
        model, reserve = self.model, self.reserve
        stream = self.graph.add(self.hidden)
        held = self.inputs()
        if reserve.version >= MIXED_INPUT_SINCE:
            stream = self.graph.add(self.hidden, stream)
        if reserve.pipelined:
            held += self.copies(stream)
        *layers, final = self.layers()
        for layer in layers:
            stream = self.layer(layer, stream)
        stream = self.layer(final, stream, last=True)
        self.graph.add(0, stream, *held)
        outputs = F32_BYTES * reserve.outputs
        normed = self.norm(stream, model.hidden_size)
        logits = self.graph.add(outputs * model.vocab_size, normed)
        self.graph.add(0, logits, *self.kept)
        return self.graph.peak()

    def copies(self, stream: int) -> list[int]:
        """Of the layers' input, where batches follow each other through several GPUs."""
        return [stream, *(self.graph.add(self.hidden) for _ in range(2 * COPIES - 1))]

    def layers(self) -> Sequence[Layer]:
        """Each kind of layer once, in order, then all again: what a layer leaves behind counts."""
        kinds = list(dict.fromkeys(self.model.layers))
        return [*kinds, *kinds]

    def inputs(self) -> list[int]:
        """Masks, and what else stays to the end."""
        model, reserve = self.model, self.reserve
        held: list[int] = []
        each = reserve.tokens * (F16_BYTES if self.half_masks else F32_BYTES)
        extra = COPIES - 1 if reserve.pipelined else 0
        for sliding in sorted({bool(m.window) for m in attentions(model)}):
            size = each * (reserve.window_cells if sliding else reserve.cells)
            self.masks[sliding] = self.graph.add(size)
            held += [self.graph.add(size) for _ in range(extra)]
            held += [self.masks[sliding]] if reserve.pipelined else []
            if not reserve.flash_attention and reserve.version >= SET_ROWS_SINCE:
                width = max(value_width(mixer) for mixer in attentions(model))
                indices = INDEX_BYTES * reserve.tokens * width
                held += [self.graph.add(indices) for _ in range(1 + extra)]
        return held

    def layer(self, layer: Layer, stream: int, last: bool = False) -> int:
        """What mixes tokens and what follows. The last layer goes on with the rows of output."""
        hidden = self.model.hidden_size
        parallel = self.model.model_type in PARALLEL
        mixed = normed = stream
        for mixer in layer.mixers:
            normed = self.norm(stream, hidden)
            mixed = self.node(hidden, self.mix(mixer, normed))
            if last:
                self.rows = self.reserve.outputs
                mixed, stream = self.node(hidden, mixed), self.node(hidden, stream)
                normed = self.node(hidden, normed) if parallel else normed
            if not parallel:
                mixed = stream = self.node(hidden, mixed, stream, in_place=True)
        for block in layer.feed_forward:
            normed = normed if parallel else self.norm(stream, hidden)
            if isinstance(block, Experts):
                made = self.experts(block, normed)
            else:
                made = self.dense(block.width, block.gated, normed)
            if parallel:
                made = self.node(hidden, made, mixed, in_place=True)
            stream = self.node(hidden, made, stream, in_place=True)
        return stream

    def mix(self, mixer: Attention | Recurrent, normed: int) -> int:
        if isinstance(mixer, Recurrent):
            return self.recurrent(mixer, normed)
        if mixer.latent and self.reserve.absorbed:
            return self.latent(mixer, normed)
        return self.attention(mixer, normed)

    def attention(self, mixer: Attention, normed: int) -> int:
        heads, key_value = mixer.query_heads, mixer.key_value_heads
        wide = heads * mixer.head_dim
        joint = self.node(wide * (2 if self.gated_attention else 1), normed)
        queries = self.node(wide, joint)
        values = self.node(key_value * mixer.value_head_dim, normed)
        keys = self.node(key_value * mixer.head_dim, normed)
        self.graph.add(0, self.node(key_value * mixer.head_dim, keys))
        self.graph.add(0, values)
        each = mixer.head_dim, mixer.value_head_dim
        summed = self.scores(queries, heads, key_value, each, bool(mixer.window))
        if not self.gated_attention:
            return summed
        return self.node(wide, summed, self.node(wide, joint), in_place=True)

    def scores(
        self, queries: int, heads: int, key_value: int, dims: tuple[int, int], sliding: bool
    ) -> int:
        """Flash attention in one node, or scores of every head, their sum and its transposition."""
        reserve = self.reserve
        cells = reserve.window_cells if sliding else reserve.cells
        mask = self.mask(sliding)
        size = self.row(heads * dims[1])
        if reserve.flash_attention:
            return self.graph.add(size + self.unpacked(cells, key_value, dims), queries, mask)
        products = self.node(heads * cells, queries)
        weights = self.graph.add(self.row(heads * cells), products, mask, in_place=True)
        return self.graph.add(size, self.graph.add(size, weights))

    def unpacked(self, cells: int, key_value: int, dims: tuple[int, int]) -> int:
        """16-bit copies that CUDA's flash attention reads, of a cache in any other type."""
        reserve = self.reserve
        if reserve.version < DEQUANTIZED_KV_SINCE or not reserve.cuda:
            return 0
        return sum(
            cells * key_value * dim * F16_BYTES
            for dim, dtype in zip(dims, (reserve.keys, reserve.values), strict=True)
            if dtype.id != "f16"
        )

    def latent(self, mixer: Attention, normed: int) -> int:
        """Queries are brought into the latent space, and the sum of values out of it again."""
        assert mixer.latent
        rank, rope, heads = mixer.latent.kv_lora_rank, mixer.latent.rope_head_dim, mixer.query_heads
        queries = self.node(heads * mixer.head_dim, normed)
        absorbed = self.node(heads * rank, queries)
        turned = self.node(heads * rope, queries)
        wide = self.node(heads * (rank + rope), absorbed, turned)
        compressed = self.node(rank + rope, normed)
        self.graph.add(0, self.node(rank + rope, compressed))
        summed = self.scores(wide, heads, 1, (rank + rope, rank), False)
        values = self.node(heads * mixer.value_head_dim, summed)
        return self.node(heads * mixer.value_head_dim, values)

    def recurrent(self, mixer: Recurrent, normed: int) -> int:
        """Projection, convolution, scan and gate; a short convolution has no state to scan."""
        channels = mixer.conv_elements // (CONV_KERNEL - 1)
        if not mixer.state_elements:
            joined = self.node(3 * self.model.hidden_size, normed)
            return self.node(self.model.hidden_size, self.node(self.model.hidden_size, joined))
        inner = mixer.state_elements // STATE_DIM
        states = self.graph.add(F32_BYTES * mixer.state_elements)
        padded = self.node(channels, self.node(channels, normed))
        conv = self.node(channels, padded)
        sides = [self.node((channels - inner) // 2, conv) for _ in range(2)]
        scanned = self.graph.add(
            self.row(inner) + F32_BYTES * mixer.state_elements, conv, *sides, states
        )
        summed = self.node(inner, scanned)
        gate = self.node(inner, self.node(inner, normed))
        return self.node(inner, summed, gate, in_place=True)

    def gated(self, width: int, normed: int) -> int:
        """Gate, up, and their product: a third tensor, or in place of the gate before July 2025."""
        gate, up = self.node(width, normed), self.node(width, normed)
        return self.node(width, gate, up, in_place=self.reserve.version < GLU_SINCE)

    def dense(self, width: int, gated: bool, normed: int) -> int:
        if gated:
            return self.node(self.model.hidden_size, self.gated(width, normed))
        raised = self.node(width, normed)
        return self.node(self.model.hidden_size, self.node(width, raised, in_place=True))

    def experts(self, block: Experts, normed: int) -> int:
        """The experts of a token side by side, weighted and added up one after the other."""
        hidden = self.model.hidden_size
        chosen = self.node(block.count, self.node(block.count, normed))
        if self.reserve.experts_elsewhere:
            return self.shared(block, normed, self.node(hidden, chosen))
        width = block.per_token * block.width
        copied = self.stream()
        gate = self.node(width, normed, chosen, *copied)
        copied = self.stream()
        up = self.node(width, normed, chosen, *copied)
        if block.gated:
            middle = self.node(width, gate, up, in_place=self.reserve.version < GLU_SINCE)
        else:
            middle = self.node(width, up, gate, in_place=True)
        copied = self.stream()
        down = self.node(block.per_token * hidden, middle, chosen, *copied)
        weighted = self.node(block.per_token * hidden, down, in_place=True)
        total = self.node(hidden, weighted, weighted)
        for _ in range(block.per_token - 2):
            total = self.node(hidden, total, weighted, in_place=True)
        return self.shared(block, normed, total)

    def shared(self, block: Experts, normed: int, total: int) -> int:
        """Adds the expert that every token goes through, if there is one."""
        if not block.shared_width:
            return total
        made = self.dense(block.shared_width, block.gated, normed)
        return self.node(self.model.hidden_size, total, made, in_place=True)

    def stream(self) -> tuple[int, ...]:
        """The copy of a tensor of experts that stays in main memory."""
        size = self.reserve.streamed_bytes
        return (self.graph.add(size),) if size else ()


def attentions(model: Architecture) -> Sequence[Attention]:
    mixers = (mixer for layer in model.layers for mixer in layer.mixers)
    return [mixer for mixer in mixers if isinstance(mixer, Attention)]


def value_width(mixer: Attention) -> int:
    """Values that are stored one by one where attention needs them transposed; latents are not."""
    return 0 if mixer.latent else mixer.key_value_heads * mixer.value_head_dim


def graph_bytes(model: Architecture, reserve: Reserve) -> int:
    """Bytes of the compute buffer of a device that holds the whole model."""
    return Builder(model, reserve).build()
