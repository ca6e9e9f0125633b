"""The fields that ask for a plan: format, GPUs, engine and what they are told."""

from typing import Annotated, Any

from calculators.facts import rows
from calculators.facts.catalogue import Gpu, find_gpu, gpu_options
from calculators.kit import Choice, Field, Pick, Quantity, Switch, Words
from calculators.kit.inputs import Input
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


def _more(label: str, input: Input, help: str, placeholder: str = "", **more: Any) -> Field:
    """A field that stands under More settings."""
    return Field(label, input, help, advanced=True, placeholder=placeholder, **more)


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
    _more(
        "Bits",
        Quantity("", 1, 16),
        "Of GPTQ, MLX and HQQ; bits per weight of EXL2 and EXL3.",
        "the format's usual",
    ),
]
GroupInput = Annotated[
    int | None,
    _more(
        "Group size",
        Quantity("", -1, 4096, whole=True),
        "Weights that share a scale; -1 per channel.",
        "the format's usual",
        term="group-size",
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
    _more(
        "Memory of one GPU",
        Quantity("GB", 0.5, 10_000),
        "As on the box. Clear the GPU for hardware of your own, or give another size of it.",
        "the catalogue's",
    ),
]
BandwidthInput = Annotated[
    float | None,
    _more(
        "Its bandwidth",
        Quantity("GB/s", 1, 1e6),
        "Nominal, for the speed.",
        "the catalogue's",
        term="memory-bandwidth",
    ),
]
TflopsInput = Annotated[
    float | None,
    _more(
        "Its dense FP16 rate",
        Quantity("TFLOPS", 0.1, 1e6),
        "Nominal, without sparsity.",
        "the catalogue's",
        term="flop",
    ),
]
GpusInput = Annotated[
    int,
    Field("How many GPUs", Quantity("", 1, 4096, whole=True), help="Of that kind."),
]
TensorParallelInput = Annotated[
    int | None,
    _more(
        "Tensor parallel",
        Quantity("", 1, 1024, whole=True),
        "GPUs that share each matrix. By itself: as many as the heads can be shared by.",
        "by itself",
        term="tensor-parallel",
    ),
]
PipelineParallelInput = Annotated[
    int | None,
    _more(
        "Pipeline parallel",
        Quantity("", 1, 1024, whole=True),
        "GPUs that the layers are dealt out to.",
        "by itself",
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
    _more(
        "Engine version",
        Words("0.11.0 or 2026-08"),
        "Rules change; llama.cpp and Ollama by month.",
        "the newest known here",
    ),
]
FractionInput = Annotated[
    float | None,
    _more(
        "Memory fraction",
        Quantity("", 0.05, 1),
        "gpu_memory_utilization, mem_fraction_static or free_gpu_memory_fraction.",
        "the engine's default",
        term="gpu-memory-utilization",
    ),
]
DisplayInput = Annotated[
    bool,
    _more("Display attached", Switch(), "A desktop takes about half a GiB.", term="usable-memory"),
]
EccInput = Annotated[
    str,
    _more(
        "ECC",
        Choice((("default", "as it ships"), ("on", "on"), ("off", "off"))),
        "On GDDR6 it takes a sixteenth of the memory.",
        term="usable-memory",
    ),
]
GpuLayersInput = Annotated[
    int | None,
    _more(
        "Layers on the GPU",
        Quantity("", 0, 10_000, whole=True),
        "llama.cpp: -ngl. The rest stays in main memory.",
        "all",
    ),
]
CpuExpertsInput = Annotated[
    int,
    _more(
        "Layers with experts on the CPU",
        Quantity("", 0, 10_000, whole=True),
        "llama.cpp: --n-cpu-moe.",
        term="moe",
    ),
]
HostBandwidthInput = Annotated[
    float | None,
    _more(
        "Bandwidth of main memory",
        Quantity("GB/s", 1, 10_000),
        "Decides the speed of what stays there.",
        "two channels of DDR5-5600",
    ),
]
