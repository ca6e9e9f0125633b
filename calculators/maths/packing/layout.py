"""What of an architecture every format needs alike: computed once, then packed many times."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from calculators.maths.packing.select import Test, selector
from calculators.maths.tensors import Architecture, Attention, Tensor

# Fused gate and up projections that the tools split before they quantize, in stacked experts
FUSED = {"gate_up_proj": "gate_proj", "gate_and_up_proj": "gate_proj", "input_linear": "gate_proj"}


class Row(NamedTuple):
    """A tensor pattern as the files hold it.

    `modules`  matrices that a quantizer packs one by one, each [`rows`, `columns`]
    `stem`     characters of all their names up to the last dot, dot included
    `whole`    tensors in the files when nothing is packed (stacked experts: one per layer)
    `names`    characters of the names of those
    `stack`    copies in each of the whole tensors
    """

    tensor: Tensor
    modules: int
    rows: int
    columns: int
    biased: bool
    stem: int
    whole: int
    names: int
    stack: int

    @property
    def matrix(self) -> bool:
        """Something that a quantizer could pack."""
        tensor = self.tensor
        return len(tensor.shape) == 2 and (tensor.linear or tensor.kind == "embedding")


@dataclass(frozen=True)
class Layout:
    """The rows of an architecture, and two that only some files hold.

    `copied_head`  the tied head as a matrix of its own
    `inv_freq`     rotary frequencies, a float32 for two dimensions of a head, in every layer
    """

    architecture: Architecture
    rows: tuple[Row, ...]
    copied_head: Row | None
    inv_freq: Row | None
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def named(self, words: tuple[str, ...]) -> Test:
        """Whether `words` name a tensor, found once for all formats that say the same."""
        if words not in self.memo:
            chosen, answers = selector(words, self.architecture), dict[int, bool]()

            def remembered(tensor: Tensor) -> bool:
                key = id(tensor)
                if key not in answers:
                    answers[key] = chosen(tensor)
                return answers[key]

            self.memo[words] = remembered
        test: Test = self.memo[words]
        return test


REMEMBERED = 4  # layouts, the newest first
_layouts: list[Layout] = []


def layout(architecture: Architecture) -> Layout:
    """The layout of `architecture`; a few are remembered, for many formats of one model."""
    for known in _layouts:
        if known.architecture is architecture:
            return known
    names = {tensor.name for tensor in architecture.tensors}
    rows = tuple(_row(tensor, names) for tensor in architecture.tensors)
    made = Layout(architecture, rows, _copied_head(architecture), _inv_freq(architecture))
    _layouts[:] = [made, *_layouts[: REMEMBERED - 1]]
    return made


def _copied_head(architecture: Architecture) -> Row | None:
    embedding = next((t for t in architecture.tensors if t.kind == "embedding"), None)
    if embedding is None or any(t.kind == "head" for t in architecture.tensors):
        return None
    head = replace(embedding, name="lm_head.weight", kind="head", linear=True, layers=())
    return _row(head, set())


def _inv_freq(architecture: Architecture) -> Row | None:
    mixers = (layer.mixers[0] for layer in architecture.layers if layer.mixers)
    attention = next((mixer for mixer in mixers if isinstance(mixer, Attention)), None)
    if attention is None:
        return None
    buffer = Tensor(
        name="model.layers.{}.self_attn.rotary_emb.inv_freq",
        shape=(attention.head_dim // 2,),
        kind="other",
        linear=False,
        layers=tuple(range(len(architecture.layers))),
        dtype="F32",  # the name in the file: a buffer, which no cast of the parameters reaches
    )
    return _row(buffer, set())


def _row(tensor: Tensor, names: set[str]) -> Row:
    shape = tensor.shape or (1,)  # a scalar buffer
    fused = tensor.name.removesuffix(".weight").rsplit(".", 1)[-1]
    split = 2 if tensor.stacked and fused in FUSED and shape[0] % 2 == 0 else 1
    whole = tensor.count // tensor.copies if tensor.stacked else tensor.count
    module = tensor.name.removesuffix(".weight")
    pattern = module
    if tensor.stacked:
        pattern = module.replace(f".{fused}", f".{{}}.{FUSED.get(fused, fused)}")
    return Row(
        tensor=tensor,
        modules=tensor.count * split,
        rows=shape[0] // split,
        columns=shape[-1],
        biased=f"{module}.bias" in names or f"{module}_bias" in names,
        stem=_characters(f"{pattern}.", tensor, per_copy=True) * split,
        whole=whole,
        names=_characters(tensor.name, tensor, per_copy=not tensor.stacked),
        stack=tensor.copies if tensor.stacked else 1,
    )


def _characters(pattern: str, tensor: Tensor, per_copy: bool) -> int:
    """Length of all names of the pattern, with the indexes of layers and copies written out."""
    layers = max(1, len(tensor.layers))
    copies = tensor.copies if per_copy else 1
    fixed = len(pattern.replace("{}", ""))
    of_layers = _written(tensor.layers) * copies
    of_copies = _written(range(copies)) * layers if copies > 1 else 0
    return fixed * layers * copies + of_layers + of_copies


@lru_cache(maxsize=64)  # the tensors of a layer share its indexes
def _written(indexes: tuple[int, ...] | range) -> int:
    """Characters of so many numbers."""
    return sum(map(len, map(str, indexes)))
