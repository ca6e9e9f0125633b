"""How a checkpoint is packed: the fields that several pages of the size family declare alike."""

from functools import lru_cache
from typing import Annotated
from urllib.parse import urlencode

from calculators.common.instead import instead
from calculators.kit import Choice, Field, Quantity, Refused, Words
from calculators.maths.packing import CannotPack, Checkpoint, Recipe, checkpoint
from calculators.maths.packing.recipe import DTYPES
from calculators.maths.tensors import Architecture

USUAL = ("", "as usual")
YES_OR_NO = ((USUAL[0], USUAL[1]), ("true", "yes"), ("false", "no"))


def yes(text: str) -> bool:
    """What a choice of yes and no means."""
    return text == "true"


KeepInput = Annotated[
    tuple[str, ...],
    Field(
        "What stays unquantized",
        Words("default, attention"),
        help="default is the tool's own list. Add embedding, head, attention, mlp, expert, "
        "shared_expert, router, vision, mtp or a name pattern with *; take out with -head.",
        advanced=True,
    ),
]
DtypeInput = Annotated[
    str,
    Field(
        "Its dtype",
        Choice((("default", "as the tool writes it"), *((name, name) for name in DTYPES))),
        help="Of embeddings, norms and whatever else stays.",
        advanced=True,
    ),
]
LineInput = Annotated[
    float,
    Field("Line speed", Quantity("Mbit/s", 0.1, 1e6), help="For the download.", advanced=True),
]


def group_sizes(*sizes: int, usual: int) -> Choice:
    """A choice of group sizes; -1 is a whole row of the matrix."""
    labels = {-1: "per channel", usual: "per channel, the usual" if usual == -1 else None}
    return Choice(
        tuple((str(size), labels.get(size) or _usual(size, usual)) for size in sizes), int
    )


def bit_widths(*widths: int, usual: int) -> Choice:
    """A choice of bits per weight."""
    return Choice(tuple((str(width), _usual(width, usual)) for width in widths), int)


def _usual(value: int, usual: int) -> str:
    return f"{value}, the usual" if value == usual else str(value)


@lru_cache(maxsize=64, typed=True)
def recipe(format: str, **settings: object) -> Recipe:
    """The recipe of these settings, None for the format's own; one that it does not know is
    refused at its field.
    """
    words = {key: _word(value) for key, value in settings.items() if value not in (None, "default")}
    try:
        return Recipe.parse(urlencode({"format": format, **words}))
    except ValueError as mistake:
        raise refused(mistake) from None


def packed_as(model: Architecture, recipe: Recipe) -> Checkpoint:
    """The packed model; what its tool would refuse is refused beside the model's field."""
    try:
        return checkpoint(model, recipe)
    except CannotPack as refusal:
        said, offer = instead(model, recipe)
        raise Refused(f"{sentence(str(refusal))} {said}".rstrip(), "model", offer) from None
    except ValueError as mistake:
        raise refused(mistake) from None


def refused(mistake: ValueError) -> Refused:
    """A recipe's complaint, `field: words`, as a refusal beside that field; any other is about the
    model.
    """
    name, _, said = str(mistake).partition(": ")
    if name.isidentifier():
        return Refused(sentence(said), name)
    return Refused(sentence(str(mistake)), "model")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)
