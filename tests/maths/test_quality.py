"""Published quality: bands against figures worked out apart, nothing mixed, nothing invented."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from calculators.facts import rows
from calculators.maths.folklore import Claim, claims
from calculators.maths.quality import (
    BASES,
    Band,
    Basis,
    Measurement,
    Selector,
    band,
    family,
    measurements,
    noise,
    paired,
    select,
    short_name,
    size_class,
)
from calculators.maths.quality_loss import Question, ask, loss_percent, nearness, one_basis

LLAMA = ("meta-llama/Llama-3.1-8B", 8.03)
GENERAL = ("general",)
FP8 = ("fp8", "fp8-channel", "fp8-block")
MADE = (None, "imatrix", "no imatrix")  # as llama-quantize makes files


def found(basis: Basis, **fields: Any) -> Band:
    made = band(select(Selector(**fields), basis), basis)
    assert made is not None
    return made


def test_every_number_has_a_source_address_and_a_value() -> None:
    assert len(measurements()) == 1591
    for m in measurements():
        assert re.search(r"https://\S+\.\S+", m.source), m
        assert m.value is not None or m.ratio is not None, m


# Expected: medians worked out apart from this code, before it was written; tolerance: half of the
# last digit noted then.
@pytest.mark.parametrize(
    ("basis", "fields", "median", "half_digit", "n"),
    [
        ("relative", {"formats": ("w4a16",), "methods": ("AWQ",), "tasks": GENERAL}, 1.6, 0.05, 55),
        ("perplexity", {"formats": ("gguf-Q8_0",), "methods": MADE}, 0.03, 0.005, 6),
        ("perplexity", {"formats": ("gguf-Q4_0",), "methods": MADE}, 3.2, 0.05, 6),
        ("perplexity", {"formats": ("gguf-Q2_K",), "methods": MADE}, 39, 0.5, 12),
    ],
)
def test_bands(
    basis: Basis, fields: dict[str, Any], median: float, half_digit: float, n: int
) -> None:
    whole = found(basis, **fields)
    assert whole.n == n
    assert whole.median == pytest.approx(median, abs=half_digit)


# One printed number each: Intel's, NVIDIA's and RedHat's tables and llama.cpp's README.
@pytest.mark.parametrize(
    ("basis", "fields", "expected", "within"),
    [
        ("kld", {"formats": ("gguf-Q8_0",), "model": "Llama-3-8B"}, 0.001355, 0),
        (
            "relative",
            {
                "formats": ("w4a16",),
                "methods": ("AWQ",),
                "sources": ("Model-Optimizer/blob",),
                "metrics": ("mmlu",),
                "model": "Llama-3.1-8B",
                "groups": (None,),
                "tasks": GENERAL,
            },
            (5.66 + 100 * 2.35 / 68.45) / 2,
            1e-9,
        ),
        (
            "points",
            {"formats": ("w4a16",), "methods": ("RTN",), "groups": (-1,), "model": "Llama-3-70B"},
            74.5 - 35.5,
            1e-9,
        ),
        ("recovery", {"formats": FP8, "model": "Llama-3.1-405B"}, 1.3, 1e-9),
    ],
)
def test_single_rows(basis: Basis, fields: dict[str, Any], expected: float, within: float) -> None:
    assert found(basis, **fields).median == pytest.approx(expected, abs=within)


def test_a_row_belongs_to_one_kind_of_loss_only() -> None:
    """Points and their percentage are two views of one score; other bases exclude each other."""
    for m in measurements():
        known = {basis for basis in BASES if m.loss(basis) is not None}
        assert len(known - {"points"}) <= 1, m
        if "points" in known:
            assert m.kind == "score"


def test_word_and_token_perplexity_stay_apart() -> None:
    token = {m.metric for m in select(Selector(), "perplexity")}
    assert "wikitext2-word-ppl" not in token
    assert {m.metric for m in select(Selector(), "word_perplexity")} == {"wikitext2-word-ppl"}


def test_prose_and_bounds_enter_no_band() -> None:
    for basis in BASES:
        for m in select(Selector(), basis):
            assert m.evidence != "statement"
            assert not m.metric.startswith("worst")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B-Instruct", True),
        ("meta-llama/Meta-Llama-3-8B", "Llama-3-8B-Instruct", True),
        ("meta-llama/Meta-Llama-3-8B", "Llama-3.1-8B", False),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "Mixtral-8x7B", True),
        ("Qwen/Qwen3-8B", "Qwen3-8b", True),
        ("Qwen/Qwen3-30B-A3B", "Qwen3-32B", False),
        ("microsoft/phi-4", "Phi4", True),
        ("meta-llama/Llama-2-7b-hf", "Llama-2-7B-chat", True),
    ],
)
def test_models_are_told_apart(one: str, other: str, same: bool) -> None:
    assert (short_name(one) == short_name(other)) is same


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("meta-llama/Llama-3.1-8B", "llama3"),
        ("Llama-2-70B", "llama2"),
        ("Qwen/Qwen3.5-397B-A17B", "qwen3.5"),
        ("Qwen3-30B-A3B-Instruct-2507", "qwen3"),
        ("mistralai/Mistral-7B-v0.1", "mistral"),
        ("Mixtral-8x7B", "mixtral"),
    ],
)
def test_families(model: str, expected: str) -> None:
    assert family(model) == expected


@pytest.mark.parametrize(
    ("billions", "expected"),
    [(0.5, "below 5B"), (8.03, "5B to 10B"), (46.7, "10B to 50B"), (405, "100B and above")],
)
def test_size_classes(billions: float, expected: str) -> None:
    assert size_class(billions) == expected


@pytest.mark.parametrize(
    ("question", "basis", "nearest"),
    [
        (Question("awq", *LLAMA), "relative", "Llama-3.1-8B-Instruct"),
        (Question("gguf-q4_k_m", *LLAMA), "perplexity", "Llama-3-8B"),
        (Question("int8-w8a8", *LLAMA), "recovery", "Llama-3.1-8B-Instruct"),
        (Question("fp8", "meta-llama/Llama-3.1-405B", 405.9), "recovery", "Llama-3.1-405B"),
        (Question("exl3", *LLAMA, bits=3.0), "perplexity", "Llama-3.1-8B-Instruct"),
        (Question("bnb-nf4", *LLAMA), "perplexity", "Llama-3.2-1B-Instruct"),
    ],
)
def test_the_nearest_model_comes_first_on_the_first_basis_that_has_one(
    question: Question, basis: Basis, nearest: str
) -> None:
    answer = ask(question)
    assert (answer.basis, short_name(answer.rows[0].model)) == (basis, short_name(nearest))
    ranks = [nearness(m, question) for m in answer.rows]
    assert ranks == sorted(ranks)
    assert answer.band is not None
    assert answer.band.n == len(answer.rows)
    assert answer.band.low <= answer.band.median <= answer.band.high
    assert {m.loss(basis) is None for m in answer.rows} == {False}


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question("bnb-int8", *LLAMA), "no published measurement"),
        (Question("mxfp4", "openai/gpt-oss-120b", 117.0), "no 16-bit model exists"),
        (Question("mlx", *LLAMA), "MLX itself has no published rows"),
        (Question("exl2", *LLAMA), "measured against EXL3 at 8.0 bits"),
        (Question("bf16", *LLAMA), "this is the baseline"),
        (Question("fp8-block", *LLAMA), "every scale granularity"),
    ],
)
def test_what_is_not_known_is_said(question: Question, says: str) -> None:
    assert says in ask(question).note


def test_without_a_score_the_loss_in_percent_stays_open() -> None:
    answer = loss_percent(Question("gguf-IQ4_XS", *LLAMA))
    assert answer.band is None
    assert "no benchmark score" in answer.note
    known = loss_percent(Question("awq", *LLAMA)).band
    assert known is not None
    assert known.basis == "relative"
    question = Question("gguf-IQ4_XS", *LLAMA)
    told = {basis for basis in BASES if one_basis(question, basis)}
    assert told == {"perplexity", "kld", "agreement"}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question("awq", "Qwen/Qwen3-4B", 4.02), "models below 5B"),
        (Question("awq", *LLAMA), None),
        (Question("mxfp4", *LLAMA), "Rounding a finished model to MXFP4"),
        (Question("mxfp4", *LLAMA), "In maths"),
        (Question("gptq", *LLAMA, group_size=-1), "one scale per channel"),
        (Question("gguf-IQ2_XS", *LLAMA), "2 bits per weight"),
        (Question("gptq", *LLAMA, bits=2), "2 bits per weight"),
        (Question("gguf-Q8_0", *LLAMA), None),
        (Question("fp8", "Qwen/Qwen3-4B", 4.02), None),
    ],
)
def test_warnings_come_with_their_figures(question: Question, words: str | None) -> None:
    warned = ask(question).warnings
    if words is None:
        assert warned == ()
        return
    one = next(w for w in warned if words in w.text)
    for figure in one.bands:
        assert f"{figure.median:.1f}" in one.text


def test_a_method_is_taken_in_any_case() -> None:
    assert ask(Question("w4a16", *LLAMA, method="rtn")).rows == ask(Question("rtn", *LLAMA)).rows


def test_groups_and_channels_do_not_mix() -> None:
    grouped = ask(Question("gptq", *LLAMA)).rows
    assert all(m.group != -1 for m in grouped)
    assert all(m.group == -1 for m in ask(Question("gptq", *LLAMA, group_size=-1)).rows)


@pytest.mark.parametrize(
    ("metric", "points"), [("mmlu-pro", 0.43), ("gsm8k", 0.94), ("gpqa-diamond", 3.55)]
)
def test_noise_is_what_a_source_states(metric: str, points: float) -> None:
    known = noise(metric)
    assert known is not None
    assert known[0] == points
    assert known[1].startswith("https://")


def test_pairs_compare_like_with_like() -> None:
    """AWQ against GPTQ at 3 bits in Intel's tables, counted there by hand: 13 of 16."""
    pairs = paired(
        Selector(formats=("w3a16",), methods=("AWQ",)),
        Selector(formats=("w3a16",), methods=("GPTQ",)),
        "points",
    )
    assert (pairs.n, pairs.first_better, pairs.second_better) == (16, 13, 3)


# What each verdict rests on: should new rows turn it, the words have to change.
VERDICTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "awq-1-3": lambda f: f["small"].median > 3 > f["middle"].median > f["large"].median,
    "gptq-2-5": lambda f: f["small"].median > 5 > f["all"].median > 1 > f["huge"].median,
    "awq-beats-gptq": lambda f: abs(f["four"].median_gain) < 0.43 and f["two"].median_gain < 0,
    "awq-98.5": lambda f: f["all"].least < 0 and f["all"].most > 10,
    "int8-1": lambda f: f["weights"].median < 1 < f["both"].least,
    "fp8-lossless": lambda f: f["all"].median < 0.5,
    "rtn-is-fine": lambda f: f["ppl"].median > 5 and f["awq"].median_gain > 0,
    "nvfp4-bf16": lambda f: f["large"].median < 1 < f["small"].median,
    "mxfp4-nvfp4": lambda f: f["mx"].median > 2 * f["nv"].median,
    "q4-k-m-free": lambda f: f["all"].most > 5 * f["all"].least,
    "bigger-stands-more": lambda f: (
        f["small"].median > f["large"].median and f["big"].median > f["eight"].most
    ),
    "llama-3-suffers": lambda f: all(f[k + "3"].value > f[k + "2"].value for k in "abcd"),
    "perplexity-proves": lambda f: (
        f["ppl"].value < f["ppl"].baseline and f["kld"].value > 2 * f["other"].value
    ),
    "kv-8-free": lambda f: f["four"].median < f["eight"].median,
}


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_the_figures_bear_the_verdict_out(claim: Claim) -> None:
    assert VERDICTS[claim.id](claim.figures)
    assert claim.sources
    assert "{" not in claim.text


def test_no_number_of_a_figure_is_typed_into_a_text() -> None:
    """Digits in the unfilled texts are names (Llama-3-70B, 5B, INT8), never a measured value."""
    for row in rows("folklore"):
        template = re.sub(r"\{[^}]*\}", "", row["text"])
        assert not re.search(r"\d+\.\d+|\d+ (%|points|rows)", template), row["id"]


def test_a_measurement_keeps_what_its_table_said() -> None:
    m = next(m for m in measurements() if m.metric == "livecodebench-v6")
    assert isinstance(m, Measurement)
    assert (m.baseline, m.value, m.task) == (37.3, 25.5, "code")
    assert m.loss("points") == pytest.approx(11.8)
    assert m.loss("relative") == pytest.approx(100 * 11.8 / 37.3)
