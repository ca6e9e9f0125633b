"""A calculator inside somebody else's page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, answered

SLUG = "awq-size"


def test_an_embed_works_twice_on_a_foreign_page(
    invite: Callable[..., Visitor], site: str, serve: Callable[..., str], tmp_path: Path
) -> None:
    line = '<script async src="{}embed.js" data-calculator="{}" data-query="{}"></script>'
    lines = [line.format(site, SLUG, query) for query in ("", "model=llama-2-70b")]
    tags = "<link rel=icon href=data:,><style>:root{color-scheme:dark}</style>"
    text = f"<!doctype html><title>Foreign</title>{tags}<p>A</p>{lines[0]}<p>B</p>{lines[1]}"
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    foreign = serve(tmp_path)
    visitor = invite()
    visitor.origins.add(foreign)
    page = visitor.open(foreign, wait=False)
    frames = page.locator(".weighbridge-embed iframe")
    expect(frames).to_have_count(2)
    for i in range(2):
        frames.nth(i).scroll_into_view_if_needed()
        inside = frames.nth(i).content_frame
        expect(inside.locator("html")).to_have_attribute("data-state", "ready", timeout=30_000)
        expect(inside.locator("html")).to_have_attribute("data-scheme", "dark")
        expect(frames.nth(i)).to_have_attribute("title", re.compile(SLUG))
        box = inside.locator("body").bounding_box()
        height = frames.nth(i).evaluate("frame => frame.offsetHeight")
        assert box is not None
        assert height == pytest.approx(box["height"], abs=2)
    second = frames.nth(1).content_frame
    expect(second.locator("[name=model]")).to_have_value("llama-2-70b")
    expect(second.locator("[data-result]")).to_contain_text("36.61 GB")
    expect(page.locator(".weighbridge-embed a").first).to_have_attribute("href", f"{site}{SLUG}/")


def test_links_of_a_live_answer_lead_out_of_an_embed(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}embed/{SLUG}/")
    links = page.locator("[data-result] a")
    leads = "all => all.map((one) => [one.href, one.target])"
    printed = links.evaluate_all(leads)
    page.locator("[name=model]").fill("llama-3.1-70b")
    answered(page, model="llama-3.1-70b")
    live = links.evaluate_all(leads)
    for found in (printed, live):
        assert f"{site}accuracy/#awq" in dict(found)
        assert not [href for href, _ in found if "/embed/" in href]
        assert {target for _, target in found} == {"_top"}
