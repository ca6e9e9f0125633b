"""How a matrix product's time grows with the rows of a batch, and how weight-only gains fade.

At few rows a product waits for its weights, so narrow weights win by their width. Each row adds two
operations per weight; where these catch up with the reading, all formats of one compute type take
the same time. Kernels that unpack slowly get there sooner.
"""

from dataclasses import dataclass
from functools import cache

from calculators.maths.accelerator import Accelerator
from calculators.maths.constants import of_kind

OPERATIONS_PER_WEIGHT = 2
BYTES_16 = 2.0


@dataclass(frozen=True, slots=True)
class Kernel:
    """`share`: of the nominal FP16 rate, at which it unpacks and multiplies.

    `unpacks_whole`: above some rows it writes the weights out in 16 bit and calls the 16-bit
    product instead, which costs reading them, writing them and reading them again.
    """

    name: str
    share: float
    unpacks_whole: bool = False


@cache
def kernel(name: str) -> Kernel:
    """`marlin`, `exllamav2` or `awq`, with the share fitted from their published curves."""
    row = next(row for row in of_kind("kernel") if row["name"] == name)
    # ExLlamaV2 unpacks the matrix above MAX_Q_GEMM_ROWS (exllamav2_ext/cuda/q_gemm.cu), AutoAWQ
    # above 1,024 rows (FP16_MATMUL_HEURISTIC_CONDITION in awq/modules/linear/gemm.py).
    return Kernel(name, row["share_of_fp16"], unpacks_whole=name != "marlin")


# Engines whose 4-bit products run in a kernel with a published curve; the others' measured batches
# (AutoAWQ's GEMM up to 8, llama.cpp) show no such limit.
KERNEL_OF_ENGINE = {
    "vllm": "marlin",
    "sglang": "marlin",
    "tensorrt-llm": "marlin",
    "exllamav2": "exllamav2",
}
# The type in which a format's products run when the card multiplies it; all others run in FP16.
PRODUCT_TYPE = {"fp8": "fp8", "nvfp4": "fp4", "int8-w8a8": "int8"}
WEIGHT_ONLY = ("awq", "gptq", "w4a16", "w8a16", "exl2")


def kernel_of(engine: str, format_name: str) -> Kernel | None:
    """The kernel of an engine's weight-only format; None where nothing limits it but the card."""
    name = KERNEL_OF_ENGINE.get(engine)
    weight_only = any(mark in format_name.lower() for mark in WEIGHT_ONLY)
    return kernel(name) if name and weight_only else None


def product_dtype(format_name: str, card: Accelerator) -> str:
    """What the products of a format run in on a card: fp8 of any blocking, nvfp4 and W8A8 natively
    where the card can, everything else unpacked to FP16."""
    family = next((name for name in PRODUCT_TYPE if format_name.lower().startswith(name)), "")
    wanted = PRODUCT_TYPE.get(family, "fp16")
    return wanted if card.peak(wanted) else "fp16"


def matrix_seconds(
    rows: int,
    bytes_per_weight: float,
    card: Accelerator,
    kernel: Kernel | None = None,
    dtype: str = "fp16",
) -> float:
    """Seconds per weight of a product with `rows` rows at nominal rates: the slower of reading
    the weight and computing with it."""
    peak = card.peak(dtype) or card.peak()
    reading = bytes_per_weight / card.bandwidth
    if not peak:
        return reading
    computing = OPERATIONS_PER_WEIGHT * rows / peak
    if kernel is None:
        return max(reading, computing)
    own = max(reading, computing / kernel.share)
    if not kernel.unpacks_whole:
        return own
    return min(own, reading + max(BYTES_16 / card.bandwidth, computing) + BYTES_16 / card.bandwidth)
