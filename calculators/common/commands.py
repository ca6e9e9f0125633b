"""Lines ready to paste: serve the model as planned, check it, and make its checkpoint."""

import re
from collections.abc import Iterator, Mapping

from calculators.common.kernels import runs
from calculators.common.plan import Case
from calculators.common.plan_fields import ENGINE_NAMES, SIXTEEN_BIT_KV
from calculators.facts import rows
from calculators.kit import Commands

Block = tuple[str, str, str]
KEPT_AS_PUBLISHED = ("original", "bf16", "fp16", "fp32")
PORT = 8000
VLLM_SEQS = 256  # requests that vLLM schedules by default on cards below 70 GiB
LLAMA_PORT = 8080  # llama-server's and mlx_lm.server's default
OLLAMA_PORT = 11434


def published(asked: Case) -> str:
    """The model's repository. A visitor's config may name itself anything: it never gets here."""
    if asked.subject is None or asked.subject.model.own:
        return "your/model"
    return re.sub(r"[^\w./-]", "", asked.subject.model.id)


def stem(asked: Case) -> str:
    """The published repository's name without its owner."""
    return published(asked).rpartition("/")[2]


def checkpoint(asked: Case) -> str:
    """What the server is pointed at: the published model, or the one made below."""
    kind = asked.recipe.format
    if kind.startswith("gguf-"):
        return f"./{stem(asked)}-{kind.removeprefix('gguf-').upper()}.gguf"
    return published(asked) if kind in KEPT_AS_PUBLISHED else f"./{stem(asked)}-{kind}"


def _given(flags: Mapping[str, object]) -> str:
    """Flags with a value, one to a line."""
    return "".join(
        f" \\\n  {name}" + ("" if value is True else f" {value}")
        for name, value in flags.items()
        if value not in (None, False)
    )


def _kv(asked: Case, fp8: str = "fp8") -> str | None:
    name = asked.plan.kv_dtype
    if name in SIXTEEN_BIT_KV:
        return None
    return fp8 if name == "fp8" else name


def _many(count: int) -> int | None:
    return count if count > 1 else None


def _vllm_flags(asked: Case) -> str:
    plan = asked.plan
    return _given(
        {
            "--max-model-len": plan.context,
            "--max-num-seqs": plan.concurrency if plan.concurrency > VLLM_SEQS else None,
            "--tensor-parallel-size": _many(plan.tensor_parallel),
            "--pipeline-parallel-size": _many(plan.pipeline_parallel),
            "--gpu-memory-utilization": plan.memory_fraction,
            "--kv-cache-dtype": _kv(asked),
        }
    )


def _version(asked: Case, engine: str) -> str:
    row = next(row for row in rows("engines") if row["id"] == f"{engine}.version")
    asked_for = asked.plan.version if asked.plan.engine == engine else None
    return str(asked_for or row["value"])


def _vllm(asked: Case) -> Iterator[Block]:
    flags = _vllm_flags(asked)
    yield "Serve with vLLM", "bash", f"vllm serve {checkpoint(asked)}{flags}"
    place = checkpoint(asked)
    local = place.startswith("./")
    mount = ' -v "$PWD":/work -w /work \\\n ' if local else ""
    version = _version(asked, "vllm").removeprefix("v")
    yield (
        "The same in Docker",
        "bash",
        "docker run --rm --runtime nvidia --gpus all --ipc=host \\\n"
        f"  -p {PORT}:{PORT} -v ~/.cache/huggingface:/root/.cache/huggingface \\\n "
        f"{mount} vllm/vllm-openai:v{version} \\\n  --model {place}{flags}",
    )


def _sglang(asked: Case) -> Iterator[Block]:
    plan = asked.plan
    flags = {
        "--port": PORT,
        "--context-length": plan.context,
        "--tp": _many(plan.tensor_parallel),
        "--pp-size": _many(plan.pipeline_parallel),
        "--mem-fraction-static": plan.memory_fraction if plan.engine == "sglang" else None,
        "--kv-cache-dtype": _kv(asked, "fp8_e4m3"),
    }
    line = f"python3 -m sglang.launch_server --model-path {checkpoint(asked)}{_given(flags)}"
    yield "Serve with SGLang", "bash", line


def _tensorrt(asked: Case) -> Iterator[Block]:
    plan = asked.plan
    mine = plan.engine == "tensorrt-llm"
    flags = {
        "--port": PORT,
        "--max_seq_len": plan.context,
        "--tp_size": _many(plan.tensor_parallel),
        "--pp_size": _many(plan.pipeline_parallel),
        "--kv_cache_free_gpu_memory_fraction": plan.memory_fraction if mine else None,
        "--kv_cache_dtype": _kv(asked),
    }
    yield "Serve with TensorRT-LLM", "bash", f"trtllm-serve {checkpoint(asked)}{_given(flags)}"


def _llama_cpp(asked: Case) -> Iterator[Block]:
    plan = asked.plan
    kind = _kv(asked)
    flags = {
        "-c": plan.context * plan.concurrency,
        "-np": plan.concurrency,
        "-ngl": 999 if plan.n_gpu_layers is None else plan.n_gpu_layers,
        "--n-cpu-moe": plan.cpu_expert_layers or None,
        "-fa": "on" if kind else None,
        "-ctk": kind,
        "-ctv": kind,
        "--port": LLAMA_PORT,
    }
    yield "Serve with llama.cpp", "bash", f"llama-server -m {checkpoint(asked)}{_given(flags)}"


def _ollama(asked: Case) -> Iterator[Block]:
    plan = asked.plan
    kind = _kv(asked)
    name = re.sub(r"[^a-z0-9.-]", "", stem(asked).lower())
    cache = f"OLLAMA_FLASH_ATTENTION=1 OLLAMA_KV_CACHE_TYPE={kind} " if kind else ""
    yield (
        "Serve with Ollama",
        "bash",
        f"cat > Modelfile <<'END'\nFROM {checkpoint(asked)}\nPARAMETER num_ctx {plan.context}\nEND\n"
        f"{cache}OLLAMA_NUM_PARALLEL={plan.concurrency} ollama serve &\n"
        f"ollama create {name} -f Modelfile && ollama run {name}",
    )


def _mlx(asked: Case) -> Iterator[Block]:
    line = f"mlx_lm.server --model {checkpoint(asked)} --port {LLAMA_PORT}"
    yield "Serve with MLX", "bash", line


SERVE = {
    "vllm": _vllm,
    "sglang": _sglang,
    "tensorrt-llm": _tensorrt,
    "llama.cpp": _llama_cpp,
    "ollama": _ollama,
    "mlx": _mlx,
}
PORTS = {"llama.cpp": LLAMA_PORT, "mlx": LLAMA_PORT, "ollama": OLLAMA_PORT}


def _check(asked: Case) -> Block:
    port = PORTS.get(asked.plan.engine, PORT)
    model = checkpoint(asked)
    if asked.plan.engine == "ollama":
        model = re.sub(r"[^a-z0-9.-]", "", stem(asked).lower())
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "Say hello."}}]}}'
    return (
        "Check that it answers",
        "bash",
        f"curl http://localhost:{port}/v1/chat/completions \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{body}'",
    )


def serve(asked: Case, generation: str) -> Commands:
    """The planned engine first, a check, then every other engine that reads the format here."""
    name = asked.plan.engine
    blocks = [*SERVE[name](asked), _check(asked)]
    for other in ENGINE_NAMES:
        reads = runs(other, asked.recipe.format, generation)
        if other != name and reads not in ("no", ""):
            blocks += SERVE[other](asked)
    return Commands(tuple(blocks))
