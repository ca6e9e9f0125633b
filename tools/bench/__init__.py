"""Measures a build in a browser: how soon Python lives, how fast a keystroke is answered, how big.

``python -m tools.bench [FOLDER]``. What we take stands beside what the same takes without us, turn
by turn in the same browser: a page that does nothing but ``loadPyodide()``, a sum in plain
JavaScript. So the ratios hold on any machine.
"""

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.serve import Server

SLUG = "awq-size"


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def quantile(times: list[float], percent: int) -> float:
    """Among the times that were seen: a few of them tell nothing of slower ones."""
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def quantiles(times: list[float]) -> str:
    return f"median {statistics.median(times):6.1f} ms   p95 {quantile(times, 95):6.1f} ms"


def verdict(good: bool) -> str:
    return "ok" if good else "OVER"
