"""What the pages of accelerators rest on: the card, and the models that fit on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from calculators.common.kernels import generation
from calculators.common.plan import Machine, machine
from calculators.common.subject import Subject, subjects
from calculators.common.weighing import Hosted, Offer, Weighed, weighings
from calculators.facts import Row
from calculators.facts.catalogue import Gpu
from calculators.kit import Link, Refused
from calculators.kit.units import GIB
from tools.sheet import CONTEXT

FOLDER = "gpus"
TRAIL = (Link("Weighbridge", ""), Link("GPUs", FOLDER))
# From the most bits down: the first that fits is what one would run.
LADDER = ("BF16", "FP8", "GGUF Q8_0", "AWQ, 4 bits", "GPTQ, 4 bits", "GGUF Q4_K_M", "MLX, 4 bits")
CLASSES = {
    "datacenter": "Data centre",
    "workstation": "Workstation",
    "consumer": "Desktop",
    "laptop": "Laptop",
    "soc": "Shared memory",
    "tpu": "TPU",
    "cpu": "CPU",
}


@cache
def machine_of(gpu: Gpu) -> Machine | None:
    """The card, or None where it has no memory of its own."""
    try:
        return machine(gpu)
    except Refused:
        return None


def marketed(on: Machine) -> str:
    """The size on the box, `24 GB`."""
    return f"{on.device.marketed_bytes / GIB:g} GB"


@dataclass(frozen=True)
class Fit:
    """A model on this card in the widest format that fits."""

    subject: Subject
    weighed: Weighed
    hosted: Hosted

    @property
    def filled(self) -> float:
        budget = self.hosted.budget
        return budget.total_bytes / budget.usable_bytes


@cache
def weighed() -> tuple[tuple[Subject, dict[str, Weighed]], ...]:
    """Every model in the usual formats, the largest models first."""
    ordered = sorted(subjects(), key=lambda one: -one.architecture.parameters)
    return tuple(
        (found, {one.label: one for one in weighings(found, None, CONTEXT)})
        for found in ordered
        if not found.architecture.encoder
    )


def fits_on(on: Machine, row: Row) -> Iterator[Fit]:
    """Every model that fits, the largest first."""
    offer = Offer(on, 1, generation(row), None)
    for found, formats in weighed():
        for label in LADDER:
            one = formats.get(label)
            if one is None or one.bytes > offer.memory_bytes or not one.runs(offer):
                continue
            hosted = one.on(offer)
            if hosted and hosted.budget.fits:
                yield Fit(found, one, hosted)
                break
