"""Every format of one model in one table: what it weighs, what it takes to run, what holds it."""

from array import array
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from calculators.common import truth, usual_formats, weighed
from calculators.common.estimate import ideal_bits
from calculators.common.fitting import Held, Host, devices, host, usual_engine
from calculators.common.subject import Subject
from calculators.kit import Column, Link, Table
from calculators.kit.units import BITS
from calculators.maths.memory import Plan
from calculators.maths.packing import Recipe

Cells = tuple[Any, ...]

SIXTEEN = 16  # bits of the yardstick
USUAL_CONTEXT = Plan().context
SEVERAL = -1  # the place of no one device
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
    found = _usual_formats(subject, context)
    mark = next((row for recipe, row in found if recipe == chosen), None)
    rows = [row for _, row in found]
    if mark is None:
        mark = _of_one(subject, chosen, context)
        rows.append(mark)
    rows.sort(key=itemgetter(1), reverse=True)
    return Table(
        OF_MODEL,
        tuple(rows),
        basis="modelled",
        caption="Sizes are counted; memory to run is modelled for one request of the context.",
        mark=next(place for place, row in enumerate(rows) if row is mark),
    )


def _of_one(subject: Subject, recipe: Recipe, context: int) -> Cells:
    """The row of a variant that the facts do not list."""
    packed = weighed.packed(subject, recipe)
    hosted = host(subject, usual_engine(recipe.settings.family), context)
    held = _numbers(hosted.smallest(hosted.asked.weights(packed)))
    return _row(_way(subject), (recipe, packed.tensor_bytes, packed.parameters), *held)


@lru_cache(maxsize=8)
def _usual_formats(subject: Subject, context: int) -> list[tuple[Recipe, Cells]]:
    """The rows of every variant that the facts list."""
    sizes = usual_formats.sizes(subject)
    known = usual_formats.listed(subject) if context == USUAL_CONTEXT else None
    numbers = kept(known) if known else _smallest(subject, context)
    way, rows = _way(subject), zip(sizes, numbers[::2], numbers[1::2], strict=True)
    return [(size[0], _row(way, size, place, held)) for size, place, held in rows]


@cache
def kept(subject: Subject) -> "array[int]":
    """What holds a model of the catalogue at the usual context: kept, as its sizes are."""
    return _smallest(subject, USUAL_CONTEXT)


def _smallest(subject: Subject, context: int) -> "array[int]":
    """For each format the smallest device and the bytes that it then holds, see `_numbers`."""
    hosts: dict[str, Host] = {}
    numbers = array("q")
    for recipe, weight in usual_formats.weights(subject).items():
        engine = usual_engine(recipe.settings.family)
        if engine not in hosts:
            hosts[engine] = host(subject, engine, context)
        numbers.extend(_numbers(hosts[engine].smallest(weight.loaded)))
    return numbers


def _numbers(held: Held | None) -> tuple[int, int]:
    """The device's place among `devices()`, and what it holds; where no one does, `SEVERAL`."""
    return (_places()[held.device.id], held.bytes) if held else (SEVERAL, SEVERAL)


@cache
def _places() -> dict[str, int]:
    return {one.id: place for place, one in enumerate(devices())}


def _row(way: str, size: tuple[Recipe, int, int], place: int, held: int) -> Cells:
    """A format of the model to which `way` leads, and the device at that place that holds it."""
    recipe, tensor_bytes, parameters = size
    label, met = _said(recipe)
    bits = BITS * tensor_bytes / parameters
    several = place == SEVERAL
    return (
        Link(label, way + recipe.query) if way else label,
        tensor_bytes,
        bits,
        bits / SIXTEEN,
        None if several else held,
        "several" if several else _links()[place],
        met,
    )


def _way(subject: Subject) -> str:
    """To the same model in a format; a visitor's own config is too long for a link."""
    return "" if subject.model.own else f"checkpoint-size?model={quote(subject.model.id)}&"


@cache
def _links() -> tuple[Link, ...]:
    return tuple(Link(device.name, f"gpu-fit?gpu={device.id}") for device in devices())


@cache
def _said(recipe: Recipe) -> tuple[str, str]:
    """Its name, and how many published files were met."""
    said = truth.of_format(recipe.format)
    return _label(recipe), f"{said.inside} of {said.rows}" if said.rows else "—"


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
