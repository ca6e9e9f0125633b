"""llama.cpp: model buffer, KV buffers and a compute buffer per device, each logged by name.

Source: `ggml-org/llama.cpp @0c1e57098`: src/llama-{context,kv-cache,kv-cache-iswa,memory-recurrent}
.cpp, common/fit.cpp. The compute buffer is what ggml's allocator makes of the model's graph
(`llama_graph`).
"""

from dataclasses import dataclass, replace
from functools import cached_property

from calculators.kit.units import MIB
from calculators.maths.device import Device
from calculators.maths.engines.ik_graph import ik_graph_bytes
from calculators.maths.engines.llama_graph import Reserve, graph_bytes
from calculators.maths.engines.model import (
    Budget,
    Plan,
    Term,
    error_of,
    longest_context,
    plan_version,
    setting,
)
from calculators.maths.kv_cache import (
    F32_BYTES,
    CacheLayer,
    KvDtype,
    cache_layers,
    counted,
    kv_dtype,
)
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import RankWeights, offload
from calculators.maths.tensors import Architecture, Attention, Layer

WINDOW_CACHE_SINCE = (2025, 5)  # PR 13194: sliding layers got a cache of their own
WINDOW_UBATCH_SINCE = (2025, 6)  # with room for a micro-batch; at first for a whole batch
FEW_OUTPUTS_SINCE = (2026, 6)  # the server reserves one row of logits per slot, not per token:
# n_outputs_max is in builds of June 2026 (b9538), not of May (b9093)
CUDA_VENDORS = ("NVIDIA", "AMD")  # the latter by HIP
GRAPH_ERROR = "of 107 graphs that published builds reserved 102 are within 3 %, the worst 4 % off"


@dataclass(frozen=True)
class LlamaCpp:
    """A model and a plan for llama-server; several GPUs mean a layer split."""

    model: Architecture
    plan: Plan
    margin: str = "llama.cpp.fit_margin_bytes"  # what is left free, and on Metal
    metal_margin: str = "llama.cpp.fit_margin_bytes"

    @cached_property
    def version(self) -> tuple[int, ...]:
        return plan_version(self.plan)

    @cached_property
    def slots(self) -> int:
        return self.plan.n_parallel or self.plan.concurrency

    @cached_property
    def n_ubatch(self) -> int:
        return int(self.plan.n_ubatch or setting("llama.cpp.n_ubatch"))

    @cached_property
    def dtypes(self) -> tuple[KvDtype, KvDtype]:
        name = "f16" if self.plan.kv_dtype == "auto" else self.plan.kv_dtype
        return kv_dtype(name), kv_dtype(self.plan.value_dtype or name)

    @cached_property
    def _on_gpu(self) -> tuple[CacheLayer, ...]:
        """Cache layers of the offloaded layers: the last ones."""
        count = len(self.model.layers)
        asked = self.plan.n_gpu_layers
        first = 0 if asked is None else max(0, count + 1 - asked)
        layers = self.model.layers[first:]
        if not self.plan.latent_cache:
            layers = tuple(map(unabsorbed, layers))
        return cache_layers(replace(self.model, layers=layers))

    def cells(self, context: int) -> tuple[int, int]:
        """Cells of a stream of the full cache, and streams, for `context` tokens per request.

        A unified cache is one stream that pads the sum, a split one pads each slot.
        """
        if self.plan.unified_cache:
            return padded(context * self.slots), 1
        return padded(context), self.slots

    def layer_bytes(self, layer: CacheLayer, context: int) -> int:
        """One layer's buffer for all slots."""
        if layer.kind == "recurrent":
            return F32_BYTES * (layer.conv_elements + layer.state_elements) * self.slots
        cells, streams = self.cells(context)
        if layer.span is not None:
            cells = self.window_cells(layer.span, cells)
        return -(-cells // layer.ratio) * streams * self._token_bytes(layer)

    def window_cells(self, span: int, cells: int) -> int:
        """Cells of a stream of the sliding cache: the windows, and room for a micro-batch."""
        if self.version < WINDOW_CACHE_SINCE or self.plan.swa_full:
            return cells
        seen = span * (self.slots if self.plan.unified_cache else 1)
        batch = self.version < WINDOW_UBATCH_SINCE
        return padded(
            min(cells, seen + (int(setting("llama.cpp.n_batch")) if batch else self.n_ubatch))
        )

    def _token_bytes(self, layer: CacheLayer) -> int:
        keys, values = self.dtypes
        if layer.kind == "latent":
            return keys.bytes(layer.key_dim)
        return layer.token_bytes(keys, values)

    @cached_property
    def _counted(self) -> dict[CacheLayer, int]:
        return counted(self._on_gpu)

    def kv_bytes(self, context: int) -> int:
        """Keys, values and recurrent states of all slots, on all GPUs together."""
        return sum(
            count * self.layer_bytes(layer, context) for layer, count in self._counted.items()
        )

    @cached_property
    def _growth(self) -> tuple[int, int]:
        """Bytes per cell of the layers that keep everything, and what the others take at most."""
        grows = [layer for layer in self._counted if layer.span is None]
        token = sum(
            self._counted[layer] * self._token_bytes(layer) // layer.ratio for layer in grows
        )
        far = self.model.max_context or self.plan.context
        cells, streams = self.cells(far)
        return token, self.kv_bytes(far) - token * cells * streams

    def tokens(self, available: int) -> int:
        """Cells that so many bytes hold; without growing layers, the model's own limit."""
        token, rest = self._growth
        if not token:
            return self.model.max_context or self.plan.context
        step = int(setting("llama.cpp.context_padding"))
        return max(0, available - rest) // token // step * step

    def kv_parts(self, context: int) -> tuple[int, int, int]:
        """The full cache, the sliding one and the recurrent states, as they are logged."""
        parts = [0, 0, 0]
        for layer, count in self._counted.items():
            place = 2 if layer.kind == "recurrent" else int(layer.span is not None)
            parts[place] += count * self.layer_bytes(layer, context)
        return parts[0], parts[1], parts[2]

    def compute_bytes(self, context: int, streamed: int = 0, cuda: bool = True) -> int:
        """The fullest device's compute buffer; `streamed` bytes of experts pass through it."""
        asked = context, streamed, cuda
        if asked not in self._computed:
            reserve, fork = self._reserve(*asked), self.plan.fork
            self._computed[asked] = (
                ik_graph_bytes(self.model, reserve, fork)
                if fork
                else graph_bytes(self.model, reserve)
            )
        return self._computed[asked]

    @cached_property
    def _computed(self) -> dict[tuple[int, int, bool], int]:
        return {}

    def _reserve(self, context: int, streamed: int, cuda: bool) -> Reserve:
        """What the graph is reserved for."""
        plan, cells = self.plan, self.cells(context)[0]
        tokens = min(self.n_ubatch, context)
        few = self.version >= FEW_OUTPUTS_SINCE and plan.output_rows is None
        rows = self.slots if few else min(tokens, plan.output_rows or tokens)
        spans = [layer.span for layer in self._counted if layer.span is not None]
        keys, values = self.dtypes
        return Reserve(
            version=self.version,
            tokens=tokens,
            outputs=rows,
            cells=cells,
            window_cells=self.window_cells(max(spans), cells) if spans else cells,
            keys=keys,
            values=values,
            flash_attention=plan.flash_attention,
            absorbed=plan.latent_cache,
            pipelined=plan.gpus > 1 and plan.n_gpu_layers is None and not plan.cpu_expert_layers,
            streamed_bytes=streamed if plan.op_offload else 0,
            experts_elsewhere=plan.cpu_expert_layers >= len(self.model.layers)
            and not plan.op_offload,
            cuda=cuda,
        )

    @cached_property
    def _needed(self) -> int:
        """The cache at the plan's context, whatever the format and the device."""
        return self.kv_bytes(self.plan.context)

    def weights(self, checkpoint: Checkpoint) -> RankWeights:
        """The fullest GPU's model buffer."""
        plan = self.plan
        return offload(
            self.model, checkpoint, plan.gpus, plan.n_gpu_layers, plan.cpu_expert_layers
        ).fullest

    def limit(self, device: Device) -> int:
        """Bytes that it may use of the device."""
        usable = device.usable_with(self.plan.display)
        margin = self.metal_margin if device.vendor == "Apple" else self.margin
        return usable - int(setting(margin))

    def kind(self, device: Device) -> tuple[bool, int]:
        """Whether it computes by CUDA, and what the context takes; nothing else but the limit
        differs.
        """
        context_bytes = int(setting("llama.cpp.context_bytes")) if device.vendor != "Apple" else 0
        return device.vendor in CUDA_VENDORS, context_bytes

    def budget(self, weights: RankWeights, device: Device) -> Budget:
        plan, limit = self.plan, self.limit(device)
        cuda, context_bytes = self.kind(device)
        compute = self.compute_bytes(plan.context, weights.streamed_bytes, cuda)
        needed = self._needed
        free = limit - weights.bytes - context_bytes
        available = (free - compute) * plan.gpus
        return Budget(
            plan=plan,
            device=device,
            limit_bytes=limit,
            terms=(
                Term("weights", weights.bytes, "exact"),
                Term("activations", compute, "modelled", GRAPH_ERROR),
                Term("libraries", context_bytes, "modelled", error_of("llama.cpp.context_bytes")),
            ),
            kv_cache_bytes=available // plan.gpus,
            kv_cache_tokens=self.tokens(available),
            kv_needed_bytes=needed // plan.gpus,
            one_request_bytes=needed // plan.gpus // self.slots,
            max_concurrency=max(0, available) / needed * self.slots
            if needed
            else float(self.slots),
            longest=lambda: self.longest(free, weights.streamed_bytes, cuda),
            logged=self.log_lines,
        )

    def longest(self, free: int, streamed: int, cuda: bool) -> int:
        """The longest context whose caches fit beside the graph; both grow with it."""
        gpus = self.plan.gpus
        return longest_context(
            lambda context: (
                self.kv_bytes(context)
                <= (free - self.compute_bytes(context, streamed, cuda)) * gpus
            ),
            self.model.max_context or self.plan.context,
        )

    def log_lines(self, budget: Budget) -> tuple[str, ...]:
        """The buffers of the first GPU; recurrent and sliding caches have lines of their own."""
        name = "Metal" if budget.device.vendor == "Apple" else "CUDA0"
        full, sliding, states = (
            part // self.plan.gpus for part in self.kv_parts(self.plan.context)
        )
        lines = [f"load_tensors: {name:>12} model buffer size = {mib(budget.term('weights'))} MiB"]
        lines += [
            f"llama_kv_cache: {name:>10} KV buffer size = {mib(size)} MiB"
            for size in (full, sliding)
            if size
        ]
        if states:
            lines.append(f"llama_memory_recurrent: {name:>10} RS buffer size = {mib(states)} MiB")
        compute = mib(budget.term("activations"))
        return (*lines, f"sched_reserve: {name:>10} compute buffer size = {compute} MiB")


def unabsorbed(layer: Layer) -> Layer:
    """Checkpoints converted before April 2025 (PR 12801) keep whole keys, not latents."""
    return replace(
        layer,
        mixers=tuple(
            replace(mixer, latent=None, key_value_heads=mixer.query_heads)
            if isinstance(mixer, Attention) and mixer.latent
            else mixer
            for mixer in layer.mixers
        ),
    )


def padded(cells: int) -> int:
    step = int(setting("llama.cpp.context_padding"))
    return -(-cells // step) * step


def mib(size: int) -> str:
    return f"{size / MIB:8.2f}"
