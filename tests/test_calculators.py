"""What every calculator promises, whatever it computes."""

import json
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from urllib.parse import urlencode

import pytest

import calculators
from calculators import CALCULATORS
from calculators.facts.catalogue import models
from calculators.kit import Breakdown, Calculator, Choice, Example, Figure, Pasted, Quantity
from calculators.kit.prose import fill

MENU = list(CALCULATORS.values())
EXAMPLES = [(item, example) for item in MENU for example in item.page.examples]
INPUTS = [(item, parameter) for item in MENU for parameter in item.parameters]


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_defaults_answer(calculator: Calculator) -> None:
    answer = calculator.ask("")
    assert not answer.errors
    assert any(output.shown.lead for output in answer.outputs), "no headline figure"
    for output in answer.outputs:
        if isinstance(output.value, Figure):
            assert output.value.basis in ("exact", "measured", "modelled", "given")
        if isinstance(output.value, Breakdown):
            assert output.value.total > 0


@pytest.mark.parametrize(
    ("calculator", "example"), EXAMPLES, ids=[f"{c.slug}-{e.title}" for c, e in EXAMPLES]
)
def test_examples_hold(calculator: Calculator, example: Example) -> None:
    answer = calculator.ask(example.query)
    assert not answer.errors
    assert not example.tolerance or example.reason, "a tolerance needs its reason"
    for name, expected in example.expect.items():
        value = answer.value(name).value
        if isinstance(expected, int | float) and not isinstance(expected, bool):
            expected = pytest.approx(expected, rel=example.tolerance or 1e-12)
        assert value == expected, name


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_the_page_says_what_a_reader_needs(calculator: Calculator) -> None:
    page = calculator.page
    assert calculator.lead, "the docstring of calculate is the lead"
    assert page.title
    assert page.description
    assert page.examples
    assert page.examples[0].expect, "the worked example is a test vector"
    assert page.questions
    assert page.sources
    assert page.how_to
    assert page.code


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_the_prose_takes_its_figures_from_answers(calculator: Calculator) -> None:
    page = calculator.page
    for text in (page.description, *page.assumes, *page.why, *(q.answer for q in page.questions)):
        assert "[[" not in fill(text, calculator.slug, calculators.ask)


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_a_link_spells_every_input_and_asks_the_same(calculator: Calculator) -> None:
    for query in ("", *(example.query for example in calculator.page.examples)):
        spelled = calculator.spell(query)
        assert calculator.form(spelled) == calculator.form(query)
        once, again = calculator.ask(query), calculator.ask(spelled)
        assert once.plain()["outputs"] == again.plain()["outputs"]


@pytest.mark.parametrize(
    ("calculator", "parameter"), INPUTS, ids=[f"{c.slug}-{p.name}" for c, p in INPUTS]
)
def test_inputs_round_trip(calculator: Calculator, parameter: object) -> None:
    field = parameter.field  # type: ignore[attr-defined]
    texts = [parameter.default]  # type: ignore[attr-defined]
    if isinstance(field.input, Choice):
        texts += [value for value, _ in field.input.options]
    for text in filter(None, texts):
        value = field.input.parse(text)
        assert field.input.parse(field.input.write(value)) == value


@pytest.mark.parametrize(
    ("calculator", "parameter"), INPUTS, ids=[f"{c.slug}-{p.name}" for c, p in INPUTS]
)
def test_nonsense_is_refused_beside_its_field(calculator: Calculator, parameter: object) -> None:
    name, field = parameter.name, parameter.field  # type: ignore[attr-defined]
    if isinstance(field.input, Pasted):
        return  # any text is data; the calculator's own tests say what it refuses
    nonsense = ["<img src=x onerror=alert(1)>", "\x00", "{", "🚛"]
    if isinstance(field.input, Quantity):
        nonsense += ["1e999", "-1e30"]
    for text in nonsense:
        answer = calculator.ask(urlencode({name: text}))
        assert name in answer.errors, (name, text)
        assert not answer.outputs
        assert answer.errors[name].rstrip()[-1] in ".)", answer.errors[name]


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_an_unknown_input_is_named(calculator: Calculator) -> None:
    assert "no input" in calculator.ask("no_such_input=1").errors["no_such_input"].casefold()


@pytest.mark.parametrize("calculator", MENU, ids=lambda item: item.slug)
def test_the_answer_is_json_with_a_panel(calculator: Calculator) -> None:
    found = json.loads(calculators.answer(calculator.slug, ""))
    assert set(found) == {
        "slug",
        "query",
        "outputs",
        "errors",
        "html",
        "charts",
        "text",
        "markdown",
    }
    for name, output in found["outputs"].items():
        assert {"value", "unit", "basis"} <= set(output), name
        assert name in found["html"] or output["unit"] == "notes"
    assert "<script" not in found["html"]


@pytest.mark.parametrize("query", ["", "no_such_input=1"])
def test_a_page_is_told_no_more_than_it_shows(query: str) -> None:
    for slug in CALCULATORS:
        whole = json.loads(calculators.answer(slug, query))
        page = json.loads(calculators.answer(slug, query, "page"))
        assert set(page) == {"slug", "errors", "html", "charts"}
        assert page.items() <= whole.items()


def test_hostile_text_never_becomes_markup() -> None:
    config = json.dumps({"model_type": "<script>alert(1)</script>", "hidden_size": 1})
    for calculator in MENU:
        if "model" in calculator.defaults:
            found = json.loads(calculators.answer(calculator.slug, urlencode({"model": config})))
            assert "<script>" not in found["html"]
            assert found["errors"]["model"]


ROOT = Path(__file__).parents[1]


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line with the standard library alone."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ALONE, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_ALONE = (
    "import sys; sys.path.insert(0, ''); from calculators.__main__ import main; sys.exit(main())"
)


def test_the_command_line_prints_the_contract() -> None:
    done = shell("awq-size?model=meta-llama/Llama-3.1-8B&group_size=128", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(found) == {"slug", "query", "outputs", "errors"}
    assert found["outputs"]["checkpoint_bytes"] == {
        "value": 5_727_854_592,
        "unit": "bytes",
        "basis": "exact",
    }
    assert {"bits_per_weight", "quantized_bits_per_weight", "parameters"} <= set(found["outputs"])


def test_the_command_line_refuses_with_2() -> None:
    done = shell("awq-size?group_size=77", "--json")
    assert done.returncode == 2
    assert "group_size" in json.loads(done.stdout)["errors"]
    assert shell("no-such-calculator").returncode == 2


def test_a_config_from_a_file_stands_in_for_a_model(tmp_path: Path) -> None:
    row = next(model for model in models() if "Llama-3.1-8B" in model.id)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(row.config, indent=2))
    found = json.loads(shell("awq-size", "--config", f"model={path}", "--json").stdout)
    assert found["outputs"]["checkpoint_bytes"]["value"] == 5_727_854_592
    assert shell("awq-size", "--config", "model=/no/such/file").returncode == 2


def test_a_reader_who_has_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "calculators", "awq-size"]
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


def test_a_table_for_people() -> None:
    done = shell("awq-size")
    assert "5.728 GB" in done.stdout
    assert "exact" in done.stdout
