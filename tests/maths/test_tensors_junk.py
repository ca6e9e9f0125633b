"""A published config with one value spoilt or one key taken out: read or refused, never a crash."""

from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.tensors import UnknownArchitecture, architecture

CONFIGS = {row["id"]: row["config"] for row in rows("models") if row["check"] != "partial"}
ONE_OF_EACH = sorted({config["model_type"]: key for key, config in CONFIGS.items()}.values())
JUNK: tuple[Any, ...] = (
    0,
    -1,
    3.5,
    10**400,
    float("inf"),
    float("nan"),
    "x",
    "",
    [],
    [-1],
    ["x"],
    [[]],
    {},
    {"x": 1},
    True,
    False,
    None,
    10**9,
)


def parts_of(config: dict[str, Any]) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for key, value in config.items():
        paths.append((key,))
        if isinstance(value, dict):
            paths.extend((key, *path) for path in parts_of(value))
    return paths


def changed(config: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return config | {path[0]: value}
    return config | {path[0]: changed(config[path[0]], path[1:], value)}


@pytest.mark.parametrize("model", ONE_OF_EACH)
def test_a_hostile_value_is_read_or_refused_but_never_crashes(model: str) -> None:
    config = CONFIGS[model]
    refused = 0
    for path in parts_of(config):
        for junk in JUNK:
            try:
                architecture(changed(config, path, junk))
            except UnknownArchitecture:
                refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("deepseek-ai/DeepSeek-V3", "kv_lora_rank"),
        ("deepseek-ai/DeepSeek-V3", "n_routed_experts"),
        ("Qwen/Qwen3-30B-A3B", "moe_intermediate_size"),
        ("openai/gpt-oss-20b", "num_local_experts"),
        ("deepseek-ai/DeepSeek-V4-Flash", "compress_ratios"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "hybrid_override_pattern"),
        ("moonshotai/Kimi-Linear-48B-A3B-Instruct", "linear_attn_config"),
        ("stepfun-ai/Step-3.5-Flash", "moe_num_experts"),
    ],
)
def test_a_missing_key_is_named(model: str, key: str) -> None:
    config = {name: value for name, value in CONFIGS[model].items() if name != key}
    with pytest.raises(UnknownArchitecture, match=key):
        architecture(config)
