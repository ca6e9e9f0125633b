"""The fields that ask for a plan: format, GPUs, engine and what they are told."""

from typing import Annotated

from calculators.facts import rows
from calculators.facts.catalogue import Gpu, find_gpu, gpu_options
from calculators.kit import Choice, Field, Pick, Quantity, Switch, Words
from calculators.maths.packing import formats

ENGINE_NAMES = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "tensorrt-llm": "TensorRT-LLM",
    "llama.cpp": "llama.cpp",
    "ollama": "Ollama",
    "mlx": "MLX",
}
LAYER_SPLIT = ("llama.cpp", "ollama")  # deal out layers, where others cut matrices
SIXTEEN_BIT_KV = ("auto", "fp16", "bf16")

FormatInput = Annotated[
    str,
    Field(
        "Format",
        Choice(tuple((one.id, one.title) for one in formats())),
        help="How the weights are stored.",
        term="checkpoint",
    ),
]
BitsInput = Annotated[
    float | None,
    Field(
        "Bits",
        Quantity("", 1, 16),
        help="Of GPTQ, MLX and HQQ; bits per weight of EXL2 and EXL3.",
        advanced=True,
        placeholder="the format's usual",
    ),
]
GroupInput = Annotated[
    int | None,
    Field(
        "Group size",
        Quantity("", -1, 4096, whole=True),
        help="Weights that share a scale; -1 per channel.",
        term="group-size",
        advanced=True,
        placeholder="the format's usual",
    ),
]
GpuInput = Annotated[
    Gpu | None,
    Field(
        "GPU",
        Pick("gpus", gpu_options, find_gpu, lambda chosen: str(chosen.id)),
        help="Any part of a name.",
        placeholder="H100, RTX 4090, M3 Ultra …",
        default="rtx-4090",
        clearable=True,
    ),
]
MemoryInput = Annotated[
    float | None,
    Field(
        "Memory of one GPU",
        Quantity("GB", 0.5, 10_000),
        help="As on the box. Clear the GPU for hardware of your own, or give another size of it.",
        advanced=True,
        placeholder="the catalogue's",
    ),
]
BandwidthInput = Annotated[
    float | None,
    Field(
        "Its bandwidth",
        Quantity("GB/s", 1, 1e6),
        help="Nominal, for the speed.",
        advanced=True,
        placeholder="the catalogue's",
        term="memory-bandwidth",
    ),
]
TflopsInput = Annotated[
    float | None,
    Field(
        "Its dense FP16 rate",
        Quantity("TFLOPS", 0.1, 1e6),
        help="Nominal, without sparsity.",
        advanced=True,
        placeholder="the catalogue's",
        term="flop",
    ),
]
GpusInput = Annotated[
    int,
    Field("How many GPUs", Quantity("", 1, 4096, whole=True), help="Of that kind."),
]
TensorParallelInput = Annotated[
    int | None,
    Field(
        "Tensor parallel",
        Quantity("", 1, 1024, whole=True),
        help="GPUs that share each matrix. By itself: as many as the heads can be shared by.",
        term="tensor-parallel",
        advanced=True,
        placeholder="by itself",
    ),
]
PipelineParallelInput = Annotated[
    int | None,
    Field(
        "Pipeline parallel",
        Quantity("", 1, 1024, whole=True),
        help="GPUs that the layers are dealt out to.",
        advanced=True,
        placeholder="by itself",
        term="pipeline-parallel",
    ),
]
ConcurrencyInput = Annotated[
    int,
    Field(
        "Requests at once",
        Quantity("", 1, 1e6, whole=True),
        help="Each of the full context.",
        term="concurrency",
    ),
]
KvDtypeInput = Annotated[
    str,
    Field(
        "KV cache type",
        Choice(
            (
                ("auto", "16 bits, as the model"),
                ("fp16", "FP16"),
                *(
                    (row["id"], row["id"].upper())
                    for row in rows("kv_dtypes")
                    if row["id"] != "f16"
                ),
            ),
            aliases=(("f16", "fp16"), ("fp8_e4m3", "fp8"), ("fp8_e5m2", "fp8")),
        ),
        help="Halving it doubles the tokens that fit.",
        term="kv-cache",
    ),
]
EngineInput = Annotated[
    str,
    Field(
        "Engine",
        Choice(
            (("auto", "the format's usual"), *ENGINE_NAMES.items()),
            aliases=(("llamacpp", "llama.cpp"), ("trt-llm", "tensorrt-llm"), ("mlx-lm", "mlx")),
        ),
        help="Each decides memory by rules of its own.",
    ),
]
VersionInput = Annotated[
    tuple[str, ...] | None,
    Field(
        "Engine version",
        Words("0.11.0 or 2026-08"),
        help="Rules change; llama.cpp and Ollama by month.",
        advanced=True,
        placeholder="the newest known here",
    ),
]
FractionInput = Annotated[
    float | None,
    Field(
        "Memory fraction",
        Quantity("", 0.05, 1),
        help="gpu_memory_utilization, mem_fraction_static or free_gpu_memory_fraction.",
        advanced=True,
        placeholder="the engine's default",
        term="gpu-memory-utilization",
    ),
]
DisplayInput = Annotated[
    bool,
    Field(
        "Display attached",
        Switch(),
        "A desktop takes about half a GiB.",
        advanced=True,
        term="usable-memory",
    ),
]
EccInput = Annotated[
    str,
    Field(
        "ECC",
        Choice((("default", "as it ships"), ("on", "on"), ("off", "off"))),
        help="On GDDR6 it takes a sixteenth of the memory.",
        advanced=True,
        term="usable-memory",
    ),
]
GpuLayersInput = Annotated[
    int | None,
    Field(
        "Layers on the GPU",
        Quantity("", 0, 10_000, whole=True),
        help="llama.cpp: -ngl. The rest stays in main memory.",
        advanced=True,
        placeholder="all",
    ),
]
CpuExpertsInput = Annotated[
    int,
    Field(
        "Layers with experts on the CPU",
        Quantity("", 0, 10_000, whole=True),
        help="llama.cpp: --n-cpu-moe.",
        advanced=True,
        term="moe",
    ),
]
HostBandwidthInput = Annotated[
    float | None,
    Field(
        "Bandwidth of main memory",
        Quantity("GB/s", 1, 10_000),
        help="Decides the speed of what stays there.",
        advanced=True,
        placeholder="two channels of DDR5-5600",
    ),
]
