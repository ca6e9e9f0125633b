"""Puts packed and kept tensors together into a `Checkpoint`, header of the files included.

The header of a safetensors file is 8 bytes of length, then JSON that names every tensor with its
dtype, shape and offsets, padded to 8 bytes (huggingface/safetensors:safetensors/src/tensor.rs
@000a16f45cff0d4169ca15b67ea002895234d671).
"""

from collections.abc import Callable
from math import ceil, prod
from typing import NamedTuple

from calculators.maths.packing.layout import Layout, Row, layout
from calculators.maths.packing.model import Checkpoint, Packed
from calculators.maths.packing.recipe import DTYPES, Recipe
from calculators.maths.tensors import Architecture, Tensor

# Bytes per element, by the name that a config gives a dtype and by that of safetensors
BYTES = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int8": 1,
    "uint8": 1,
    "float8_e4m3fn": 1,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "U32": 4,
    "I16": 2,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
}
CODES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32"}
ENTRY = len('"":{"dtype":"","shape":[],"data_offsets":[,]},')
OPENING = len('{"__metadata__":{"format":"pt"},') + 8 + 3  # length word; half of the padding


class Part(NamedTuple):
    """One tensor that a packed matrix turns into: last part of its name, dtype, shape."""

    suffix: str
    dtype: str
    shape: tuple[int, ...]


class Stored(NamedTuple):
    """A packed matrix; `stacked` when the copies share one tensor with a leading axis."""

    label: str
    parts: tuple[Part, ...]
    stacked: bool = False


class CannotPack(ValueError):
    """The format's tool refuses this model; the message says which matrix and why."""


Store = Callable[[Row, Recipe], Stored | None]  # None: the tool leaves this matrix as it is
Assign = Callable[[Tensor], Store | None]
Spare = Callable[[Tensor], bool]  # the tool's cast passes over this tensor


class Assembly:
    """A checkpoint in the making: `keep` or `store` each row, then `finish`."""

    def __init__(
        self, architecture: Architecture, recipe: Recipe, spare: Spare | None = None
    ) -> None:
        """`spare`: of a tool that casts the rest to the model's dtype, unless told another."""
        self.recipe = recipe
        self.layout: Layout = layout(architecture)
        self.spare = spare
        usual = architecture.dtype if spare else None
        self.cast = recipe.dtype or recipe.settings.dtype or usual
        self.parts: list[Packed] = []
        self.entries = 0
        self.characters = 0

    def rows(self) -> list[Row]:
        """What this recipe writes: everything but what it drops, a copied head included."""
        dropped = self.layout.named(self.recipe.drops)
        found = [row for row in self.layout.rows if not dropped(row.tensor)]
        if self.recipe.head == "copied" and self.layout.copied_head:
            found.append(self.layout.copied_head)
        if self.recipe.inv_freq and self.layout.inv_freq:
            found.append(self.layout.inv_freq)
        return found

    def dtype(self, tensor: Tensor) -> str:
        """What this tensor has when it is not packed; only floating parameters are cast."""
        own = tensor.dtype or self.layout.architecture.dtype
        spared = self.spare is not None and self.spare(tensor)
        dtype = self.cast if self.cast and own in DTYPES and not spared else own
        if dtype not in BYTES:
            raise CannotPack(f"{tensor.name}: the dtype {dtype!r} is not known here")
        return dtype

    def keep(self, row: Row) -> None:
        dtype = self.dtype(row.tensor)
        memo, key = self.layout.memo, (id(row), dtype)
        if key not in memo:
            memo[key] = _kept(row, dtype)
        part, characters = memo[key]
        self.parts.append(part)
        self.entries += row.whole
        self.characters += characters

    def store(self, row: Row, stored: Stored) -> None:
        label, parts, stacked = stored
        size = 0
        characters = ENTRY * len(parts)
        for suffix, dtype, shape in parts:
            size += BYTES[dtype] * prod(shape)
            characters += len(suffix) + len(dtype) + len(str(shape)) - 1 - len(shape)
        count = max(1, len(row.tensor.layers)) if stacked else row.modules
        self.parts.append(Packed(row.tensor, label, size * row.modules, True))
        self.entries += count * len(parts)
        self.characters += count * characters + row.stem * count // row.modules * len(parts)

    def finish(self) -> Checkpoint:
        """Header: entries, offsets and, for each file, its opening and padding."""
        total = sum(part.bytes for part in self.parts)
        limit = self.recipe.settings.shard_bytes
        files = max(1, ceil(total / limit)) if limit else 1
        offsets = 2 * self.entries * _digits(total / files)
        return Checkpoint(
            parts=tuple(self.parts),
            parameters=sum(part.tensor.parameters for part in self.parts),
            header_bytes=round(self.characters + offsets) + files * OPENING,
        )


def _kept(row: Row, dtype: str) -> tuple[Packed, int]:
    """The tensor as it is, and the characters of its entries in the header."""
    tensor = row.tensor
    shape = len(str(tensor.shape)) - 1 - len(tensor.shape)
    each = ENTRY + len(CODES.get(dtype, dtype)) + shape
    part = Packed(tensor, dtype, BYTES[dtype] * tensor.parameters, False)
    return part, row.names + row.whole * each


def _digits(size: float) -> float:
    """Mean length of an offset, the offsets spread evenly over a file of `size` bytes."""
    mean, power = 1.0, 10.0
    while power < size:
        mean += 1 - power / size
        power *= 10
    return mean


def assemble(
    architecture: Architecture, recipe: Recipe, assign: Assign, spare: Spare | None = None
) -> Checkpoint:
    """Each matrix packed by the function that `assign` names for it, the rest kept."""
    assembly = Assembly(architecture, recipe, spare)
    for row in assembly.rows():
        store = assign(row.tensor) if row.matrix else None
        stored = store(row, recipe) if store else None
        if stored is None:
            assembly.keep(row)
        else:
            assembly.store(row, stored)
    return assembly.finish()


def packer(store: Store) -> Callable[[Architecture, Recipe], Checkpoint]:
    """The `pack` of a family that treats every matrix alike, but for those the recipe keeps."""

    def pack(architecture: Architecture, recipe: Recipe) -> Checkpoint:
        kept = layout(architecture).named(recipe.keeps)
        return assemble(architecture, recipe, lambda tensor: None if kept(tensor) else store)

    return pack
