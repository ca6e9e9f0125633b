"""Lighthouse's verdict on a build, page by page, in the Chromium that the tests use.

``python -m tools.lighthouse [FOLDER]`` prints every score, one page of each kind, and fails where
performance is too low three times. It is measured as Lighthouse does by default, on a slowed-down
phone, and wants a quiet machine; what does not hang on the machine, a test asserts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tools.chromium import find_chromium
from tools.serve import Server

ROOT = Path(__file__).parent.parent
COMMAND = ("node", str(ROOT / "node_modules/lighthouse/cli/index.js"))
# One of each kind: first page, calculator, glossary and an entry of it, model, GPU.
PAGES = (
    "",
    "awq-size/",
    "glossary/",
    "glossary/awq/",
    "models/llama-3.1-8b/",
    "gpus/rtx-4090/",
)
ALWAYS = ("accessibility", "best-practices", "seo")
LEAST = 0.95  # of performance
TRIES = 3
SCORED = {"binary", "numeric", "metricSavings", "error"}  # not: "notApplicable", "manual"
METRICS = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
    "total-byte-weight",
)
LIMIT = 180  # s for one page on a busy machine


@dataclass(frozen=True)
class Report:
    """`scores` from 0 to 1 by category; `short`: each audit that costs points, with what it saw."""

    scores: dict[str, float]
    short: tuple[str, ...]
    metrics: dict[str, str]


def chromium() -> str:
    """The path of the tests' Chromium, Playwright's own included."""
    if path := find_chromium():
        return path
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def inspect(url: str, categories: Sequence[str]) -> Report:
    """Run Lighthouse on `url`. RuntimeError with what it said when it could not."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "report.json")
        done = subprocess.run(
            [
                *COMMAND,
                url,
                "--quiet",
                "--output=json",
                f"--output-path={target}",
                f"--only-categories={','.join(categories)}",
                "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
                "--no-enable-error-reporting",
                "--disable-full-page-screenshot",
            ],
            env=os.environ | {"CHROME_PATH": chromium()},
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        found = json.loads(target.read_text(encoding="utf-8"))
    if "runtimeError" in found:
        raise RuntimeError(found["runtimeError"]["message"])
    return _report(found)


def _report(found: dict[str, Any]) -> Report:
    audits, categories = found["audits"], found["categories"]
    counted = {
        audit["id"]
        for category in categories.values()
        for audit in category["auditRefs"]
        if audit["weight"]
    }
    return Report(
        {name: category["score"] for name, category in categories.items()},
        tuple(
            f"{name} {audits[name]['score']}: {_items(audits[name])}"
            for name in sorted(counted)
            if (audits[name]["score"] or 0) < 1 and audits[name]["scoreDisplayMode"] in SCORED
        ),
        {name: audits[name]["displayValue"] for name in METRICS if name in audits},
    )


def _items(audit: dict[str, Any]) -> str:
    """What an audit saw, cut to what one reads."""
    return json.dumps(audit.get("details", {}).get("items", ""))[:1500]


def _best(url: str) -> Report:
    """The first report that is fast enough, else the last: a busy machine is only ever slower."""
    for _ in range(TRIES):
        report = inspect(url, ("performance", *ALWAYS))
        if report.scores["performance"] >= LEAST:
            break
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description="Lighthouse's scores of a build.")
    parser.add_argument("folder", nargs="?", default="dist", type=Path)
    parser.add_argument("--pages", nargs="*", default=PAGES)
    parser.add_argument("--verbose", action="store_true", help="what costs points, and why")
    options = parser.parse_args()
    with Server(options.folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        slow = 0
        for path in options.pages:
            report = _best(server.address + path)
            is_fast = report.scores["performance"] >= LEAST
            fast = "ok" if is_fast else "UNDER"
            slow += not is_fast
            scores = ", ".join(f"{name} {score:.0%}" for name, score in report.scores.items())
            print(f"/{path}: {scores} ({fast})")
            print("  " + ", ".join(f"{name} {text}" for name, text in report.metrics.items()))
            if options.verbose:
                print(*(f"  {line}" for line in report.short), sep="\n")
        server.shutdown()
    sys.exit(slow > 0)


if __name__ == "__main__":
    main()
