"""What the README shows works as it stands there."""

import json
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from calculators.__main__ import main
from calculators.kit import Calculator
from calculators.kit.prose import fill
from calculators.maths.audit import audit

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python3 -m calculators (.*\?.*)$", README, re.MULTILINE)


def calculator(monkeypatch: pytest.MonkeyPatch) -> Calculator:
    """The one that the README adds."""
    name, source = "calculators.download_time", README.split("```python\n")[1].split("```")[0]
    assert f"`{name.replace('.', '/')}.py`" in README
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up
    exec(compile(source, "README.md", "exec"), module.__dict__)
    return Calculator.of(module)


def test_the_calculator_that_it_adds_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = calculator(monkeypatch)
    (example,) = made.page.examples
    for name, expected in example.expect.items():
        assert made.ask(example.query).value(name).value == expected
    for text in (made.page.description, *(one.answer for one in made.page.questions)):
        assert "[[" not in fill(text, made.slug, lambda slug, query: made.ask(query))


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_answer(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(command)) == 0
    assert "checkpoint_bytes" in capsys.readouterr().out or "--json" not in command


def test_its_row_of_an_audit_is_inside() -> None:
    (row,) = re.findall(r'^`(\{"model": .*\})`', README, re.MULTILINE)
    assert audit([json.loads(row)])["summary"]["inside"] == 1
