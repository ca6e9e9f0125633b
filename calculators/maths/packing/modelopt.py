"""NVIDIA Model Optimizer's `quantization_config`: one algorithm for all, or one per module.

NVIDIA/Model-Optimizer:modelopt/torch/export/quant_utils.py (process_layer_quant_config),
convert_hf_config.py, unified_export_hf.py@a2fbac7bad8ab446d3f8783dadb0c3366eb0ad73
"""

from collections.abc import Mapping
from typing import Any

from calculators.maths.packing import eight_bit, fp4
from calculators.maths.packing.assembly import CannotPack, Part, Store, Stored
from calculators.maths.packing.layout import Row
from calculators.maths.packing.module_lists import bare, excluded
from calculators.maths.packing.recipe import Recipe
from calculators.maths.packing.ways import Choose, Published, UnknownQuantization, names

PRODUCER = "modelopt"
MX_GROUP = 32


def mxfp8(row: Row, recipe: Recipe) -> Stored:
    """FP8 with a bare exponent for 32 weights."""
    if row.columns % MX_GROUP:
        raise CannotPack(f"{row.tensor.name}: groups of {MX_GROUP} do not fit {row.columns} inputs")
    parts = (
        Part("weight", "F8_E4M3", (row.rows, row.columns)),
        Part("weight_scale", "U8", (row.rows, row.columns // MX_GROUP)),
    )
    return Stored("mxfp8 g32", parts)


STORES: dict[str, Store] = {
    "NVFP4": fp4.nvfp4,
    "W4A16_NVFP4": fp4.nvfp4_weights,
    "FP8": eight_bit.per_tensor,
    "FP8_PER_CHANNEL_PER_TOKEN": eight_bit.per_row,
    "MXFP4": fp4.mxfp4,
    "W4A8_MXFP4_FP8": fp4.mxfp4,
    "MXFP8": mxfp8,
}


def made_by(config: Mapping[str, Any]) -> bool:
    """Its method, or, where an older export names none, its producer."""
    producer = config.get("producer")
    name = producer.get("name") if isinstance(producer, Mapping) else None
    return PRODUCER in (config.get("quant_method"), name)


def modelopt(config: Mapping[str, Any]) -> Published:
    """Raises UnknownQuantization for an algorithm that is not known here."""
    inner = config.get("quantization")
    if isinstance(inner, Mapping):  # as in hf_quant_config.json
        config = inner
    algorithm = config.get("quant_algo")
    if algorithm == "MIXED_PRECISION":
        return Published(listed(config), keep=())
    named = excluded(names(config, "ignore", "exclude_modules"))
    store = _store(algorithm)
    return Published(lambda module: None if named(module) else store)


def listed(config: Mapping[str, Any]) -> Choose:
    """`quantized_layers`: modules, or blocks of them, each with its algorithm; the rest stays."""
    layers = config.get("quantized_layers")
    if not isinstance(layers, Mapping):
        raise UnknownQuantization("quant_algo MIXED_PRECISION without quantized_layers")
    stores = {
        bare(name): _store(one.get("quant_algo") if isinstance(one, Mapping) else one)
        for name, one in layers.items()
    }

    def choose(module: str) -> Store | None:
        parts = bare(module).split(".")
        blocks = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
        return next((stores[block] for block in blocks if block in stores), None)

    return choose


def _store(algorithm: object) -> Store:
    if not isinstance(algorithm, str) or algorithm not in STORES:
        known = ", ".join(STORES)
        raise UnknownQuantization(f"quant_algo {algorithm!r} is not known here (known: {known})")
    return STORES[algorithm]
