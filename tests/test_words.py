"""The glossary, the data that is given away, and what other programs read."""

import csv
import io
import json
import re
from itertools import pairwise

import pytest

import build
from calculators import CALCULATORS, ask
from calculators.kit import Calculator
from tools import terms
from tools.documents import data

SITE = "https://example.org/below/"
ENTRIES = list(terms.entries().values())
PAGES = build.pages(CALCULATORS, SITE)
BODIES = build.bodies(SITE)
EMBEDDED = [slug for slug in CALCULATORS if f"embed/{slug}/index.html" in PAGES]
LONGEST_TIP = 240  # characters that can be read beside a label
LEAST_CARD = {"version", "type", "html", "width", "height"}  # of an oEmbed card of type rich


@pytest.mark.parametrize("calculator", CALCULATORS.values(), ids=lambda item: item.slug)
def test_every_used_term_has_an_entry(calculator: Calculator) -> None:
    named = {term for term in terms.used(calculator, calculator.ask("")) if term}
    assert named <= set(terms.entries())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_explains_itself(entry: terms.Entry) -> None:
    assert 20 < len(entry.means) < LONGEST_TIP
    assert entry.means.endswith(".")
    assert not set("[]<>`") & set(entry.means), "a tip is plain text"
    assert entry.matters
    assert entry.sources


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_what_an_entry_refers_to_exists(entry: terms.Entry) -> None:
    assert set(entry.see) <= set(terms.entries()) - {entry.id}
    for asked in filter(None, (*entry.asks, entry.live)):
        slug, _, query = asked.partition("?")
        assert not ask(slug, query).errors


def test_an_id_is_used_once() -> None:
    subjects = terms.subjects()
    ids = [entry.id for subject in subjects for entry in subject.entries]
    ids += [subject.id for subject in subjects]
    assert len(ids) == len(set(ids))
    assert all(one.order < other.order for one, other in pairwise(subjects))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_has_its_page(entry: terms.Entry) -> None:
    html = BODIES[f"glossary/{entry.id}"].html
    for saying in entry.measured:
        assert f'href="../../folklore/#{saying}"' in html
    for other in entry.see:
        assert f'href="../{other}/"' in html
    for calculator in terms.users().get(entry.id, ()):
        assert f'href="../../{calculator.path}' in html
    for term in re.findall(r'data-term="([^"]+)"', html):
        assert html.count(f'id="tip-{term}"') == 1
    assert f'id="{entry.id}"' in BODIES["glossary"].html, "old links lead to the list"
    assert f"{SITE}glossary/{entry.id}/" in PAGES["llms.txt"].decode()


def test_terms_are_a_chain() -> None:
    """From the first term one walks to the last, by each page's link to the next."""
    found, last = [], "glossary/awq"
    while last:
        found.append(last.rpartition("/")[2])
        onward = re.search(r'rel="next" href="\.\./([^"]+)/"', BODIES[last].html)
        last = f"glossary/{onward[1]}" if onward else ""
    assert found == list(terms.entries())


@pytest.mark.parametrize("slug", EMBEDDED)
def test_a_page_carries_the_tips_of_its_labels(slug: str) -> None:
    page = next(made.html for made in BODIES.values() if made.calculator == slug)
    for html in (page, PAGES[f"embed/{slug}/index.html"].decode()):
        marked = set(re.findall(r'data-term="([^"]+)"', html))
        for term in marked:
            assert html.count(f'id="tip-{term}"') == 1, term


@pytest.mark.parametrize("name", data.names())
def test_data_as_json_and_as_csv_say_the_same(name: str) -> None:
    file = json.loads(PAGES[f"data/{name}.json"])
    table = list(csv.DictReader(io.StringIO(PAGES[f"data/{name}.csv"].decode())))
    assert file["license"] == data.LICENSE
    assert len(table) == len(file["rows"]) > 0
    for row, line in zip(file["rows"], table, strict=True):
        assert {key for key, text in line.items() if text} <= set(row)
        assert line["source"]


@pytest.mark.parametrize("name", ["published", "memory_logs"])
def test_rows_without_a_public_address_are_not_given_away(name: str) -> None:
    kept = json.loads(PAGES[f"data/{name}.json"])["rows"]
    every = json.loads((data.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    assert len(kept) < len(every)
    assert all(row.get("citable", True) for row in kept)


@pytest.mark.parametrize("slug", EMBEDDED)
def test_a_link_can_become_a_card(slug: str) -> None:
    card = json.loads(PAGES[f"oembed/{slug}.json"])
    assert set(card) >= LEAST_CARD
    assert f"{SITE}embed/{slug}/" in card["html"]


def test_llms_txt_names_every_calculator() -> None:
    text = PAGES["llms.txt"].decode()
    assert text.startswith("# Weighbridge\n\n> ")
    assert "[[" not in text
    assert "SITE_URL" not in text
    for calculator in CALCULATORS.values():
        assert f"{SITE}{calculator.path}" in text
