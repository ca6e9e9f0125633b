"""The way of a keystroke, on the built bytes: form, address, Python, result."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, answered

SLUG = "awq-size"


def size(page: Page) -> Any:
    return page.locator("[data-result] [data-output=checkpoint_bytes]").first


def asked(page: Page) -> dict[str, list[str]]:
    """The address bar's question."""
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


@pytest.mark.parametrize(
    ("slug", "field", "text", "expected"),
    [
        ("awq-size", "model", "llama-3.1-70b", "39.77 GB"),
        ("awq-size", "model", "llama-2-7b", "3.889 GB"),
        ("awq-size", "params", "70.6B", "36.6"),
    ],
)
def test_typing_is_answered(
    visitor: Visitor, site: str, slug: str, field: str, text: str, expected: str
) -> None:
    page = visitor.open(f"{site}{slug}/")
    page.locator(f"[name={field}]").fill(text)
    answered(page, **{field: text})
    expect(page.locator("[data-result]")).to_contain_text(expected)


def test_a_mistake_stands_beside_its_field_and_keeps_the_last_answer(
    visitor: Visitor, site: str
) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    result = page.locator("[data-result]")
    before = result.inner_text()
    page.locator("[name=params]").fill("a few")
    expect(page.locator("[data-error=params]")).not_to_be_empty()
    expect(page.locator("[name=params]")).to_have_attribute("aria-invalid", "true")
    expect(result).to_have_attribute("data-stale", "")
    assert result.inner_text() == before
    page.locator("[name=params]").fill("7B")
    answered(page, params="7B")
    expect(page.locator("[data-error=params]")).to_be_empty()
    expect(result).not_to_have_attribute("data-stale", "")


def test_a_refusal_offers_what_works(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}awq-size/?model=openai/gpt-oss-20b")
    page.get_by_role("button", name="Take group size 64").click()
    answered(page, group_size="64")
    expect(page.locator("[name=group_size]")).to_have_value("64")
    expect(page.locator("[data-error=model]")).to_be_empty()


def test_a_link_holds_the_whole_question(invite: Callable[..., Visitor], site: str) -> None:
    page = invite().open(f"{site}{SLUG}/")
    page.locator("[name=model]").fill("llama-2-70b")
    answered(page, model="llama-2-70b")
    expect(page).to_have_url(re.compile("model=llama-2-70b"))
    names = page.locator("form[data-calculator] [name]").evaluate_all("all => all.map(e => e.name)")
    assert list(asked(page)) == names

    shared = invite().open(page.url)
    answered(shared, model="llama-2-70b")
    expect(shared.locator("[name=model]")).to_have_value("llama-2-70b")
    assert (
        shared.locator("[data-result]").inner_text() == page.locator("[data-result]").inner_text()
    )
    shared.reload()
    answered(shared, model="llama-2-70b")


def test_back_and_forward_walk_through_examples(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    page.evaluate("globalThis.sameDocument = true")
    links = page.locator("a[data-example]")
    questions = []
    for i in range(2):
        links.nth(i).click()
        page.wait_for_timeout(300)
        questions.append(page.locator("[data-result]").get_attribute("data-query"))
    assert questions[0] != questions[1]
    result = page.locator("[data-result]")
    page.go_back()
    expect(result).to_have_attribute("data-query", questions[0] or "")
    page.go_forward()
    expect(result).to_have_attribute("data-query", questions[1] or "")
    assert page.evaluate("globalThis.sameDocument") is True


def test_the_newest_question_wins(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    field = page.locator("[name=params]")
    field.fill("")
    field.press_sequentially("7123456789", delay=3)
    answered(page, params="7123456789")
    page.wait_for_timeout(300)
    answered(page, params="7123456789")


def test_a_model_is_picked_by_keyboard(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    field = page.locator("[data-pick=models]")
    field.focus()
    page.keyboard.type("llama 70b")
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    chosen = page.locator(f"#{active}")
    expect(chosen).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-expanded", "false")
    answered(page, model=field.input_value())
    assert "70b" in field.input_value()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("[role=listbox]")).to_be_hidden()


def test_a_model_is_picked_by_pointer(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    field = page.locator("[data-pick=models]")
    field.click()
    page.keyboard.type("qwen")
    page.locator("[role=option]").nth(1).click()
    answered(page, model=field.input_value())
    assert "qwen" in field.input_value().lower()


def test_colours_follow_the_scheme(invite: Callable[..., Visitor], site: str) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        page = invite(color_scheme=scheme).open(f"{site}embed/{SLUG}/")
        grounds.add(page.evaluate("getComputedStyle(document.forms[0]).backgroundColor"))
    assert len(grounds) == 2


def test_without_script_the_answer_and_the_links_are_there(
    invite: Callable[..., Visitor], site: str
) -> None:
    page = invite(java_script_enabled=False).open(f"{site}{SLUG}/", wait=False)
    expect(page.locator("[data-result]")).to_contain_text("GB")
    page.locator("a[data-example]").first.click()
    expect(page).to_have_url(re.compile(r"\?.+="))
