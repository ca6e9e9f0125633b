"""One model: headline figures, facts, and the sections in their order."""

from collections.abc import Iterable
from typing import Any

from calculators.facts.catalogue import Model
from calculators.kit import Link, exact
from calculators.kit.units import write
from calculators.maths.kv_cache import cache_layers, kv_bytes_per_token
from calculators.maths.tensors import Architecture, Experts
from tools.cards import Card
from tools.documents.models.computed import cache_sizes, holders, kinds, sizes
from tools.documents.models.gathered import (
    HELD_IN,
    TRAIL,
    counted,
    four_bits,
    named,
    subject_of,
    weighed,
)
from tools.documents.models.published import files, quality_lost, speeds
from tools.naming import model_page
from tools.printing import Body
from tools.sheet import SHEET_META, Section, Sheet, calculators_of, lead, printed, sources


def page_of(model: Model) -> Body:
    """The page of a model; a short one where its tensors are not known."""
    found = subject_of(model)
    path = model_page(model)
    if isinstance(found, str):
        sheet = _partial(model, found)
        return Body(path, model.name, sheet.lead, printed(sheet, "../../"), meta=SHEET_META)
    sheet = _sheet(model, found.architecture)
    four = four_bits(model)
    card = Card(
        model.name,
        f"{four.label}: {counted(found.architecture)}" if four else "",
        write(four.bytes, "bytes").text if four else "",
        kinds(found.architecture).segments,
    )
    variables = tuple((f"{one.label}, bytes", one.bytes) for one in weighed(model))
    return Body(
        path,
        model.name,
        _description(model),
        printed(sheet, "../../"),
        meta=SHEET_META | {"title": f"{model.name}: size in every format, memory, GPUs"},
        variables=(("parameters", found.architecture.parameters), *variables),
        card=card,
    )


def _partial(model: Model, why: str) -> Sheet:
    count = model.row.get("published_parameters") or model.row.get("rounded_parameters")
    said = f"about {write(count, 'parameters')} parameters" if count else "an unknown size"
    return Sheet(
        model.name,
        f"{model.name} has {said}. Its tensors are not all known, so that no size is computed.",
        TRAIL,
        (),
        tuple(_facts_of_row(model)),
        (),
        (),
        sources(model.row["source"]),
        _notes(model),
        missing=f"What is missing: {why}",
    )


def _description(model: Model) -> str:
    """What a search engine shows: sizes, and the hardware."""
    sizes = [
        f"{write(one.bytes, 'bytes')} in {label.removesuffix(', 4 bits')}"
        for label in HELD_IN
        if (one := named(model, label))
    ]
    found = subject_of(model)
    assert not isinstance(found, str)
    said = f"{model.name}: {counted(found.architecture)}. {', '.join(sizes)}."
    four = four_bits(model)
    if four and four.smallest:
        said += f" Smallest hardware for 4 bits: {four.smallest.offer.name}."
    return said


def _sheet(model: Model, architecture: Architecture) -> Sheet:
    sixteen, four = named(model, "BF16"), four_bits(model)
    per_token = kv_bytes_per_token(architecture)
    leads = (
        *lead("Parameters", "parameters", exact(architecture.parameters)),
        *lead("In BF16", "bytes", exact(sixteen.bytes) if sixteen else None),
        *lead(f"In {four.label}" if four else "", "bytes", exact(four.bytes) if four else None),
        *lead("KV cache per token", "bytes", exact(per_token) if per_token else None),
    )
    return Sheet(
        model.name,
        _description(model).partition(": ")[2],
        TRAIL,
        leads,
        (*_facts_of_row(model), *_facts_of(architecture)),
        (
            sizes(model),
            Section("parameters", "Where the parameters are", kinds(architecture)),
            cache_sizes(architecture),
            holders(model),
            speeds(model),
            quality_lost(model),
            files(model),
        ),
        calculators_of("model", model.id, _instead(model)),
        sources(model.row["source"]),
        _notes(model),
    )


def _instead(model: Model) -> dict[str, str] | None:
    """Calculators open with AWQ; for a model that its tool refuses, what they are asked instead."""
    four = four_bits(model)
    if four is None or four.label == "AWQ, 4 bits":
        return None
    format_id = four.case.recipe.format
    return {"format": format_id, "to": format_id}


def _facts_of_row(model: Model) -> Iterable[tuple[str, Any]]:
    row = model.row
    yield "Published as", Link(model.id, f"https://huggingface.co/{model.id}")
    for label, key in (("Released", "released"), ("Licence", "license"), ("Family", "family")):
        if row.get(key):
            yield label, row[key]


def _facts_of(architecture: Architecture) -> Iterable[tuple[str, Any]]:
    yield "Architecture", architecture.model_type
    yield "Layers", len(architecture.layers)
    yield "Hidden size", architecture.hidden_size
    yield "Vocabulary", f"{architecture.vocab_size:,}{', tied' if architecture.tied else ''}"
    if architecture.max_context:
        yield "Longest context", f"{architecture.max_context:,} tokens"
    experts = next(
        (
            block
            for layer in architecture.layers
            for block in layer.feed_forward
            if isinstance(block, Experts)
        ),
        None,
    )
    if experts:
        yield "Experts", f"{experts.per_token} of {experts.count} per token"
    kept = {layer.kind for layer in cache_layers(architecture)}
    yield "Cache", ", ".join(sorted(kept)) or "none"
    yield "Stored as", architecture.dtype


def _notes(model: Model) -> tuple[str, ...]:
    """What the catalogue says besides; how the count was checked."""
    row, said = model.row, []
    for key in ("notes", "reason"):
        if row.get(key):
            said.append(f"{row[key][:1].upper()}{row[key][1:]}.".replace("..", "."))
    published = row.get("published_parameters")
    if published:
        said.append(f"The publisher's own count of parameters is {published:,}.")
    said.append(f"Read on {row['date']}.")
    return tuple(said)
