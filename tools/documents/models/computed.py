"""The sections of a model's page that we compute: sizes, parameters, KV cache, GPUs."""

from typing import Any

from calculators.common.size import KINDS
from calculators.common.weighing import Hosted, Offer, Weighed, offers, short_name
from calculators.facts.catalogue import Model
from calculators.kit import Breakdown, Column, Link, Segment, Table
from calculators.kit.units import write
from calculators.maths.kv_cache import cache_layers, kv_cache_bytes
from calculators.maths.tensors import Architecture
from tools.documents.models.gathered import HELD_IN, named, weighed
from tools.naming import gpu_page
from tools.sheet import CONTEXT, Section, to

CONTEXTS = tuple(4096 * 4**n for n in range(6))
CACHE_TYPES = (("f16", "16 bits"), ("fp8", "FP8"), ("q4_0", "q4_0"))


def sizes(model: Model) -> Section:
    """Each usual format: what it weighs, what runs it."""
    rows = tuple(_size(model, one) for one in weighed(model))
    columns = (
        Column("Format"),
        Column("Weighs", "bytes"),
        Column("Bits per weight", " "),
        Column("To run it", "bytes"),
        Column("Smallest hardware"),
        Column("Cheapest to rent"),
    )
    said = (
        f"Sizes are counted tensor by tensor. To run it is modelled: per GPU, with one request of "
        f"{CONTEXT:,} tokens. Smallest hardware: the fewest GPUs among those with a dated price."
    )
    return Section("sizes", "What it weighs", Table(columns, rows), said)


def _size(model: Model, one: Weighed) -> tuple[Any, ...]:
    recipe = one.case.recipe
    host, rent = one.smallest, one.cheapest
    return (
        to("checkpoint-size", one.label, model=model.id, format=recipe.format),
        one.bytes,
        one.case.packed.bits_per_weight,
        host.budget.total_bytes if host else None,
        to("gpu-fit", host.offer.name, model=model.id, **host.asked)
        if host
        else "several machines",
        _rent(rent),
    )


def _rent(host: Hosted | None) -> Link | str:
    if host is None:
        return "—"
    offer = host.offer
    said = f"{write(offer.usd_per_hour, 'usd per hour')} on {offer.name}"
    return to("token-cost", said, gpu=offer.machine.device.id, gpus=offer.gpus)


def kinds(architecture: Architecture) -> Breakdown:
    """Parameters by what they do; those of towers together."""
    found = dict.fromkeys(KINDS, 0)
    for tensor in architecture.tensors:
        kind = "vision" if tensor.part in ("vision", "audio") else tensor.kind
        found[kind] += tensor.parameters
    segments = tuple(Segment(KINDS[kind], count, kind) for kind, count in found.items() if count)
    return Breakdown(segments, "parameters")


def cache_sizes(architecture: Architecture) -> Section:
    """Bytes by context and by how the cache is stored."""
    longest = architecture.max_context or CONTEXTS[2]
    contexts = sorted({context for context in CONTEXTS if context < longest} | {longest})
    table = tuple(
        (context, *(kv_cache_bytes(architecture, context, kind) for kind, _ in CACHE_TYPES))
        for context in contexts
        if cache_layers(architecture)
    )
    columns = (Column("Context", "tokens"), *(Column(label, "bytes") for _, label in CACHE_TYPES))
    said = "Keys, values and states of one request, before any engine rounds to its blocks."
    return Section("kv-cache", "KV cache", Table(columns, table), said)


def holders(model: Model) -> Section:
    """Single GPUs against a few formats."""
    formats = [one for label in HELD_IN if (one := named(model, label))]
    single = [offer for offer in offers() if offer.gpus == 1]
    table = []
    for offer in single:
        cells = [_held(model, one, offer) for one in formats]
        if any(isinstance(cell, Link) or str(cell).startswith("fits") for cell in cells):
            table.append((_gpu_link(offer), *cells))
    columns = (Column("GPU"), *(Column(one.label) for one in formats))
    said = (
        f"One GPU with one request of {CONTEXT:,} tokens, under the engine that usually runs the "
        "format. A dash: no source says that the engine runs this format there."
    )
    empty = "No single GPU of the catalogue holds it in these formats."
    value = Table(columns, tuple(table), "modelled", empty=empty)
    return Section("gpus", "Which GPUs hold it", value, said, folded=len(table) > 20)


def _gpu_link(offer: Offer) -> Link:
    return Link(short_name(offer.machine), gpu_page(offer.machine.device.id))


def _held(model: Model, one: Weighed, offer: Offer) -> Link | str:
    if not one.runs(offer):
        return "—"
    if one.bytes > offer.memory_bytes:
        return "does not fit"
    hosted = one.on(offer)
    if hosted is None or not hosted.budget.fits:
        return "does not fit"
    filled = 100 * hosted.budget.total_bytes / hosted.budget.usable_bytes
    return to("gpu-fit", f"fits, {filled:.0f} % full", model=model.id, **hosted.asked)
