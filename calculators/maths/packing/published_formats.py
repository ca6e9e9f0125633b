"""Published AWQ, GPTQ and bitsandbytes: methods that are formats of their own."""

from collections.abc import Mapping
from typing import Any

from calculators.maths.packing import awq, bitsandbytes, gptq
from calculators.maths.packing.assembly import Store, Stored
from calculators.maths.packing.layout import Row
from calculators.maths.packing.module_lists import Named, excluded, holding
from calculators.maths.packing.recipe import Recipe
from calculators.maths.packing.ways import Published, UnknownQuantization, names, recipe_of

Config = Mapping[str, Any]


def of_awq(config: Config) -> Published:
    """`awq`: AutoAWQ's GEMM layout; older files call the settings w_bit and q_group_size."""
    version = str(config.get("version", "gemm")).lower()
    if version != "gemm":
        raise UnknownQuantization(f"awq version {version!r} is not known here (known: gemm)")
    recipe = recipe_of(
        "awq",
        bits=config.get("bits") or config.get("w_bit") or 4,
        group_size=config.get("group_size") or config.get("q_group_size") or 128,
    )
    named = holding(names(config, "modules_to_not_convert"))
    return _all_but(named, awq.store, recipe)


def of_gptq(config: Config) -> Published:
    """`gptq`; GPTQModel writes no bias of zeros, and may quantize the head."""
    layout = str(config.get("checkpoint_format") or "gptq").lower()
    if layout not in ("gptq", "gptq_v2"):
        raise UnknownQuantization(f"gptq checkpoint_format {layout!r} is not known here")
    meta = config.get("meta")
    quantizer = meta.get("quantizer") if isinstance(meta, Mapping) else None
    head = ("-head",) if config.get("lm_head") is True else ()
    recipe = recipe_of(
        "gptq",
        bits=config.get("bits", 4),
        group_size=config.get("group_size", 128),
        act_order=bool(config.get("desc_act")),
        zero_bias="gptqmodel" not in str(quantizer).lower(),
        keep=("default", *head),
    )
    words, rules = names(config, "modules_to_not_convert"), _dynamic(config.get("dynamic"))
    skipped, ruled = holding(words), excluded(rules)
    return _all_but(lambda module: skipped(module) or ruled(module), gptq.store, recipe)


def _dynamic(rules: object) -> list[str]:
    """GPTQModel's `dynamic`: `-:` and a regular expression leaves modules as they are."""
    if not isinstance(rules, Mapping):
        return []
    other = [name for name, settings in rules.items() if settings and not name.startswith("-:")]
    if other:
        raise UnknownQuantization(f"gptq dynamic: {other[0]!r} has settings of its own")
    return ["re:" + name.removeprefix("-:") for name in rules if name.startswith("-:")]


def of_bitsandbytes(config: Config) -> Published:
    """`bitsandbytes`: a list of what it skips may name single layers."""
    if config.get("load_in_8bit"):
        recipe = recipe_of("bnb-int8")
    else:
        kind = config.get("bnb_4bit_quant_type", "fp4")
        nested = bool(config.get("bnb_4bit_use_double_quant"))
        recipe = recipe_of(f"bnb-{kind}", double_quant=nested)
    named = excluded(names(config, "llm_int8_skip_modules"))
    return _all_but(named, bitsandbytes.store, recipe)


def _all_but(named: Named, store: Store, recipe: Recipe) -> Published:
    def packed(row: Row, _: Recipe) -> Stored | None:
        return store(row, recipe)

    return Published(lambda module: None if named(module) else packed, recipe.keeps, recipe)
