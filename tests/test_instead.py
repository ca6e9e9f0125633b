"""A refusal says what works in its place, and the page offers it as a button."""

import json

import pytest

from calculators import answer, ask

OFFERS = [
    # what a tool refuses, what the refusal says instead, the input that it offers
    ("awq-size?model=openai/gpt-oss-20b", "Group size 64 fits", ["group_size", "64"]),
    ("awq-size?model=deepseek-ai/DeepSeek-V2-Lite", "Group size 64 fits", ["group_size", "64"]),
    ("checkpoint-size?model=openai/gpt-oss-20b&format=awq", "64 fits", ["group_size", "64"]),
    ("awq-size?model=moonshotai/Kimi-K3", "W4A16 can hold it", None),
    ("awq-size?model=nobody/nothing", "not in the catalogue", None),
]


@pytest.mark.parametrize(("question", "said", "offered"), OFFERS)
def test_a_refusal_offers_what_works(question: str, said: str, offered: list[str] | None) -> None:
    slug, _, query = question.partition("?")
    found = json.loads(answer(slug, query, "page"))
    assert said in found["errors"]["model"]
    if offered is None:
        assert "offers" not in found
        return
    name, text, label = found["offers"]["model"]
    assert [name, text] == offered
    assert text in label
    assert not ask(slug, f"{query}&{name}={text}").errors


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("Qwen/Qwen3.8-Flash-Next", "n-gram embedding"),
        ("deepseek-ai/DeepSeek-V4.1-Flash", "Engram"),
    ],
)
def test_a_model_known_in_part_says_what_is_known(model: str, said: str) -> None:
    message = ask("awq-size", f"model={model}").errors["model"]
    assert "is not known here (the nearest of" in message
    assert said in message
