"""Writes ``.br``, ``.gz`` and ``.zst`` beside a build's files, for hosts that serve siblings."""

import gzip
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import zstandard

TEXT = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".md", ".map"}
BINARY = {".wasm", ".bin"}  # Python's; their siblings are kept in `.cache/` by content
CACHE = Path(__file__).parent.parent / ".cache/compressed"
WORTH_IT = 1_000  # bytes; below, the headers weigh more than what is saved
BROTLI = 9  # of 11: the last steps take ten times as long and save a twentieth to a tenth
# Unpacks four times as fast as brotli, which is felt at 38 MB. Browsers take windows of up to 8 MB.
ZSTD = zstandard.ZstdCompressionParameters.from_level(19, window_log=23, write_content_size=True)

Compressor = Callable[[bytes], bytes]
FOR_TEXT: dict[str, Compressor] = {
    ".br": lambda content: brotli.compress(content, brotli.MODE_TEXT, BROTLI),
    ".gz": lambda content: gzip.compress(content, 6, mtime=0),
}
FOR_BINARY: dict[str, Compressor] = {
    ".br": lambda content: brotli.compress(content, brotli.MODE_GENERIC, BROTLI, 24),
    ".gz": lambda content: gzip.compress(content, 6, mtime=0),
    ".zst": lambda content: zstandard.ZstdCompressor(compression_params=ZSTD).compress(content),
}


def _sibling(path: Path, suffix: str, compressor: Compressor, *, kept: bool) -> None:
    content = path.read_bytes()
    if len(content) < WORTH_IT:
        return
    known = CACHE / f"{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    packed = known.read_bytes() if kept and known.is_file() else compressor(content)
    if kept:
        CACHE.mkdir(parents=True, exist_ok=True)
        known.write_bytes(packed)
    path.with_name(path.name + suffix).write_bytes(packed)


def compress(folder: Path) -> None:
    """Compress every file below `folder` that has no compressed siblings yet."""
    with ThreadPoolExecutor() as pool:  # the compressors let go of the interpreter's lock
        done = [
            pool.submit(_sibling, path, suffix, compressor, kept=path.suffix in BINARY)
            for path in sorted(folder.rglob("*"))
            for suffix, compressor in (
                FOR_TEXT if path.suffix in TEXT else FOR_BINARY if path.suffix in BINARY else {}
            ).items()
            if not path.with_name(path.name + suffix).exists()
        ]
    for one in done:
        one.result()
