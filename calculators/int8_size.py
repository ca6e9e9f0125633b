"""Integers by llm-compressor: INT8 W8A8, and W8A16 or W4A16 packed by compressed-tensors."""

from typing import Annotated

from calculators.common.recipes import (
    YES_OR_NO,
    DtypeInput,
    KeepInput,
    LineInput,
    recipe,
    yes,
)
from calculators.common.size import Asked, Size, size
from calculators.common.subject import ContextInput, ModelInput, ParamsInput
from calculators.kit import Choice, Example, Field, Page, Question, Source
from calculators.maths.packing import eight_bit, pack_quantized

SCHEMES = (
    ("w8a8", "W8A8: INT8 weights and activations"),
    ("w8a16", "W8A16: INT8 weights alone"),
    ("w4a16", "W4A16: INT4 weights alone"),
)
FORMATS = {"w8a8": "int8-w8a8", "w8a16": "w8a16", "w4a16": "w4a16"}
GROUPS = (
    ("", "as usual"),
    ("32", "32"),
    ("64", "64"),
    ("128", "128, usual for W4A16"),
    ("-1", "per channel, usual for 8 bits"),
)


def calculate(
    model: ModelInput = None,
    params: ParamsInput = None,
    scheme: Annotated[
        str, Field("Scheme", Choice(SCHEMES), "As llm-compressor calls it.", term="w8a8")
    ] = "w8a8",
    group_size: Annotated[
        int | None,
        Field("Group size", Choice(GROUPS, int), "W8A16 and W4A16.", term="group-size"),
    ] = None,
    zero_point: Annotated[
        bool | None,
        Field(
            "Zero points",
            Choice(YES_OR_NO, yes),
            "W8A16 and W4A16, asymmetric.",
            advanced=True,
            term="zero-point",
        ),
    ] = None,
    act_order: Annotated[
        bool | None,
        Field(
            "Activation order",
            Choice(YES_OR_NO, yes),
            "W8A16 and W4A16.",
            advanced=True,
            term="act-order",
        ),
    ] = None,
    context: ContextInput = 8192,
    keep: KeepInput = ("default",),
    dtype: DtypeInput = "default",
    line: LineInput = 1000,
) -> Size:
    """What a model weighs in INT8, or in the packed integers of compressed-tensors.

    W8A8 stores each weight as an int8 and one scale for every output channel; activations are
    quantized while the model runs, so that matrices multiply in INT8. W8A16 and W4A16 quantize the
    weights alone: eight or four bits packed into int32 words, with a scale per channel or per
    group. Embeddings, the output head, norms and router gates stay in 16 bits.
    """
    packing = recipe(
        FORMATS[scheme],
        group_size=group_size,
        zero_point=zero_point,
        act_order=act_order,
        keep=keep,
        dtype=dtype,
    )
    return size(Asked(model, params, context, line), packing)


_8B = "model=meta-llama/Llama-3.1-8B"

PAGE = Page(
    title="INT8, W8A16 and W4A16 checkpoint size",
    description="What a model weighs as llm-compressor writes it: Llama 3.1 8B is "
    f"[[?{_8B}&scheme=w8a8#checkpoint_bytes]] in INT8 and [[?{_8B}&scheme=w4a16#checkpoint_bytes]] "
    "in W4A16.",
    group="What does it weigh?",
    order=24,
    keywords=(
        "INT8",
        "W8A8",
        "W4A16",
        "W8A16",
        "compressed-tensors",
        "llm-compressor",
        "SmoothQuant",
        "checkpoint size",
    ),
    how_to=(
        "Pick a model, or drop its config.json; or type a parameter count.",
        "Choose the scheme; quantization_config in the checkpoint's config.json says it.",
        "Read the size and what it is made of; copy the link to share exactly this.",
    ),
    assumes=(
        "As llm-compressor writes it with its usual list of modules left alone: the head, routers, "
        "vision and audio towers and their projectors.",
        "Packed words: rows of 32 / bits weights, the last word padded; `weight_shape` beside each "
        "matrix; zero points packed too.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B, W8A8",
            f"{_8B}&scheme=w8a8",
            {"parameters": 8_030_261_248, "checkpoint_bytes": 9_083_953_152},
        ),
        Example("Llama 3.1 8B, W4A16", f"{_8B}&scheme=w4a16"),
        Example("Llama 3.1 70B, W8A16", "model=meta-llama/Llama-3.1-70B&scheme=w8a16"),
        Example("Qwen3 32B, W4A16 groups of 64", "model=Qwen/Qwen3-32B&scheme=w4a16&group_size=64"),
        Example("13B parameters, W8A8", "params=13B&scheme=w8a8"),
    ),
    questions=(
        Question(
            "W4A16 or AWQ?",
            "The same bits in another wrapping. Llama 3.1 8B is "
            f"[[?{_8B}&scheme=w4a16#checkpoint_bytes]] in W4A16, which is symmetric by default, and "
            f"[[awq-size?{_8B}#checkpoint_bytes]] in AWQ, which stores zero points. Either can be "
            "made with AWQ's or GPTQ's rounding; the file does not tell.",
        ),
        Question(
            "What is the difference between W8A8 and W8A16?",
            f"Hardly the size: [[?{_8B}&scheme=w8a8#checkpoint_bytes]] and "
            f"[[?{_8B}&scheme=w8a16#checkpoint_bytes]]. W8A8 multiplies in INT8 and so speeds up "
            "prefill and large batches; W8A16 unpacks to 16 bits and saves only memory traffic.",
        ),
        Question(
            "Is bitsandbytes INT8 the same?",
            "No. LLM.int8() keeps outlier columns in 16 bits while it runs and stores a float32 per "
            "row. It is on [its own page](../bnb-size/).",
        ),
        Question(
            "Which GPUs run W8A8?",
            "Turing to Hopper, compute capability 7.5 to 9.0. [vLLM](https://docs.vllm.ai/en/latest/"
            "features/quantization/int8/) has no INT8 kernels for Blackwell, and B300 does hardly any "
            "INT8 at all: take FP8 there.",
        ),
    ),
    sources=(
        Source("Xiao et al., SmoothQuant", "https://arxiv.org/abs/2211.10438"),
        Source("compressed-tensors", "https://github.com/vllm-project/compressed-tensors"),
        Source("llm-compressor", "https://github.com/vllm-project/llm-compressor"),
    ),
    code=(eight_bit.pack, pack_quantized.stored),
)
