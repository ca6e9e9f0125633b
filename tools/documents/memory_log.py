"""The guide to engines' memory logs: two real ones, line by line, beside what our rules predict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calculators.facts import Row, rows
from calculators.maths.closure import Closure, Summary, closure_summary, closures
from tools.printing import Body, template

EXPLAINED = ("rt-104", "rt-202")  # rows of facts/memory_logs.json in which most terms appear
SECTIONS = (
    (2, "vllm", "vLLM"),
    (2, "llama-cpp", "llama.cpp"),
    (2, "how-well", "How well our rules do"),
    (2, "your-own", "Your own log"),
)
TITLES = {"vllm": "vLLM", "llama.cpp": "llama.cpp", "sglang": "SGLang", "ollama": "Ollama"}
# Lines whose rule stands in the engine's code; the others hold constants fitted on logs.
RULED = (
    *("KV cache", "tokens", "concurrency", "one request", "pool", "states"),
    *("model buffer", "compute buffer"),
)


@dataclass(frozen=True)
class Log:
    """A logged run, and its comparisons by term."""

    row: Row
    terms: Mapping[str, Closure]

    @property
    def source(self) -> str:
        """The address, without the note on the blob behind it."""
        return str(self.row["source"][0]).partition(" (blob")[0]


def logs() -> dict[str, Log]:
    """The explained logs by engine."""
    found = {row["id"]: row for row in rows("memory_logs")}
    explained = [found[name] for name in EXPLAINED]
    return {row["engine"]: Log(row, {one.term: one for one in closures(row)}) for row in explained}


def scores() -> list[Summary]:
    """Every term over all logs, the engines' own rules first; yes-or-no terms left out."""
    found = [one for one in closure_summary(implied=False) if one.unit != "yes"]
    return sorted(found, key=lambda one: one.term not in RULED)


def bodies() -> Iterable[Body]:
    """The one page."""
    found = logs()
    html = template(
        "memory-log.html",
        vllm=found["vllm"],
        llama=found["llama.cpp"],
        scores=scores(),
        titles=TITLES,
        ruled=RULED,
        root="../../",
    )
    yield Body(
        "guides/memory-log",
        "Read an engine's memory log",
        "What vLLM and llama.cpp print about memory when they start, line by line, from real logs, "
        "beside what our rules predict for the same run.",
        html,
        group="Learn",
        order=84,
        sections=SECTIONS,
    )
