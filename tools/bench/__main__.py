"""``python -m tools.bench [FOLDER]``: prints everything, in one run."""

import argparse
import os
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.bench import serving, verdict
from tools.bench.answers import report_pastes, report_picker, report_typing
from tools.bench.boots import bare, boots, report_boots, transfers
from tools.chromium import find_chromium

FIRST_BYTES = 200_000


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
