"""The pages on the inside of a model: known figures, agreement with the tensors, plain refusals."""

import json
from urllib.parse import urlencode

import pytest

from calculators import ask
from calculators.facts.catalogue import find_model
from calculators.maths.flops import training_per_token
from calculators.maths.tensors import architecture

ROWS = [
    # question, output, expected, relative tolerance, why not 0 / where the figure is from
    ("parameter-count?model=meta-llama/Llama-2-7b-hf", "parameters", 6_738_415_616, 0, ""),
    ("parameter-count?model=meta-llama/Llama-3.1-8B", "parameters", 8_030_261_248, 0, ""),
    ("parameter-count?model=openai-community/gpt2", "parameters", 124_439_808, 0, ""),
    ("parameter-count?model=mixtral-8x7b", "active_parameters", 12_879_925_248, 0, ""),
    ("parameter-count?model=deepseek-v3", "active_parameters", 37e9, 0.02, "rounded"),
    ("parameter-count?model=Qwen/Qwen3-30B-A3B", "active_parameters", 3.3e9, 0.02, "rounded"),
    ("attention-parameters?model=llama-3.1-8b", "attention_parameters", 41_943_040, 0, ""),
    ("attention-parameters?model=llama-3.1-8b", "all_layers_parameters", 1_342_177_280, 0, ""),
    ("attention-parameters?model=llama-3.1-8b", "mha_parameters", 67_108_864, 0, ""),
    ("attention-parameters?model=llama-3.1-8b", "cache_saved", 0.75, 0, ""),
    ("attention-parameters?model=gpt2", "attention_parameters", 4 * (768 * 768 + 768), 0, ""),
    ("attention-parameters?model=phi-4", "saved", 0.375, 0, ""),
    # arXiv:2405.04434, section 2.1: 512 + 64 elements in place of 128 heads of 192 and 128
    ("attention-parameters?model=deepseek-v3", "cache_saved", 1 - 576 / 40_960, 0, ""),
    ("ffn-parameters?model=llama-3.1-8b", "ffn_parameters", 176_160_768, 0, ""),
    ("ffn-parameters?model=mixtral-8x7b", "ffn_parameters", 1_409_286_144, 0, ""),
    ("ffn-parameters?model=mixtral-8x7b", "expert_parameters", 176_160_768, 0, ""),
    ("ffn-parameters?model=mixtral-8x7b", "active_parameters", 352_321_536, 0, ""),
    ("ffn-parameters?model=gpt2", "ffn_parameters", 2 * 768 * 3072 + 3072 + 768, 0, ""),
    ("ffn-parameters?hidden_size=4096", "ffn_parameters", 3 * 4096 * 11_008, 0, ""),
    ("embedding-memory?model=llama-3.1-8b", "embedding_bytes", 2_101_346_304, 0, ""),
    ("embedding-memory?model=llama-3.1-8b&dtype=float32", "embedding_bytes", 4_202_692_608, 0, ""),
    ("embedding-memory?model=gpt2", "head_bytes", 0, 0, ""),
    ("embedding-memory?model=gpt2", "embedding_bytes", 2 * (50_257 + 1024) * 768, 0, ""),
    # ggml-common.h: 34 bytes for 32 elements
    (
        "embedding-memory?vocab_size=1000&hidden_size=64&dtype=q8_0",
        "embedding_bytes",
        2 * 1000 * 64 // 32 * 34,
        0,
        "",
    ),
    # PaLM, appendix B: 6N + 12 L H Q T for a whole square of scores, so half of that when causal
    (
        "flops-per-token?model=llama-3.1-8b&context=8192",
        "training_flops_per_token",
        6 * (8_030_261_248 - 525_336_576) + 6 * 32 * 32 * 128 * 8192,
        2e-4,
        "norms are no matrix products, and the diagonal is counted",
    ),
    ("chinchilla?flops=5.88e23", "optimal_parameters", 70e9, 0, ""),
    ("chinchilla?flops=5.88e23", "optimal_tokens", 1.4e12, 0, ""),
    ("chinchilla?params=70B", "training_flops", 5.88e23, 0, ""),
    ("chinchilla?tokens=1.4T", "optimal_parameters", 70e9, 0, ""),
    # table 3 of arXiv:2203.15556
    ("chinchilla?params=1B&law=approach-1", "optimal_tokens", 20.2e9, 0.06, "two digits"),
    ("chinchilla?params=280B&law=approach-1", "training_flops", 9.90e24, 0.03, "two digits"),
    # arXiv:2404.10102: about 20 tokens for each parameter at Chinchilla's budget
    ("chinchilla?flops=5.76e23&law=replication", "tokens_per_parameter", 20, 0.1, "about"),
    # 989.4 TFLOPS dense BF16 of an H100 SXM, half of it for an hour
    ("chinchilla?gpu_hours=1&mfu=50&gpu=h100-sxm", "training_flops", 1.781e18, 0.001, "rounded"),
    ("chinchilla?flops=1e24&price=2&mfu=40", "cost", 2 * 1e24 / 989e12 / 0.4 / 3600, 0.001, ""),
]


@pytest.mark.parametrize(
    ("question", "output", "expected", "tolerance"),
    [row[:4] for row in ROWS],
    ids=[f"{row[0]}#{row[1]}" for row in ROWS],
)
def test_known_figures(question: str, output: str, expected: float, tolerance: float) -> None:
    answer = ask(*question.split("?"))
    assert not answer.errors
    assert answer.value(output).value == pytest.approx(expected, rel=tolerance or 1e-12)


MODELS = (
    "google/gemma-3n-E4B-it",
    "deepseek-ai/DeepSeek-V3",
    "ai21labs/AI21-Jamba-1.5-Mini",
    "meta-llama/Llama-3.2-11B-Vision-Instruct",
    "openai/gpt-oss-20b",
    "google/gemma-4-E4B-it",
)


@pytest.mark.parametrize("name", MODELS)
def test_every_page_agrees_with_the_tensors(name: str) -> None:
    config = find_model(name).config
    model = architecture(config)
    query = urlencode({"model": json.dumps(config)})
    count = ask("parameter-count", query)
    assert count.value("parameters").value == model.parameters
    assert count.value("active_parameters").value == model.active_parameters
    assert count.value("parts").total == model.parameters
    assert count.value("working").steps[-1].result == f"{model.parameters:,}"
    attention = ask("attention-parameters", query)
    assert attention.value("parts").total == attention.value("attention_parameters").value
    ffn = ask("ffn-parameters", query)
    router = ffn.plain()["outputs"].get("router_parameters", {"value": 0})["value"]
    assert ffn.value("parts").total == ffn.value("ffn_parameters").value + router
    flops = ask("flops-per-token", query + "&context=4096")
    assert flops.value("training_flops_per_token").value == training_per_token(model, 4096)
    forward = flops.value("forward_flops_per_token").value
    assert flops.value("parts").total == pytest.approx(forward, rel=1e-12)


@pytest.mark.parametrize("slug", ["parameter-count", "attention-parameters", "ffn-parameters"])
def test_every_catalogue_model_is_answered(slug: str) -> None:
    from calculators.common.subject import subjects

    for subject in subjects():
        answer = ask(slug, urlencode({"model": subject.model.id}))
        assert not answer.errors or "counted here" in answer.errors["model"], subject.name


@pytest.mark.parametrize(
    ("question", "field", "words"),
    [
        ("parameter-count?hidden_size=4096", "num_hidden_layers", "needed"),
        ("parameter-count?model=", "model", "Pick a model"),
        ("parameter-count?model=gpt2&hidden_size=64", "model", "not both"),
        ("parameter-count?model=gpt2&mlp=plain", "mlp", "not both"),
        ("attention-parameters?hidden_size=64&num_attention_heads=65", "num_attention_heads", "65"),
        (
            "attention-parameters?hidden_size=64&num_attention_heads=4&num_key_value_heads=3",
            "num_key_value_heads",
            "evenly",
        ),
        ("ffn-parameters?hidden_size=64&num_experts=4", "num_experts_per_tok", "how many"),
        (
            "ffn-parameters?hidden_size=64&num_experts=4&num_experts_per_tok=5",
            "num_experts_per_tok",
            "cannot",
        ),
        ("embedding-memory?vocab_size=100", "hidden_size", "needed"),
        ("chinchilla?flops=1e24&params=70B", "params", "not both"),
        ("chinchilla?flops=", "flops", "Type a budget"),
        ("chinchilla?gpu=a100-80gb-sxm&precision=fp8", "precision", "FP8"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(question: str, field: str, words: str) -> None:
    answer = ask(*question.split("?"))
    assert words in answer.errors[field]


def test_typed_dimensions_clear_the_model_and_say_what_was_filled_in() -> None:
    answer = ask("attention-parameters", "hidden_size=4096")
    assert answer.value("attention_parameters").value == 4 * 4096 * 4096
    assert "query heads 32" in answer.value("notes").notes[0].text
