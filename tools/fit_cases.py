"""Measured rows as cases for the regression: seconds per token, and the ideal seconds by term."""

from functools import cache

from calculators.facts import rows
from calculators.maths.accelerator import Accelerator, accelerators
from calculators.maths.batching import product_dtype
from calculators.maths.flops import prompt
from calculators.maths.measured_speed import Measurement, measurements
from calculators.maths.tensors import Architecture, UnknownArchitecture, architecture
from tools.fit_levels import Case, family

DECODE_TERMS = ("16", "8", "4", "kv")  # weights by class of width, then the cache
PREFILL_TERMS = ("fp16", "fp8", "fp4", "attention")  # products by the dtype they run in
# One GEMV kernel per token, never meant for prompts: AutoAWQ offers GEMM for these.
DECODE_ONLY = "GEMV"
# AMD gave this driver up for RADV in 2025; its prompts are 3 to 5 times slower on the same chip.
GIVEN_UP = "amdvlk"


def decode_cases(mixture: bool = False) -> list[Case]:
    """One stream on one card. Mixtures under Transformers loop over experts in Python: left out."""
    return [
        decode_case(found, accelerators()[found.gpu])
        for found in measurements()
        if found.measure == "decode"
        and found.weight_bytes_read
        and found.gpus == 1
        and found.mixture == mixture
        and not (mixture and found.engine == "transformers")
    ]


def decode_case(found: Measurement, card: Accelerator) -> Case:
    ideal = dict.fromkeys(DECODE_TERMS, 0.0)
    ideal[str(found.weight_bits)] = found.weight_bytes_read / card.bandwidth
    ideal["kv"] = found.kv_bytes_read / card.bandwidth
    return _case(found, card, tuple(ideal.values()))


def prefill_cases(mixture: bool = False) -> list[Case]:
    """Prompts on one card whose tensor rate is known, of models whose config is."""
    known = architectures()
    cases = []
    for found in measurements():
        card = accelerators()[found.gpu]
        if (
            found.measure == "prefill"
            and found.gpus == 1
            and found.prompt_tokens
            and found.model_id in known
            and card.peak()
            and not found.variant.startswith(DECODE_ONLY)
            and GIVEN_UP not in found.version
            and is_mixture(known[found.model_id]) == mixture
        ):
            cases.append(_prefill_case(found, card, known[found.model_id]))
    return cases


def is_mixture(model: Architecture) -> bool:
    return any(tensor.kind == "expert" for tensor in model.tensors)


def _prefill_case(found: Measurement, card: Accelerator, model: Architecture) -> Case:
    work = prompt(model, found.prompt_tokens, found.context_tokens)
    dtype = product_dtype(found.format, card)
    dtype = dtype if dtype in PREFILL_TERMS else "fp16"
    ideal = dict.fromkeys(PREFILL_TERMS, 0.0)
    ideal[dtype] = work.linear / (card.peak(dtype) or 1) / found.prompt_tokens
    ideal["attention"] = work.attention / (card.peak() or 1) / found.prompt_tokens
    return _case(found, card, tuple(ideal.values()), base=1 / found.prompt_tokens)


def _case(
    found: Measurement, card: Accelerator, ideal: tuple[float, ...], base: float = 1.0
) -> Case:
    return Case(
        engine=family(found.engine),
        generation=found.generation,
        device_class=card.device_class,
        gpu=found.gpu,
        model=found.model,
        series=f"{found.model} {found.format} {found.variant}",
        ideal=ideal,
        time=1 / found.value,
        source=found.source,
        base=base,
    )


@cache
def architectures() -> dict[str, Architecture]:
    """Catalogue models whose layout is understood, by id."""
    known = {}
    for row in rows("models"):
        try:
            known[row["id"]] = architecture(row["config"])
        except UnknownArchitecture:
            continue
    return known
