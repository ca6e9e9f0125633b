"""Operations per token: against counts made by hand and against brute force."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculators.facts import rows
from calculators.maths.flops import (
    active_linear_parameters,
    attended,
    attended_sum,
    forward,
    prompt,
    training_per_token,
)
from calculators.maths.tensors import Architecture, Attention, architecture


@cache
def model(model_id: str) -> Architecture:
    return architecture(next(row["config"] for row in rows("models") if row["id"] == model_id))


# Matrices of the layers alone, from the configs: 32 x (2 x 4096^2 + 2 x 4096 x 1024 + 3 x 4096 x
# 14336) and so on; gpt-oss with 4 of its 32 experts.
LINEAR = [
    ("meta-llama/Meta-Llama-3-8B", 6_979_321_856),
    ("meta-llama/Llama-2-7b-hf", 6_476_005_376),
    ("Qwen/Qwen2.5-0.5B", 357_826_560),
    # 48 x (2 x 2048 x 4096 + 2 x 2048 x 512 + 128 x 2048 + 8 x 3 x 2048 x 768)
    ("Qwen/Qwen3-30B-A3B", 2_730_491_904),
]


@pytest.mark.parametrize(("model_id", "expected"), LINEAR)
def test_active_linear_parameters(model_id: str, expected: int) -> None:
    assert active_linear_parameters(model(model_id)) == expected


def test_forward_of_llama_3_8b() -> None:
    """At position 2,048: 2 x weights, the head 2 x 128256 x 4096, 32 layers of 4 x 4096 x 2048."""
    found = forward(model("meta-llama/Meta-Llama-3-8B"), 2048)
    assert found.linear == 2 * 6_979_321_856
    assert found.head == 2 * 128_256 * 4096
    assert found.attention == 32 * 4 * 4096 * 2048
    assert found.state == 0
    assert found.total == found.linear + found.head + found.attention


def test_training_is_near_6n() -> None:
    """The rule of thumb leaves attention out, which at 8,192 tokens is a tenth."""
    llama = model("meta-llama/Meta-Llama-3-8B")
    found = training_per_token(llama, 8192)
    rule = 6 * (6_979_321_856 + 128_256 * 4096)
    assert 1.0 < found / rule < 1.15
    assert training_per_token(llama, 8192, recompute=True) == pytest.approx(found * 4 / 3)


@pytest.mark.parametrize(
    ("window", "chunk", "position", "expected"),
    [
        (None, None, 1, 1),
        (None, None, 900, 900),
        (128, None, 900, 128),
        (128, None, 100, 100),
        (None, 100, 100, 100),
        (None, 100, 101, 1),
    ],
)
def test_attended(window: int | None, chunk: int | None, position: int, expected: int) -> None:
    assert attended(Attention(8, 2, 64, 64, window, chunk), position) == expected


spans = st.one_of(st.none(), st.integers(1, 50))


@given(spans, spans, st.integers(0, 200))
def test_attended_sum_is_the_sum(window: int | None, chunk: int | None, tokens: int) -> None:
    one = Attention(8, 2, 64, 64, window, chunk)
    every = sum(attended(one, position) for position in range(1, tokens + 1))
    assert attended_sum(one, tokens) == every


@given(st.integers(1, 300), st.integers(0, 300))
def test_a_prompt_in_two_parts_is_the_prompt(first: int, second: int) -> None:
    """Only the head is counted once per part, for the token that is sampled."""
    small = model("Qwen/Qwen2.5-0.5B")
    whole = prompt(small, first + second)
    parts = [prompt(small, first), prompt(small, second, cached_tokens=first)]
    assert whole.attention == sum(part.attention for part in parts)
    assert whole.linear == sum(part.linear for part in parts) - forward(small).head


def test_windows_make_long_prompts_linear() -> None:
    mistral = model("mistralai/Mistral-7B-v0.1")  # every layer sees 4,096 tokens
    one, two = (prompt(mistral, tokens).attention for tokens in (65_536, 131_072))
    assert two / one == pytest.approx(2, rel=0.05)


def test_recurrent_layers_have_a_state_instead() -> None:
    hybrid = model("Qwen/Qwen3-Next-80B-A3B-Instruct")
    assert forward(hybrid).state > 0
    assert forward(hybrid, 1000).attention < forward(model("Qwen/Qwen3-30B-A3B"), 1000).attention
