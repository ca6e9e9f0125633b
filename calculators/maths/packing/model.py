"""What packing yields: every tensor with its stored type and bytes, and what the file adds."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from calculators.maths.tensors import Tensor


class Packed(NamedTuple):
    """All tensors of one pattern as stored. `bytes` has every copy, scales and zeros included."""

    tensor: Tensor
    stored_as: str  # "int4 g128", "Q6_K", "bfloat16"
    bytes: int
    quantized: bool


@dataclass(frozen=True)
class Checkpoint:
    """A packed model. `header_bytes` is what the files hold besides tensors: header, tokenizer.

    `header_basis`: "measured" when the tokenizer in it was weighed in a published file.
    """

    parts: tuple[Packed, ...] = field(repr=False)
    parameters: int
    header_bytes: int
    header_basis: Literal["measured", "modelled"] = "modelled"

    @cached_property
    def tensor_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @cached_property
    def file_bytes(self) -> int:
        return self.tensor_bytes + self.header_bytes

    @cached_property
    def bits_per_weight(self) -> float:
        """Over the whole model."""
        return 8 * self.tensor_bytes / self.parameters

    @cached_property
    def quantized_bits_per_weight(self) -> float | None:
        """Over the quantized tensors alone; None when there are none."""
        quantized = [part for part in self.parts if part.quantized]
        weights = sum(part.tensor.parameters for part in quantized)
        return 8 * sum(part.bytes for part in quantized) / weights if weights else None
