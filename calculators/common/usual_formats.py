"""A model in every usual format: what it weighs and what a GPU loads of it, counted once.

What is counted for a model of the catalogue stays, as one flat array of whole numbers: a snapshot
holds it for all of them, and as objects it would take ten times the memory.
"""

from array import array
from dataclasses import fields
from functools import cache, lru_cache
from typing import NamedTuple

from calculators.common.fitting import usual_engine
from calculators.common.subject import Subject, subjects
from calculators.maths.memory import Engine, Plan, engine
from calculators.maths.packing import CannotPack, Recipe, checkpoint, formats
from calculators.maths.ranks import RankWeights
from calculators.maths.tensors import Architecture

REMEMBERED = 8  # models whose formats stay read between keystrokes


class Weight(NamedTuple):
    """A model in one format.

    `text_bytes`  without towers and prediction blocks
    `loaded`      on one GPU, by the engine that usually runs the format
    """

    tensor_bytes: int
    parameters: int
    text_bytes: int
    loaded: RankWeights


LOADED = tuple(one.name for one in fields(RankWeights))
WIDTH = len(Weight._fields) - 1 + len(LOADED)  # numbers of one format


@cache
def recipes() -> tuple[Recipe, ...]:
    """Every variant that the facts list, in their order."""
    return tuple(Recipe.parse(query) for one in formats() for query in one.variants)


@cache
def _places() -> dict[Recipe, int]:
    return {recipe: WIDTH * place for place, recipe in enumerate(recipes())}


@lru_cache(maxsize=REMEMBERED)
def weights(subject: Subject) -> dict[Recipe, Weight]:
    """By recipe, in the order of the facts; a format whose tool refuses the model is left out."""
    numbers = _numbers(subject)
    found = ((recipe, _read(numbers, place)) for recipe, place in _places().items())
    return {recipe: weight for recipe, weight in found if weight}


def sizes(subject: Subject) -> list[tuple[Recipe, int, int]]:
    """Recipe, bytes and parameters, in the order of `weights`: all that many tables ask for."""
    numbers = _numbers(subject)
    return [
        (recipe, numbers[place], numbers[place + 1])
        for recipe, place in _places().items()
        if numbers[place]
    ]


def is_usual(recipe: Recipe) -> bool:
    """Whether the facts list this very variant."""
    return recipe in _places()


def weight(subject: Subject, recipe: Recipe) -> Weight | None:
    """In one of the usual formats; None where its tool refuses the model."""
    return _read(_numbers(subject), _places()[recipe])


def _numbers(subject: Subject) -> "array[int]":
    known = listed(subject)
    return kept(known) if known else _brought(subject)


@lru_cache(maxsize=REMEMBERED)
def _brought(subject: Subject) -> "array[int]":
    return _counted(subject.architecture)


def listed(subject: Subject) -> Subject | None:
    """The model of the catalogue with the same tensors; for most configs that people bring there
    is one, as fine-tuning changes no shape.
    """
    if not subject.model.own:
        return subject
    model = subject.architecture
    alike = _by_size().get((model.model_type, model.parameters), ())
    return next((one for one in alike if one.architecture == model), None)


@cache
def _by_size() -> dict[tuple[str, int], list[Subject]]:
    found: dict[tuple[str, int], list[Subject]] = {}
    for one in subjects():
        model = one.architecture
        found.setdefault((model.model_type, model.parameters), []).append(one)
    return found


@cache
def kept(subject: Subject) -> "array[int]":
    """The numbers of a model of the catalogue."""
    return _counted(subject.architecture)


def _counted(model: Architecture) -> "array[int]":
    """`WIDTH` numbers for each recipe, all 0 where its tool refuses the model."""
    engines: dict[str, Engine] = {}
    numbers = array("q")
    for recipe in recipes():
        name = usual_engine(recipe.settings.family)
        if name not in engines:
            engines[name] = engine(model, Plan(engine=name))
        try:
            packed = checkpoint(model, recipe)
        except CannotPack:
            numbers.extend([0] * WIDTH)
            continue
        text = sum(part.bytes for part in packed.parts if part.tensor.part == "text")
        loaded = engines[name].weights(packed)
        numbers.extend((packed.tensor_bytes, packed.parameters, text))
        numbers.extend(getattr(loaded, name) for name in LOADED)
    return numbers


def _read(numbers: "array[int]", place: int) -> Weight | None:
    if not numbers[place]:
        return None
    tensors, parameters, text, *loaded = numbers[place : place + WIDTH]
    size, latent_up, quantized, *others = loaded
    return Weight(tensors, parameters, text, RankWeights(size, latent_up, bool(quantized), *others))
