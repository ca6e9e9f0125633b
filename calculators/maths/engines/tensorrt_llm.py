"""TensorRT-LLM: a fraction of what is free once the model is loaded and has been run dry.

Source: https://nvidia.github.io/TensorRT-LLM/features/kvcache.html (`free_gpu_memory_fraction`,
`tokens_per_block`); layers with a window keep every token unless `max_attention_window` is set. The
log line is that of cpp/tensorrt_llm/batch_manager/kvCacheManager.cpp. No log was found that gives
the parts apart: activations and libraries are unverified.
"""

from dataclasses import dataclass
from functools import cached_property

from calculators.kit.units import GIB
from calculators.maths.device import Device
from calculators.maths.engines.blocks import Cut, Pool, pool
from calculators.maths.engines.model import (
    Budget,
    Plan,
    Term,
    drafting,
    error_of,
    fullest_rank,
    longest_context,
    setting,
)
from calculators.maths.engines.model import feed_forward_width as widest
from calculators.maths.engines.vllm import libraries
from calculators.maths.kv_cache import F32_BYTES, kv_dtype
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import RankWeights, fullest_stage
from calculators.maths.tensors import Architecture

ACTIVATION_BYTES = 2
MAX_BATCH_SIZE = 2048  # default of trtllm-serve; rows of logits at most


@dataclass(frozen=True)
class TensorRtLlm:
    """A model and a plan for TensorRT-LLM's PyTorch backend."""

    model: Architecture
    plan: Plan

    @cached_property
    def pool(self) -> Pool:
        cut = Cut(
            kv_dtype(self.plan.kv_dtype),
            kv_dtype(self.plan.value_dtype or self.plan.kv_dtype),
            self.plan.tensor_parallel,
            block_size=self.plan.block_size or setting("tensorrt-llm.tokens_per_block"),
            hybrid=False,
        )
        return pool(
            fullest_stage(self.model, self.plan.pipeline_parallel, drafting(self.plan)), cut
        )

    def weights(self, checkpoint: Checkpoint) -> RankWeights:
        return fullest_rank(self.model, checkpoint, self.plan)

    @cached_property
    def activation_bytes(self) -> int:
        """The forward pass over `max_num_tokens`, and float32 logits of the batch."""
        tokens = self.plan.max_num_batched_tokens or setting("tensorrt-llm.max_num_tokens")
        rows = min(self.plan.max_num_seqs or MAX_BATCH_SIZE, tokens)
        width = 3 * widest(self.model) // self.plan.tensor_parallel + 3 * self.model.hidden_size
        logits = rows * self.model.vocab_size * F32_BYTES
        return int(max(tokens * width * ACTIVATION_BYTES, logits))

    def budget(self, weights: RankWeights, device: Device) -> Budget:
        usable = device.usable_with(self.plan.display)
        name = libraries(self.plan, device)  # they weigh the same under either engine
        taken = setting(name)
        active = self.activation_bytes
        free = usable - weights.bytes - taken - active
        fraction = self.plan.memory_fraction or setting("tensorrt-llm.free_gpu_memory_fraction")
        available = int(free * fraction) if free > 0 else free
        blocks = self.pool
        count = blocks.blocks(available)
        request = blocks.blocks_per_request(self.plan.context)
        return Budget(
            plan=self.plan,
            device=device,
            limit_bytes=usable,
            terms=(
                Term("weights", weights.bytes, "exact"),
                Term("activations", active, "modelled", "no log to hold it against"),
                Term("libraries", taken, "modelled", error_of(name)),
                Term("left free", free - available, "exact"),
            ),
            kv_cache_bytes=available,
            kv_cache_tokens=count * blocks.smallest_block,
            kv_needed_bytes=self.plan.concurrency * request * blocks.bytes_per_block,
            one_request_bytes=request * blocks.bytes_per_block,
            max_concurrency=count / request if request else 0.0,
            longest=lambda: longest_context(
                lambda context: blocks.request_bytes(context) <= available,
                self.model.max_context or self.plan.context,
            ),
            logged=self.log_lines,
        )

    def log_lines(self, budget: Budget) -> tuple[str, ...]:
        blocks = self.pool.blocks(budget.kv_cache_bytes)
        size = blocks * self.pool.bytes_per_block / GIB
        return (
            f"[MemUsageChange] Allocated {size:.2f} GiB for max tokens in paged KV cache "
            f"({budget.kv_cache_tokens}).",
        )
