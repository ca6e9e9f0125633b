"""The model in question: a catalogue row or the visitor's own config, with its architecture."""

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from calculators.facts.catalogue import Model, find_model, model_options, models
from calculators.kit import Field, Pick, Quantity, Refused
from calculators.maths.tensors import Architecture, UnknownArchitecture, architecture


@dataclass(frozen=True)
class Subject:
    """A model whose tensors are known."""

    model: Model
    architecture: Architecture = field(repr=False, hash=False, compare=False)

    @property
    def name(self) -> str:
        return self.model.name


@cache
def _of_catalogue(model: Model) -> Subject:
    return Subject(model, architecture(model.config))


def subject(text: str) -> Subject:
    """The subject that `text` names or describes; `Refused` says what is not understood."""
    model = find_model(text)
    try:
        if model.own:
            return Subject(model, architecture(model.config))
        return _of_catalogue(model)
    except UnknownArchitecture as unknown:
        said = _sentence(str(unknown))
        notes = model.row.get("notes")  # what is known of a model that the catalogue holds in part
        raise Refused(f"{said} {model.name}: {notes}." if notes else said) from None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


@cache
def subjects() -> tuple[Subject, ...]:
    """Every catalogue model whose layout is understood."""
    found = []
    for model in models():
        try:
            found.append(_of_catalogue(model))
        except UnknownArchitecture:
            continue  # a catalogue row with too few keys; the page of the model says so
    return tuple(found)


MODEL = Pick(
    catalogue="models",
    options=model_options,
    resolve=subject,
    spell=lambda chosen: chosen.model.text,
    takes_config=True,
)
PARAMS = Quantity(
    unit="parameters",
    minimum=1e6,
    maximum=1e14,
    whole=True,
    examples="70B, 70.6e9, 350M or 7,000,000,000",
)

ModelInput = Annotated[
    Subject | None,
    Field(
        "Model",
        MODEL,
        help="Any part of a name, or paste or drop a config.json.",
        term="checkpoint",
        excludes=("params",),
        placeholder="Llama 3.1 8B",
        default="meta-llama/Llama-3.1-8B",
    ),
]
ParamsInput = Annotated[
    int | None,
    Field(
        "or a parameter count",
        PARAMS,
        help="70.6B, 8x7B, 350M, 1.5T … An estimate: the tensors are not known.",
        term="parameter",
        excludes=("model",),
        placeholder="70.6B",
    ),
]
ContextInput = Annotated[
    int,
    Field(
        "Context",
        Quantity("tokens", 1, 1e8, whole=True, examples="8192 or 128k"),
        help="Tokens of one request, for the KV cache.",
        term="kv-cache",
    ),
]
