"""How soon an answer is painted and Python lives, beside a bare ``loadPyodide()``; and bytes."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from tools.bench import SLUG, serving, verdict

ROUNDS = 4
# Cold: nothing is cached. Warm: files are cached, Python has ended. Next: Python outlived the page.
TARGETS = {"cold": 0.35, "warm": 0.25, "next": 0.25}
CALM = 1500  # ms in which a new window comes to rest

# In every page, before its own scripts: when the answer is painted and when Python lives.
WATCH = """
globalThis.bench = {};
new MutationObserver(() => {
  const { state } = document.documentElement.dataset;
  if (state === "ready") bench.live ??= performance.now();
  if (document.querySelector("[data-result] *") && !bench.seen) {
    bench.seen = true;
    requestAnimationFrame(() => setTimeout(() => (bench.answer = performance.now())));
  }
}).observe(document, { subtree: true, childList: true, attributeFilter: ["data-state"] });
"""
BARE = {
    "index.html": '<!doctype html><title>Bare</title><link rel="icon" href="data:,">'
    '<script type="module" src="bare.js"></script>',
    "bare.js": 'const worker = new Worker("worker.js", { type: "module" });'
    'worker.onmessage = () => { document.documentElement.dataset.state = "ready"; };',
    "worker.js": 'import { loadPyodide } from "./pyodide.mjs";'
    'const python = await loadPyodide(); python.runPython("1 + 1"); postMessage("ready");',
}


def bare(build: Path, folder: Path) -> None:
    """A page that boots Pyodide and nothing else, with the same files, compressed the same."""
    (pyodide,) = build.glob("assets/python/pyodide.*")
    shutil.copytree(pyodide, folder, dirs_exist_ok=True)
    shutil.copy("node_modules/pyodide/pyodide-lock.json", folder)
    for name, text in BARE.items():
        (folder / name).write_text(text, encoding="utf-8")


def end_python(browser: Browser) -> None:
    """End the shared workers, which would otherwise serve the next page."""
    session = browser.new_browser_cdp_session()
    for target in session.send("Target.getTargets")["targetInfos"]:
        if target["type"] == "shared_worker":
            session.send("Target.closeTarget", {"targetId": target["targetId"]})
    session.detach()


def visit(context: BrowserContext, url: str) -> dict[str, float]:
    """ms from navigation to the first answer (if there is one) and to Python being live.

    As a visitor comes, in a window that stands: opening one keeps both cores busy with the
    browser's own pages for most of a second.
    """
    page = context.new_page()
    page.wait_for_timeout(CALM)
    page.goto(url)
    page.wait_for_selector("html[data-state=ready]", timeout=60_000)
    page.wait_for_timeout(1500)  # so that caches are written, as they are behind a real visitor
    found: dict[str, float] = page.evaluate("bench")
    page.close()
    return found


def boots(browser: Browser, ours: str, plain: str) -> dict[str, dict[str, list[float]]]:
    """Boots of every kind, ours and the bare one by turns; for a next page the bare one is warm."""
    times: dict[str, dict[str, list[float]]] = {
        kind: {"answer": [], "live": [], "bare": []} for kind in TARGETS
    }
    for _ in range(ROUNDS):
        contexts = [browser.new_context(), browser.new_context()]
        for context in contexts:
            context.add_init_script(WATCH)
        for kind in TARGETS:
            if kind == "warm":
                end_python(browser)
            found = visit(contexts[0], f"{ours}{SLUG}/")
            times[kind]["answer"].append(found["answer"])
            times[kind]["live"].append(found["live"])
            times[kind]["bare"].append(visit(contexts[1], plain)["live"])
        for context in contexts:
            context.close()
    return times


def transfers(browser: Browser, folder: Path) -> tuple[int, int]:
    """Bytes on the wire until the answer is painted, and until Python lives."""
    with serving(folder) as server:
        context = browser.new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"{server.address}{SLUG}/")
        page.wait_for_selector("html[data-state=ready]")
        whole = sum(server.sent)
        early: int = page.evaluate(
            """() => [...performance.getEntriesByType("navigation"),
              ...performance.getEntriesByType("resource").filter(
                (one) => one.renderBlockingStatus === "blocking")]
              .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
        )
        context.close()
        # The page is not told what the worker asked for; the server knows.
        return early, whole


def report_boots(times: dict[str, dict[str, list[float]]]) -> None:
    for kind, found in times.items():
        answer, live, plain = (statistics.median(found[key]) for key in ("answer", "live", "bare"))
        ratios = [x / y for x, y in zip(found["live"], found["bare"], strict=True)]
        ratio = statistics.median(ratios)
        print(
            f"{kind}: answer painted {answer:5.0f} ms, Python live {live:5.0f} ms, "
            f"bare loadPyodide {plain:5.0f} ms: {ratio:.2f} of it "
            f"(target {TARGETS[kind]}: {verdict(ratio <= TARGETS[kind])}; "
            f"least {min(ratios):.2f}, most {max(ratios):.2f})"
        )
