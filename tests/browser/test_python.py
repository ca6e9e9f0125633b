"""How Python comes to live and lives on: restored or booted, shared, replaced, offline."""

import re
import threading
from collections.abc import Callable

from playwright.sync_api import Page, Worker, expect

from tests.browser.conftest import DIST, Visitor, answered
from tools.serve import Server

SLUG = "awq-size"


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
