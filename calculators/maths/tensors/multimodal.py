"""Language models of the dense table with a vision tower before them."""

from collections.abc import Callable
from dataclasses import replace

from calculators.maths.tensors import qwen_towers, towers
from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.dense import (
    GEMMA_3,
    LAYOUTS,
    QWEN_2,
    QWEN_3,
    Layout,
    decoder,
    framed,
    sizes,
)
from calculators.maths.tensors.model import Architecture
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.towers import Tensors

QWEN_2_VL = replace(QWEN_2, defaults=sizes(64, 8, 29568, 152_064))


def with_towers(
    config: Config, layout: Layout, prefix: str, head: str, *seen: Tensors
) -> Architecture:
    """The decoder of the text part under `prefix`, then the towers."""
    frame = framed(config, layout)
    stack = frame.stack(prefix)
    layers = decoder(frame, layout, stack)
    return frame.architecture(stack, layers, *seen, norm_bias=layout.norm_bias, head=head)


def behind(config: Config, layout: Layout, tower: Callable[[Config, int], Tensors]) -> Architecture:
    """The decoder behind a tower whose projector ends in the width of the text model."""
    hidden = framed(config, layout).hidden
    prefix, head = "language_model.model.", "language_model.lm_head"
    return with_towers(config, layout, prefix, head, tower(config, hidden))


def nested(config: Config, default: str) -> Layout:
    """The layout of the text part; one that is not in the table is refused."""
    inner = config.text.model_type or default
    if config.part("text_config") is None or inner not in LAYOUTS:
        raise UnknownArchitecture(
            f"{config.model_type} with a text model of type {inner[:40]!r} is not known here"
        )
    return LAYOUTS[inner]


@family("mistral3")
def mistral3(config: Config) -> Architecture:
    """Mistral Small 3.1 and Ministral 3: a dense decoder behind Pixtral."""
    return behind(config, nested(config, "mistral"), towers.mistral3)


@family("llava")
def llava(config: Config) -> Architecture:
    """LLaVA 1.5 and Pixtral 12B: a dense decoder behind CLIP or Pixtral."""
    return behind(config, nested(config, "llama"), towers.llava)


@family("gemma3")
def gemma3(config: Config) -> Architecture:
    """Gemma 3 behind SigLIP; without a `text_config` it is the text model alone."""
    if config.part("text_config") is None:
        return with_towers(config, GEMMA_3, "model.", "lm_head")
    return behind(config, GEMMA_3, towers.gemma3)


@family("qwen2_vl")
def qwen2_vl(config: Config) -> Architecture:
    """Qwen2-VL; older files keep the text keys on the outer level."""
    return with_towers(config, QWEN_2_VL, "model.", "lm_head", qwen_towers.qwen2_vl(config))


@family("qwen2_5_vl")
def qwen2_5_vl(config: Config) -> Architecture:
    """Qwen2.5-VL; older files keep the text keys on the outer level."""
    return with_towers(config, QWEN_2_VL, "model.", "lm_head", qwen_towers.qwen2_5_vl(config))


@family("qwen3_vl")
def qwen3_vl(config: Config) -> Architecture:
    """Qwen3-VL, the dense sizes."""
    seen = qwen_towers.qwen3_vl(config)
    return with_towers(config, QWEN_3, "model.language_model.", "lm_head", seen)
