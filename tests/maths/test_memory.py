"""The memory budget: devices, ranks, engines."""

from dataclasses import replace
from typing import Any

import pytest

from calculators.facts import rows
from calculators.kit.units import GIB, MIB
from calculators.maths.closure import shape, sixteen_bit
from calculators.maths.device import Device, device, typed_device
from calculators.maths.memory import ENGINES, BadPlan, Plan, budget
from calculators.maths.ranks import (
    offload,
    padded_vocabulary,
    pipeline_stages,
    rank_weights,
)
from calculators.maths.tensors import Architecture

LLAMA = "meta-llama/Llama-3.1-8B"


def model(name: str = LLAMA) -> Architecture:
    found = shape(name)
    assert found is not None, name
    return found


def gpu(name: str, **options: bool) -> Device:
    found = device(next(row for row in rows("gpus") if row["id"] == name), **options)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("expected_mib", "name", "options", "tolerance"),
    [
        (24259, "rtx-3090", {}, 0),  # read out
        (81080, "h100-sxm", {}, 0),  # read out
        (45459, "l40s", {}, 0),  # read out, ECC on
        (15094, "t4", {}, 160),  # 14.74 GiB in vLLM logs; reserve by rule, residuals to 203 MiB
        (22693, "l4", {}, 110),  # 22.161 GiB in a vLLM log
        (46068 - 488, "rtx-a6000", {"ecc": True}, 1),  # nvidia-smi total read out, reserve by rule
    ],
)
def test_usable_memory(
    expected_mib: int, name: str, options: dict[str, bool], tolerance: int
) -> None:
    assert gpu(name, **options).usable_bytes / MIB == pytest.approx(expected_mib, abs=tolerance + 1)


def test_apple_wires_two_thirds_of_a_small_memory_and_three_quarters_of_a_large_one() -> None:
    row = next(row for row in rows("gpus") if row["id"] == "apple-m4-pro")
    small, large = device(row, memory_gb=24), device(row, memory_gb=64)
    assert small is not None
    assert large is not None
    assert small.usable_bytes == 16 * GIB
    assert large.usable_bytes == 48 * GIB  # 49152 MiB read out, ggml-org/llama.cpp issue 1870


@pytest.mark.parametrize(
    ("expected", "rows_of", "ranks"),
    [(128_256, 128_256, 8), (32_064, 32_003, 1), (151_680, 151_643, 4), (50_304, 50_257, 8)],
)
def test_vocabulary_padding(expected: int, rows_of: int, ranks: int) -> None:
    assert padded_vocabulary(rows_of, ranks) == expected


def test_pipeline_stages_hold_every_layer_once() -> None:
    assert [len(stage) for stage in pipeline_stages(61, 4)] == [15, 15, 16, 15]
    assert [index for stage in pipeline_stages(61, 4) for index in stage] == list(range(61))


def test_ranks_add_up_to_the_model_and_their_copies() -> None:
    llama = model()
    checkpoint = sixteen_bit(llama)
    one = rank_weights(llama, checkpoint).bytes
    two = rank_weights(llama, checkpoint, tensor_parallel=2).bytes
    norms = sum(2 * tensor.parameters for tensor in llama.tensors if tensor.kind == "norm")
    assert one == checkpoint.tensor_bytes
    assert 2 * two == one + norms


def test_sixteen_ranks_copy_eight_kv_heads() -> None:
    llama = model()
    keys = sum(
        2 * tensor.parameters
        for tensor in llama.tensors
        if tensor.name.endswith(("k_proj.weight", "v_proj.weight"))
    )
    norms = sum(2 * tensor.parameters for tensor in llama.tensors if tensor.kind == "norm")
    rank = rank_weights(llama, sixteen_bit(llama), tensor_parallel=16).bytes
    rest = sixteen_bit(llama).tensor_bytes - keys - norms
    assert rank == rest // 16 + keys // 8 + norms


def test_partial_offload_moves_layers_and_keeps_the_embedding() -> None:
    llama = model()
    checkpoint = sixteen_bit(llama)
    whole = offload(llama, checkpoint)
    half = offload(llama, checkpoint, n_gpu_layers=16)
    none = offload(llama, checkpoint, n_gpu_layers=0)
    assert whole.host_bytes == 2 * 128_256 * 4096
    assert none.all_gpus_bytes == 0
    assert none.host_bytes == checkpoint.tensor_bytes
    assert half.all_gpus_bytes + half.host_bytes == checkpoint.tensor_bytes
    assert 0 < half.all_gpus_bytes < whole.all_gpus_bytes


def test_experts_stay_in_main_memory() -> None:
    moe = model("Qwen/Qwen3-30B-A3B")
    checkpoint = sixteen_bit(moe)
    experts = sum(2 * t.parameters for t in moe.tensors if t.kind == "expert")
    saved = (
        offload(moe, checkpoint).all_gpus_bytes
        - offload(moe, checkpoint, cpu_expert_layers=48).all_gpus_bytes
    )
    assert saved == experts


@pytest.mark.parametrize("name", list(ENGINES))
def test_the_parts_add_up(name: str) -> None:
    llama = model()
    found = budget(llama, sixteen_bit(llama), gpu("h100-sxm"), Plan(engine=name))
    assert found.total_bytes == sum(t.bytes for t in found.terms) + found.kv_needed_bytes
    assert found.fits
    assert found.gives_way is None
    assert found.log_lines
    assert 8192 <= found.max_context <= 131_072


@pytest.mark.parametrize("name", list(ENGINES))
@pytest.mark.parametrize(
    ("expected", "memory_gib", "changes"),
    [
        ("weights", 12, {}),
        ("context", 24, {"context": 131_072}),
        ("concurrency", 24, {"context": 4096, "concurrency": 64}),
    ],
)
def test_what_gives_way(name: str, expected: str, memory_gib: int, changes: dict[str, Any]) -> None:
    llama = model()
    plan = replace(Plan(engine=name, max_num_seqs=64, max_num_batched_tokens=2048), **changes)
    found = budget(llama, sixteen_bit(llama), typed_device("typed", memory_gib), plan)
    assert found.gives_way == expected
    assert not found.fits


@pytest.mark.parametrize("name", list(ENGINES))
def test_a_longer_context_than_max_does_not_fit(name: str) -> None:
    llama = model()
    card, plan = gpu("rtx-3090"), Plan(engine=name, context=2048, max_num_seqs=16)
    longest = budget(llama, sixteen_bit(llama), card, plan).max_context
    assert 0 < longest < 131_072
    at = budget(llama, sixteen_bit(llama), card, replace(plan, context=longest))
    over = budget(llama, sixteen_bit(llama), card, replace(plan, context=longest + 1024))
    assert at.starts
    assert not over.starts


def test_log_lines_of_vllm_0_11() -> None:
    """llm-d-planner's run on an H100: 14.99 GiB of weights, 51.38 GiB of KV cache."""
    llama = model()
    plan = Plan(version="0.11.0", context=16_000, block_size=128, memory_fraction=0.9)
    lines = budget(llama, sixteen_bit(llama), gpu("h100-sxm"), plan).log_lines
    assert lines[0] == "Model loading took 14.9888 GiB"
    assert lines[1] == "Available KV cache memory: 51.40 GiB"  # 51.38 logged
    assert lines[2].startswith("GPU KV cache size: 42")
    assert lines[3].startswith("Maximum concurrency for 16,000 tokens per request: 26.")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "exllama"}, "exllama"),
        ({"version": "newest"}, "newest"),
        ({"context": 0}, "context is 0"),
        ({"memory_fraction": 1.5}, "memory_fraction is 1.5"),
    ],
)
def test_bad_plans_are_named(wrong: dict[str, object], message: str) -> None:
    llama = model()
    with pytest.raises(BadPlan, match=message):
        budget(llama, sixteen_bit(llama), gpu("h100-sxm"), Plan(**wrong))  # type: ignore[arg-type]
