"""MLX: affine groups with a scale and a bias, embedding and head included."""

from typing import Annotated

from calculators.common.recipes import (
    DtypeInput,
    KeepInput,
    LineInput,
    bit_widths,
    group_sizes,
    recipe,
)
from calculators.common.size import Asked, Size, size
from calculators.common.subject import ContextInput, ModelInput, ParamsInput
from calculators.kit import Example, Field, Page, Question, Source
from calculators.maths.packing import mlx


def calculate(
    model: ModelInput = None,
    params: ParamsInput = None,
    bits: Annotated[
        int,
        Field("Bits", bit_widths(2, 3, 4, 5, 6, 8, usual=4), "Of each weight: --q-bits."),
    ] = 4,
    group_size: Annotated[
        int,
        Field(
            "Group size",
            group_sizes(32, 64, 128, usual=64),
            "Weights that share a scale and a bias: --q-group-size.",
            term="group-size",
        ),
    ] = 64,
    context: ContextInput = 8192,
    keep: KeepInput = ("default",),
    dtype: DtypeInput = "default",
    line: LineInput = 1000,
) -> Size:
    """What a model weighs in MLX's own quantization, and which Macs hold it.

    mlx-lm packs the weights of a group into 32-bit words and stores a 16-bit scale and a 16-bit bias
    for each group. Unlike most formats it quantizes the embedding and the output head too, so a
    small model with a large vocabulary really shrinks. Router gates of most mixtures get 8 bits.
    """
    packing = recipe("mlx", bits=bits, group_size=group_size, keep=keep, dtype=dtype)
    return size(Asked(model, params, context, line), packing)


_8B = "model=meta-llama/Llama-3.1-8B"

PAGE = Page(
    title="MLX model size",
    description=f"What a model weighs in MLX: Llama 3.1 8B is [[?{_8B}&bits=4#checkpoint_bytes]] at 4 bits "
    f"and [[?{_8B}&bits=8#checkpoint_bytes]] at 8. Groups of 32, 64 or 128, and the Macs that hold it.",
    group="What does it weigh?",
    order=29,
    keywords=("MLX", "mlx-lm", "Apple silicon", "Mac", "4-bit", "unified memory", "LM Studio"),
    how_to=(
        "Pick a model, or drop its config.json; or type a parameter count.",
        "Set bits and group size as in the name of the repository; mlx-community uses groups of 64.",
        "Read the size and the Macs whose GPU may wire that much memory.",
    ),
    assumes=(
        "mlx_lm.convert -q with its defaults: every linear matrix and the embedding, routers at 8 "
        "bits, widths that the group does not divide left as they are. Vision towers stay.",
        "A Mac lends its GPU about two thirds of up to 36 GB and three quarters above; the limit can "
        "be raised with iogpu.wired_limit_mb.",
        "Mixed recipes such as mixed_4_6 and DWQ files follow rules of their own.",
    ),
    examples=(
        Example("Llama 3.1 8B, 4 bits", f"{_8B}&bits=4", {"parameters": 8_030_261_248}),
        Example("Qwen3 30B A3B, 8 bits", "model=Qwen/Qwen3-30B-A3B&bits=8"),
        Example("Llama 3.1 70B, 3 bits", "model=meta-llama/Llama-3.1-70B&bits=3"),
        Example("DeepSeek V3, 4 bits", "model=deepseek-ai/DeepSeek-V3&bits=4"),
        Example("32B parameters, 6 bits", "params=32B&bits=6"),
    ),
    questions=(
        Question(
            "Why is 4 bits really 4.5?",
            "A group of 64 weights carries a scale and a bias of 16 bits each, half a bit per weight: "
            "[[?params=1e9&bits=4&group_size=64#quantized_bits_per_weight]]. With groups of 32 it is "
            "[[?params=1e9&bits=4&group_size=32#quantized_bits_per_weight]].",
        ),
        Question(
            "Why is MLX smaller than AWQ, though it has more bits per weight?",
            f"Llama 3.1 8B is [[?{_8B}&bits=4#checkpoint_bytes]] in MLX and "
            f"[[awq-size?{_8B}#checkpoint_bytes]] in AWQ, which keeps embedding and head in 16 bits.",
        ),
        Question(
            "What fits a Mac of 64 GB?",
            "Its GPU may use "
            "[[gpu-fit?gpu=apple-m3-max-40core&memory_gb=64&format=mlx#usable_bytes_per_gpu.also]] of "
            "it by default. Llama 3.1 70B at 4 bits weighs "
            "[[?model=meta-llama/Llama-3.1-70B&bits=4#checkpoint_bytes]] and takes "
            "[[?model=meta-llama/Llama-3.1-70B&bits=4&context=8192#run_bytes]] with 8,192 tokens.",
        ),
        Question(
            "MLX or GGUF on a Mac?",
            f"Sizes are close: Q4_K_M of Llama 3.1 8B is [[gguf-size?{_8B}&type=q4_k_m#checkpoint_bytes]]. "
            "GGUF mixes types and so keeps more quality at the same size; MLX runs on Apple's own "
            "framework. Measure both on your machine.",
        ),
    ),
    sources=(
        Source("mlx-lm", "https://github.com/ml-explore/mlx-lm"),
        Source(
            "MLX, quantize",
            "https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html",
        ),
    ),
    code=(mlx.pack,),
)
