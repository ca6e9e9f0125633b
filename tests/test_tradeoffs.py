"""The trade-offs page: its contract, its methods, its advice, and the page of sayings."""

from typing import Any

import pytest

import calculators
from calculators.common.citation import link
from calculators.common.quality_panel import loss_rows
from calculators.common.targets import MAKES, family, target, width
from calculators.kit import Answer, Chart, Link, Refused
from calculators.maths.packing import Recipe, formats
from calculators.maths.speedup_pairs import speedups
from tools.documents import folklore
from tools.print_chart import svg

LLAMA = "model=meta-llama/Llama-3.1-8B"
LLAMA_70B = "model=meta-llama/Llama-3.1-70B"


def ask(query: str) -> Answer:
    answer = calculators.ask("quantization", query)
    assert not answer.errors, answer.errors
    return answer


def value(query: str, name: str) -> Any:
    return ask(query).value(name).value


# Definitions: bytes of the types, and bits over eight. Exact.
IDEAL = [
    ("params=7B&from=fp16&to=int4", 14_000_000_000, 3_500_000_000),
    ("params=7B&from=fp32&to=int8", 28_000_000_000, 7_000_000_000),
    ("params=70B&from=fp8&to=int4", 70_000_000_000, 35_000_000_000),
    ("params=70.6B&from=bf16&to=int4", 141_200_000_000, 35_300_000_000),
    ("params=7B&from=fp16&to=fp16", 14_000_000_000, 14_000_000_000),
]


@pytest.mark.parametrize(("query", "original", "quantized"), IDEAL)
def test_ideal_figures(query: str, original: int, quantized: int) -> None:
    assert value(query, "original_bytes") == original
    assert value(query, "compressed_bytes") == quantized
    assert value(query, "compression_ratio") == original / quantized
    assert value(query, "saved_bytes") == original - quantized
    assert value(query, "saved_fraction") == 1 - quantized / original


def test_both_units_are_shown() -> None:
    amounts = {output.name: output for output in ask("params=7B&from=fp16&to=int4").outputs}
    assert amounts["original_bytes"].amount.also == "13.04 GiB"
    assert amounts["compressed_bytes"].amount.also == "3.260 GiB"


SAME = [  # what the size page of the format says, to the byte
    (f"{LLAMA}&to=awq", f"{LLAMA}&format=awq"),
    (f"{LLAMA}&to=int4&method=gptq", f"{LLAMA}&format=gptq"),
    (f"{LLAMA}&to=int4&method=gguf", f"{LLAMA}&format=gguf-q4_k_m"),
    (f"{LLAMA}&to=awq&method=gptq", f"{LLAMA}&format=gptq"),
    ("params=13B&to=bnb-nf4", "params=13B&format=bnb-nf4"),
    ("params=13B&to=gguf-q4_k_m", "params=13B&format=gguf-q4_k_m"),
]


@pytest.mark.parametrize(("here", "there"), SAME)
def test_sizes_are_those_of_the_size_pages(here: str, there: str) -> None:
    size = calculators.ask("checkpoint-size", there)
    assert value(here, "compressed_bytes") == size.value("checkpoint_bytes").value


def test_a_method_makes_what_it_says() -> None:
    for method, made in MAKES.items():
        for bits, query in made.items():
            assert width(Recipe.parse(query)) == bits, (method, bits)
            assert target(f"int{bits}", method).recipe == Recipe.parse(query) if bits <= 8 else True


@pytest.mark.parametrize(("to", "method"), [("int4", "fp8"), ("int3", "awq"), ("gguf-q2_k", "nf4")])
def test_a_method_that_makes_no_such_width_is_refused(to: str, method: str) -> None:
    with pytest.raises(Refused) as refused:
        target(to, method)
    assert refused.value.field == "method"
    answer = calculators.ask("quantization", f"to={to}&method={method}")
    assert set(answer.errors) == {"method"}


@pytest.mark.parametrize("format", [one.id for one in formats() if one.id != "original"])
def test_every_format_answers(format: str) -> None:
    found = value(f"{LLAMA}&to={format}", "compressed_bytes")
    size = calculators.ask("checkpoint-size", f"{LLAMA}&format={format}")
    assert found == size.value("checkpoint_bytes").value
    assert family(format)


def test_from_is_spelled_as_people_say_it() -> None:
    assert "from" in calculators.CALCULATORS["quantization"].defaults
    assert "from=fp16" in calculators.CALCULATORS["quantization"].spell("from=fp16")


def test_the_visitors_own_loss_wins() -> None:
    loss = ask("to=awq&loss=1.25").value("loss_percent")
    assert (loss.value, loss.basis) == (1.25, "given")
    assert ask("to=awq&loss=1.25").value("kept_percent").value == 98.75


def test_kinds_of_loss_do_not_mix() -> None:
    gguf = {output.name: output.value for output in ask("to=gguf-q4_k_m").outputs}
    assert "loss_percent" not in gguf  # no benchmark score is published for it
    assert gguf["perplexity_percent"].low < gguf["perplexity_percent"].value


# Published shape: Marlin on an A10 gains 3.9 up to 16 rows and 1.0 to 1.6 at 128.
def test_the_gain_of_narrow_weights_fades() -> None:
    one, many = (value(f"to=awq&gpu=rtx-4090&batch={n}", "speedup") for n in (1, 512))
    assert one > 2 > 1.3 > many
    assert value("to=fp8&gpu=h100-sxm&batch=256", "speedup") > value(
        "to=awq&gpu=h100-sxm&batch=256", "speedup"
    )


# Rules of the engines' own tables and plain arithmetic; which format leads is the rule's affair.
ADVICE = [
    ("MLX leads nowhere but on a Mac", f"{LLAMA}&gpu=rtx-4090&engine=mlx", 0, None),
    ("an engine runs its own formats", f"{LLAMA}&gpu=rtx-4090&engine=llama.cpp", 8, "GGUF"),
    ("140 GB fit no card of 80", f"{LLAMA_70B}&gpu=h100-sxm&engine=vllm", 8, None),
    ("nothing of 70B fits 12 GB", f"{LLAMA_70B}&gpu=rtx-3060", 0, None),
]


@pytest.mark.parametrize(
    ("query", "most", "all_of"), [row[1:] for row in ADVICE], ids=[row[0] for row in ADVICE]
)
def test_advice(query: str, most: int, all_of: str | None) -> None:
    answer = ask(query)
    names = [row[0] for row in answer.value("advice").rows]
    assert len(names) <= most
    assert bool(names) == bool(most)
    if all_of:
        assert all(name.startswith(all_of) for name in names)
    if "70B" in query:
        assert "BF16" not in names


def test_a_lost_grade_is_never_ranked_before_a_kept_one() -> None:
    for row in (f"{LLAMA}&gpu=rtx-4090", f"{LLAMA_70B}&gpu=a100-80gb-sxm", "params=3B&gpu=l4"):
        whys = [row[2] for row in ask(row).value("advice").rows]
        kept = [("nothing" in why) for why in whys]
        assert kept == sorted(kept, reverse=True)


def test_charts_print() -> None:
    charts = [output.value for output in ask("").outputs if isinstance(output.value, Chart)]
    assert len(charts) == 3
    for chart in charts:
        assert svg(chart.spec).startswith("<svg")


def test_every_loss_and_speed_up_is_a_click_from_its_source() -> None:
    answer = ask("to=awq")
    for name in ("losses", "speedups"):
        table = answer.value(name)
        assert table.rows
        assert all(isinstance(row[-1], Link) and "://" in row[-1].to for row in table.rows)


CITED = [
    ("https://arxiv.org/abs/2306.00978", "https://arxiv.org/abs/2306.00978"),
    ("https://x.org/a (read as a copy)", "https://x.org/a"),
    ("a/b:c/d.md@0123abc", "https://github.com/a/b/blob/0123abc/c/d.md"),
]


@pytest.mark.parametrize(("source", "address"), CITED)
def test_citations_lead_somewhere(source: str, address: str) -> None:
    found = link(source)
    assert isinstance(found, Link)
    assert found.to == address


# Qwen's speed benchmark, vLLM 0.6.3 on an A100, one sequence: AWQ over BF16 as printed there.
PAIRS = [("Qwen2.5-0.5B-Instruct", 0.84), ("Qwen2.5-7B-Instruct", 1.76)]


@pytest.mark.parametrize(("model", "times"), PAIRS)
def test_speeds_are_paired(model: str, times: float) -> None:
    found = [
        one.times
        for one in speedups()
        if (one.model, one.engine, one.format) == (model, "vllm", "awq-int4")
    ]
    assert max(found) == pytest.approx(times, abs=0.03)  # 0.84 falls within a series of contexts


def test_a_model_without_rows_says_so() -> None:
    from calculators.maths.quality_loss import Question
    from calculators.maths.quality_loss import ask as published

    table = loss_rows(published(Question("bnb-fp4")))
    assert not table.rows
    assert "no published measurement" in table.empty.casefold()


def test_the_page_of_sayings_holds_its_rows() -> None:
    (page,) = folklore.bodies()
    found = list(folklore.sayings())
    assert len(found) >= 15
    for saying in found:
        assert saying.rows.rows, saying.id
        assert saying.claim in page.html.replace("&#39;", "'")
    assert page.html.count("<details") == len(found)


NO_LOSS = [  # nothing may be said of these
    ("model=openai/gpt-oss-20b&to=mxfp4", "trained in this format"),
    (f"{LLAMA}&to=bf16", "baseline"),
    (f"{LLAMA}&to=bnb-fp4", "no published measurement"),
]


@pytest.mark.parametrize(("query", "said"), NO_LOSS)
def test_no_loss_is_invented(query: str, said: str) -> None:
    answer = ask(query)
    assert not {"loss_percent", "perplexity_percent", "kept_percent"} & {
        output.name for output in answer.outputs
    }
    assert any(said in note.text.casefold() for note in answer.value("notes").notes)


UNSUPPORTED = [
    ("gpu=rx-7900-xtx&engine=vllm&to=awq", "does not run"),
    ("gpu=rtx-4090&engine=mlx&to=gguf-q4_k_m", "no source"),
]


@pytest.mark.parametrize(("query", "said"), UNSUPPORTED)
def test_what_an_engine_does_not_run_is_said(query: str, said: str) -> None:
    warned = [note for note in ask(query).value("notes").notes if note.level == "warning"]
    assert any(said in note.text.casefold() for note in warned)


def test_small_models_lose_more_in_four_bits() -> None:
    table = ask(f"{LLAMA}&to=awq").value("by_size")
    sizes = {row[0]: row for row in table.rows}
    assert sizes["below 5B"][1] > sizes["10B to 50B"][1]
    assert table.rows[table.mark][0] == "5B to 10B"
    assert sum(row[4] for row in table.rows) >= 30
