"""What a visitor brings into a page, long texts and files, and takes away: copies and pictures."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, answered

SLUG = "awq-size"
CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_hidden_layers": 22,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "vocab_size": 32000,
    "torch_dtype": "bfloat16",
}


def test_a_pasted_config_becomes_a_chip(invite: Callable[..., Visitor], site: str) -> None:
    visitor = invite(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.open(f"{site}{SLUG}/")
    page.evaluate("text => navigator.clipboard.writeText(text)", json.dumps(CONFIG, indent=2))
    field = page.locator("[data-pick=models]")
    field.focus()
    page.keyboard.press("ControlOrMeta+v")
    expect(page.locator(".wb-chip")).to_have_text("llama")
    expect(field).to_have_value(json.dumps(CONFIG, separators=(",", ":")))
    expect(page.locator("[data-result]")).to_have_attribute(
        "data-query", re.compile("22"), timeout=15_000
    )
    page.locator(".wb-chip").click()
    expect(page.locator(".wb-chip")).to_be_hidden()
    expect(field).to_have_value("")


LONG_TEXTS = {
    "set by a script": """(area, text) => {
        area.value = text;
        area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }""",
    "pasted": """(area, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text/plain", text.replaceAll("\\n", "\\r\\n"));
        area.select();
        const about = { clipboardData, bubbles: true, cancelable: true };
        area.dispatchEvent(new ClipboardEvent("paste", about));
    }""",
    "pasted into what stands there": """(area, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text/plain", text.slice(text.indexOf("\\n")));
        area.value = text.slice(0, text.indexOf("\\n"));
        area.setSelectionRange(area.value.length, area.value.length);
        const about = { clipboardData, bubbles: true, cancelable: true };
        area.dispatchEvent(new ClipboardEvent("paste", about));
    }""",
    "dropped": """(area, text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], "scores.csv"));
        const about = { dataTransfer, bubbles: true, cancelable: true };
        area.dispatchEvent(new DragEvent("drop", about));
    }""",
    "typed": """(area, text) => {
        const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
        set.call(area, text);
        area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }""",
}


@pytest.mark.parametrize("way", LONG_TEXTS)
def test_a_long_text_is_answered_but_no_link(
    invite: Callable[..., Visitor], site: str, way: str
) -> None:
    page = invite(permissions=["clipboard-read", "clipboard-write"]).open(f"{site}roc-auc/")
    printed = page.locator("[data-result]").inner_text()
    lines = "\n".join(f"{i % 2},{i % 97 / 97}" for i in range(20_000))
    page.locator("textarea[data-drop]").first.evaluate(LONG_TEXTS[way], lines)
    expect(page.locator("[data-result]")).not_to_have_text(printed, timeout=20_000)
    expect(page.locator("[data-result]")).to_have_attribute(
        "data-query", re.compile("^scores=0,0.0\n1,0.010")
    )
    expect(page).to_have_url(f"{site}roc-auc/")
    page.locator("[data-copy=link]").click()
    expect(page.locator("[data-too-long]")).to_be_visible()
    # So many lines are not laid out; what stands for them clears them.
    area, chip = page.locator("textarea[data-drop]").first, page.locator(".wb-chip:visible")
    expect(area).to_be_hidden()
    expect(chip).to_contain_text("20,000 lines: 0,0.0 …")
    chip.click()
    expect(area).to_be_visible()
    expect(area).to_be_focused()
    expect(area).to_have_value("")


def test_results_are_copied(invite: Callable[..., Visitor], site: str) -> None:
    page = invite(permissions=["clipboard-read", "clipboard-write"]).open(f"{site}{SLUG}/")
    page.locator("[name=model]").fill("llama-3.1-70b")
    answered(page, model="llama-3.1-70b")

    def copied(kind: str) -> str:
        page.locator(f".wb-share [data-copy={kind}]").click()
        expect(page.locator(f".wb-share [data-copy={kind}]")).to_have_attribute("data-done", "")
        return str(page.evaluate("navigator.clipboard.readText()"))

    assert "model=llama-3.1-70b" in copied("link")
    assert "39.77 GB" in copied("text")
    assert "| 39.77 GB |" in copied("markdown")
    assert "39770000000" in copied("json") or json.loads(copied("json"))


def test_a_chart_is_drawn_in_the_colours_of_the_page(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}chinchilla/")
    page.locator("a[data-example]").nth(1).click()
    expect(page.locator("[data-result]")).to_have_attribute("data-query", re.compile("."))
    figure = page.locator("[data-result] [data-chart]").first
    figure.evaluate("figure => figure.scrollIntoView()")
    expect(figure).to_have_attribute("data-drawn", "", timeout=30_000)
    drawn = figure.locator("svg.marks")
    expect(drawn).to_be_visible()
    light = drawn.inner_html()
    page.emulate_media(color_scheme="dark")
    expect(drawn).not_to_have_js_property("innerHTML", light)


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_picture_is_saved(visitor: Visitor, site: str, kind: str, begins: bytes) -> None:
    page = visitor.open(f"{site}chinchilla/")
    with page.expect_download() as saved:
        page.locator(f"[data-chart] [data-download={kind}]").first.click()
    assert saved.value.suggested_filename.endswith(f".{kind}")
    assert Path(saved.value.path()).read_bytes().startswith(begins)
