"""Every format of one model in one table: what it weighs, what it takes to run, what holds it."""

from array import array
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

from calculators.common import truth, usual_formats
from calculators.common.estimate import ideal_bits
from calculators.common.fitting import Host, devices, host, usual_engine
from calculators.common.recipes import packed_as
from calculators.common.subject import Subject
from calculators.kit import Column, Link, Table
from calculators.maths.device import Device
from calculators.maths.memory import Plan
from calculators.maths.packing import Recipe

Cells = tuple[Any, ...]

BITS = 8  # in a byte
SIXTEEN = 16  # bits of the yardstick
USUAL_CONTEXT = Plan().context
SEVERAL = (-1, -1)  # no one device holds it
HEAD = (Column("Format"), Column("Checkpoint", "bytes"), Column("Bits per weight", " "))
OF_MODEL = (
    *HEAD,
    Column("Of 16 bits", "fraction"),
    Column("To run", "bytes"),
    Column("Smallest GPU"),
    Column("Published files met"),
)
OF_COUNT = (*HEAD, Column("Of 16 bits", "fraction"))


def of_model(subject: Subject, chosen: Recipe, context: int) -> Table:
    """Largest first; `chosen` is marked. A format that the tool refuses is left out."""
    found = dict(_usual_formats(subject, context))
    if chosen not in found:
        packed = packed_as(subject.architecture, chosen)
        hosted = host(subject.architecture, usual_engine(chosen.settings.family), context)
        weights = hosted.asked.weights(packed)
        sizes = packed.tensor_bytes, packed.parameters
        held = hosted.smallest(weights)
        found[chosen] = _row(
            subject, chosen, sizes, (devices().index(held.device), held.bytes) if held else SEVERAL
        )
    recipes = sorted(found, key=lambda recipe: -found[recipe][1])
    return Table(
        OF_MODEL,
        tuple(found[recipe] for recipe in recipes),
        basis="modelled",
        caption="Sizes are counted; memory to run is modelled for one request of the context.",
        mark=recipes.index(chosen),
    )


@lru_cache(maxsize=8)
def _usual_formats(subject: Subject, context: int) -> dict[Recipe, Cells]:
    """The rows of every variant that the facts list."""
    weights = usual_formats.weights(subject)
    known = usual_formats.listed(subject) if context == USUAL_CONTEXT else None
    numbers = kept(known) if known else _smallest(subject, context)
    holding = zip(numbers[::2], numbers[1::2], strict=True)
    return {
        recipe: _row(subject, recipe, (weight.tensor_bytes, weight.parameters), held)
        for (recipe, weight), held in zip(weights.items(), holding, strict=True)
    }


@cache
def kept(subject: Subject) -> "array[int]":
    """What holds a model of the catalogue at the usual context: kept, as its sizes are."""
    return _smallest(subject, USUAL_CONTEXT)


def _smallest(subject: Subject, context: int) -> "array[int]":
    """For each format the smallest device, by its place among `devices()`, and the bytes that it
    then holds; `SEVERAL` where no one device does.
    """
    hosts: dict[str, Host] = {}
    places = {one.id: place for place, one in enumerate(devices())}
    numbers = array("q")
    for recipe, weight in usual_formats.weights(subject).items():
        engine = usual_engine(recipe.settings.family)
        if engine not in hosts:
            hosts[engine] = host(subject.architecture, engine, context)
        held = hosts[engine].smallest(weight.loaded)
        numbers.extend((places[held.device.id], held.bytes) if held else SEVERAL)
    return numbers


def _row(subject: Subject, recipe: Recipe, sizes: tuple[int, int], held: tuple[int, int]) -> Cells:
    tensor_bytes, parameters = sizes
    bits = BITS * tensor_bytes / parameters
    device = None if held == SEVERAL else devices()[held[0]]
    return (
        _format(subject, recipe),
        tensor_bytes,
        bits,
        bits / SIXTEEN,
        held[1] if device else None,
        _link(device) if device else "several",
        _met(recipe.format),
    )


def _format(subject: Subject, recipe: Recipe) -> Link | str:
    """A way to this format of the same model; a visitor's own config is too long for a link."""
    if subject.model.own:
        return _label(recipe)
    return Link(_label(recipe), f"checkpoint-size?model={_quoted(subject.model.id)}&{recipe.query}")


@lru_cache(maxsize=8)
def _quoted(model: str) -> str:
    return quote(model)


@cache
def _link(device: Device) -> Link:
    return Link(device.name, f"gpu-fit?gpu={device.id}")


@cache
def _met(format_id: str) -> str:
    said = truth.of_format(format_id)
    return f"{said.inside} of {said.rows}" if said.rows else "—"


@cache
def _label(recipe: Recipe) -> str:
    """The format's name, and what the query sets besides."""
    settings = recipe.query.removeprefix(f"format={recipe.format}").lstrip("&").split("&")
    words = (_setting(*setting.split("=")) for setting in settings if setting)
    return " ".join((recipe.settings.name.removeprefix("GGUF "), *words))


def _setting(name: str, value: str) -> str:
    named = {"bits": "bits", "bpw": "bpw"}
    if name in named:
        return f"{value.removesuffix('.0')} {named[name]}"
    return {"group_size": f"g{value}"}.get(name, f"{name.replace('_', ' ')} {value}")


def of_count(params: int, chosen: Recipe) -> Table:
    """The classic rule for every format; nothing is counted."""
    usual = usual_formats.recipes()
    recipes = [*usual, *(() if chosen in usual else (chosen,))]
    recipes.sort(key=lambda recipe: -ideal_bits(recipe))
    table = tuple(
        (
            Link(_label(recipe), f"checkpoint-size?{recipe.query}&params={params}"),
            round(params * ideal_bits(recipe) / BITS),
            ideal_bits(recipe),
            ideal_bits(recipe) / SIXTEEN,
        )
        for recipe in recipes
    )
    caption = "The rule parameters × bits / 8 for each; real models need more."
    return Table(OF_COUNT, table, "modelled", caption, mark=recipes.index(chosen))
