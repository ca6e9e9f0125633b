"""The way of a keystroke, on the built bytes: form, address, Python, result; and what can break."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from playwright.sync_api import Page, Worker, expect

from tests.browser.conftest import DIST, Visitor
from tools.serve import Server

ROOT = Path(__file__).parents[2]
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


def size(page: Page) -> Any:
    return page.locator("[data-result] [data-output=checkpoint_bytes]").first


def asked(page: Page) -> dict[str, list[str]]:
    """The address bar's question."""
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


def answered(page: Page, **fields: str) -> None:
    """Wait until the result answers a question with these fields."""
    for name, text in fields.items():
        query = re.compile(rf"(^|&){name}={re.escape(quote_plus(text))}(&|$)")
        expect(page.locator("[data-result]")).to_have_attribute("data-query", query, timeout=15_000)


def shared_workers(visitor: Visitor) -> list[str]:
    """The targets of the shared workers of this visitor's pages."""
    assert visitor.context.browser is not None
    session = visitor.context.new_cdp_session(visitor.context.pages[0])
    here = session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    everywhere = visitor.context.browser.new_browser_cdp_session()
    return [
        target["targetId"]
        for target in everywhere.send("Target.getTargets")["targetInfos"]
        if target["type"] == "shared_worker" and target["browserContextId"] == here
    ]


def end_shared_workers(visitor: Visitor) -> None:
    assert visitor.context.browser is not None
    session = visitor.context.browser.new_browser_cdp_session()
    for target in shared_workers(visitor):
        session.send("Target.closeTarget", {"targetId": target})


def own_workers(page: Page) -> list[Worker]:
    """The Pythons that serve this page alone."""
    return [worker for worker in page.workers if "runtime/worker.js" in worker.url]


def test_python_is_restored_from_the_snapshot(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")


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


def test_a_dead_worker_is_replaced(visitor: Visitor, site: str) -> None:
    visitor.expects = ["Python failed"]
    page = visitor.open(f"{site}{SLUG}/")
    end_shared_workers(visitor)
    page.locator("[name=params]").fill("13B")
    answered(page, params="13B")
    (own,) = own_workers(page)
    own.evaluate("close()")
    page.locator("[name=params]").fill("14B")
    expect(page.locator("html")).to_have_attribute("data-state", "computing")
    answered(page, params="14B")
    assert len(visitor.problems) == 2


def test_two_pages_share_one_python_and_the_next_page_finds_it(visitor: Visitor, site: str) -> None:
    first = visitor.open(f"{site}{SLUG}/")
    second = visitor.open(f"{site}gptq-size/")
    for page, count in ((first, "7B"), (second, "70B"), (first, "8B")):
        page.locator("[name=params]").fill(count)
        answered(page, params=count)
    first.close()
    second.goto(f"{site}{SLUG}/")
    second.wait_for_selector("html[data-state=ready]")
    assert len(shared_workers(visitor)) == 1
    assert not own_workers(second)


def test_a_browser_without_shared_workers_gets_a_python_per_page(
    visitor: Visitor, site: str
) -> None:
    visitor.context.add_init_script("delete globalThis.SharedWorker")
    page = visitor.open(f"{site}{SLUG}/")
    page.locator("[name=params]").fill("13B")
    answered(page, params="13B")
    assert not shared_workers(visitor)


def test_a_missing_snapshot_means_a_plain_boot(visitor: Visitor, serve: Callable[..., str]) -> None:
    site = serve(DIST, missing=["/snapshot."])
    visitor.origins.add(site)
    page = visitor.open(f"{site}{SLUG}/")
    expect(page.locator("html")).to_have_attribute("data-boot", "plain")
    page.locator("[name=model]").fill("llama-3.1-70b")
    answered(page, model="llama-3.1-70b")
    expect(page.locator("[data-result]")).to_contain_text("39.77 GB")


def test_a_host_that_packs_nothing_sends_what_is_packed(visitor: Visitor) -> None:
    with Server(DIST, plain=True) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        visitor.origins.add(server.address)
        page = visitor.open(f"{server.address}{SLUG}/")
        expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")
        (snapshot,) = DIST.glob("assets/python/snapshot.*.bin")
        assert sum(server.sent) < snapshot.stat().st_size
        visitor.context.close()
        server.shutdown()


def test_without_pyodide_the_printed_answer_stands_and_a_retry_helps(
    visitor: Visitor, serve: Callable[..., str]
) -> None:
    visitor.expects = ["Python failed"]
    missing = ["/pyodide.mjs"]
    site = serve(DIST, missing=missing)
    visitor.origins.add(site)
    page = visitor.open(f"{site}{SLUG}/", wait=False)
    page.wait_for_selector("html[data-state=failed]", timeout=30_000)
    expect(page.locator("[data-result]")).to_contain_text("GB")
    missing.clear()
    page.locator("[data-retry]").click()
    page.wait_for_selector("html[data-state=ready]", timeout=30_000)


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


def test_everything_works_offline_after_a_visit(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}{SLUG}/")
    visitor.move(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_timeout(3000)
    visitor.context.set_offline(True)
    visitor.expects = ["ERR_INTERNET_DISCONNECTED"]
    page.reload()
    page.wait_for_selector("html[data-state=ready]", timeout=30_000)
    page.locator("[name=model]").fill("llama-3.1-70b")
    answered(page, model="llama-3.1-70b")
    expect(page.locator("[data-result]")).to_contain_text("39.77 GB")


def test_it_works_below_a_path(invite: Callable[..., Visitor], serve: Callable[..., str]) -> None:
    below = serve(DIST, "/somewhere/below/")
    visitor = invite()
    visitor.origins.add(below)
    page = visitor.open(f"{below}{SLUG}/")
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot")


def test_one_worker_serves_page_after_page(visitor: Visitor, site: str) -> None:
    # The theme keeps the document for pages in its sitemap, which names the address of publication.
    listed = (DIST / "sitemap.xml").read_text(encoding="utf-8")
    here = re.sub(r"<loc>https?://[^/]+/", f"<loc>{site}", listed)
    visitor.context.route("**/sitemap.xml", lambda route: route.fulfill(body=here))
    page = visitor.open(f"{site}{SLUG}/")
    with page.expect_response("**/sitemap.xml"):
        visitor.move(page)
    page.evaluate("globalThis.sameDocument = true")
    page.locator("nav a[href$='gptq-size/']").first.evaluate("link => link.click()")
    expect(page.locator("form[data-calculator=gptq-size]")).to_be_attached()
    page.locator("[name=params]").fill("70.6B")
    answered(page, params="70.6B")
    assert page.evaluate("globalThis.sameDocument") is True
    assert len(shared_workers(visitor)) == 1
    assert not own_workers(page)
    page.go_back()
    expect(page.locator(f"form[data-calculator={SLUG}]")).to_be_attached()
    page.locator("[name=params]").fill("7B")
    answered(page, params="7B")


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
