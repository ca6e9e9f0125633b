"""The KV cache: what a model remembers of its context, as an engine allocates it."""

from dataclasses import dataclass
from typing import Annotated

from calculators.common import plan_fields
from calculators.common.cache import bytes_per_token, cache_budget, growth, if_all_were_kept, kinds
from calculators.common.plan import Case, Machine, case, machine, packing, planned, usual_engine
from calculators.common.subject import ContextInput, ModelInput, ParamsInput
from calculators.kit import (
    Chart,
    Example,
    Figure,
    Note,
    Notes,
    Page,
    Question,
    Shown,
    Source,
    Step,
    Table,
    Working,
    exact,
    modelled,
)
from calculators.maths import kv_cache
from calculators.maths.memory import Budget, Plan


@dataclass(frozen=True)
class Cache:
    """What a cache takes, and what a GPU has left for it."""

    kv_cache_bytes: Annotated[
        Figure,
        Shown(
            "KV cache",
            "bytes",
            "Of all requests, on all GPUs together.",
            lead=True,
            term="kv-cache",
        ),
    ]
    kv_cache_bytes_per_token: Annotated[
        Figure,
        Shown(
            "One more token",
            "bytes",
            "What a token of a long request adds, blocks and padding included.",
            lead=True,
            term="kv-cache",
        ),
    ]
    max_concurrency: Annotated[
        Figure | None,
        Shown(
            "Requests that fit",
            "ratio",
            "In what the GPU has left beside the weights.",
            lead=True,
            term="concurrency",
        ),
    ]
    kv_cache_bytes_per_gpu: Annotated[Figure, Shown("Per GPU", "bytes")]
    one_request_bytes: Annotated[Figure, Shown("One request, per GPU", "bytes")]
    textbook_bytes: Annotated[
        Figure,
        Shown("If every layer kept every token", "bytes", "The formula in most calculators."),
    ]
    kv_cache_tokens: Annotated[Figure | None, Shown("Tokens that fit", "tokens", term="kv-cache")]
    max_context: Annotated[
        Figure | None,
        Shown(
            "Longest context of one request",
            "tokens",
            "At most the model's own.",
            term="context-window",
        ),
    ]
    left_bytes_per_gpu: Annotated[
        Figure | None, Shown("Left for the cache", "bytes", "On each GPU, beside the weights.")
    ]
    notes: Annotated[Notes | None, Shown("Mind")]
    layers: Annotated[Table, Shown("Which layers keep what")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    growth: Annotated[Chart, Shown("Against the context")]


def calculate(
    model: ModelInput = None,
    params: ParamsInput = None,
    context: ContextInput = 8192,
    concurrency: plan_fields.ConcurrencyInput = 1,
    kv_dtype: plan_fields.KvDtypeInput = "auto",
    engine: plan_fields.EngineInput = "vllm",
    tensor_parallel: plan_fields.TensorParallelInput = 1,
    gpu: plan_fields.GpuInput = None,
    format: plan_fields.FormatInput = "bf16",
    engine_version: plan_fields.VersionInput = None,
) -> Cache:
    """What a model keeps of its context while it writes, counted layer by layer.

    Every token leaves a key and a value in each attention layer, and the next token reads them all.
    How much that is depends on the layers: grouped queries share keys and values among heads, latent
    attention keeps one compressed vector, a sliding window forgets, a recurrent layer keeps one
    state however long the text is. Engines then round: vLLM to blocks that all kinds of layers have
    to share, llama.cpp to 256 cells.
    """
    packed_by = packing(format)
    on = machine(gpu)
    name = usual_engine(packed_by, on) if engine == "auto" else engine
    version = engine_version[0] if engine_version else None
    plan = Plan(version=version, context=context, concurrency=concurrency, kv_dtype=kv_dtype)
    asked = case(model, params, packed_by, plan)
    return _cache(planned(asked, name, 1, tensor_parallel, None), on)


def _cache(asked: Case, on: Machine) -> Cache:
    plan = asked.plan
    alone, whole = cache_budget(asked, on.device), asked.budget(on.device)
    token = bytes_per_token(asked, on.device)
    together = alone.kv_needed_bytes * plan.gpus
    free = whole.kv_cache_bytes if whole.kv_cache_bytes > 0 else None
    sure = exact if asked.subject else modelled
    why = f"By {plan_fields.ENGINE_NAMES[plan.engine]}'s own rules of allocation."
    fits = "With the weights in the format given; see GPU fit for the whole budget."
    return Cache(
        kv_cache_bytes=sure(together, why=why),
        kv_cache_bytes_per_token=sure(token * plan.gpus, why=why),
        max_concurrency=modelled(round(whole.max_concurrency, 2), why=fits) if free else None,
        kv_cache_bytes_per_gpu=sure(alone.kv_needed_bytes, why=why),
        one_request_bytes=sure(alone.one_request_bytes, why=why),
        textbook_bytes=sure(
            plan.concurrency * if_all_were_kept(asked.model, plan.context, plan.kv_dtype)
        ),
        kv_cache_tokens=modelled(whole.kv_cache_tokens, why=fits) if free else None,
        max_context=modelled(whole.max_context, why=fits) if free else None,
        left_bytes_per_gpu=modelled(free, why=fits) if free else None,
        notes=_notes(asked, whole),
        layers=kinds(asked),
        working=_working(asked, alone, token),
        growth=growth(asked, on.device, free, whole.max_context),
    )


def _notes(asked: Case, whole: Budget) -> Notes | None:
    plan, model = asked.plan, asked.model
    found = []
    if asked.subject is None:
        found.append(
            Note("A count says nothing about the layers: this is a Llama-shaped stand-in.")
        )
    if model.max_context and plan.context > model.max_context:
        said = f"The model was made for at most {model.max_context:,} tokens."
        found.append(Note(said, "warning"))
    if whole.kv_cache_bytes <= 0:
        said = f"The weights alone do not fit {whole.device.name}: nothing is left for the cache."
        found.append(Note(said, "warning"))
    heads = max((layer.heads for layer in kv_cache.cache_layers(model)), default=0)
    latent = any(layer.kind == "latent" for layer in kv_cache.cache_layers(model))
    if plan.tensor_parallel > 1 and (latent or heads < plan.tensor_parallel):
        what = "The latent vector" if latent else f"Each of the {heads} KV heads"
        found.append(Note(f"{what} stands on several GPUs: tensor parallelism copies it."))
    return Notes(tuple(found)) if found else None


def _working(asked: Case, alone: Budget, token: int) -> Working:
    plan = asked.plan
    one, all_requests = alone.one_request_bytes, alone.kv_needed_bytes
    steps = [
        Step("One more token", "layers that keep every token", f"{token:,} bytes per GPU"),
        Step(
            "One request",
            f"{plan.context:,} tokens in {plan_fields.ENGINE_NAMES[plan.engine]}'s blocks",
            f"{one:,} bytes per GPU",
        ),
        Step("All requests", f"{one:,} × {plan.concurrency:,}", f"{all_requests:,} bytes per GPU"),
    ]
    if plan.gpus > 1:
        total = f"{all_requests * plan.gpus:,} bytes"
        steps.append(Step("All GPUs", f"{all_requests:,} × {plan.gpus}", total))
    return Working(tuple(steps))


PAGE = Page(
    title="KV cache size",
    description="KV cache of any model at any context, as vLLM, SGLang or llama.cpp allocates it: "
    "Llama 3 8B takes [[?model=meta-llama/Meta-Llama-3-8B&context=8192#kv_cache_bytes.also]] at "
    "8,192 tokens. Windows, latent attention and recurrent layers counted as they are.",
    group="Does it fit?",
    order=31,
    keywords=("KV cache", "context length", "GQA", "MLA", "sliding window", "vLLM", "memory"),
    how_to=(
        "Pick a model or drop its config.json; set the context and how many requests run at once.",
        "Choose the engine: it decides the blocks, and so the rounding. Set the cache type.",
        "Pick a GPU and the format of the weights to see how many requests fit in what is left.",
    ),
    why=(
        "Windows, chunks, latent vectors, shared caches and recurrent states are read from the "
        "config; the usual formula counts every layer as if it kept everything.",
        "The answer is what the engine allocates, so it can be held against its log.",
    ),
    assumes=(
        "By the rules of the engine's version, given or newest; 16-bit recurrent states where the "
        "engine keeps them so. For hybrids vLLM pads pages until all kinds of layers share a size.",
        "Held against the logs of real servers, bytes and tokens of the cache agree but for the "
        "rounding of the log: see the accuracy page, and the table on the page of GPU fit.",
        "Tensor parallelism shares KV heads among GPUs and copies them where there are too few.",
    ),
    examples=(
        Example(
            "Llama 3 8B, 8,192 tokens",
            "model=meta-llama/Meta-Llama-3-8B&context=8192&kv_dtype=fp16&engine=vllm",
            {
                "kv_cache_bytes": 1_073_741_824,
                "kv_cache_bytes_per_token": 131_072,
                "one_request_bytes": 1_073_741_824,
            },
        ),
        Example(
            "DeepSeek V3, latent attention",
            "model=deepseek-ai/DeepSeek-V3&context=8192&gpu=h200-sxm&tensor_parallel=1",
            {"kv_cache_bytes": 575_668_224, "kv_cache_bytes_per_token": 70_272},
        ),
        Example(
            "Qwen3.5 27B, a hybrid",
            "model=Qwen/Qwen3.5-27B&context=131072&gpu=h100-sxm",
            {"kv_cache_bytes_per_token": 65_536},
        ),
        Example(
            "Gemma 3 27B, windows",
            "model=google/gemma-3-27b-it&context=32768&gpu=h100-sxm",
            {"kv_cache_bytes_per_token": 81_920},
        ),
        Example(
            "Llama 3.1 70B in 8 bits, 32 requests",
            "model=meta-llama/Llama-3.1-70B&context=16384&concurrency=32&kv_dtype=fp8"
            "&tensor_parallel=4&gpu=h100-sxm&format=awq",
        ),
        Example(
            "llama.cpp with q8_0",
            "model=Qwen/Qwen3-32B&context=32768&kv_dtype=q8_0&engine=llama.cpp&format=gguf-q4_k_m",
        ),
    ),
    questions=(
        Question(
            "How large is the KV cache of one token?",
            "Two vectors per layer, a key and a value, each as wide as the KV heads together. For "
            "Llama 3 8B that is 2 × 32 layers × 8 heads × 128 × 2 bytes = "
            "[[?model=meta-llama/Meta-Llama-3-8B&context=8192#kv_cache_bytes_per_token]]; at 8,192 "
            "tokens [[?model=meta-llama/Meta-Llama-3-8B&context=8192#kv_cache_bytes.also]].",
        ),
        Question(
            "Why is DeepSeek so much smaller?",
            "Latent attention keeps one vector of 576 numbers per layer instead of keys and values "
            "for 128 heads: [[?model=deepseek-ai/DeepSeek-V3&context=8192#kv_cache_bytes]] at 8,192 "
            "tokens, where counting heads gives "
            "[[?model=deepseek-ai/DeepSeek-V3&context=8192#textbook_bytes]]. But every GPU of a "
            "tensor-parallel group needs the whole vector.",
        ),
        Question(
            "What does a sliding window save?",
            "A layer with a window keeps only its last tokens. In Gemma 3 27B 52 of 62 layers do: "
            "at 131,072 tokens it keeps "
            "[[?model=google/gemma-3-27b-it&context=131072&gpu=h100-sxm#kv_cache_bytes]] instead of "
            "[[?model=google/gemma-3-27b-it&context=131072&gpu=h100-sxm#textbook_bytes]].",
        ),
        Question(
            "What does an 8-bit cache cost?",
            "FP8 halves the bytes. q8_0 of llama.cpp adds a 16-bit scale to every 32 numbers, so it "
            "takes 34/64 of FP16, not half. Measured losses of quality are small for 8 bits and "
            "depend on the model for 4; keys suffer more than values.",
        ),
        Question(
            "Does weight quantization shrink the cache?",
            "No. AWQ, GPTQ and GGUF store weights; the cache keeps its own type. They leave more "
            "memory for it, which is why more requests fit.",
        ),
        Question(
            "Why does vLLM print fewer tokens than memory divided by bytes per token?",
            "Layers of different kinds draw blocks from one pool. Groups are padded to equal size, "
            "windows need room for the batch in flight, and newer versions print concurrency times "
            "length rather than a count of slots.",
        ),
    ),
    sources=(
        Source(
            "vLLM, how cache blocks are planned",
            "https://github.com/vllm-project/vllm/tree/v0.33.0/vllm/v1/core",
        ),
        Source(
            "llama.cpp, src/llama-kv-cache.cpp",
            "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-kv-cache.cpp",
        ),
        Source("DeepSeek-V2, multi-head latent attention", "https://arxiv.org/abs/2405.04434"),
        Source("Ainslie et al., grouped-query attention", "https://arxiv.org/abs/2305.13245"),
        Source("Kwon et al., PagedAttention", "https://arxiv.org/abs/2309.06180"),
    ),
    code=(kv_cache.kv_cache_bytes, bytes_per_token),
    disclaimer="Bytes follow the engine's published rules. What is left on a GPU is modelled; the "
    "log of your own engine has the last word.",
)
