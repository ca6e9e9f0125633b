"""The cutoff of least expected cost.

Expected cost of one case at an operating point, with prevalence p:
    cost_false_positive * FPR * (1 - p) + cost_false_negative * (1 - TPR) * p
(Provost and Fawcett, "Robust classification for imprecise environments", 2001,
https://doi.org/10.1023/A:1007601015854). Points of equal cost lie on lines of slope
cost_fp * (1 - p) / (cost_fn * p). A calibrated probability needs no data: call positive from
cost_fp / (cost_fp + cost_fn) on (Elkan, "The foundations of cost-sensitive learning", 2001).
"""

from dataclasses import dataclass
from math import isfinite

from calculators.maths.metrics.corners import ROUNDING
from calculators.maths.metrics.roc import Curve, Point, drawn


@dataclass(frozen=True)
class Costs:
    """What one error of each kind costs, in any unit, and how common positives are (0..1)."""

    false_positive: float
    false_negative: float
    prevalence: float

    def __post_init__(self) -> None:
        for words, cost in (
            ("a false positive", self.false_positive),
            ("a false negative", self.false_negative),
        ):
            if not (isfinite(cost) and cost >= 0):
                raise ValueError(f"the cost of {words} is {cost}; 0 or more is wanted")
        if self.false_positive == self.false_negative == 0:
            raise ValueError("both errors cost nothing: every cutoff is as good as any other")
        if not 0 <= self.prevalence <= 1:
            raise ValueError(f"the prevalence is {self.prevalence}; 0 to 1 is wanted")

    def expected_at(self, false_positive_rate: float, true_positive_rate: float) -> float:
        """Expected cost of one case at an operating point, in the unit of the costs."""
        return (
            self.false_positive * false_positive_rate * (1 - self.prevalence)
            + self.false_negative * (1 - true_positive_rate) * self.prevalence
        )

    @property
    def calibrated_threshold(self) -> float:
        """The cutoff for scores that are calibrated probabilities at this very prevalence."""
        return self.false_positive / (self.false_positive + self.false_negative)


@dataclass(frozen=True)
class Choice:
    """The point of least cost and what the two trivial rules would cost.

    `curve` has every corner of that cost among its points, and `index` is that of `best` on it.

    A threshold of `inf` says: call nothing positive; of None: the source of the points gave none.

    `equally_good` holds every point of the curve with that cost; `best` is the strictest of them
    (fewest false positives).
    """

    best: Point
    cost: float
    equally_good: tuple[Point, ...]
    cost_all_negative: float
    cost_all_positive: float
    curve: Curve
    index: int


def costs_for(
    curve: Curve, false_positive: float, false_negative: float, prevalence: float | None = None
) -> Costs:
    """Costs at the stated prevalence, or that of the sample behind the curve.

    Raises ValueError when neither is known: operating points do not tell how common positives are.
    """
    share = curve.prevalence if prevalence is None else prevalence
    if share is None:
        raise ValueError("operating points do not tell how common positives are: give a prevalence")
    return Costs(false_positive, false_negative, share)


def least_cost(curve: Curve, costs: Costs) -> Choice:
    """The point of the curve with the least expected cost.

    The least cost of a curve is always at one of its corners, so left-out points on straight
    stretches cannot be better.
    """
    alarm = costs.false_positive * (1 - costs.prevalence)
    miss = costs.false_negative * costs.prevalence
    curve = curve.refined(alarm, miss)
    rates = zip(curve.false_positive_rates, curve.true_positive_rates, strict=True)
    prices = [alarm * false + miss * (1 - true) for false, true in rates]
    cost = min(prices)
    tie = cost + ROUNDING * max(alarm, miss)
    equal = [i for i, price in enumerate(prices) if price <= tie]
    return Choice(
        best=curve.point(equal[0]),
        cost=cost,
        equally_good=tuple(map(curve.point, equal)),
        cost_all_negative=costs.expected_at(0, 0),
        cost_all_positive=costs.expected_at(1, 1),
        curve=curve,
        index=equal[0],
    )


def cost_against_threshold(choice: Choice, costs: Costs) -> list[tuple[float, float]]:
    """(threshold, expected cost) for a chart, thresholds rising, the best one among them; points
    without a threshold are left out.
    """
    pairs = [
        (point.threshold, costs.expected_at(*point[:2]))
        for point in drawn(choice.curve, choice.index)
        if point.threshold is not None and isfinite(point.threshold)
    ]
    return sorted(pairs)
