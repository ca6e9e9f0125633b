"""What the pages of models rest on: tensors, and weights in every usual format."""

from functools import cache

from calculators.common.subject import Subject, subject
from calculators.common.weighing import Weighed, weighings
from calculators.facts.catalogue import Model
from calculators.kit import Link, Refused
from calculators.kit.units import write
from calculators.maths.tensors import Architecture
from tools.sheet import CONTEXT

FOLDER = "models"
TRAIL = (Link("Weighbridge", ""), Link("Models", FOLDER))
HELD_IN = ("BF16", "FP8", "AWQ, 4 bits", "GGUF Q4_K_M")


@cache
def subject_of(model: Model) -> Subject | str:
    """The model with its tensors, or why they are not known."""
    try:
        return subject(model.id)
    except Refused as reason:
        return str(reason)


@cache
def weighed(model: Model) -> tuple[Weighed, ...]:
    """The model in every usual format that takes it; empty where its tensors are not known."""
    found = subject_of(model)
    return () if isinstance(found, str) else weighings(found, None, CONTEXT)


def named(model: Model, label: str) -> Weighed | None:
    """One of `weighed`, by its label."""
    return next((one for one in weighed(model) if one.label == label), None)


def four_bits(model: Model) -> Weighed | None:
    """What people mean by 4 bits: AWQ, or where its tool refuses the model, another."""
    for label in ("AWQ, 4 bits", "GPTQ, 4 bits", "GGUF Q4_K_M", "MLX, 4 bits"):
        if found := named(model, label):
            return found
    return None


def counted(architecture: Architecture) -> str:
    """The number of parameters in words."""
    total, active = architecture.parameters, architecture.active_parameters
    said = f"{write(total, 'parameters')} parameters"
    mixture = any(tensor.active < tensor.copies for tensor in architecture.tensors)
    return f"{said}, {write(active, 'parameters')} of them active per token" if mixture else said
