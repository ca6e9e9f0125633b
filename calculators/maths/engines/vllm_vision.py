"""vLLM's profiling run of a vision tower: the largest items that fit its budget, in one batch.

Pictures, their features and the model's input rows stay alive while the language model is profiled.
Source: `vllm-project/vllm @v0.33.0`: multimodal/encoder_budget.py, v1/core/encoder_cache_manager.py,
v1/worker/gpu_model_runner.py (`profile_run`); sizes of items from the processors in
model_executor/models/{qwen2_vl,qwen3_vl,gemma3_mm,gemma4_mm,mistral3}.py and their checkpoints'
preprocessor_config.json.
"""

from dataclasses import dataclass
from functools import cached_property

from calculators.maths.tensors import Architecture, Tensor

ACTIVATION_BYTES = 2  # 16-bit


@dataclass(frozen=True, slots=True)
class Item:
    """The largest picture or film: tokens it becomes, patches its tower works on."""

    tokens: int
    patches: int


# The modality with the most tokens is the one that is profiled.
PICTURE = Item(16384, 4 * 16384)  # 12,845,056 pixels of 28 x 28 or 16,777,216 of 32 x 32
ITEMS = {
    "qwen2_vl": PICTURE,
    "qwen2_5_vl": PICTURE,
    "qwen3_vl": PICTURE,
    "qwen3_vl_moe": PICTURE,
    "qwen3_5": PICTURE,
    "qwen3_5_moe": PICTURE,
    "gemma3": Item(256, 4096),
    "gemma4": Item(32 * (70 + 8), 32 * 70 * 9),  # 32 frames of 70 tokens, 3 x 3 patches each
    "mistral3": Item(55 * 55, 110 * 110),  # 1540 pixels of 14, merged 2 x 2
}


@dataclass(frozen=True)
class VisionPass:
    """What a vision tower adds to the profiling run of one rank."""

    model: Architecture
    tensor_parallel: int = 1

    @cached_property
    def _tower(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.model.tensors if t.part == "vision" and len(t.shape) > 1)

    @cached_property
    def item(self) -> Item | None:
        """None for a model without a tower, or with one whose items are not known here."""
        return ITEMS.get(self.model.model_type) if self._tower else None

    @cached_property
    def _pixels(self) -> int:
        """Values of one patch of a picture."""
        return self._embedding.elements // self._width

    @cached_property
    def _embedding(self) -> Tensor:
        return next(t for t in self._tower if not t.layers and "patch" in t.name)

    @cached_property
    def _width(self) -> int:
        return self._embedding.shape[0]

    @cached_property
    def _alive(self) -> int:
        """Values per patch at the peak, in a block's feed-forward: its input twice, what the first
        projections make of it, and that activated.
        """
        inner = [t for t in self._tower if t.layers and t.kind == "mlp"]
        widest = max((t.shape[0] for t in inner if t.shape[1] == self._width), default=0)
        tensors = 3 if any("gate_proj" in t.name for t in inner) else 2
        return 2 * self._width + tensors * -(-widest // self.tensor_parallel)

    @cached_property
    def _features(self) -> int:
        """Values of one token that leave the tower; deep stacks add some for several layers."""
        deep = sum("deepstack" in t.name and "linear_fc2" in t.name for t in self._tower)
        return self.model.hidden_size * (1 + deep)

    def items(self, batched_tokens: int, requests: int, context: int) -> int:
        """How many are profiled at once."""
        if not self.item:
            return 0
        budget = max(batched_tokens, self.item.tokens)
        of_prompts = requests * max(1, context // self.item.tokens)
        return max(1, min(budget // self.item.tokens, of_prompts))

    def bytes(self, batched_tokens: int, requests: int, context: int) -> tuple[int, int]:
        """The tower's own peak, and what stays while the language model runs."""
        count = self.items(batched_tokens, requests, context)
        if not self.item or not count:
            return 0, 0
        patches, tokens = count * self.item.patches, count * self.item.tokens
        rows = ACTIVATION_BYTES * batched_tokens * self.model.hidden_size
        pictures = ACTIVATION_BYTES * patches * self._pixels + rows
        peak = pictures + ACTIVATION_BYTES * patches * self._alive
        return peak, pictures + ACTIVATION_BYTES * tokens * self._features
