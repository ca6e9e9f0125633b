"""The pages of GPU fit, KV cache and token cost: contract figures, and what must always hold."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculators import CALCULATORS, answer, ask
from calculators.common.before_after import SINGLE, holder, single
from calculators.common.citation import address
from calculators.common.kernels import GENERATIONS, generation, runs
from calculators.common.money import rentals
from calculators.common.plan import case, packing, shares
from calculators.common.stand_in import stand_in
from calculators.common.subject import subject
from calculators.facts import rows
from calculators.facts.catalogue import gpus
from calculators.maths.memory import Plan


def figures(slug: str, query: str) -> dict[str, Any]:
    found = ask(slug, query)
    assert not found.errors, found.errors
    return {output.name: getattr(output.value, "value", None) for output in found.outputs}


GIB = 2**30
BYTES = "counted: equal to the byte"
PRINTED = "three decimals are printed"

# name, question, output, expected, relative tolerance, its reason, source
CONTRACT = [
    (
        "Llama 3 8B at 8,192 tokens",
        "kv-cache?model=meta-llama/Meta-Llama-3-8B&context=8192&kv_dtype=fp16&engine=vllm"
        "&concurrency=1&tensor_parallel=1",
        "kv_cache_bytes",
        GIB,
        0,
        BYTES,
        "2 x 32 layers x 8 heads x 128 x 2 bytes x 8,192",
    ),
    (
        "DeepSeek V3, latent attention",
        "kv-cache?model=deepseek-ai/DeepSeek-V3&context=8192",
        "kv_cache_bytes",
        575_668_224,
        0,
        BYTES,
        "61 layers x 576 x 2 bytes x 8,192",
    ),
    (
        "Qwen3.5 27B grows by its 16 full layers",
        "kv-cache?model=Qwen/Qwen3.5-27B&context=8192",
        "kv_cache_bytes_per_token",
        65_536,
        0,
        BYTES,
        "16 layers x 2 x 4 heads x 256 x 2 bytes",
    ),
    (
        "Gemma 3 27B grows by its ten full layers",
        "kv-cache?model=google/gemma-3-27b-it&context=131072&gpu=h200-sxm",
        "kv_cache_bytes_per_token",
        81_920,
        0,
        BYTES,
        "10 layers x 2 x 16 heads x 128 x 2 bytes",
    ),
    (
        "an 8-bit cache is half",
        "kv-cache?model=meta-llama/Meta-Llama-3-8B&context=8192&kv_dtype=fp8",
        "kv_cache_bytes",
        GIB // 2,
        0,
        BYTES,
        "one byte instead of two",
    ),
    (
        "q8_0 has a scale for 32 numbers",
        "kv-cache?model=meta-llama/Meta-Llama-3-8B&context=8192&kv_dtype=q8_0&engine=llama.cpp"
        "&format=gguf-q4_k_m",
        "kv_cache_bytes",
        GIB * 34 // 64,
        0,
        BYTES,
        "34 bytes for 32 numbers",
    ),
    (
        "sixteen ranks copy eight heads",
        "kv-cache?model=meta-llama/Meta-Llama-3-8B&context=8192&tensor_parallel=16&gpu=h100-sxm",
        "kv_cache_bytes",
        2 * GIB,
        0,
        BYTES,
        "each of 16 GPUs holds one of 8 heads",
    ),
    *(
        (
            f"${hourly} at {speed} tokens per second",
            f"token-cost?usd_per_hour={hourly}&tokens_per_second={speed}",
            "cost_per_million_tokens",
            expected,
            0.5e-3 / expected,
            PRINTED,
            "dollars per hour / (tokens per second x 3600) x 1e6",
        )
        for hourly, speed, expected in (
            (1.64, 1800, 0.253),
            (3.28, 1200, 0.759),
            (2.98, 1600, 0.517),
            (2.98, 2400, 0.345),
            (1.04, 3800, 0.076),
        )
    ),
    (
        "Llama 3.1 8B in AWQ",
        "gpu-fit?model=meta-llama/Llama-3.1-8B&format=awq&gpu=rtx-4090",
        "weights_bytes_per_gpu",
        5_727_854_592,
        0,
        BYTES,
        "https://huggingface.co/pavan01729/Meta-Llama-3.1-8B-Instruct-AWQ/tree/main",
    ),
    (
        "what CUDA reports of an RTX 4090",
        "gpu-fit?gpu=rtx-4090",
        "usable_bytes_per_gpu",
        24_207 * 2**20,
        0.001,
        "read-outs of two cards differ by a MiB",
        "facts/gpus.json",
    ),
]


@pytest.mark.parametrize(
    ("question", "output", "expected", "tolerance"),
    [row[1:5] for row in CONTRACT],
    ids=[row[0] for row in CONTRACT],
)
def test_contract_figures(question: str, output: str, expected: float, tolerance: float) -> None:
    slug, _, query = question.partition("?")
    found = figures(slug, query)[output]
    assert found == pytest.approx(expected, rel=tolerance or 1e-12)


def test_the_three_outputs_of_fits_are_there() -> None:
    found = json.loads(answer("gpu-fit", "gpu=h100-sxm&concurrency=16"))["outputs"]
    wanted = {
        *("fits", "weights_bytes_per_gpu", "kv_cache_bytes_per_gpu", "kv_cache_tokens"),
        *("max_concurrency", "max_context", "total_bytes_per_gpu", "usable_bytes_per_gpu"),
        *("decode_tokens_per_second", "prefill_tokens_per_second"),
        *("time_to_first_token_seconds", "cost_per_million_tokens", "log_lines", "kernels"),
    }
    assert wanted <= set(found)


def test_the_price_of_a_token_is_that_of_the_batch_shown() -> None:
    found = figures("gpu-fit", "gpu=h100-sxm&usd_per_hour=2.5&gpus=2&utilisation=50")
    per_hour = found["serving_tokens_per_second"] * 3600 * 0.5
    assert found["cost_per_million_tokens"] == pytest.approx(5 / per_hour * 1e6)
    assert found["usd_per_hour"] == 5


# --- What must hold whatever is asked. ---

MODELS = (
    "meta-llama/Llama-3.1-8B",
    "Qwen/Qwen3-30B-A3B",
    "google/gemma-3-27b-it",
    "Qwen/Qwen3.5-27B",
    "deepseek-ai/DeepSeek-V3",
)
ENGINES = (
    ("vllm", "awq"),
    ("sglang", "fp8-channel"),
    ("tensorrt-llm", "bf16"),
    ("llama.cpp", "gguf-q4_k_m"),
    ("ollama", "gguf-q8_0"),
)
plans = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "engine_format": st.sampled_from(ENGINES),
        "context": st.integers(256, 40_000),
        "concurrency": st.integers(1, 64),
        "memory_gb": st.integers(16, 300),
    }
)


def fit(plan: dict[str, Any], **changed: Any) -> dict[str, Any]:
    asked = {**plan, **changed}
    engine, format_id = asked.pop("engine_format")
    return figures(
        "gpu-fit", urlencode({"gpu": "", "engine": engine, "format": format_id, **asked})
    )


@settings(max_examples=25, deadline=None)
@given(plans, st.integers(1, 100))
def test_more_memory_never_fits_less(plan: dict[str, Any], more: int) -> None:
    small, large = fit(plan), fit(plan, memory_gb=plan["memory_gb"] + more)
    # vLLM and SGLang schedule larger batches on larger cards and keep memory back for them.
    if plan["engine_format"][0] in ("llama.cpp", "ollama"):
        assert large["fits"] >= small["fits"]
        assert large["max_context"] >= small["max_context"]
    assert large["usable_bytes_per_gpu"] > small["usable_bytes_per_gpu"]


@settings(max_examples=25, deadline=None)
@given(plans, st.integers(1, 20_000))
def test_a_longer_context_never_needs_less(plan: dict[str, Any], more: int) -> None:
    short, long = fit(plan), fit(plan, context=plan["context"] + more)
    assert long["kv_needed_bytes_per_gpu"] >= short["kv_needed_bytes_per_gpu"]
    assert long["total_bytes_per_gpu"] >= short["total_bytes_per_gpu"]
    assert short["fits"] >= long["fits"]


@settings(max_examples=25, deadline=None)
@given(plans, st.integers(1, 64))
def test_more_requests_never_need_less(plan: dict[str, Any], more: int) -> None:
    few, many = fit(plan), fit(plan, concurrency=plan["concurrency"] + more)
    assert many["kv_needed_bytes_per_gpu"] >= few["kv_needed_bytes_per_gpu"]
    assert few["fits"] >= many["fits"]


@settings(max_examples=25, deadline=None)
@given(plans)
def test_what_is_said_to_fit_fits(plan: dict[str, Any]) -> None:
    found = fit(plan)
    assert found["fits"] is (found["gives_way"] == "nothing: it fits")
    if found["fits"]:
        assert found["total_bytes_per_gpu"] <= found["usable_bytes_per_gpu"]
        assert found["max_concurrency"] >= plan["concurrency"] * 0.999


@settings(max_examples=20, deadline=None)
@given(st.integers(1_000_000, 10**14))
def test_a_stand_in_has_about_the_count(params: int) -> None:
    if params >= 50_000_000:  # below, the smallest vocabulary is most of the model
        assert stand_in(params).parameters == pytest.approx(params, rel=0.1)


# --- What visitors get wrong is said beside the field. ---

WRONG = [
    ("gpu=&memory_gb=", "gpu", "type the memory"),
    ("tensor_parallel=3", "tensor_parallel", "shared evenly"),
    ("gpus=4&tensor_parallel=2&pipeline_parallel=1", "gpus", "2 × 1 GPUs are not 4"),
    ("kv_dtype=q8_0", "kv_dtype", "vLLM has no q8_0 cache"),
    ("engine_version=newest", "engine_version", "not understood"),
    ("bits=5", "bits", "has 4"),
    ("group_size=77", "group_size", "not 77"),
    ("context=512&prompt_tokens=600", "prompt_tokens", "do not fit the context"),
    ("format=mlx&gpu=apple-m3-ultra&gpus=2", "gpus", "one machine"),
    ("gpu=cpu-epyc-9124", "gpu", "type how much"),
    ("model=&params=", "model", "Pick a model"),
]


@pytest.mark.parametrize(("query", "field", "said"), WRONG, ids=[row[0] for row in WRONG])
def test_mistakes_are_said_beside_the_field(query: str, field: str, said: str) -> None:
    found = ask("gpu-fit", query)
    assert said in found.errors.get(field, ""), found.errors
    assert not found.outputs


DESERVED = [
    ("format=fp8&gpu=a100-80gb-sxm", "unpacks the weights"),
    ("format=exl2&gpu=rtx-4090&engine=vllm", "does not run"),
    ("format=int8-w8a8&gpu=b200", "does not run"),
    ("model=meta-llama/Llama-3.1-70B&gpu=rtx-4090", "too large"),
    ("gpu=rtx-4090&format=bf16&context=131072", "refuses to start"),
    ("gpu=rtx-4090&concurrency=200", "wait for their turn"),
    ("model=Qwen/Qwen2.5-72B&gpu=h100-sxm&tensor_parallel=8", "no multiple of the group size"),
    ("gpu=rtx-4090&format=awq&concurrency=128&context=256", "expect no speed-up"),
    ("format=bnb-nf4", "quantizes while loading"),
    ("params=8B", "Llama-shaped"),
    ("model=meta-llama/Meta-Llama-3-8B&context=20000", "was made for"),
    ("format=gguf-q4_k_m&n_gpu_layers=20", "not modelled"),
    ("format=gguf-q4_k_m&engine=ollama&gpu=rtx-4090", "32,768 tokens of context here, not 8,192"),
]


@pytest.mark.parametrize(("query", "said"), DESERVED, ids=[row[0] for row in DESERVED])
def test_warnings_where_they_are_deserved(query: str, said: str) -> None:
    found = {output.name: output.value for output in ask("gpu-fit", query).outputs}
    assert any(said in note.text for note in found["notes"].notes), found["notes"]
    usual = {o.name: o.value for o in ask("gpu-fit", "gpu=h100-sxm&format=fp8").outputs}["notes"]
    assert not any(said in note.text for note in usual.notes)


def test_a_visitors_config_never_reaches_the_commands() -> None:
    row = next(row for row in rows("models") if row["id"] == "meta-llama/Llama-3.1-8B")
    config = json.dumps({**row["config"], "_name_or_path": "x; rm -rf ~ #"})
    found = json.loads(answer("gpu-fit", urlencode({"model": config})))["outputs"]
    text = json.dumps([found["commands"]["value"], found["make"]["value"]])
    assert "rm -rf" not in text
    assert "your/model" in text


@pytest.mark.parametrize("format_id", [row["id"] for row in rows("formats")])
def test_every_format_is_answered(format_id: str) -> None:
    model = "openai/gpt-oss-20b" if "mxfp4" in format_id else "meta-llama/Llama-3.1-8B"
    found = json.loads(answer("gpu-fit", urlencode({"format": format_id, "model": model})))
    assert not found["errors"]
    assert found["outputs"]["commands"]["value"]


# --- The other two questions. ---


def links(table: Any) -> Iterator[str]:
    yield from (row[0].to for row in table.rows)


def test_gpus_that_are_said_to_hold_it_do() -> None:
    found = {o.name: o.value for o in ask("gpu-fit", "question=gpus&concurrency=8").outputs}
    for name in ("cheapest_gpus", "fastest_gpus", "fewest_gpus"):
        assert found[name].rows
        for link in list(links(found[name]))[:4]:
            slug, _, query = link.partition("?")
            assert figures(slug, query)["fits"] is True, link
    rents = [row[6] for row in found["cheapest_gpus"].rows]
    assert rents == sorted(rents)


def test_models_that_are_offered_fit() -> None:
    found = {o.name: o.value for o in ask("gpu-fit", "question=models&gpu=rtx-4090").outputs}
    assert len(found["models"].rows) > 5
    for link in list(links(found["models"]))[:6]:
        slug, _, query = link.partition("?")
        assert figures(slug, query)["fits"] is True, link


@pytest.mark.parametrize("gpu", ["h100-sxm", "apple-m4", "rtx-3060", "mi300x"])
def test_models_for_any_gpu(gpu: str) -> None:
    found = {o.name: o.value for o in ask("gpu-fit", f"question=models&gpu={gpu}").outputs}
    assert found["models"].rows


# --- The tables behind it. ---


def test_kernels_speak_of_known_formats_and_generations() -> None:
    known = {row["id"] for row in rows("formats")} | {"gguf"}
    for row in rows("kernels"):
        assert set(row["formats"]) <= known
        assert set(row["runs"]) <= set(GENERATIONS)
        assert set(row["runs"].values()) <= {"native", "unpacks", "runs", "no"}
        assert all((address(source) or "").startswith("https://") for source in row["source"])


def test_generations_of_the_catalogue() -> None:
    found = {gpu.id: generation(gpu.row) for gpu in gpus()}
    assert found["h100-sxm"] == "Hopper"
    assert found["rtx-5090"] == "Blackwell RTX"
    assert found["b200"] == "Blackwell"
    assert found["mi300x"] == "CDNA"
    assert found["cpu-epyc-9124"] == ""
    assert runs("vllm", "gguf-q4_k_m", "Ada") == "unpacks"
    assert runs("mlx", "awq", "Apple") == ""


@pytest.mark.parametrize(
    ("model", "format_id", "expected"),
    [
        ("meta-llama/Llama-2-7b-hf", "awq", "RTX 4060"),
        ("meta-llama/Llama-3.1-70B", "awq", "L40S"),
        ("meta-llama/Llama-3.1-405B", "awq", "4 × A100 SXM4 80GB"),
    ],
)
def test_who_holds_the_classics(model: str, format_id: str, expected: str) -> None:
    asked = case(subject(model), None, packing(format_id), Plan(context=4096))
    assert holder(asked) == expected


def test_common_cards_and_prices_are_in_the_catalogue() -> None:
    assert len(single()) == len(SINGLE)
    known = {gpu.id for gpu in gpus()}
    assert set(rentals()) <= known
    assert all(price.usd_per_hour > 0 for found in rentals().values() for price in found)


def test_heads_are_shared_evenly_or_copied() -> None:
    model = subject("meta-llama/Llama-3.1-8B").architecture
    assert [n for n in range(1, 33) if shares(model, n)] == [1, 2, 4, 8, 16, 32]


def test_the_three_pages_are_in_the_menu() -> None:
    assert {"gpu-fit", "kv-cache", "token-cost"} <= set(CALCULATORS)
