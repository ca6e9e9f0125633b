"""Manners of every kind of page: for all eyes and hands, on a phone, on paper, in a frame."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DIST, Visitor

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
NOWHERE = "nothing/here/"
KINDS = {
    "first page": "",
    "calculator": "awq-size/",
    "calculator with a chart": "chinchilla/",
    "calculator with many fields": "gpu-fit/",
    "calculator with wide tables": "quantization/",
    "calculator of pasted rows": "roc-auc/",
    "calculator with an upload": "checkpoint-size/",
    "embed twin": "embed/awq-size/",
    "embed twin with a chart": "embed/roc-auc/",
    "glossary": "glossary/",
    "entry of the glossary": "glossary/awq/",
    "guide": "guides/deploy-awq/",
    "memory log": "guides/memory-log/",
    "plain text": "cite/",
    "accuracy": "accuracy/",
    "folklore": "folklore/",
    "data": "data/",
    "models": "models/",
    "model": "models/llama-3.1-8b/",
    "GPUs": "gpus/",
    "GPU": "gpus/rtx-4090/",
    "not found": NOWHERE,
}
GROUND = {"light": "rgb(247, 246, 242)", "dark": "rgb(18, 21, 24)"}
INK = "rgb(22, 25, 29)"  # on paper, whatever the screen's scheme
# Whoever saves data gets Python at the first sign of intent: here, never. Manners need none.
SAVING = "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"


def saving(visitor: Visitor, url: str) -> Page:
    """The page as printed, to a visitor who saves data."""
    visitor.context.add_init_script(SAVING)
    if url.endswith(NOWHERE):
        visitor.expects = ["Failed to load resource"]
    return visitor.open(url, wait=False)


# A colour on its way from one scheme to the other is neither's.
SETTLED = """
Promise.race([
  Promise.allSettled(document.getAnimations().map((one) => one.finished)),
  new Promise((done) => setTimeout(done, 2000)),
])
"""


def violations(page: Page) -> list[tuple[str, ...]]:
    """What axe finds: the rule and the first few places."""
    page.evaluate(SETTLED)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (item["id"], *(str(node["target"]) for node in item["nodes"][:5]))
        for item in found["violations"]
    ]


@pytest.fixture(scope="module", params=[*KINDS.values()], ids=[*KINDS])
def kind(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """One page of each kind, opened once and looked at in several ways."""
    visitor = Visitor(browser.new_context(color_scheme="light"), {site})
    visitor.context.on("page", visitor.watch)
    visitor.context.on("request", visitor.check)
    yield saving(visitor, site + request.param)
    visitor.context.close()
    assert visitor.unexpected() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_the_systems_colours_before_anybody_moves(
    invite: Callable[..., Visitor], site: str, scheme: str
) -> None:
    page = saving(invite(color_scheme=scheme), f"{site}awq-size/")
    expect(page.locator("body")).to_have_css("background-color", GROUND[scheme])
    expect(page.locator("script[data-theme]")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(kind: Page, scheme: Literal["light", "dark"]) -> None:
    kind.emulate_media(color_scheme=scheme)
    expect(kind.locator("body")).to_have_css("background-color", GROUND[scheme])
    assert violations(kind) == []


def test_fits_a_phone(kind: Page) -> None:
    wide = kind.viewport_size
    assert wide is not None
    kind.set_viewport_size({"width": 360, "height": 740})
    assert kind.evaluate("document.documentElement.scrollWidth") <= 360
    kind.set_viewport_size(wide)


def test_prints_what_was_asked_and_answered(kind: Page) -> None:
    kind.emulate_media(media="print", color_scheme="dark")
    expect(kind.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(kind.locator("h1").first).to_have_css("color", INK)
    for tool in (".md-header", ".md-tabs", ".md-sidebar", ".md-footer", ".wb-button", ".wb-status"):
        assert not kind.locator(f"{tool}:visible").count(), tool
    for name in (".wb-form", "[data-result]", "h1"):
        for part in kind.locator(name).all():
            assert part.is_visible(), name
    assert kind.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    kind.emulate_media(media="screen")


def test_a_live_answer_is_accessible(visitor: Visitor, site: str) -> None:
    page = visitor.open(f"{site}awq-size/?model=llama-3.1-70b")
    expect(page.locator("[data-result]")).to_have_attribute("data-query", re.compile("70b"))
    assert violations(page) == []


def test_without_colours_of_our_own_the_swatches_keep_theirs(visitor: Visitor, site: str) -> None:
    swatch = "getComputedStyle(document.querySelector('.wb-swatch')).backgroundColor"
    page = saving(visitor, f"{site}awq-size/")
    colour = page.evaluate(swatch)
    page.emulate_media(forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert page.evaluate(swatch) == colour


def test_nothing_moves_for_who_asked_for_it(invite: Callable[..., Visitor], site: str) -> None:
    page = saving(invite(reduced_motion="reduce"), f"{site}awq-size/")
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
      const { transitionDuration, animationName } = getComputedStyle(one);
      return animationName !== "none" || parseFloat(transitionDuration) > 0;
    }).map((one) => one.className)"""
    assert page.evaluate(moving) == []


# What has the focus: its name, its place, and whether one can see that it has it.
FOCUS = """() => {
  const one = document.activeElement;
  const shown = one.matches(".md-option, .md-search__input") ? one.form : one;
  const style = getComputedStyle(shown), box = shown.getBoundingClientRect();
  return {
    name: one.name || one.tagName,
    form: Boolean(one.closest("form[data-calculator]")),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
    inView: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    html: one.outerHTML.slice(0, 120),
  };
}"""


def test_the_keyboard_reaches_every_field_in_order_and_shows_where_it_is(
    visitor: Visitor, site: str
) -> None:
    page = saving(visitor, f"{site}awq-size/")
    expected = page.locator("form[data-calculator] [name]:visible").evaluate_all(
        "all => all.map(one => one.name)"
    )
    reached, unseen = [], []
    for _ in range(200):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["name"] == "BODY":
            break
        if not (focus["seen"] and focus["inView"]):
            unseen.append(focus["html"])
        if focus["form"] and focus["name"] in expected:
            reached.append(focus["name"])
    assert reached == expected
    assert unseen == []


@pytest.mark.parametrize(
    ("path", "framable"),
    [(path, path.startswith("embed/")) for path in KINDS.values()],
    ids=KINDS,
)
def test_only_embed_twins_may_be_framed(site: str, path: str, framable: bool) -> None:
    try:
        headers = urlopen(site + path).headers
    except HTTPError as missing:
        headers = missing.headers
        missing.close()
    ancestors = re.findall(r"frame-ancestors ([^;]+)", headers["Content-Security-Policy"])
    assert ancestors == ["*" if framable else "'none'"]
    assert "X-Frame-Options" not in headers


def test_every_page_carries_its_policy() -> None:
    bare = [
        file.relative_to(DIST).as_posix()
        for file in DIST.rglob("*.html")
        if '<meta http-equiv="Content-Security-Policy"' not in file.read_text(encoding="utf-8")
    ]
    assert bare == []
