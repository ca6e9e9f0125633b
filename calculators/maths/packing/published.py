"""Reads a config's `quantization_config`: which matrices its publisher packed, and how.

Each reader knows one `quant_method`; what it does not find in the config it takes from the
publisher's files: embedding, head, router, vision tower and projector stay as they are.
"""

from collections.abc import Callable, Mapping
from typing import Any

from calculators.maths.packing import eight_bit, fp4, modelopt, pack_quantized
from calculators.maths.packing.assembly import CODES, Part, Store, Stored
from calculators.maths.packing.layout import Row
from calculators.maths.packing.module_lists import Named, excluded, targets
from calculators.maths.packing.published_formats import of_awq, of_bitsandbytes, of_gptq
from calculators.maths.packing.recipe import Recipe
from calculators.maths.packing.ways import Choose, Published, UnknownQuantization, names

Config = Mapping[str, Any]
Read = Callable[[Config], Published]


def read(config: Config, model_type: str) -> Published:
    """Raises UnknownQuantization (a ValueError) for a method that is not known here."""
    method = "modelopt" if modelopt.made_by(config) else str(config.get("quant_method"))
    if config.get("quant_method") in MODEL_METHODS.get(model_type, ()):
        return MODELS[model_type](config)
    if method not in READERS:
        known = ", ".join(sorted(READERS))
        raise UnknownQuantization(f"quant_method {method!r} is not known here (known: {known})")
    return READERS[method](config)


def _unless(named: Named, store: Store) -> Published:
    return Published(lambda module: None if named(module) else store)


def fp8(config: Config) -> Published:
    """`fp8`: blocks of 128 x 128, or one scale per matrix."""
    named = excluded(names(config, "modules_to_not_convert", "ignored_layers"))
    block = config.get("weight_block_size")
    if block not in (None, [128, 128], (128, 128)):
        raise UnknownQuantization(f"weight_block_size {block!r} is not known here")
    if block:
        return _unless(named, eight_bit.per_block)
    dynamic = config.get("activation_scheme") == "dynamic"
    return _unless(named, eight_bit.weights_only if dynamic else eight_bit.per_tensor)


def fbgemm_fp8(config: Config) -> Published:
    """`fbgemm_fp8` of Llama 3.1 405B: a float32 for every row
    (huggingface/transformers:src/transformers/integrations/fbgemm_fp8.py, FbgemmFp8Linear).
    """
    return _unless(excluded(names(config, "modules_to_not_convert")), eight_bit.per_row)


def experts_mxfp4(config: Config) -> Published:
    """`mxfp4` of gpt-oss."""
    return _unless(excluded(names(config, "modules_to_not_convert")), fp4.mxfp4)


def compressed_tensors(config: Config, shape: str = "I64") -> Published:
    """`compressed-tensors`: a scheme for each group, for the modules that its targets name.

    A group that names modules goes before one for all Linear. `shape`: dtype of weight_shape.
    """
    named = excluded(names(config, "ignore"))
    groups = config.get("config_groups")
    if not isinstance(groups, Mapping) or not groups:
        raise UnknownQuantization("compressed-tensors: the key config_groups is missing")
    schemes = [
        (names(group, "targets") or ("Linear",), _scheme(group, shape))
        for group in groups.values()
        if isinstance(group, Mapping)
    ]
    schemes.sort(key=lambda scheme: "Linear" in scheme[0])
    tests = [(targets(listed), store) for listed, store in schemes]

    def choose(module: str) -> Store | None:
        if named(module):
            return None
        return next((store for fits, store in tests if fits(module)), None)

    return Published(choose)


def _scheme(group: Config, shape: str) -> Store:
    weights, inputs = (group.get(key) or {} for key in ("weights", "input_activations"))
    if not isinstance(weights, Mapping) or not isinstance(inputs, Mapping):
        raise UnknownQuantization("config_groups: weights and input_activations are no objects")
    bits, kind, strategy = (weights.get(key) for key in ("num_bits", "type", "strategy"))
    fixed = bool(inputs) and not inputs.get("dynamic")  # a scale of the activations is stored
    if (bits, kind) == (4, "float"):
        if weights.get("group_size") != 16:
            return fp4.mxfp4
        return fp4.nvfp4 if inputs else fp4.nvfp4_weights
    if (bits, kind, strategy) == (8, "float", "block"):
        return eight_bit.per_block
    if (bits, kind, strategy) == (8, "float", "tensor"):
        return eight_bit.per_tensor if fixed else eight_bit.weights_only
    if bits == 8 and strategy == "channel" and inputs:
        return _per_channel("F8_E4M3" if kind == "float" else "I8")
    if kind == "int" and strategy in ("group", "channel") and bits in (2, 4, 8):
        return _packed_ints(weights, shape)
    raise UnknownQuantization(f"weights of {bits} bits, {kind}, {strategy} are not known here")


def _per_channel(code: str) -> Store:
    def store(row: Row, recipe: Recipe) -> Stored:
        weight = Part("weight", code, (row.rows, row.columns))
        return Stored("8 bits per channel", (weight, Part("weight_scale", "BF16", (row.rows, 1))))

    return store


def _group_size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not (value == -1 or value > 0):
        raise UnknownQuantization(f"group_size {value!r} is no number of weights")
    return value


def _packed_ints(weights: Config, shape: str) -> Store:
    recipe = Recipe(
        "w4a16",
        bits=int(weights["num_bits"]),
        group_size=_group_size(weights.get("group_size") or -1),
        zero_point=not weights.get("symmetric", True),
        act_order=weights.get("actorder") in ("group", True),
    )
    return lambda row, _: pack_quantized.stored(row, recipe, CODES["bfloat16"], shape)


READERS: dict[str, Read] = {
    "awq": of_awq,
    "bitsandbytes": of_bitsandbytes,
    "compressed-tensors": compressed_tensors,
    "fbgemm_fp8": fbgemm_fp8,
    "fp8": fp8,
    "gptq": of_gptq,
    "modelopt": modelopt.modelopt,
    "mxfp4": experts_mxfp4,
}


def deepseek_v4(config: Config) -> Published:
    """Experts in FP4 with an exponent per 32, other matrices in FP8 with an exponent per block.

    The config tells the FP4 only outside `quantization_config`; which matrices stay follows from
    the published counts of V4-Flash and V4-Pro: compressors and hyper-connections. NVIDIA's files
    say in `quantized_layers` which experts are NVFP4 instead.
    """
    named = excluded(("*compressor*", "*hc_*"))
    chosen: Choose = lambda module: None
    if config.get("quantized_layers"):
        chosen = modelopt.listed(config)

    def choose(module: str) -> Store | None:
        if chosen(module):
            return chosen(module)
        if ".experts." in module:
            return fp4.mxfp4
        return None if named(module) else fp8_exponents

    return Published(choose)


def fp8_exponents(row: Row, recipe: Recipe) -> Stored:
    """FP8 whose block scales are bare exponents, a byte each."""
    _, (weight, scale) = eight_bit.per_block(row, recipe)[:2]
    return Stored("fp8 128x128", (weight, scale._replace(suffix="scale", dtype="U8")))


def mimo_v2(config: Config) -> Published:
    """MiMo-V2 leaves the output projections, which its list does not say (published counts)."""
    choose = fp8(config).choose
    return Published(lambda module: None if module.endswith(".o_proj") else choose(module))


def kimi(config: Config) -> Published:
    """Moonshot writes weight_shape as int32 (Kimi K2.5: two int32 per matrix)."""
    return compressed_tensors(config, "I32")


# Models whose config does not tell all, and the methods of theirs that it is true of
MODELS: dict[str, Read] = {
    "deepseek_v4": deepseek_v4,
    "kimi_k2": kimi,
    "kimi_k25": kimi,
    "kimi_k3": kimi,
    "mimo_v2_flash": mimo_v2,
}
MODEL_METHODS = {
    "deepseek_v4": ("fp8",),
    "mimo_v2_flash": ("fp8",),
    **dict.fromkeys(("kimi_k2", "kimi_k25", "kimi_k3"), ("compressed-tensors",)),
}
