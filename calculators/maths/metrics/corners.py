"""Sorted scores of two classes -> the pairs that they rank right, and the corners of their ROC curve.

Both lists of scores rise. Of few cases every corner is known; of 100,000 only some along the curve,
and those at which a cutoff is best are looked for between them once the prices of errors are known:
that takes a tenth of the time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, repeat
from math import inf

ALL_CORNERS = 2_000
"""Cases of which every corner is known."""

SKETCHED = 240
"""Cases of each class, at the most, at whose scores the curve of more is known."""

BLOCK = 100
"""Scores that are looked up among their neighbours, which is cheaper than among all."""

ROUNDING = 1e-12
"""Of a price, as a share of the greater of its two parts."""

Scores = Sequence[float]
Corner = tuple[int, int, float]
"""True positives, false positives, threshold."""


@dataclass(frozen=True)
class Cases:
    """The scores of each class, rising, and corners of their curve, from (0, 0) on."""

    positives: Scores
    negatives: Scores
    corners: Sequence[Corner]

    def refined(self, alarm: float, miss: float) -> "Cases":
        """With all corners of the least price alarm * FPR + miss * (1 - TPR).

        A stretch between two corners is halved for as long as it could undercut all that are known,
        were it a single step.
        """
        each_alarm, each_miss = alarm / len(self.negatives), miss / len(self.positives)
        slack, most = ROUNDING * max(alarm, miss), len(self.positives)

        def price(hits: int, alarms: int) -> float:
            return each_alarm * alarms + each_miss * (most - hits)

        limit = min([price(hits, alarms) for hits, alarms, _ in self.corners]) + slack
        stretches = list(pairwise(self.corners))
        found = []
        while stretches:
            first, last = stretches.pop()
            if price(last[0], first[1]) <= limit and (middle := self._between(first, last)):
                stretches += (first, middle), (middle, last)
                cost = price(*middle[:2])
                found.append((cost, middle))
                limit = min(limit, cost + slack)
        best = (corner for cost, corner in found if cost <= limit)
        return replace(self, corners=sorted({*self.corners, *best}))

    def _between(self, first: Corner, last: Corner) -> Corner | None:
        """A corner about in the middle between two, None if there is none."""
        yes, no = self.positives, self.negatives
        lowest, end = len(yes) - last[0], len(yes) - first[0]
        if end - lowest < 2:
            return None
        found = _corner(yes, no, (lowest + end) // 2)
        if found[0] < last[0]:
            return found
        # The lower half is one step, which ends at `last`; positives above more negatives are not.
        above = bisect_right(yes, no[-last[1]]) if last[1] else end
        return _corner(yes, no, above) if above < end else None


def cases(yes: Iterable[float], no: Iterable[float]) -> Cases:
    """Of positives and negatives in any order. Raises ValueError when a class is missing."""
    # Two sorted lists of floats are several times faster than one of 100,000 pairs.
    positives, negatives = sorted(yes), sorted(no)
    if not positives or not negatives:
        kind = "negative" if positives else "positive"
        raise ValueError(f"there are no {kind} cases: a ROC curve needs both classes")
    few = len(positives) + len(negatives) <= ALL_CORNERS
    return Cases(positives, negatives, (_every if few else _sketch)(positives, negatives))


def pairs_won(yes: Scores, no: Scores) -> float:
    """Pairs of a positive and a negative that their scores rank right, a tie as half."""
    if len(no) < len(yes):  # each of the fewer is looked up among the more
        return len(yes) * len(no) - pairs_won(no, yes)
    twice = start = below = 0
    while start < len(yes):
        stop = bisect_right(yes, yes[min(start + BLOCK, len(yes)) - 1], start)
        block = yes[start:stop]
        below = bisect_left(no, block[0], below)
        near = no[below : bisect_right(no, block[-1], below)]
        beaten = sum(map(bisect_left, repeat(near), block))
        beaten_or_equal = sum(map(bisect_right, repeat(near), block))
        twice += 2 * below * len(block) + beaten + beaten_or_equal
        start = stop
    return twice / 2


def _sketch(yes: Scores, no: Scores) -> list[Corner]:
    """The ends of the curve, and corners at even shares of each class."""
    chosen = {*range(0, len(yes), 1 + len(yes) // SKETCHED)}
    chosen.update(map(bisect_left, repeat(yes), no[:: 1 + len(no) // SKETCHED]))
    found = sorted({_corner(yes, no, i) for i in chosen if i < len(yes)})
    end = [] if no[0] >= yes[0] else [(len(yes), len(no), no[0])]
    return [(0, 0, inf), *found, *end]


def _corner(yes: Scores, no: Scores, positive: int) -> Corner:
    """The upper end of the step of one positive: that of the lowest one that beats as many."""
    beaten = bisect_left(no, yes[positive])
    lowest = bisect_right(yes, no[beaten - 1]) if beaten else 0
    return len(yes) - lowest, len(no) - beaten, yes[lowest]


def _every(yes: Scores, no: Scores) -> list[Corner]:
    """Wherever the curve may turn.

    A run of one class alone is one straight stretch; a tie is a slanted one.
    """
    hits = alarms = 0
    found: list[Corner] = [(0, 0, inf)]
    most_hits, most_alarms = len(yes), len(no)
    yes, no = [*reversed(yes), -inf], [*reversed(no), -inf]
    while hits < most_hits or alarms < most_alarms:
        first, other = yes[hits], no[alarms]
        if first > other:
            while yes[hits] > other:
                hits += 1
            threshold = yes[hits - 1]
        elif other > first:
            while no[alarms] > first:
                alarms += 1
            threshold = no[alarms - 1]
        else:
            threshold = first
            while yes[hits] == threshold:
                hits += 1
            while no[alarms] == threshold:
                alarms += 1
        found.append((hits, alarms, threshold))
    return found
