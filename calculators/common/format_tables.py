"""Formats and methods side by side: sizes, losses, speeds, hardware, as tables and one picture."""

from collections.abc import Iterator
from functools import cache, lru_cache
from urllib.parse import parse_qsl, quote

from calculators.common import quality_panel, usual_formats, weighed
from calculators.common.citation import link
from calculators.common.kernels import GENERATIONS
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.quality_panel import ask, said
from calculators.common.speedup import published
from calculators.common.targets import PRECISIONS, quality_question, width
from calculators.common.weighed import Of
from calculators.facts import Row, rows
from calculators.kit import Axis, Basis, Chart, Column, Link, Table, bars
from calculators.kit.units import BITS, digits
from calculators.maths.packing import Recipe, formats
from calculators.maths.quality import Basis as Loss
from calculators.maths.quality_loss import Question

SHOWN = tuple(
    Recipe.parse(f"format={query}")
    for query in (
        *("fp32", "bf16", "fp8", "int8-w8a8", "gguf-q8_0", "gguf-q6_k", "gguf-q5_k_m"),
        *("awq", "gptq", "bnb-nf4", "nvfp4", "mxfp4", "mlx", "gguf-q4_k_m", "gguf-iq4_xs"),
        *("gptq&bits=3", "gguf-q3_k_m", "gguf-q2_k"),
    )
)
"""The formats of the picture; the table beneath has every one."""
REAL = {
    "fp32": ("fp32",),
    "fp16": ("fp16",),
    "bf16": ("bf16",),
    "fp8": ("fp8", "fp8-block"),
    "int8": ("int8-w8a8", "gguf-q8_0"),
    "int4": ("awq", "gptq", "gguf-q4_k_m"),
    "nf4": ("bnb-nf4",),
    "fp4": ("nvfp4", "mxfp4"),
}
"""Precisions as people say them -> formats that hold them."""
IDEAL_BYTES = {**PRECISIONS, "int8": 1, "int4": 0.5, "nf4": 0.5, "fp4": 0.5}
SIXTEEN = 16  # bits of what is not quantized
REMEMBERED = 16  # questions whose tables are kept between keystrokes


@lru_cache(maxsize=256)
def label(recipe: Recipe) -> str:
    """The format's name, with the settings that are not its usual ones."""
    settings = dict(parse_qsl(recipe.query))
    words = [
        settings[key].removesuffix(".0") + f" {key}" for key in ("bits", "bpw") if key in settings
    ]
    words += [f"g{settings[key]}" for key in ("group_size",) if key in settings]
    words += [
        key.replace("_", " ") if value == "true" else f"no {key.replace('_', ' ')}"
        for key, value in settings.items()
        if value in ("true", "false")
    ]
    return ", ".join((recipe.settings.name, *words))


def group(recipe: Recipe) -> str:
    """The kind of format, which colours it in a picture."""
    if recipe.format.startswith("gguf-"):
        return "GGUF"
    return "8 bits and more" if width(recipe) >= BITS else "4 bits and fewer"


def question(of: Of, recipe: Recipe, task: str) -> Question:
    """What the published rows are asked about a recipe of this model."""
    known = "" if isinstance(of, int) else of.model.id or of.name
    return quality_question(recipe, known, weighed.parameters(of) / 1e9, task)


@lru_cache(maxsize=REMEMBERED)
def memory_chart(of: Of, chosen: Recipe | None, original_bytes: int) -> Chart:
    """Checkpoints as bars: the ideal figure, and what the format adds; none above the original."""
    extra = (chosen,) if chosen is not None and chosen not in SHOWN else ()
    items = []
    for recipe in sorted((*SHOWN, *extra), key=lambda one: -_size(of, one)):
        size = _size(of, recipe)
        if not size or size > original_bytes:
            continue  # the tool refuses the model, or nobody would
        ideal = min(size, round(weighed.parameters(of) * width(recipe) / BITS))
        name = f"▸ {label(recipe)}" if recipe == chosen else label(recipe)
        items.append((name, "Bits as the name says", ideal / 1e9))
        items.append((name, "Scales, and what stays wider", (size - ideal) / 1e9))
    caption = (
        f"What {weighed.name(of)} weighs in each format. The dark part is parameters times the bits "
        "in the name; the rest is scales, zero points and the tensors that stay in 16 bits."
    )
    return bars(caption, Axis("Checkpoint, GB", "", ",.3~r", zero=True), items)


def _size(of: Of, recipe: Recipe) -> int:
    found = weighed.every_format(of).get(recipe)
    if found is not None:
        return found
    return 0 if usual_formats.is_usual(recipe) else weighed.weight_bytes(of, recipe)


@lru_cache(maxsize=REMEMBERED)
def formats_table(of: Of, original_bytes: int, task: str) -> Table:
    """Every format's usual recipes, largest first, with its ideal, its loss and what it saves."""
    count = weighed.parameters(of)
    table = []
    for recipe, size in weighed.every_format(of).items():
        if recipe.format == "original" or size > original_bytes:
            continue
        ideal = count * width(recipe) / BITS
        table.append(
            (
                _link(of, recipe),
                size,
                BITS * size / count,
                round(ideal),
                round(size / ideal - 1, 3),
                1 - size / original_bytes,
                said(ask(question(of, recipe, task))),
            )
        )
    columns = (
        Column("Format"),
        Column("Checkpoint", "bytes"),
        Column("Bits per weight", "score"),
        Column("Ideal", "bytes"),
        Column("Beyond the ideal", "fraction"),
        Column("Saved", "fraction"),
        Column("Published loss (rows)"),
    )
    basis: Basis = "modelled" if isinstance(of, int) else "exact"
    ordered = tuple(sorted(table, key=lambda row: -row[1]))
    return Table(columns, ordered, basis, folded=True)


@lru_cache(maxsize=REMEMBERED)
def frontier(of: Of, chosen: Recipe | None, basis: Loss, task: str) -> Chart | None:
    """Loss against size of every format that has rows on this kind of loss."""
    named = [
        (label(recipe), group(recipe), size, question(of, recipe, task))
        for recipe, size in weighed.every_format(of).items()
        if recipe.format != "original" and width(recipe) < SIXTEEN
    ]
    return quality_panel.frontier(named, basis, label(chosen) if chosen else "")


def _link(of: Of, recipe: Recipe) -> Link | str:
    """A way to the size page of this format; a visitor's own config is too long for a link."""
    if isinstance(of, int):
        return Link(label(recipe), f"checkpoint-size?params={of}&{recipe.query}")
    if of.model.own:
        return label(recipe)
    return Link(label(recipe), f"checkpoint-size?model={quote(of.model.id)}&{recipe.query}")


@lru_cache(maxsize=REMEMBERED)
def precisions_table(of: Of) -> Table:
    """Bytes per parameter as the name promises, and as real formats have them for this model."""
    count = weighed.parameters(of)
    table = []
    for name, held_by in REAL.items():
        for format in held_by:
            recipe = Recipe.of(format)
            size = _size(of, recipe)
            if size:
                ideal = IDEAL_BYTES[name]
                real = size / count
                table.append(
                    (name.upper(), ideal, recipe.settings.name, real, size, real / ideal - 1)
                )
    columns = (
        Column("Precision"),
        Column("Ideal bytes per parameter", " "),
        Column("Real format"),
        Column("Bytes per parameter", "score"),
        Column("Checkpoint", "bytes"),
        Column("Beyond the ideal", "fraction"),
    )
    return Table(columns, tuple(table), "modelled" if isinstance(of, int) else "exact")


@lru_cache(maxsize=REMEMBERED)
def methods_table(of: Of, task: str) -> Table:
    """How each method works, what it needs, and what was measured of it at this model's size."""
    table = tuple(
        (
            row["name"],
            row["how"],
            row["use"],
            row["calibration"],
            ", ".join(_engines(row["formats"][0])) or "not covered here",
            ", ".join(_native(row["formats"][0])) or "nowhere: unpacked to 16 bits",
            said(ask(_method_question(of, row, task))),
            _speeds(row["formats"][0]),
            link(row["source"][0]),
        )
        for row in rows("methods")
    )
    columns = (
        Column("Method"),
        Column("How it works"),
        Column("Typical use"),
        Column("Calibration"),
        Column("Engines"),
        Column("Computes in it on"),
        Column("Published loss, this size (rows)"),
        Column("Published speed-ups"),
        Column("Source"),
    )
    return Table(columns, table, "measured", folded=True)


def _method_question(of: Of, row: Row, task: str) -> Question:
    recipe = Recipe.of(row["formats"][0])
    asked = question(of, recipe, task)
    if row["id"] != "rtn":
        return asked
    return quality_question(recipe, asked.model, asked.billions, task, "RTN")


@cache
def _kernel_rows(format: str) -> tuple[Row, ...]:
    name = "gguf" if format.startswith("gguf") else format
    return tuple(row for row in rows("kernels") if name in row["formats"])


def _engines(format: str) -> Iterator[str]:
    for row in _kernel_rows(format):
        if any(how != "no" for how in row["runs"].values()):
            yield ENGINE_NAMES[row["engine"]]


@cache
def _native(format: str) -> tuple[str, ...]:
    return tuple(
        one
        for one in GENERATIONS
        if any(row["runs"].get(one) == "native" for row in _kernel_rows(format))
    )


@cache
def _speeds(format: str) -> str:
    """Least to most of whole models, with how many figures that are."""
    found = sorted(one.times for one in published(format) if not one.kernel)
    if not found:
        return "none"
    return f"{digits(found[0], 2)} to {digits(found[-1], 2)}× ({len(found)})"


@cache
def hardware_table() -> Table:
    """Per generation: what it computes in, what it only unpacks, and the engines that do."""
    table = []
    for one in GENERATIONS:
        native: list[str] = []
        unpacked: list[str] = []
        engines: list[str] = []
        for row in rows("kernels"):
            how = row["runs"].get(one, "no")
            if how != "no":
                (native if how == "native" else unpacked).extend(row["formats"])
                engines.append(ENGINE_NAMES[row["engine"]])
        table.append(
            (
                one,
                _listed([name for name in native if name not in ("fp16", "fp32")]),
                _listed([name for name in unpacked if name not in native]),
                _listed(engines),
            )
        )
    columns = (
        Column("Generation"),
        Column("Computes in"),
        Column("Unpacks, or the source does not say"),
        Column("Engines"),
    )
    caption = "From the engines' own tables; each cell's source is in the table of its format."
    return Table(columns, tuple(table), "measured", caption, folded=True)


def _listed(names: list[str]) -> str:
    known = {one.id: one.name for one in formats()} | {"gguf": "GGUF"}
    return ", ".join(dict.fromkeys(known.get(name, name) for name in names)) or "—"
