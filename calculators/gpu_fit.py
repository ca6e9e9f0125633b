"""Does a model fit a GPU, which GPUs hold it, and what is the best model for a GPU."""

from typing import Annotated

from calculators.common import plan_fields
from calculators.common.before_after import before_after
from calculators.common.fit import Asked, Fit, does_it_fit, which_gpus, which_models
from calculators.common.plan import (
    case,
    check,
    engine_for,
    machine,
    packing,
    planned,
    spread,
    usual_engine,
)
from calculators.common.subject import ContextInput, ModelInput, ParamsInput
from calculators.kit import Choice, Example, Field, Page, Quantity, Question, Refused, Source
from calculators.maths import cost, roofline
from calculators.maths.engines import vllm
from calculators.maths.memory import Plan

PERCENT = 100
QUESTIONS = (
    ("fits", "Does this model fit this GPU?"),
    ("gpus", "Which GPUs hold this model?"),
    ("models", "Which model is best for this GPU?"),
)
# What a request reads and writes unless said: a chat with some context, within the context given.
PROMPT_TOKENS, OUTPUT_TOKENS = 1024, 256
PROMPT_SHARE, OUTPUT_SHARE = 0.75, 0.25


def calculate(
    question: Annotated[str, Field("Question", Choice(QUESTIONS))] = "fits",
    model: ModelInput = None,
    params: ParamsInput = None,
    format: plan_fields.FormatInput = "awq",
    gpu: plan_fields.GpuInput = None,
    gpus: plan_fields.GpusInput = 1,
    context: ContextInput = 8192,
    concurrency: plan_fields.ConcurrencyInput = 1,
    kv_dtype: plan_fields.KvDtypeInput = "auto",
    engine: plan_fields.EngineInput = "auto",
    engine_version: plan_fields.VersionInput = None,
    tensor_parallel: plan_fields.TensorParallelInput = None,
    pipeline_parallel: plan_fields.PipelineParallelInput = None,
    memory_fraction: plan_fields.FractionInput = None,
    prompt_tokens: Annotated[
        int | None,
        Field(
            "Prompt",
            Quantity("tokens", 1, 1e8, whole=True),
            "Tokens read per request, for speed and cost.",
            advanced=True,
            placeholder="1024",
            term="prefill",
        ),
    ] = None,
    output_tokens: Annotated[
        int | None,
        Field(
            "Answer",
            Quantity("tokens", 1, 1e8, whole=True),
            "Tokens written per request.",
            advanced=True,
            placeholder="256",
            term="decode",
        ),
    ] = None,
    usd_per_hour: Annotated[
        float | None,
        Field(
            "Price of one GPU per hour",
            Quantity("usd", 0, 1e5),
            "Your own, in place of the lowest listed.",
            advanced=True,
            placeholder="the lowest listed",
        ),
    ] = None,
    utilisation: Annotated[
        float,
        Field(
            "Utilisation",
            Quantity("percent", 0.1, 100),
            "Of the time that is paid for.",
            advanced=True,
        ),
    ] = 100,
    slowest: Annotated[
        float,
        Field(
            "Slowest that will do",
            Quantity("", 0, 1e6),
            "Tokens per second and request, when models are looked for.",
            advanced=True,
        ),
    ] = 10,
    bits: plan_fields.BitsInput = None,
    group_size: plan_fields.GroupInput = None,
    memory_gb: plan_fields.MemoryInput = None,
    bandwidth_gb_s: plan_fields.BandwidthInput = None,
    tflops: plan_fields.TflopsInput = None,
    display: plan_fields.DisplayInput = False,
    ecc: plan_fields.EccInput = "default",
    n_gpu_layers: plan_fields.GpuLayersInput = None,
    cpu_expert_layers: plan_fields.CpuExpertsInput = 0,
    host_bandwidth_gb_s: plan_fields.HostBandwidthInput = None,
) -> Fit:
    """Whether a model runs on a GPU: memory as the engine counts it, then speed and cost.

    A GPU holds weights, a KV cache for every request, activations, CUDA graphs and libraries, in less
    memory than the box says, and each engine divides that by rules of its own. This page follows
    those rules term by term, so that its figures can be held against the lines the engine logs. Speed
    comes from the bytes that a token reads and the operations it needs, with constants fitted to
    published measurements; cost from the batch that the memory allows.
    """
    asked = Asked(
        *_tokens(context, prompt_tokens, output_tokens), usd_per_hour, utilisation / PERCENT
    )
    plan = Plan(
        version=engine_version[0] if engine_version else None,
        context=context,
        concurrency=concurrency,
        kv_dtype=kv_dtype,
        memory_fraction=memory_fraction,
        display=display,
        n_gpu_layers=n_gpu_layers,
        cpu_expert_layers=cpu_expert_layers,
        host_bandwidth=host_bandwidth_gb_s * 1e9 if host_bandwidth_gb_s else None,
    )
    if question == "models":
        on = machine(gpu, memory_gb, bandwidth_gb_s, tflops, ecc)
        name = engine_for(on) if engine == "auto" else engine
        return which_models(on, check(spread(plan, name, gpus)), slowest)
    packed_by = packing(format, bits, group_size)
    found = case(model, params, packed_by, plan)
    if question == "gpus":
        name = usual_engine(packed_by) if engine == "auto" else engine
        return which_gpus(planned(found, name, 1, None, None), asked)
    on = machine(gpu, memory_gb, bandwidth_gb_s, tflops, ecc)
    name = usual_engine(packed_by, on) if engine == "auto" else engine
    return does_it_fit(planned(found, name, gpus, tensor_parallel, pipeline_parallel), on, asked)


PAGE = Page(
    title="GPU fit",
    description="Does a model fit your GPU? Llama 3.1 70B in AWQ takes "
    "[[?model=meta-llama/Llama-3.1-70B&gpu=l40s#total_bytes_per_gpu]] of an L40S and leaves room for "
    "[[?model=meta-llama/Llama-3.1-70B&gpu=l40s#kv_cache_tokens]]. Memory as vLLM, SGLang or "
    "llama.cpp logs it, speed, cost, and which GPUs hold it.",
    group="Does it fit?",
    order=30,
    keywords=(
        "GPU memory",
        "VRAM calculator",
        "vLLM",
        "llama.cpp",
        "max context",
        "tokens per second",
    ),
    how_to=(
        "Choose the question. Pick a model and a format, or drop a config.json; pick a GPU, or clear "
        "it and type memory, bandwidth and TFLOPS of your own under More settings.",
        "Set the context of a request and how many run at once; the engine and its version decide "
        "the rules, and so the lines it will log.",
        "Read how full a GPU is and what gives way first, copy the command, and hold the log of "
        "your server against the lines printed here.",
    ),
    why=(
        "Engines differ: vLLM takes a share of the card, TensorRT-LLM a share of what is left, "
        "llama.cpp a margin. One slider for all of them is wrong for most.",
        "Usable memory is what CUDA reports, not what the box says; ECC and a display count.",
        "The price of a token is bound to the batch that fits, not to a benchmark on another card.",
    ),
    assumes=(
        "Weights are counted tensor by tensor and cut as tensor and pipeline parallelism cut them; "
        "the fullest GPU decides.",
        "The cache follows the engine's rules for the version named. How well the rules reproduce "
        "published logs is in the table under the answer, term by term; bands on tokens and "
        "requests are three per cent or half a GiB of the pool, which holds for nine logs in ten.",
        "Speed is a fit to published measurements. The band is where nine of ten rows fell that the "
        "fit had not seen; long prompts, mixtures and new kernels fall outside it more often.",
        "Layers that stay in main memory are read at the bandwidth of two channels of DDR5-5600, or "
        "your own (More settings); how fast a prompt is read there, and so its price, is left out.",
    ),
    examples=(
        Example(
            "Llama 3.1 8B in AWQ on an RTX 4090",
            "model=meta-llama/Llama-3.1-8B&format=awq&gpu=rtx-4090",
            {"fits": True, "weights_bytes_per_gpu": 5_727_854_592},
        ),
        Example("70B in AWQ on one L40S", "model=meta-llama/Llama-3.1-70B&format=awq&gpu=l40s"),
        Example(
            "70B in BF16 on four A100",
            "model=meta-llama/Llama-3.1-70B&format=bf16&gpu=a100-80gb-sxm&gpus=4&concurrency=32",
        ),
        Example(
            "DeepSeek V3 as published, eight H200",
            "model=deepseek-ai/DeepSeek-V3&format=original&gpu=h200-sxm&gpus=8&context=32768",
        ),
        Example(
            "Qwen3 32B GGUF, 8-bit cache, RTX 5090",
            "model=Qwen/Qwen3-32B&format=gguf-q4_k_m&gpu=rtx-5090&kv_dtype=q8_0&context=32768",
        ),
        Example(
            "Mixtral in MLX on a 64 GB Mac",
            "model=mistralai/Mixtral-8x7B-Instruct-v0.1&format=mlx&gpu=apple-m4-max-40core"
            "&memory_gb=64",
        ),
        Example(
            "Which GPUs hold 70B in AWQ?",
            "question=gpus&model=meta-llama/Llama-3.1-70B",
            surveys=True,
        ),
        Example(
            "What is best on a 24 GB card?",
            "question=models&gpu=rtx-4090&context=16384",
            surveys=True,
        ),
        Example("And on an H100?", "question=models&gpu=h100-sxm&context=16384"),
        Example("And on a Mac?", "question=models&gpu=apple-m4-max-40core&context=16384"),
        Example(
            "34B parameters, a card of 48 GB", "params=34B&gpu=&memory_gb=48&bandwidth_gb_s=900"
        ),
    ),
    questions=(
        Question(
            "Can a 70B model run on one GPU?",
            "In BF16 no common card holds its [[?model=meta-llama/Llama-3.1-70B&format=bf16"
            "&gpu=a100-80gb-sxm#weights_bytes_per_gpu]]. In AWQ it takes "
            "[[?model=meta-llama/Llama-3.1-70B&gpu=a100-80gb-sxm#weights_bytes_per_gpu]]: an 80 GB "
            "card holds it with [[?model=meta-llama/Llama-3.1-70B&gpu=a100-80gb-sxm#kv_cache_tokens]] "
            "of cache, a 48 GB card only just, with "
            "[[?model=meta-llama/Llama-3.1-70B&gpu=l40s#kv_cache_tokens]].",
        ),
        Question(
            "Which GPU for which use?",
            "For yourself, one card whose memory holds a 4-bit model and your context: 24 GB for "
            "about 30B, 48 GB for 70B. For a service, bandwidth and memory for many requests count: "
            "80 GB and more. For long contexts look at the cache per token before the weights. Ask "
            "the second question above for your own model, with prices.",
        ),
        Question(
            "Why does a 24 GB card not give me 24 GB?",
            "The driver keeps some back: CUDA reports [[?gpu=rtx-4090#usable_bytes_per_gpu.also]] of "
            "an RTX 4090, and vLLM takes [[?gpu=rtx-4090#limit_bytes_per_gpu.also]] of that unless "
            "told otherwise. A display takes about half a GiB more.",
        ),
        Question(
            "What gives way first when memory runs out?",
            "First the number of requests: those that do not fit wait. Then the context: vLLM "
            "refuses to start when one request of the maximum length does not fit, llama.cpp lowers "
            "it. Then the weights: a narrower format, or more GPUs.",
        ),
        Question(
            "Will 4 bits make it faster?",
            "With few requests yes, because each token reads fewer bytes. With many requests the "
            "arithmetic decides, and weight-only formats multiply in 16 bits: the gain fades. The "
            "chart above shows where; reading prompts gains nothing from AWQ or GPTQ.",
        ),
        Question(
            "What goes wrong most often?",
            "Forgetting the KV cache; a format that the GPU's generation only unpacks; a group size "
            "that does not divide what tensor parallelism leaves of a matrix; calibration text "
            "unlike the text that is served; judging 4 bits by chat when the task is reasoning; "
            "quantizing while loading instead of using a calibrated checkpoint. Each is said above "
            "when your plan deserves it.",
        ),
        Question(
            "How do I check this against my server?",
            "Start it with the command above and compare its log with the lines under “What the "
            "engine will log”. If they differ by more than the table of errors says, the engine's "
            "version or a default differs: set them under More settings.",
        ),
    ),
    sources=(
        Source("vLLM v0.33.0", "https://github.com/vllm-project/vllm/tree/v0.33.0"),
        Source("SGLang v0.5.23", "https://github.com/sgl-project/sglang/tree/v0.5.23"),
        Source("llama.cpp", "https://github.com/ggml-org/llama.cpp"),
        Source(
            "TensorRT-LLM, KV cache",
            "https://nvidia.github.io/TensorRT-LLM/features/kvcache.html",
        ),
        Source("Williams et al., Roofline", "https://doi.org/10.1145/1498765.1498785"),
        Source(
            "Dettmers and Zettlemoyer, The case for 4-bit precision",
            "https://arxiv.org/abs/2212.09720",
            "why no format below 4 bits is offered",
        ),
        Source(
            "AutoAWQ, archived",
            "https://github.com/casper-hansen/AutoAWQ",
            "time to quantize",
        ),
    ),
    code=(vllm.Vllm.budget, roofline.decode, cost.usd_per_million_tokens, before_after),
    disclaimer="Weights are counted; memory, speed and cost are modelled with the errors stated. "
    "Measure on the machine before you buy it.",
)


def _tokens(context: int, prompt: int | None, output: int | None) -> tuple[int, int]:
    """What a request reads and writes; together at most the context."""
    read = prompt or max(1, min(PROMPT_TOKENS, round(PROMPT_SHARE * context)))
    write = output or max(1, min(OUTPUT_TOKENS, round(OUTPUT_SHARE * context)))
    if (prompt or output) and read + write > max(context, 2):
        field = "prompt_tokens" if prompt else "output_tokens"
        raise Refused(
            f"{read:,} and {write:,} tokens do not fit the context of {context:,}.", field
        )
    return read, write
