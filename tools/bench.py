"""Measures a build in a browser: how soon Python lives, how fast a keystroke is answered, how big.

``python -m tools.bench [FOLDER]``. Every boot is measured beside a page that does nothing but
``loadPyodide()``, turn by turn in the same browser, so that the ratio holds on any machine.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from calculators import ask
from calculators.facts.catalogue import models
from tools.chromium import find_chromium
from tools.serve import Server

SLUG = "awq-size"
ROUNDS = 4
KEYSTROKES = 30
ROWS = 10_000
# Cold: nothing is cached. Warm: files are cached, Python has ended. Next: Python outlived the page.
TARGETS = {"cold": 0.35, "warm": 0.25, "next": 0.25}
CALM = 1500  # ms in which a new window comes to rest
FRAME = 16.0  # ms
SURVEY = 50.0  # ms for a question that goes through a whole catalogue
MODELS = 20
PASTED = 100_000  # rows
PASTE_LIMIT = 100.0  # ms
ROUNDS_OF_PASTE = 7
LABELS = ("positive", "negative", "neutral")
FIRST_BYTES = 200_000

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
# ms from a keystroke in a field to the answer in the page, and to the frame that shows it.
TYPE = """
async ([name, texts]) => {
  const field = document.querySelector(`[name=${name}]`);
  const result = document.querySelector("[data-result]");
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  }));
  const rest = () => new Promise((done) => setTimeout(done, 60 + 16 * Math.random()));
  const times = { answer: [], paint: [] };
  for (const text of texts) {
    const said = String(new URLSearchParams({ [name]: text }));
    await rest();
    const start = performance.now();
    const answered = new Promise((done, fail) => {
      setTimeout(() => fail(new Error(`no answer to ${said}`)), 20_000);
      const observer = new MutationObserver(() => {
        if (!result.dataset.query.includes(said)) return;
        observer.disconnect();
        done();
      });
      observer.observe(result, { attributeFilter: ["data-query"] });
    });
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await answered;
    times.answer.push(performance.now() - start);
    await painted();
    times.paint.push(performance.now() - start);
  }
  return times;
}
"""
# ms from a paste to its answer in the page, and from a change of another field to the next one.
PASTE = """
async ([name, texts, other]) => {
  const result = document.querySelector("[data-result]");
  const errors = document.querySelectorAll("[data-error]");
  const rest = () => new Promise((done) => setTimeout(done, 600));
  const type = (control, text) => {
    control.value = text;
    control.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const paste = (control, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    control.select();
    control.dispatchEvent(event);
  };
  const answer = (field, text, act = type) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`no answer about ${field}`)), 20_000);
    const control = document.querySelector(`[name=${field}]`);
    const observer = new MutationObserver(() => {
      observer.disconnect();
      done(performance.now() - start);
    });
    observer.observe(result, { attributeFilter: ["data-query", "data-stale"] });
    for (const one of errors) observer.observe(one, { childList: true });
    const start = performance.now();
    act(control, text);
  });
  const times = { paste: [], other: [] };
  for (const [i, text] of texts.entries()) {
    // Pasted over a short text, as into a form that is fresh.
    await answer(name, text.slice(0, 400 + i)).catch(() => {});
    await rest();
    times.paste.push(await answer(name, text, paste));
    await rest();
    if (other) times.other.push(await answer(other, String(2 + i)));
    await rest();
  }
  return times;
}
"""
PICK = """
async (url) => {
  const { matching } = await import(url);
  const all = Array.from({ length: %d }, (_, i) => {
    const value = `org-${i %% 97}/model-${i}-${(i * 7) %% 400}b`;
    return { value, label: value, hint: "", text: value };
  });
  const times = [];
  for (const typed of ["m", "model 7", "org-12 399b", "9999", "nothing like it", "b", "5 5 5"]) {
    for (let i = 0; i < 9; i++) {
      const start = performance.now();
      matching(all, typed);
      times.push(performance.now() - start);
    }
  }
  return times;
}
"""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


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


def quantile(times: list[float], percent: int) -> float:
    """Among the times that were seen: a few of them tell nothing of slower ones."""
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def quantiles(times: list[float]) -> str:
    return f"median {statistics.median(times):6.1f} ms   p95 {quantile(times, 95):6.1f} ms"


def verdict(good: bool) -> str:
    return "ok" if good else "OVER"


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


@dataclass(frozen=True)
class Typed:
    """Texts typed one after the other into a field, and what the answers may take in ms."""

    label: str
    slug: str
    field: str
    texts: Sequence[str]
    query: str = ""
    median: float | None = None
    p95: float | None = None


@cache
def _served() -> list[str]:
    """Models of which every calculator knows an answer: those that write text."""
    asked = ((one.id, ask("gpu-fit", urlencode({"model": one.id}))) for one in models())
    return [name for name, answer in asked if not answer.errors]


def _typed() -> tuple[Typed, ...]:
    counts = [str(7_000_000_000 + i * 1_234_567) for i in range(KEYSTROKES)]
    contexts = [str(5000 + 137 * i) for i in range(KEYSTROKES)]
    # Models that no earlier line asked about: every line gets its own share of the catalogue.
    shares = [_served()[first::5][:MODELS] for first in range(5)]
    cards = ["rtx-3090", "l40s", "h200-sxm", "a100-80gb-sxm", "rtx-5090", "l4"]
    return (
        Typed("awq-size, parameters", SLUG, "params", counts, p95=FRAME),
        Typed("awq-size, a context", SLUG, "context", contexts, p95=FRAME),
        Typed("awq-size, a new model", SLUG, "model", shares[0], p95=FRAME),
        Typed("checkpoint-size, all formats of a new model", "checkpoint-size", "model", shares[1],
              median=FRAME),
        Typed("checkpoint-size, a context", "checkpoint-size", "context", contexts),
        Typed("kv-cache, a context", "kv-cache", "context", contexts),
        Typed("gpu-fit, a context", "gpu-fit", "context", contexts),
        Typed("gpu-fit, a new model", "gpu-fit", "model", shares[2]),
        Typed("gpu-fit, which GPUs hold a new model", "gpu-fit", "model", shares[3],
              "question=gpus", median=SURVEY),
        Typed("gpu-fit, which models for a new GPU", "gpu-fit", "gpu", cards, "question=models",
              median=SURVEY),
        Typed("gpu-fit, which models, a context", "gpu-fit", "context", contexts,
              "question=models", median=SURVEY),
        Typed("quantization, a new model", "quantization", "model", shares[4]),
        Typed("quantization, a context", "quantization", "context", contexts),
    )  # fmt: skip


def report_typing(page: Page, url: str) -> None:
    for typed in _typed():
        page.goto(f"{url}{typed.slug}/?{typed.query}")
        page.wait_for_selector("html[data-state=ready]")
        page.wait_for_timeout(1000)
        times: dict[str, list[float]] = page.evaluate(TYPE, [typed.field, list(typed.texts)])
        middle, late = statistics.median(times["answer"]), quantile(times["answer"], 95)
        said = ""
        if typed.median is not None:
            said = f" (median under {typed.median:.0f}: {verdict(middle <= typed.median)})"
        if typed.p95 is not None:
            said += f" (p95 under {typed.p95:.0f}: {verdict(late <= typed.p95)})"
        print(f"{typed.label:45} {quantiles(times['answer'])}{said}, "
              f"to its frame {statistics.median(times['paint']):.0f} ms")  # fmt: skip


@dataclass(frozen=True)
class Pastes:
    """100,000 rows for a field, and another field that is typed into while they stand there."""

    slug: str
    field: str
    row: Callable[[random.Random], str]
    other: str = ""


PASTES = (
    Pastes("confusion-matrix", "labels", lambda chance: ",".join(chance.choices(LABELS, k=2)),
           "beta"),
    Pastes("roc-auc", "scores", lambda chance: f"{chance.random():.6f},{chance.randrange(2)}"),
    Pastes("threshold-cost", "scores",
           lambda chance: f"{chance.random():.6f},{chance.randrange(2)}", "cost_false_positive"),
    Pastes("silhouette", "data",
           lambda chance: f"{chance.random():.4f},{chance.random():.4f},{chance.choice('ABC')}"),
)  # fmt: skip


def report_pastes(page: Page, url: str) -> None:
    print(f"{PASTED:,} pasted rows")
    for one in PASTES:
        chance = random.Random(7)
        rows = [one.row(chance) for _ in range(PASTED)]
        texts = ["\n".join(rows[i:] + rows[:i]) for i in range(ROUNDS_OF_PASTE)]
        page.goto(f"{url}{one.slug}/")
        page.wait_for_selector("html[data-state=ready]")
        page.wait_for_timeout(1000)
        times: dict[str, list[float]] = page.evaluate(PASTE, [one.field, texts, one.other])
        middle = statistics.median(times["paste"])
        print(f"{f'{one.slug}, paste to answer':45} {quantiles(times['paste'])} "
              f"(median under {PASTE_LIMIT:.0f}: {verdict(middle <= PASTE_LIMIT)})")  # fmt: skip
        if one.other:
            print(f"{f'{one.slug}, then another field':45} {quantiles(times['other'])}")


def report_picker(page: Page) -> None:
    source = page.locator("script[src*='runtime/page.js']").first.get_attribute("src") or ""
    script = page.evaluate("path => new URL(path, location.href).href", source)
    picks = page.evaluate(PICK % ROWS, script.replace("page.js", "pick.js"))
    print(f"{f'picker, {ROWS:,} rows':45} {quantiles(picks)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a build in a browser.")
    parser.add_argument("folder", nargs="?", default="dist", type=Path)
    folder: Path = parser.parse_args().folder
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as plain, sync_playwright() as playwright:
        bare(folder, Path(plain))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        with serving(folder) as ours, serving(Path(plain)) as theirs:
            report_boots(boots(browser, ours.address, theirs.address))
            page = browser.new_page()
            report_typing(page, ours.address)
            report_pastes(page, ours.address)
            report_picker(page)
            page.close()
            early, whole = transfers(browser, folder)
            print(
                f"bytes before the answer {early:,} ({verdict(early < FIRST_BYTES)}), "
                f"in all {whole:,}"
            )
        browser.close()


if __name__ == "__main__":
    main()
