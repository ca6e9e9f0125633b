"""From a model's `config.json` to its layers and the list of its tensors.

`architecture(config)` is the only door. Each module beside this one reads one family of layouts
and registers itself with `@family("model_type", ...)`; nothing is listed here by hand.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.model import (
    Architecture,
    Attention,
    Compressed,
    Experts,
    Latent,
    Layer,
    Mlp,
    Recurrent,
    Tensor,
)
from calculators.maths.tensors.registry import reader_of

__all__ = [
    "Architecture",
    "Attention",
    "Compressed",
    "Experts",
    "Latent",
    "Layer",
    "Mlp",
    "Recurrent",
    "Tensor",
    "UnknownArchitecture",
    "architecture",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def architecture(config: Mapping[str, Any]) -> Architecture:
    """Layers and tensors of the model that `config` (a Hugging Face `config.json`) describes.

    Raises `UnknownArchitecture`, naming the `model_type` or the keys that are missing, when the
    layout is not understood: a size is never guessed.
    """
    outer = Config(config)
    if outer.flag("is_encoder_decoder"):
        raise UnknownArchitecture(
            f"{outer.model_type or 'this model'} is an encoder and a decoder "
            "(is_encoder_decoder); only models that are one of both are known here"
        )
    model_type, reader = reader_of(outer)
    if not outer.model_type:
        outer = Config({**config, "model_type": model_type})
    quantization = next(filter(None, map(_quantization, (outer, outer.text))), None)
    rope = outer.text.part("rope_scaling") or outer.text.part("rope_parameters")
    return replace(
        reader(outer),
        quantization=quantization.data if quantization else None,
        rope=rope.data if rope else None,
    )


def _quantization(config: Config) -> Config | None:
    """What the file says of its own packing; mlx-lm calls it `quantization` alone."""
    return config.part("quantization_config") or config.part("quantization")
