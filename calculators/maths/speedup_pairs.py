"""Measured speed-ups: quantized over 16-bit, where one page measured both in the same way."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from calculators.facts import Row, rows
from calculators.maths.measured_speed import Run, run_of, weight_bits

MEASURES = ("decode", "throughput", "generated")
TOLD = ("speedup", "kernel_speedup")  # printed as a ratio by the source itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Speedup(Run):
    """Times the 16-bit speed. `kernel`: of one matrix alone, not of a model.

    `batch`: sequences at once, or rows of the matrix; 0 where the load was "as much as it takes".
    """

    times: float
    batch: int
    tokens: int
    kernel: bool


@cache
def speedups() -> tuple[Speedup, ...]:
    """All of them: ratios as printed, and pairs of speeds that differ in the format alone."""
    told = (row for row in rows("speed") if row["measure"] in TOLD)
    return (*(found for row in told for found in _told(row)), *_pairs())


def _told(row: Row) -> Iterator[Speedup]:
    for point in row["points"]:
        yield _speedup(row, point, point[0])


def _pairs() -> Iterator[Speedup]:
    plain: dict[tuple[object, ...], list[float]] = {}
    packed = []
    for row in rows("speed"):
        if row["measure"] not in MEASURES:
            continue
        width = weight_bits(row["format"], row.get("variant", ""))
        for point in row["points"]:
            if width == 16:
                plain.setdefault(_conditions(row, point), []).append(point[0])
            else:
                packed.append((row, point))
    for row, point in packed:
        base = plain.get(_conditions(row, point), [])
        if len(base) == 1:  # two baselines under one description are told apart by nothing
            yield _speedup(row, point, point[0] / base[0])


_SAME = ("source", "model", "engine", "version", "backend", "gpu", "gpus", "split", "measure")


def _conditions(row: Row, point: list[float]) -> tuple[object, ...]:
    """Everything that must agree; the first number of a point is the speed, the last its cache."""
    return (*(row.get(key) for key in _SAME), *(*point[1:5], 0, 0, 0, 0)[:4])


def _speedup(row: Row, point: list[float], times: float) -> Speedup:
    _, batch, prompt, output, context = (*point, 0, 0, 0, 0)[:5]
    return Speedup(
        times=times,
        batch=int(batch),
        **run_of(row),
        tokens=int(context + prompt + output / 2),
        kernel=row["measure"] == "kernel_speedup",
    )
