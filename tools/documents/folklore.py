"""What people say about quantization, and what was measured: claims with the rows behind them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from calculators.common.citation import link
from calculators.common.quality_panel import IN_SHORT, as_published
from calculators.common.speedup import as_rows, kin, named, published
from calculators.facts import rows
from calculators.kit import Column, Table
from calculators.maths.folklore import claims, selector
from calculators.maths.quality import Basis, Measurement, select
from calculators.maths.speedup_pairs import Speedup
from tools.printing import Body, template

TITLE = "Folklore, and what was measured"
DESCRIPTION = (
    "AWQ costs 1 to 3 %, 4 bits double the speed, FP8 is lossless: common sayings about "
    "quantization, each with a verdict and every published row behind it."
)
QUALITY = (
    Column("Model"),
    Column("Test"),
    Column("As published"),
    Column("16-bit", "score"),
    Column("Quantized", "score"),
    Column("Loss", "score"),
    Column("Kind of loss"),
    Column("Source"),
)


@dataclass(frozen=True)
class Saying:
    """A claim, the verdict in a line, what the rows say, and the rows."""

    id: str
    claim: str
    verdict: str
    text: str
    rows: Table


def sayings() -> Iterator[Saying]:
    """Those about quality by the rules of `facts/folklore.json`, then those about speed."""
    rules = {row["id"]: row["figures"].values() for row in rows("folklore")}
    for claim in claims():
        yield Saying(claim.id, claim.claim, claim.verdict, claim.text, _quality(rules[claim.id]))
    yield from _speed_sayings()


def _quality(rules: Iterable[dict[str, Any]]) -> Table:
    """Every row that any figure of a claim rests on, once for each kind of loss."""
    found: dict[tuple[Measurement, Basis], None] = {}
    for rule in rules:
        for part in rule.get("pair") or [rule.get("row") or rule["rows"]]:
            found |= dict.fromkeys(
                (m, rule["basis"]) for m in select(selector(part), rule["basis"])
            )
    ordered = sorted(found, key=lambda pair: (pair[0].billions or 0, pair[0].model, pair[0].metric))
    return Table(QUALITY, tuple(_row(m, basis) for m, basis in ordered), "measured")


def _row(m: Measurement, basis: Basis) -> tuple[Any, ...]:
    cited = link(m.source)
    told = as_published(m)
    return (m.model, m.metric, told, m.baseline, m.value, m.loss(basis), IN_SHORT[basis], cited)


def _speed_sayings() -> Iterator[Saying]:
    awq = [one for one in published("awq") if not one.kernel and one.format == "awq-int4"]
    alone = [one for one in awq if one.batch == 1]
    by_engine = "; ".join(f"{named(engine)} {_range(found)}" for engine, found in _engines(alone))
    yield Saying(
        "awq-twice",
        "AWQ is twice as fast.",
        "From about 7B up, for one user, in an engine with good kernels; otherwise not.",
        f"Over {len(alone)} pairs of runs of one sequence the speed-up was {_range(alone)}. By "
        f"engine: {by_engine}. Small models and slow engines gain nothing: their time goes into "
        "launching work, not into reading weights.",
        as_rows(alone),
    )
    marlin = sorted(
        (one for one in published("gptq") if one.engine == "marlin" and "72k" in one.model),
        key=lambda one: one.batch,
    )
    few = [one for one in marlin if one.batch <= 16]
    many = [one for one in marlin if one.batch >= 128]
    loaded = [one for one in published("awq") if not one.kernel and one.batch == 0]
    yield Saying(
        "four-bit-serving",
        "4-bit weights make serving faster.",
        "At small batches; at large ones they only save memory.",
        f"The Marlin kernel on an A10 is {_range(few)} as fast as 16 bits up to 16 rows and "
        f"{_range(many)} at 128: arithmetic then takes the time, and it is still done in 16 bits. "
        f"One server at full load ran {_range(loaded)} with 4-bit weights.",
        as_rows([*marlin, *loaded]),
    )
    fp8 = [one for one in published("fp8") if not one.kernel and one.engine in kin("vllm")]
    yield Saying(
        "fp8-twice",
        "FP8 doubles the speed.",
        "Rarely: most models gain a third to a half, and keep it as the batch grows.",
        f"{len(fp8)} pairs of whole models under vLLM, SGLang and TensorRT-LLM: {_range(fp8)}.",
        as_rows(fp8),
    )


def _engines(found: list[Speedup]) -> list[tuple[str, list[Speedup]]]:
    names = sorted({one.engine for one in found})
    return [(name, [one for one in found if one.engine == name]) for name in names]


def _range(found: list[Speedup]) -> str:
    """Least to most, with the median where there are several."""
    times = [one.times for one in found]
    if len(times) == 1:
        return f"{times[0]:.2f}×"
    return f"{min(times):.2f} to {max(times):.2f}× (median {median(times):.2f})"


def bodies() -> Iterator[Body]:
    """The one page."""
    found = tuple(sayings())
    yield Body(
        "folklore",
        TITLE,
        DESCRIPTION,
        template("folklore.html", title=TITLE, lead=DESCRIPTION, sayings=found, root="../"),
        group="Learn",
        order=20,
        sections=tuple((2, one.id, one.claim) for one in found),
    )
