"""Tips, the glossary behind them, and calculators that stand in a text."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BOOT, Visitor
from tools import terms

GROUP_SIZE = terms.entries()["group-size"].means
BITS = terms.entries()["bits-per-weight"].means
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize(
    ("place", "term", "text"),
    [(".wb-form", "group-size", GROUP_SIZE), (".wb-result", "bits-per-weight", BITS)],
)
@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_label_tells_its_term(
    visitor: Visitor, site: str, place: str, term: str, text: str, how: str
) -> None:
    page = visitor.open(f"{site}awq-size/")
    mark = page.locator(f'{place} [data-term="{term}"]').first
    mark.hover() if how == "hover" else mark.focus()
    tip = page.get_by_role("tooltip")
    expect(tip).to_have_text(text)
    expect(mark).to_have_attribute("aria-describedby", "wb-tip")
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)


def test_a_live_answer_keeps_its_tips(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}awq-size/")
    page.fill("#in-context", "4096")
    page.wait_for_selector('.wb-result[data-query*="context=4096"]')
    page.locator('.wb-result [data-term="bits-per-weight"]').first.hover()
    expect(page.get_by_role("tooltip")).to_have_text(BITS)


def test_a_first_tap_tells_and_a_second_leads_to_the_entry(
    invite: Callable[..., Visitor], site: str
) -> None:
    page = invite(**PHONE).open(f"{site}awq-size/")
    mark = page.locator('.wb-form [data-term="group-size"]')
    mark.tap()
    expect(page.get_by_role("tooltip")).to_have_text(GROUP_SIZE)
    assert page.url.startswith(f"{site}awq-size/")
    mark.tap()
    page.wait_for_url(f"{site}glossary/group-size/")
    expect(page.get_by_role("heading", name="Group size")).to_be_in_viewport()


def test_a_calculator_in_the_glossary_answers(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}glossary/awq/", wait=False)
    entry = page.get_by_role("article").filter(has=page.get_by_role("heading", name="AWQ"))
    expect(entry.locator("data").first).to_have_text("39.77 GB")
    assert not [frame for frame in page.frames if "/embed/" in frame.url]
    entry.locator("summary").click()
    inside = entry.frame_locator("iframe")
    inside.locator("html[data-state=ready]").wait_for(timeout=BOOT)
    expect(inside.locator("data[data-output=checkpoint_bytes]")).to_have_text("39.77 GB")


def test_an_old_link_finds_its_term_which_leads_on(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}glossary/#w4a16", wait=False)
    item = page.locator("#w4a16")
    expect(item).to_be_in_viewport()
    item.get_by_role("link").click()
    page.wait_for_url(f"{site}glossary/w4a16/")
    expect(page.get_by_role("heading", name="W4A16", exact=True)).to_be_in_viewport()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Glossary").click()
    page.wait_for_url(f"{site}glossary/")


def test_a_calculator_answers_after_a_walk_through_the_glossary(
    visitor: Visitor, site: str
) -> None:
    page = visitor.open(f"{site}glossary/", wait=False)
    page.locator("#gptq").get_by_role("link").click()
    page.wait_for_url(f"{site}glossary/gptq/")
    page.locator("summary").filter(has_text="Change the question").click()
    inside = page.frame_locator("iframe")
    inside.locator("html[data-state=ready]").wait_for(timeout=BOOT)


@pytest.mark.parametrize(
    ("typed", "term"),
    [("salient channel", "salient-channel"), ("ttft", "time-to-first-token"), ("GQA", "gqa")],
)
def test_search_finds_a_term(visitor: Visitor, site: str, typed: str, term: str) -> None:
    page = visitor.open(f"{site}cite/", wait=False)
    page.get_by_role("textbox", name="Search").press_sequentially(typed)
    page.locator(f'.md-search-result a[href*="/glossary/{term}/"]').first.click()
    page.wait_for_url(f"{site}glossary/{term}/**")


def test_an_embedded_calculator_leads_to_the_site(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}guides/embed/", wait=False)
    inside = page.frame_locator("iframe").first
    inside.locator("html[data-state=ready]").wait_for(timeout=BOOT)
    inside.locator('.wb-result [data-term="bits-per-weight"]').first.click()
    page.wait_for_url(f"{site}glossary/bits-per-weight/")


def test_a_listing_in_a_guide_is_copied(invite: Callable[..., Visitor], site: str) -> None:
    visitor = invite(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.open(f"{site}guides/deploy-awq/", wait=False)
    listing = page.locator(".highlight").filter(has_text="vllm serve").first
    listing.get_by_role("button", name="Copy").click()
    expect(listing.locator("[data-done]")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("vllm serve")
