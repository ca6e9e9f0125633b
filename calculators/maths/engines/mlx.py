"""MLX on Apple silicon: weights, cache and activations share what Metal may wire.

Source: mlx-lm 0.32.2, mlx_lm/models/cache.py and generate.py: caches grow in steps of 256 tokens, sliding
layers use a rotating cache of the window's size, 8- and 4-bit caches keep a 16-bit scale and bias
for 64 elements. No published log gives the parts apart, so activations are modelled only.
"""

from dataclasses import dataclass
from functools import cached_property

from calculators.maths.device import Device
from calculators.maths.engines.model import (
    Budget,
    Plan,
    Term,
    feed_forward_width,
    longest_context,
    setting,
)
from calculators.maths.kv_cache import CacheLayer, cache_layers, counted, kv_dtype
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import RankWeights, rank_weights
from calculators.maths.tensors import Architecture

PREFILL_TOKENS = 2048  # mlx_lm/generate.py, prefill_step_size
ACTIVATION_BYTES = 2


@dataclass(frozen=True)
class Mlx:
    """A model and a plan for mlx-lm, on one machine."""

    model: Architecture
    plan: Plan

    @cached_property
    def layers(self) -> dict[CacheLayer, int]:
        return counted(cache_layers(self.model))

    def weights(self, checkpoint: Checkpoint) -> RankWeights:
        return rank_weights(self.model, checkpoint, parts=("text",))

    def request_bytes(self, context: int) -> int:
        keys = kv_dtype(self.plan.kv_dtype)
        values = kv_dtype(self.plan.value_dtype or self.plan.kv_dtype)
        step = int(setting("mlx.cache_step"))
        grown = -(-context // step) * step
        return sum(
            count
            * (
                self.entries(layer, grown) * layer.token_bytes(keys, values)
                + layer.state_bytes(state_bytes=self.plan.state_bytes or 4)
            )
            for layer, count in self.layers.items()
        )

    def entries(self, layer: CacheLayer, tokens: int) -> int:
        """A rotating cache holds its window and the rest of a prefill step beside it."""
        kept = layer.tokens(tokens)
        room = PREFILL_TOKENS - 1 if layer.span is not None else 0
        return min(tokens, kept + room) if room else kept

    @cached_property
    def activation_bytes(self) -> int:
        width = 3 * feed_forward_width(self.model) + 3 * self.model.hidden_size
        tokens = min(PREFILL_TOKENS, self.plan.context)
        return tokens * width * ACTIVATION_BYTES + self.model.vocab_size * ACTIVATION_BYTES

    def limit(self, device: Device) -> int:
        """Bytes that it may use of the device."""
        return int(device.usable_bytes * (self.plan.memory_fraction or 1.0))

    def kind(self, _: Device) -> str:
        """Machines differ for it by nothing but their limit."""
        return ""

    def budget(self, weights: RankWeights, device: Device) -> Budget:
        active, limit = self.activation_bytes, self.limit(device)
        available = limit - weights.bytes - active
        request = self.request_bytes(self.plan.context)
        longest = longest_context(
            lambda context: self.request_bytes(context) <= available,
            self.model.max_context or self.plan.context,
        )
        return Budget(
            plan=self.plan,
            device=device,
            limit_bytes=limit,
            terms=(
                Term("weights", weights.bytes, "exact"),
                Term("activations", active, "modelled", "no log to hold it against"),
            ),
            kv_cache_bytes=available,
            kv_cache_tokens=longest,
            kv_needed_bytes=self.plan.concurrency * request,
            one_request_bytes=request,
            max_concurrency=max(0, available) / request if request else 0.0,
            longest=lambda: longest,
            logged=self.log_lines,
        )

    def log_lines(self, budget: Budget) -> tuple[str, ...]:
        """mlx_lm.generate prints one figure, in units of 10^9 bytes."""
        return (f"Peak memory: {budget.total_bytes / 10**9:.3f} GB",)
