"""SGLang: what is free after loading, less what `mem_fraction_static` leaves to activations.

Source: `sgl-project/sglang @v0.5.23`, python/sglang/srt/mem_cache/kv_cache_configurator.py
(`_profile_available_bytes`), model_executor/pool_configurator.py, arg_groups/memory_hook.py.
24 logged pools are 0.990 to 0.999 of this rule.
"""

from dataclasses import dataclass
from functools import cached_property

from calculators.kit.units import GIB, MIB
from calculators.maths.device import Device
from calculators.maths.engines.blocks import Cut, state_page
from calculators.maths.engines.model import (
    Budget,
    Plan,
    Term,
    drafting,
    fullest_rank,
    longest_context,
    setting,
)
from calculators.maths.kv_cache import DEFAULT_STATE_BYTES, CacheLayer, counted, kv_dtype
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import RankWeights, fullest_stage
from calculators.maths.tensors import Architecture

# memory_hook.py: card size in GiB -> chunked prefill tokens, largest decode batch below and from 4
# tensor-parallel ranks on
DEFAULTS = (
    (20, 2048, 8, 8),
    (35, 4096, 48, 160),
    (60, 4096, 32, 160),
    (160, 8192, 256, 512),
    (None, 16384, 512, 512),
)
RESERVE_MIB = 512
RESERVE_PER_TOKEN_MIB = 1.5
RESERVE_LEAST_TOKENS = 2048
RESERVE_PER_GPU_MIB = 1024 / 8
RESERVE_PER_REQUEST_MIB = 2
RESERVE_LATENT_MIB = 1536  # prefill graphs of latent attention
RESERVE_PER_GRAPH_MIB = 8
RESERVE_LARGE_MIB, LARGE_GIB = 10240, 60  # at least this much above 60 GiB
PREFILL_GRAPHS = 16  # sizes captured up to the default chunk

# What a process takes before weights are loaded: CUDA context alone, or with NCCL. An RTX 3090 with
# two ranks logs "Load weight begin avail mem=22.91 GB" of a CUDA total of 23.69.
START_BYTES = 300 * MIB
START_PARALLEL_BYTES = 800 * MIB


@dataclass(frozen=True)
class Sglang:
    """A model and a plan for SGLang."""

    model: Architecture
    plan: Plan

    @cached_property
    def layers(self) -> dict[CacheLayer, int]:
        return counted(fullest_stage(self.model, self.plan.pipeline_parallel, drafting(self.plan)))

    @cached_property
    def _latent(self) -> bool:
        return any(layer.kind == "latent" for layer in self.layers)

    @cached_property
    def _cut(self) -> Cut:
        key = kv_dtype(self.plan.kv_dtype)
        return Cut(
            key,
            kv_dtype(self.plan.value_dtype or self.plan.kv_dtype),
            self.plan.tensor_parallel,
            state_bytes=self.plan.state_bytes or DEFAULT_STATE_BYTES,  # configs/mamba_utils.py
            speculative_tokens=self.plan.speculative_tokens,
        )

    def _cell(self, sliding: bool) -> int:
        """Bytes of one token in all layers that slide, or in all that do not."""
        cut = self._cut
        return sum(
            count * layer.token_bytes(cut.keys, cut.values, cut.tensor_parallel) // layer.ratio
            for layer, count in self.layers.items()
            if (layer.kind == "sliding") is sliding
        )

    @cached_property
    def cells(self) -> tuple[int, int]:
        """Bytes per token of the full layers, and of the sliding ones (0: none slides)."""
        full, sliding = self._cell(False), self._cell(True)
        return (full, sliding) if full else (sliding, 0)

    @cached_property
    def state_bytes(self) -> int:
        """Of one request on one rank, in all recurrent layers."""
        return sum(
            count * state_page(layer, self._cut)
            for layer, count in self.layers.items()
            if layer.kind == "recurrent"
        )

    @cached_property
    def ratio(self) -> float:
        """Sliding tokens kept per full token."""
        given = self.plan.swa_full_tokens_ratio
        return setting("sglang.swa_full_tokens_ratio") if given is None else given

    def defaults(self, device: Device) -> tuple[int, int]:
        """Chunked prefill tokens and largest decode batch for a card of this size."""
        size = device.usable_bytes / GIB
        _, chunk, few, many = next(row for row in DEFAULTS if row[0] is None or size < row[0])
        return self.plan.chunked_prefill_size or chunk, many if self._ranks >= 4 else few

    @property
    def _ranks(self) -> int:
        return self.plan.tensor_parallel

    def fraction(self, device: Device) -> float:
        """`mem_fraction_static`: as asked, or what the reserve of activations leaves."""
        if self.plan.memory_fraction is not None:
            return self.plan.memory_fraction
        chunk, decode = self.defaults(device)
        reserve = RESERVE_MIB + RESERVE_PER_TOKEN_MIB * max(chunk, RESERVE_LEAST_TOKENS)
        reserve += RESERVE_PER_GPU_MIB * self.plan.gpus + RESERVE_PER_REQUEST_MIB * decode
        reserve += RESERVE_LATENT_MIB if self._latent else RESERVE_PER_GRAPH_MIB * PREFILL_GRAPHS
        size = device.usable_bytes / MIB
        if size > LARGE_GIB * 1024:
            reserve = max(reserve, RESERVE_LARGE_MIB)
        return max(0.0, (size - reserve) / size)

    def weights(self, checkpoint: Checkpoint) -> RankWeights:
        return fullest_rank(self.model, checkpoint, self.plan)

    def states(self, rest: int) -> int:
        """Recurrent states the pool keeps: for the running requests, or a fixed share of `rest`."""
        if not self.state_bytes:
            return 0
        if self.plan.max_num_seqs:
            return self.plan.max_num_seqs * int(setting("sglang.states_per_request"))
        share = setting("sglang.mamba_full_memory_ratio")
        return int(rest * share / (1 + share) / self.state_bytes)

    def budget(self, weights: RankWeights, device: Device) -> Budget:
        usable = device.usable_with(self.plan.display)
        before = usable - (START_PARALLEL_BYTES if self.plan.gpus > 1 else START_BYTES)
        kept = round(before * (1 - self.fraction(device)))
        copies = weights.latent_up_bytes if weights.quantized else 0
        rest = before - weights.bytes - copies - kept
        states = self.states(rest) * self.state_bytes
        pool = rest - states
        tokens = self.tokens(pool)
        needed = self.request_bytes(self.plan.context)
        return Budget(
            plan=self.plan,
            device=device,
            limit_bytes=before,
            terms=(
                Term("weights", weights.bytes, "exact"),
                Term("tables", copies, "exact"),
                Term("activations", kept, "modelled", "kept free by mem_fraction_static"),
                Term("states", states, "modelled"),
            ),
            kv_cache_bytes=pool,
            kv_cache_tokens=tokens,
            kv_needed_bytes=self.plan.concurrency * needed,
            one_request_bytes=needed,
            max_concurrency=tokens / self.plan.context,
            longest=lambda: longest_context(
                lambda context: self.request_bytes(context) <= pool,
                self.model.max_context or self.plan.context,
            ),
            logged=self.log_lines,
        )

    def tokens(self, pool: int) -> int:
        """Full-attention tokens a pool holds beside the sliding tokens that `ratio` asks for."""
        full, sliding = self.cells
        cell = full + self.ratio * sliding
        page = int(self.plan.block_size or setting("sglang.page_size"))
        return int(max(0, pool) / cell) // page * page if cell else 0

    def request_bytes(self, context: int) -> int:
        full, sliding = self.cells
        return round(context * (full + self.ratio * sliding))

    def log_lines(self, budget: Budget) -> tuple[str, ...]:
        """Loading and the pools, in GiB called GB. Sliding layers have a line of their own."""
        full, sliding = self.cells
        tokens = budget.kv_cache_tokens
        after = (budget.limit_bytes - budget.term("weights") - budget.term("tables")) / GIB
        begin = budget.limit_bytes / GIB
        lines = [
            f"Load weight begin. avail mem={begin:.2f} GB",
            f"Load weight end. avail mem={after:.2f} GB, mem usage={begin - after:.2f} GB.",
        ]
        pools = [(int(tokens * self.ratio), sliding)] if sliding else []
        for count, cell in [*pools, (tokens, full)]:
            size = count * cell / GIB
            lines.append(
                f"KV Cache is allocated. #tokens: {count}, KV size: {size:.2f} GB"
                if self._latent
                else f"KV Cache is allocated. #tokens: {count}, "
                f"K size: {size / 2:.2f} GB, V size: {size / 2:.2f} GB"
            )
        left = (budget.limit_bytes - budget.term("weights") - budget.kv_cache_bytes) / GIB
        return (*lines, f"Memory pool end. avail mem={left:.2f} GB")
