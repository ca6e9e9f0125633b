"""How fast keystrokes and pastes are answered; a keystroke beside the same sum in JavaScript."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from playwright.sync_api import Page

from calculators import ask
from calculators.facts.catalogue import models
from tools.bench import SLUG, quantile, quantiles, verdict

KEYSTROKES = 30
ROWS = 10_000
FRAME = 16.0  # ms
SURVEY = 50.0  # ms for a question that goes through a whole catalogue
MODELS = 30
PASTED = 100_000  # rows
PASTE_LIMIT = 100.0  # ms
ROUNDS_OF_PASTE = 7
LABELS = ("positive", "negative", "neutral")

# The first calculator's rule of thumb without us: what a keystroke takes in any case.
PLAIN = """
<!doctype html>
<title>Plain</title>
<input name="params">
<p data-result data-query=""></p>
<script>
  const field = document.querySelector("input");
  const result = document.querySelector("p");
  field.addEventListener("input", () => {
    const bytes = (Number(field.value) * BITS_PER_WEIGHT) / 8;
    result.textContent = `${(bytes / 1e9).toFixed(3)} GB`;
    result.dataset.query = String(new URLSearchParams({ params: field.value }));
  });
</script>
"""
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
    every = _typed()
    bits = ask(SLUG, "params=7B").plain()["outputs"]["quantized_bits_per_weight"]["value"]
    page.set_content(PLAIN.replace("BITS_PER_WEIGHT", str(bits)))
    _report("the same sum in plain JavaScript", _times(page, every[0]))
    for typed in every:
        page.goto(f"{url}{typed.slug}/?{typed.query}")
        page.wait_for_selector("html[data-state=ready]")
        page.wait_for_timeout(1000)
        times = _times(page, typed)
        middle, late = statistics.median(times["answer"]), quantile(times["answer"], 95)
        said = ""
        if typed.median is not None:
            said = f" (median under {typed.median:.0f}: {verdict(middle <= typed.median)})"
        if typed.p95 is not None:
            said += f" (p95 under {typed.p95:.0f}: {verdict(late <= typed.p95)})"
        _report(typed.label, times, said)


def _times(page: Page, typed: Typed) -> dict[str, list[float]]:
    found: dict[str, list[float]] = page.evaluate(TYPE, [typed.field, list(typed.texts)])
    return found


def _report(label: str, times: dict[str, list[float]], said: str = "") -> None:
    print(f"{label:45} {quantiles(times['answer'])}; painted {quantiles(times['paint'])}{said}")


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
