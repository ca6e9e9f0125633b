"""What the newest release says of its results is what is computed."""

import re
from pathlib import Path

import pytest

from calculators import ask

CHANGELOG = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
NEWEST = CHANGELOG.split("\n## ")[1]
STATED = [
    (" ".join(before.split()), slug, query, name)
    for item in NEWEST.split("\n- ")[1:]
    for before, slug, query, name in re.findall(r"([^`]*)\(`([a-z-]+)\?([^`#]*)#(\w+)`\)", item)
]


def test_it_states_results() -> None:
    assert STATED


@pytest.mark.parametrize(
    ("before", "slug", "query", "name"), STATED, ids=[one[2] for one in STATED]
)
def test_a_stated_figure_is_the_computed_one(before: str, slug: str, query: str, name: str) -> None:
    (found,) = (output for output in ask(slug, query).outputs if output.name == name)
    assert found.amount.text in before
    if " or " in before:
        assert found.amount.also in before
