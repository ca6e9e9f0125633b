"""The sections of an accelerator's page about models: what to run on it, what fits."""

from typing import Any

from calculators.common.plan import Machine
from calculators.common.speed import speed
from calculators.common.subject import Subject
from calculators.kit import Column, Link, Table
from tools.documents.gpus.gathered import Fit, weighed
from tools.naming import model_page
from tools.sheet import CONTEXT, Section, to

LISTED, PICKED = 40, 8  # rows
PICK_MONTHS = 12  # how old a pick may be, counted from the newest model of the catalogue
ANSWER = 256  # tokens, in whose middle the speed is taken

FIT_COLUMNS = (
    Column("Model"),
    Column("Widest format that fits"),
    Column("Weighs", "bytes"),
    Column("Memory filled", "fraction"),
    Column("Writes", "tokens per second"),
)


def picks(on: Machine | None, fits: tuple[Fit, ...]) -> Section:
    """The largest recent model of each family."""
    newest = max(_month(found) for found, _ in weighed())
    best: dict[str, Fit] = {}
    for fit in fits:
        if newest - _month(fit.subject) <= PICK_MONTHS:
            best.setdefault(fit.subject.model.row["family"], fit)
    chosen = sorted(best.values(), key=lambda one: -one.subject.architecture.parameters)[:PICKED]
    said = (
        f"Of each family the largest model of the last {PICK_MONTHS} months that fits with one "
        f"request of {CONTEXT:,} tokens, in the widest format that does. Size is no measure of "
        "quality: see the model's page."
    )
    rows = tuple(_fit_row(on, fit) for fit in chosen if on)
    return Section("picks", "What to run on it", Table(FIT_COLUMNS, rows, "modelled"), said)


def _month(found: Subject) -> int:
    year, _, month = str(found.model.row.get("released") or "2020-01").partition("-")
    return 12 * int(year) + int(month[:2] or 1)


def everything(on: Machine | None, fits: tuple[Fit, ...]) -> Section:
    """The largest models that fit, whatever their age."""
    rows = tuple(_fit_row(on, fit) for fit in fits[:LISTED] if on)
    said = f"The largest first; {len(fits)} of {len(weighed())} models fit in some usual format."
    table = Table(FIT_COLUMNS, rows, "modelled")
    return Section("fits", "What fits", table, said, folded=True)


def _fit_row(on: Machine, fit: Fit) -> tuple[Any, ...]:
    model = fit.subject.model
    fast = speed(fit.hosted.case, on, CONTEXT - ANSWER, ANSWER)
    return (
        Link(model.name, model_page(model)),
        to("gpu-fit", fit.weighed.label, model=model.id, **fit.hosted.asked),
        fit.weighed.bytes,
        fit.filled,
        fast.decode(1).tokens_per_second if fast else None,
    )
