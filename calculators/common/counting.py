"""Parameters of an architecture in the groups that a reader asks for, and as sums to follow."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from calculators.common.dimensions import Counted
from calculators.common.size import KINDS
from calculators.kit import Breakdown, Column, Note, Notes, Segment, Step, Table
from calculators.maths.tensors import Architecture, Tensor

LONGEST_SUM = 6  # products that one line of a working spells out
ATTENTION_KINDS = ("attention", "recurrent")
FEED_FORWARD_KINDS = ("mlp", "expert", "shared_expert", "router")


def active(tensor: Tensor) -> int:
    """Parameters of a tensor's row that one token uses."""
    return tensor.parameters * tensor.active // tensor.copies


def group(tensor: Tensor) -> str:
    """Its kind; towers and prediction blocks are one group each."""
    if tensor.part in ("vision", "audio"):
        return "vision"
    return "mtp" if tensor.part == "mtp" else tensor.kind


LABELS = {**KINDS, "vision": "Vision and audio towers", "mtp": "Prediction blocks"}


def label(name: str) -> str:
    """What a reader sees of a group."""
    return LABELS[name]


def by_group(tensors: Iterable[Tensor]) -> dict[str, int]:
    """Parameters of each group in the order of `LABELS`, empty groups left out."""
    found: Counter[str] = Counter()
    for tensor in tensors:
        found[group(tensor)] += tensor.parameters
    return {name: found[name] for name in LABELS if found[name]}


def breakdown(tensors: Iterable[Tensor]) -> Breakdown:
    """The groups as one bar of parameters."""
    segments = (
        Segment(label(name), total, "other" if name == "mtp" else name)
        for name, total in by_group(tensors).items()
    )
    return Breakdown(tuple(segments), "parameters")


def module(tensor: Tensor) -> str:
    """The last word of the name of the module that holds it: `q_proj`."""
    name, _, suffix = tensor.name.rpartition(".")
    return name.rpartition(".")[2] if suffix in ("weight", "bias") else suffix


def product(shape: tuple[int, ...]) -> str:
    """A shape as the sum writes it: `4,096 × 14,336`."""
    return " × ".join(f"{size:,}" for size in shape)


def spelled(tensors: Iterable[Tensor]) -> str:
    """The parameters of one layer's tensors as a sum of products, equal ones counted."""
    terms: Counter[tuple[tuple[int, ...], int]] = Counter()
    for tensor in tensors:
        terms[tensor.shape, tensor.copies] += 1
    if len(terms) > LONGEST_SUM:
        return f"{sum(terms.values())} tensors of {len(terms)} shapes"
    found = []
    for (shape, copies), times in terms.items():
        factors = [f"{count:,}" for count in (copies, times) if count > 1]
        found.append(" × ".join((*factors, product(shape))))
    return " + ".join(found)


def _steps_of(name: str, tensors: list[Tensor]) -> Step:
    layers = len(tensors[0].layers)
    sum_of_one = spelled(tensors)
    many = layers > 1
    bracketed = f"({sum_of_one})" if " + " in sum_of_one and many else sum_of_one
    text = f"{bracketed} × {layers} layers" if many else sum_of_one
    return Step(label(name), text, f"{sum(tensor.parameters for tensor in tensors):,}")


def steps(tensors: Iterable[Tensor]) -> tuple[Step, ...]:
    """One line for each group and each set of layers; then their sum, where it is one."""
    rows: dict[tuple[str, tuple[int, ...]], list[Tensor]] = {}
    for tensor in tensors:
        rows.setdefault((group(tensor), tensor.layers), []).append(tensor)
    order = list(LABELS)
    keys = sorted(rows, key=lambda key: (order.index(key[0]), key[1][:1]))
    found = [_steps_of(key[0], rows[key]) for key in keys]
    if len(found) > 1:
        total = sum(tensor.parameters for row in rows.values() for tensor in row)
        found.append(Step("Together", " + ".join(step.result for step in found), f"{total:,}"))
    return tuple(found)


@dataclass(frozen=True)
class Kind:
    """Layers of the text model that hold the same number of parameters of each kind."""

    layers: tuple[int, ...]
    tensors: tuple[Tensor, ...]

    @property
    def text(self) -> str:
        """`0–2, 4` and, where they are many, how many."""
        runs: list[list[int]] = []
        for index in self.layers:
            if runs and index == runs[-1][-1] + 1:
                runs[-1][1:] = [index]
            else:
                runs.append([index])
        shown = ", ".join("–".join(map(str, run)) for run in runs[:3])
        return f"{shown} … ({len(self.layers)})" if len(runs) > 3 else shown

    def of(self, *kinds: str, active_only: bool = False) -> int:
        """Parameters of these kinds in one such layer."""
        return sum(
            tensor.elements * (tensor.active if active_only else tensor.copies)
            for tensor in self.tensors
            if tensor.kind in kinds
        )


def layer_kinds(
    architecture: Architecture, chosen: Callable[[Tensor], bool] = lambda tensor: True
) -> tuple[Kind, ...]:
    """The kinds of layers, told apart by their `chosen` tensors; those with none are left out."""
    held: dict[int, list[Tensor]] = {}
    for tensor in architecture.tensors:
        if tensor.part == "text" and chosen(tensor):
            for index in tensor.layers:
                held.setdefault(index, []).append(tensor)
    same: dict[tuple[tuple[str, tuple[int, ...], int], ...], list[int]] = {}
    for index in sorted(held):
        key = tuple(sorted((one.kind, one.shape, one.copies) for one in held[index]))
        same.setdefault(key, []).append(index)
    return tuple(Kind(tuple(found), tuple(held[found[0]])) for found in same.values())


def most_common(kinds: tuple[Kind, ...]) -> Kind | None:
    """The kind that most layers are of; the first of several."""
    return max(kinds, key=lambda kind: len(kind.layers), default=None)


def layer_notes(found: Counted, kinds: tuple[Kind, ...], without: str) -> Notes | None:
    """What was filled in, and which layers the answer is not about: `without` says what they lack."""
    notes = list(found.filled)
    common = most_common(kinds)
    if common and len(kinds) > 1:
        notes.append(
            Note(f"Layers differ; one layer is that of layers {common.text}. The others are below.")
        )
    others = len(found.architecture.layers) - sum(len(kind.layers) for kind in kinds)
    if others:
        notes.append(Note(f"{others} layers {without}."))
    return Notes(tuple(notes)) if notes else None


def layer_table(architecture: Architecture) -> Table:
    """One row for each kind of layer: what one such layer holds."""
    rows = []
    for kind in layer_kinds(architecture):
        kinds = {tensor.kind for tensor in kind.tensors}
        rest = kinds - {*ATTENTION_KINDS, *FEED_FORWARD_KINDS}
        rows.append(
            (
                kind.text,
                kind.of(*ATTENTION_KINDS),
                kind.of(*FEED_FORWARD_KINDS),
                kind.of(*rest),
                kind.of(*kinds),
                kind.of(*kinds, active_only=True),
            )
        )
    columns = (
        Column("Layers"),
        Column("Attention, mixers", "parameters"),
        Column("Feed-forward", "parameters"),
        Column("Norms, other", "parameters"),
        Column("One layer", "parameters"),
        Column("Used by a token", "parameters"),
    )
    return Table(columns, tuple(rows), caption="Each row is one layer of its kind")


def tensor_table(tensors: Iterable[Tensor]) -> Table:
    """Every tensor, by name pattern."""
    rows = tuple(
        (tensor.name, product(tensor.shape), tensor.count, tensor.parameters) for tensor in tensors
    )
    columns = (
        Column("Tensor"),
        Column("Shape"),
        Column("How many", " "),
        Column("Together", "parameters"),
    )
    return Table(columns, rows, folded=True, caption="[out, in], as the layer index runs")
