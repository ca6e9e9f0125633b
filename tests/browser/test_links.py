"""No link of the built site leads into nothing, and no page loads anything from elsewhere."""

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from tests.browser.conftest import DIST

SITE = "https://site.invalid/"
LOADS = {"script", "img", "iframe", "link", "source", "video", "audio", "embed", "object"}
# `rel` of links that a browser follows only when it is asked to, or not at all.
NAMES = {"canonical", "alternate", "next", "prev", "author", "license", "search"}


@dataclass
class Links(HTMLParser):
    """The ids of a page, where it leads, and what it loads."""

    ids: set[str] = field(default_factory=set)
    leads: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.update(found[name] for name in ("id", "name") if name in found)
        address = found.get("href", found.get("src", found.get("data-options")))
        if address is None or address.startswith(("data:", "mailto:")):
            return
        named = tag == "link" and NAMES & set(found.get("rel", "").split())
        (self.loads if tag in LOADS and not named else self.leads).add(address)


@cache
def pages() -> dict[str, Links]:
    """Every page by its address below the root: "", "awq-size/", "404.html"."""
    read = {}
    for file in sorted(DIST.rglob("*.html")):
        parser = Links()
        parser.feed(file.read_text(encoding="utf-8"))
        read[file.relative_to(DIST).as_posix().removesuffix("index.html")] = parser
    return read


def published() -> str:
    """The address that the build was told it would have."""
    line = (DIST / "robots.txt").read_text(encoding="utf-8").split("Sitemap: ")[1]
    return line.strip().removesuffix("sitemap.xml")


def inside(path: str, addresses: set[str]) -> dict[str, tuple[str, str]]:
    """Those addresses that stay on the site: each with its path below the root and its fragment."""
    home, prefix = published(), urlsplit(published()).path
    found = {}
    for address in addresses:
        to = address.replace(home, SITE, 1) if address.startswith(home) else address
        if to.startswith(prefix) and path == "404.html":  # it may be shown at any depth
            to = "/" + to.removeprefix(prefix)
        parts = urlsplit(urljoin(SITE + path, to))
        if f"{parts.scheme}://{parts.netloc}/" == SITE:
            found[address] = unquote(parts.path).removeprefix("/"), unquote(parts.fragment)
    return found


def exists(to: str) -> bool:
    file: Path = DIST / to
    return (file / "index.html" if not to or to.endswith("/") else file).is_file()


def test_every_page_is_read() -> None:
    assert len(pages()) > 100
    assert {"", "404.html", "glossary/", "glossary/awq/", "awq-size/", "embed/awq-size/"} <= set(
        pages()
    )


def test_every_link_finds_its_file() -> None:
    broken = [
        (path, address)
        for path, page in pages().items()
        for address, (to, _) in inside(path, page.leads | page.loads).items()
        if not exists(to)
    ]
    assert broken == []


def test_every_fragment_finds_its_element() -> None:
    broken = [
        (path, address)
        for path, page in pages().items()
        for address, (to, fragment) in inside(path, page.leads).items()
        if fragment and to in pages() and fragment not in pages()[to].ids
    ]
    assert broken == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    foreign = [
        (path, address)
        for path, page in pages().items()
        for address in page.loads - set(inside(path, page.loads))
    ]
    assert foreign == []
