"""Serves a built site the way a good static host does, for looking at, testing and measuring.

``python -m tools.serve [FOLDER] [--port N] [--prefix /below/a/path/]``

It knows what such hosts know: MIME types, precompressed ``.zst``, ``.br`` and ``.gz`` siblings, the
``_headers`` file (the format Netlify and Cloudflare Pages share), ETags, and that a file with its
hash in its name never changes.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection
from fnmatch import fnmatchcase
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

MIME_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".map": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
}
ENCODINGS = (("zstd", ".zst"), ("br", ".br"), ("gzip", ".gz"))
HASH_IN_NAME = re.compile(r"[.-][0-9a-f]{8,64}\.")
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def read_headers(path: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Read a ``_headers`` file: path patterns, each followed by indented ``Name: value`` lines."""
    rules: list[tuple[str, list[tuple[str, str]]]] = []
    if not path.is_file():
        return rules
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            name, _, value = line.strip().partition(":")
            rules[-1][1].append((name.strip(), value.strip()))
        else:
            rules.append((line.strip(), []))
    return rules


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from one folder; the server below carries the folder and the rules."""

    protocol_version = "HTTP/1.1"  # keep-alive: a page asks for many small files
    server: Server

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if not path.startswith(self.server.prefix):
            self.send(HTTPStatus.NOT_FOUND, "text/plain", b"Not below the prefix.\n", {})
            return
        inside = path[len(self.server.prefix) :]
        file = (self.server.root / inside).resolve()
        if not file.is_relative_to(self.server.root):
            self.send(HTTPStatus.NOT_FOUND, "text/plain", b"Not found.\n", {})
            return
        if file.is_dir():
            if inside and not path.endswith("/"):
                headers = {"Location": self.path.replace(urlsplit(self.path).path, path + "/", 1)}
                self.send(HTTPStatus.MOVED_PERMANENTLY, "text/plain", b"", headers)
                return
            file = file / "index.html"
        status = HTTPStatus.OK
        if not file.is_file() or any(name in path for name in self.server.missing):
            status, file = HTTPStatus.NOT_FOUND, self.server.root / "404.html"
        self.send_file(file, "/" + inside, status, with_body=with_body)

    def send_file(self, file: Path, path: str, status: HTTPStatus, *, with_body: bool) -> None:
        kind = MIME_TYPES.get(file.suffix, "application/octet-stream")
        if not file.is_file():
            self.send(status, "text/plain", b"Not found.\n", {})
            return
        headers = {"Cache-Control": FOREVER if HASH_IN_NAME.search(file.name) else ASK_AGAIN}
        accepted = "" if self.server.plain else self.headers.get("Accept-Encoding", "")
        for encoding, suffix in ENCODINGS:
            packed = file.with_name(file.name + suffix)
            if encoding in accepted and packed.is_file():
                file, headers["Content-Encoding"] = packed, encoding
                break
        headers["Vary"] = "Accept-Encoding"
        stat = file.stat()
        headers["ETag"] = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        for pattern, lines in self.server.rules:
            if fnmatchcase(path, pattern):
                for name, value in lines:
                    if name.startswith("!"):  # takes back what a wider pattern set
                        headers.pop(name.removeprefix("!").strip(), None)
                    else:
                        headers[name] = value
        if status is not HTTPStatus.OK:
            headers["Cache-Control"] = ASK_AGAIN  # what is missing now may come back
        if self.headers.get("If-None-Match") == headers["ETag"] and status is HTTPStatus.OK:
            self.send(HTTPStatus.NOT_MODIFIED, None, b"", headers)
            return
        self.send(status, kind, file.read_bytes(), headers, with_body=with_body)

    def send(
        self,
        status: HTTPStatus,
        kind: str | None,
        body: bytes,
        headers: dict[str, str],
        *,
        with_body: bool = True,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
            self.server.sent.append(len(body))

    def log_message(self, format: str, *args: object) -> None:
        if self.server.verbose:
            super().log_message(format, *args)


class Server(ThreadingHTTPServer):
    """One folder on one port. ``port=0`` takes a free one; ``address`` says which.

    Whatever has an entry of ``missing`` in its path is not found: for seeing what breaks. A
    ``plain`` server sends files as they are, like hosts that know nothing of packed siblings.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        root: Path,
        port: int = 0,
        prefix: str = "/",
        *,
        verbose: bool = False,
        missing: Collection[str] = (),
        plain: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.root = root.resolve()
        self.prefix = "/" + prefix.strip("/") + "/" if prefix.strip("/") else "/"
        self.rules = read_headers(self.root / "_headers")
        self.verbose = verbose
        self.missing = missing
        self.plain = plain
        self.sent: list[int] = []  # bytes of each body, for the bench

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{self.prefix}"

    def handle_error(self, request: object, client_address: object) -> None:
        # A visitor who closes the tab mid-download is not worth a traceback.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a built site.")
    parser.add_argument("folder", nargs="?", default="dist", type=Path)
    parser.add_argument("--port", default=8000, type=int)
    parser.add_argument("--prefix", default="/", help="serve below this path")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder; build the site first")
    with Server(options.folder, options.port, options.prefix, verbose=options.verbose) as server:
        print(server.address, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
