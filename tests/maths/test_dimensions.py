"""Typed dimensions against models that have them, and against the configs they stand for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculators.maths.dimensions import Dimensions, Misfit, decoder
from calculators.maths.tensors import architecture

PUBLISHED = [
    # name, dimensions, parameters, used by one token (totals of the repositories' safetensors)
    (
        "Llama 3.1 8B",
        Dimensions(4096, 32, 128_256, 14_336, 32, 8),
        8_030_261_248,
        8_030_261_248,
    ),
    ("Llama 2 7B", Dimensions(4096, 32, 32_000), 6_738_415_616, 6_738_415_616),
    (
        "Llama 3.1 70B",
        Dimensions(8192, 80, 128_256, 28_672, 64, 8),
        70_553_706_496,
        70_553_706_496,
    ),
    (
        "GPT-2",
        Dimensions(
            768,
            12,
            50_257,
            num_attention_heads=12,
            gated=False,
            tied=True,
            bias="all",
            layer_norm=True,
            positions=1024,
        ),
        124_439_808,
        124_439_808,
    ),
    (
        "Qwen2.5 7B",
        Dimensions(3584, 28, 152_064, 18_944, 28, 4, bias="qkv"),
        7_615_616_512,
        7_615_616_512,
    ),
    (
        "Mixtral 8x7B",
        Dimensions(4096, 32, 32_000, 14_336, 32, 8, num_experts=8, num_experts_per_tok=2),
        46_702_792_704,
        12_879_925_248,
    ),
    (
        "TinyLlama 1.1B",
        Dimensions(2048, 22, 32_000, 5632, 32, 4),
        1_100_048_384,
        1_100_048_384,
    ),
]


@pytest.mark.parametrize(
    ("typed", "parameters", "active"),
    [row[1:] for row in PUBLISHED],
    ids=[row[0] for row in PUBLISHED],
)
def test_published_models(typed: Dimensions, parameters: int, active: int) -> None:
    made = decoder(typed)
    assert made.parameters == parameters
    assert made.active_parameters == active


sizes = st.integers(1, 64).map(lambda n: 64 * n)


@given(st.integers(1, 40), sizes, sizes, st.sampled_from([1, 2, 4, 8]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_config_that_they_stand_for_counts_the_same(
    layers: int, hidden: int, width: int, groups: int, tied: bool
) -> None:
    heads = 8
    typed = Dimensions(hidden, layers, 1000, width, heads, heads // groups, tied=tied)
    config = {
        "model_type": "llama",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "vocab_size": 1000,
        "intermediate_size": width,
        "num_attention_heads": heads,
        "num_key_value_heads": heads // groups,
        "tie_word_embeddings": tied,
    }
    made, read = decoder(typed), architecture(config)
    assert made.parameters == read.parameters
    assert made.layers == read.layers


@pytest.mark.parametrize(
    ("typed", "extra"),
    [
        (Dimensions(64, 2, 10, 128, 4), 0),
        # 2 of 2 more vectors of width 64 in each layer, one more at the end
        (Dimensions(64, 2, 10, 128, 4, layer_norm=True), 5 * 64),
        (Dimensions(64, 2, 10, 128, 4, positions=7), 7 * 64),
        (Dimensions(64, 2, 10, 128, 4, bias="qkv"), 2 * 3 * 64),
        (Dimensions(64, 2, 10, 128, 4, bias="attention"), 2 * 4 * 64),
        (Dimensions(64, 2, 10, 128, 4, bias="all"), 2 * (4 * 64 + 2 * 128 + 64)),
        (Dimensions(64, 2, 10, 128, 4, gated=False), -2 * 64 * 128),
        (Dimensions(64, 2, 10, 128, 4, tied=True), -10 * 64),
        (Dimensions(64, 2, 10, 128, 4, 1), -2 * 2 * 64 * 48),
        (Dimensions(64, 2, 10, 128, 4, head_dim=32), 2 * 4 * 64 * 64),
        # one expert is the dense block, and its router
        (Dimensions(64, 2, 10, 128, 4, num_experts=1, num_experts_per_tok=1), 2 * 64),
        (
            Dimensions(
                64, 2, 10, 128, 4, num_experts=3, num_experts_per_tok=1, num_shared_experts=2
            ),
            2 * (4 * 3 * 64 * 128 + 3 * 64),
        ),
    ],
)
def test_what_each_choice_adds(typed: Dimensions, extra: int) -> None:
    plain = decoder(Dimensions(64, 2, 10, 128, 4)).parameters
    assert decoder(typed).parameters == plain + extra


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (Dimensions(64, num_attention_heads=128), "num_attention_heads"),
        (Dimensions(64, num_attention_heads=8, num_key_value_heads=3), "num_key_value_heads"),
        (Dimensions(64, num_attention_heads=8, num_key_value_heads=16), "num_key_value_heads"),
        (Dimensions(64, num_experts=8), "num_experts_per_tok"),
        (Dimensions(64, num_experts=8, num_experts_per_tok=9), "num_experts_per_tok"),
        (Dimensions(64, num_experts_per_tok=1), "num_experts_per_tok"),
        (Dimensions(64, num_shared_experts=1), "num_shared_experts"),
    ],
)
def test_dimensions_that_do_not_fit_name_the_field(typed: Dimensions, field: str) -> None:
    with pytest.raises(Misfit) as refusal:
        decoder(typed)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("hidden", "gated", "width"),
    [
        (4096, True, 11_008),  # Llama 2 7B
        (5120, True, 13_824),  # Llama 2 13B
        (768, False, 3072),  # GPT-2
    ],
)
def test_the_usual_width_of_a_feed_forward_block(hidden: int, gated: bool, width: int) -> None:
    assert Dimensions(hidden, gated=gated).feed_forward_width == width
