"""What these inputs deserve to be told: ideals, misfits, missing kernels, thin measurements."""

from collections.abc import Iterator

from calculators.common import format_tables, quality_panel, speedup, weighed
from calculators.common.kernels import runs
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.quantizing import Asked
from calculators.common.targets import family, width
from calculators.kit import Note, Notes
from calculators.kit.units import write
from calculators.maths.roofline import Setup
from calculators.maths.speed_notes import warnings as speed_warnings


def notes(asked: Asked) -> Notes | None:
    """Warnings about size, support, quality and speed, in that order; None where there are none."""
    notes = (
        *_about_size(asked),
        *_about_support(asked),
        *quality_panel.warnings(quality_panel.ask(asked.question)),
        *_about_speed(asked),
    )
    return Notes(notes) if notes else None


def _about_size(asked: Asked) -> Iterator[Note]:
    if asked.target.note:
        yield Note(asked.target.note)
    if asked.target.recipe is None:
        real = sorted(
            (size, format_tables.label(recipe))
            for recipe, size in weighed.every_format(asked.of).items()
            if width(recipe) == asked.target.bits
        )
        if real:
            (least, light), (most, heavy) = real[0], real[-1]
            yield Note(
                f"{asked.target.name} is an ideal: scales and whatever stays in 16 bits come on top. "
                f"Formats of that width come to {write(least, 'bytes')} ({light}) up to "
                f"{write(most, 'bytes')} ({heavy})."
            )
    device = asked.machine.device
    if asked.original_bytes > device.usable_bytes:
        yield Note(
            f"The original does not fit {device.name}, which has {write(device.usable_bytes, 'bytes')} "
            "to give: the speed-up compares with a card like it that could hold both."
        )


def _about_support(asked: Asked) -> Iterator[Note]:
    recipe = asked.target.recipe
    generation = asked.wanted.generation
    if recipe is None or not generation or asked.runner not in ENGINE_NAMES:
        return
    how = runs(asked.runner, recipe.format, generation)
    name = speedup.named(asked.runner)
    if how == "no":
        said = (
            f"{name} does not run {recipe.settings.name} on {generation}: see the table of engines."
        )
        yield Note(said, "warning")
    elif not how:
        said = f"No source read says that {name} runs {recipe.settings.name} on {generation}."
        yield Note(said, "warning")
    elif how == "unpacks" and family(recipe.format) not in ("bf16", "fp16", "fp32", "gguf"):
        yield Note(
            f"On {generation} {name} unpacks {recipe.settings.name} to 16 bits before it multiplies: "
            "memory and reading are saved, arithmetic is not, so large batches and prompts gain little."
        )


def _about_speed(asked: Asked) -> Iterator[Note]:
    card = asked.machine.card
    if card is None:
        yield Note("No memory bandwidth is known for this hardware: no speed is modelled.")
        return
    fast, _ = asked.sides
    setup = Setup.of(asked.runner, fast.format, card)
    estimate = fast.at(asked.batch, card, asked.runner)
    for note in speed_warnings(estimate, fast.work, card, setup):
        yield Note(f"Speed: {note.text[:1].lower()}{note.text[1:]}")
