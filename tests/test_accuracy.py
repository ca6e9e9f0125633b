"""The accuracy page: every row that may be shown, no other, and links that answer."""

import re

import pytest

from calculators import CALCULATORS
from calculators.common import truth
from calculators.common.citation import address
from calculators.facts import rows
from calculators.kit import Link
from tools import accuracy
from tools.accuracy import sizes

SECTIONS = {section.id: section for section in accuracy.sections()}
LINKS = {
    cell.to
    for section in SECTIONS.values()
    if section.table
    for row in section.table.rows
    for cell in row
    if isinstance(cell, Link)
}
SHOWN = [row for row in rows("published") if row.get("citable", True)]


def test_every_row_that_may_be_shown_is_shown_once() -> None:
    tables = [section.table for section in sizes.sections() if section.table]
    listed = sum(len(table.rows) for table in tables if table.folded)
    assert len(SHOWN) == listed


def test_rows_without_a_public_address_are_not_shown() -> None:
    assert len(SHOWN) < len(rows("published"))
    assert all(row.get("citable", True) for row in truth.all_checked())


def test_every_miss_has_its_reason() -> None:
    misses = SECTIONS["misses"].table
    assert misses is not None
    reason = [column.label for column in misses.columns].index("Why")
    assert misses.rows
    assert all(row[reason] for row in misses.rows)


def test_we_stand_among_the_rivals() -> None:
    table = SECTIONS["rivals"].table
    assert table is not None
    first, *others = table.rows
    assert first[0] == "Weighbridge"
    assert len(others) >= 5
    assert all(row[2] <= first[2] for row in others)  # never more files than we are held against


@pytest.mark.parametrize("to", sorted(link for link in LINKS if "?" in link and "://" not in link))
def test_links_to_calculators_answer(to: str) -> None:
    slug, _, query = to.partition("?")
    assert not CALCULATORS[slug].ask(query).errors


def test_links_within_the_page_lead_somewhere() -> None:
    places = {link.removeprefix("#") for link in LINKS if link.startswith("#")}
    assert places
    assert places <= set(SECTIONS)


CITATIONS = [
    (
        "ggml-org/llama.cpp:tools/quantize/README.md@311c2c9f",
        "https://github.com/ggml-org/llama.cpp/blob/311c2c9f/tools/quantize/README.md",
    ),
    (
        "https://huggingface.co/TheBloke/Genz-70b-GPTQ (model card",
        "https://huggingface.co/TheBloke/Genz-70b-GPTQ",
    ),
    ("AutoAWQ, from memory", None),
]


@pytest.mark.parametrize(("citation", "url"), CITATIONS)
def test_a_citation_is_an_address(citation: str, url: str | None) -> None:
    assert address(citation) == url


EVIDENCE = [
    # family, at least so many published sizes (more rows may come)
    ("gptq", 30),
    ("awq", 5),
    ("llama_cpp", 150),
    ("fp4", 1),  # gpt-oss is published in it
]


@pytest.mark.parametrize(("family", "least"), EVIDENCE)
def test_evidence_of_a_family(family: str, least: int) -> None:
    found = truth.of_family(family)
    assert found.rows >= least
    assert found.inside >= 0.9 * found.rows or found.rows < 10
    figure = truth.error_figure(family)
    assert figure is not None
    assert figure.basis == "measured"
    assert isinstance(figure.value, float)
    assert figure.high is not None
    assert 0 <= figure.value <= figure.high < 0.02
    assert re.match(rf"{found.inside} of {found.rows} ", found.sentence)


def test_a_family_without_evidence_says_so() -> None:
    assert truth.error_figure("hqq") is None
    assert truth.of_family("hqq").sentence == truth.NONE
