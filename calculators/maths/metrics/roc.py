"""The ROC curve and its area.

A case is called positive when its score is at or above the threshold. Cases with equal scores move
together, so a tie is a slanted step (Fawcett, "An introduction to ROC analysis", 2006,
https://doi.org/10.1016/j.patrec.2005.10.010), as in scikit-learn's `roc_curve`. The area is the sum
of trapezoids; Youden's index is J = TPR - FPR (Youden 1950).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress, pairwise
from math import fsum, isfinite, sqrt
from operator import sub
from typing import NamedTuple

from calculators.maths.metrics.corners import Cases, cases, pairs_won

DRAWN_POINTS = 240
"""Points handed to a chart: one to three of its pixels."""

_OPPOSITE = bytes.maketrans(b"\0\1", b"\1\0")


class Point(NamedTuple):
    """One operating point; `threshold` is None where the source of the point gave none."""

    false_positive_rate: float
    true_positive_rate: float
    threshold: float | None = None

    @property
    def youden(self) -> float:
        return self.true_positive_rate - self.false_positive_rate


@dataclass(frozen=True)
class Curve:
    """Operating points from the left upwards, one list per coordinate.

    `cases` is what is behind it, None where only points are known; `pairs_won` are then the pairs
    of a positive and a negative that their scores rank right, a tie as half.
    """

    false_positive_rates: Sequence[float]
    true_positive_rates: Sequence[float]
    thresholds: Sequence[float | None]
    cases: Cases | None = None
    pairs_won: float = 0.0

    def __len__(self) -> int:
        return len(self.thresholds)

    def point(self, index: int) -> Point:
        return Point(
            self.false_positive_rates[index],
            self.true_positive_rates[index],
            self.thresholds[index],
        )

    @cached_property
    def area(self) -> float:
        """The share of pairs that are won, which is the area; of points alone, by trapezoids."""
        if self.positives and self.negatives:
            return self.pairs_won / (self.positives * self.negatives)
        widths = (b - a for a, b in pairwise(self.false_positive_rates))
        heights = ((a + b) / 2 for a, b in pairwise(self.true_positive_rates))
        return fsum(width * height for width, height in zip(widths, heights, strict=True))

    @property
    def positives(self) -> int | None:
        return len(self.cases.positives) if self.cases else None

    @property
    def negatives(self) -> int | None:
        return len(self.cases.negatives) if self.cases else None

    @property
    def prevalence(self) -> float | None:
        if self.positives is None or self.negatives is None:
            return None
        return self.positives / (self.positives + self.negatives)

    def refined(self, alarm: float, miss: float) -> "Curve":
        """With every point of the least price alarm * FPR + miss * (1 - TPR) among its points."""
        return _through(self.cases.refined(alarm, miss), self.pairs_won) if self.cases else self

    @cached_property
    def youden_index(self) -> int:
        """Index of the point of the greatest J; the strictest where several share it."""
        gains = list(map(sub, self.true_positive_rates, self.false_positive_rates))
        return gains.index(max(gains))

    @property
    def youden_point(self) -> Point:
        return self.point(self.youden_index)


def curve_from_scores(scores: Sequence[float], positives: Sequence[int]) -> Curve:
    """The curve of scores, `positives[i]` telling by 1 or 0 whether case i is of the positive class.

    Points inside a vertical or horizontal stretch are left out; of very many cases there are some
    points along the curve, Youden's among them. The area is that of every case.
    Raises ValueError when a class is missing, a score is not finite or the lengths differ.
    """
    if len(scores) != len(positives):
        raise ValueError(f"{len(scores)} scores but {len(positives)} labels")
    if not scores:
        raise ValueError("there are no scores")
    if not isfinite(sum(scores)) and not all(map(isfinite, scores)):
        at = next(i for i, score in enumerate(scores) if not isfinite(score))
        raise ValueError(f"score number {at + 1} is {scores[at]}: not a finite number")
    chosen = bytes(positives)
    found = cases(compress(scores, chosen), compress(scores, chosen.translate(_OPPOSITE)))
    return _through(found, pairs_won(found.positives, found.negatives)).refined(1, 1)


def _through(found: Cases, won: float) -> Curve:
    """The curve through the corners of its cases."""
    hits, alarms, thresholds = zip(*found.corners, strict=True)
    negatives, positives = len(found.negatives), len(found.positives)
    return Curve(
        [alarm / negatives for alarm in alarms],
        [hit / positives for hit in hits],
        thresholds,
        found,
        won,
    )


def curve_from_points(
    false_positive_rates: Sequence[float],
    true_positive_rates: Sequence[float],
    thresholds: Sequence[float] | None = None,
    *,
    corners: bool = True,
) -> Curve:
    """The curve through operating points, in any order.

    `corners` adds (0, 0) and (1, 1), which every ROC curve passes; without them the area is only
    that between the first and the last point. Raises ValueError for a rate outside 0..1, for fewer
    than two points, and for points that no classifier has together (more false positives and
    fewer true ones).
    """
    cutoffs: Sequence[float | None] = thresholds or [None] * len(false_positive_rates)
    if not len(false_positive_rates) == len(true_positive_rates) == len(cutoffs):
        raise ValueError("every point needs a false positive rate and a true positive rate")
    for rate in (*false_positive_rates, *true_positive_rates):
        if not 0 <= rate <= 1:
            raise ValueError(f"{rate:g} is not a rate from 0 to 1")
    rows = zip(false_positive_rates, true_positive_rates, cutoffs, strict=True)
    points = sorted((Point(*row) for row in rows), key=lambda point: point[:2])
    if not points:
        raise ValueError("there are no points")
    if corners:
        points = _with_corners(points)
    if len(points) < 2:
        raise ValueError("one point has no area: give two, or let the corners be added")
    for a, b in pairwise(points):
        if b.true_positive_rate < a.true_positive_rate:
            raise ValueError(
                f"at FPR {b.false_positive_rate:g} the TPR falls from {a.true_positive_rate:g} to "
                f"{b.true_positive_rate:g}: a ROC curve never falls"
            )
    return Curve(
        [point.false_positive_rate for point in points],
        [point.true_positive_rate for point in points],
        [point.threshold for point in points],
    )


def standard_error(area: float, positives: int, negatives: int) -> float:
    """Of the area, from the sizes of the sample alone.

    Hanley and McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747, equation 1 with the
    exponential approximation of Q1 and Q2.
    """
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return sqrt(max(0.0, area * (1 - area) + spread) / (positives * negatives))


def _with_corners(points: list[Point]) -> list[Point]:
    start = [] if points[0][:2] == (0, 0) else [Point(0, 0)]
    end = [] if points[-1][:2] == (1, 1) else [Point(1, 1)]
    return [*start, *points, *end]


def drawn(curve: Curve, *keep: int, most: int = DRAWN_POINTS) -> list[Point]:
    """About `most` points for a chart, evenly along the curve, with both ends, Youden's and those
    at the indexes `keep`.
    """
    last = len(curve) - 1
    steps = min(most - 1, last)
    kept = {round(i * last / steps) for i in range(steps + 1)} | {curve.youden_index, *keep}
    return [curve.point(i) for i in sorted(kept)]
