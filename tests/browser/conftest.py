"""A visitor in a real browser, on the bytes that were built. What goes wrong in silence fails."""

import os
import re
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from tools.chromium import find_chromium
from tools.serve import Server

# Another build can be tested by naming its folder.
DIST = Path(os.environ.get("DIST", Path(__file__).parents[2] / "dist"))
THEME = """
async () => {
  while (!globalThis.document$) await new Promise((done) => setTimeout(done, 20));
}
"""
BOOT = 60_000  # ms; it takes a tenth of that, unless the machine is very busy


def answered(page: Page, **fields: str) -> None:
    """Wait until the result answers a question with these fields."""
    for name, text in fields.items():
        query = re.compile(rf"(^|&){name}={re.escape(quote_plus(text))}(&|$)")
        expect(page.locator("[data-result]")).to_have_attribute("data-query", query, timeout=15_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = find_chromium()
    # A shared worker's requests are not told to us; this way no foreign one can succeed.
    only_here = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", only_here])
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., str]]:
    """serve(folder, prefix="/", missing=()) -> address; each on a free port: an origin of its own.

    Paths that contain an entry of `missing` are not found, for as long as it stands in there.
    """
    servers: list[Server] = []

    def start(folder: Path, prefix: str = "/", missing: Collection[str] = ()) -> str:
        server = Server(folder, prefix=prefix, missing=missing)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.address

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def site(serve: Callable[..., str]) -> str:
    """The address of the built site."""
    if not (DIST / "index.html").is_file():
        raise RuntimeError("There is no built site: run `make build` first.")
    return serve(DIST)


@dataclass
class Visitor:
    """A browser context that remembers every complaint. `expects` are those a test provokes."""

    context: BrowserContext
    origins: set[str]
    problems: list[str] = field(default_factory=list)
    expects: list[str] = field(default_factory=list)

    def open(self, url: str, *, wait: bool = True) -> Page:
        """Open `url`; by default wait until Python is live."""
        page = self.context.new_page()
        page.goto(url)
        if wait:
            page.wait_for_selector("html[data-state=ready]", timeout=BOOT)
        return page

    def move(self, page: Page) -> None:
        """Move the pointer, which brings the theme's script, and wait for it."""
        page.mouse.move(3, 3)
        page.mouse.move(5, 5)
        page.evaluate(THEME)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", self.listen)

    def listen(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.problems.append(f"console: {said.text}")

    def check(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        if not any(request.url.startswith(origin) for origin in self.origins):
            self.problems.append(f"request to a foreign origin: {request.url}")

    def unexpected(self) -> list[str]:
        return [
            problem
            for problem in self.problems
            if not any(expected in problem for expected in self.expects)
        ]


@pytest.fixture
def invite(browser: Browser, site: str) -> Iterator[Callable[..., Visitor]]:
    """invite(**context options) -> Visitor. Every problem nobody provoked fails the test."""
    visitors = []

    def welcome(**options: Any) -> Visitor:
        context = browser.new_context(**options)
        visitor = Visitor(context, {site})
        context.on("page", visitor.watch)
        context.on("request", visitor.check)
        visitors.append(visitor)
        return visitor

    yield welcome
    for visitor in visitors:
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.unexpected()] == []


@pytest.fixture
def visitor(invite: Callable[..., Visitor]) -> Visitor:
    return invite()
