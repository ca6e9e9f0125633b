"""What a confusion matrix says: from four counts, or from pairs of labels with any number of
classes.

Definitions: Powers, "Evaluation: from precision, recall and F-measure to ROC, informedness,
markedness and correlation" (2011), https://arxiv.org/abs/2010.16061; Cohen's kappa
https://doi.org/10.1177/001316446002000104; MCC of several classes: Gorodkin (2004),
https://doi.org/10.1016/j.compbiolchem.2004.09.006. Values agree with scikit-learn; where it
warns and returns 0 or NaN for 0/0, this returns None and the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import fsum, isfinite, sqrt

MAX_COUNT = 10**15
"""Larger counts would lose digits in the products under MCC's root."""
MAX_CLASSES = 100
"""More different labels than this are numbers or identifiers pasted by mistake."""


@dataclass(frozen=True)
class Metric:
    """A value, or None and why there is none."""

    value: float | None
    why: str = ""


@dataclass(frozen=True)
class Counts:
    """A binary confusion matrix. Raises ValueError for a count that is negative or not whole."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    def __post_init__(self) -> None:
        for name, count in vars(self).items():
            words = name.replace("_", " ")
            if isinstance(count, bool) or not isinstance(count, int):
                raise ValueError(f"{words}: {count!r} is not a whole number")
            if not 0 <= count <= MAX_COUNT:
                raise ValueError(f"{words}: {count} is not between 0 and 10^15")
        if not self.total:
            raise ValueError("all four counts are 0: there is nothing to measure")

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def _ratio(above: float, below: float, why: str) -> Metric:
    return Metric(above / below) if below else Metric(None, why)


NO_POSITIVES = "there are no positive cases"
NO_NEGATIVES = "there are no negative cases"
NONE_PREDICTED = "nothing was predicted positive"
NONE_REJECTED = "nothing was predicted negative"


def metrics(counts: Counts, beta: float = 1.0) -> dict[str, Metric]:
    """Every metric of a binary confusion matrix by its name, fractions not percentages.

    `beta` weighs recall against precision in `f_beta`. Raises ValueError for a beta that is not
    a positive finite number.
    """
    if not (isfinite(beta) and beta > 0):
        raise ValueError(f"beta is {beta}; a positive number is wanted")
    tp, fp = counts.true_positives, counts.false_positives
    fn, tn = counts.false_negatives, counts.true_negatives
    positives, negatives = tp + fn, fp + tn
    return {
        "accuracy": Metric((tp + tn) / counts.total),
        "error_rate": Metric((fp + fn) / counts.total),
        "prevalence": Metric(positives / counts.total),
        "precision": _ratio(tp, tp + fp, NONE_PREDICTED),
        "recall": _ratio(tp, positives, NO_POSITIVES),
        "specificity": _ratio(tn, negatives, NO_NEGATIVES),
        "negative_predictive_value": _ratio(tn, tn + fn, NONE_REJECTED),
        "false_positive_rate": _ratio(fp, negatives, NO_NEGATIVES),
        "false_negative_rate": _ratio(fn, positives, NO_POSITIVES),
        "false_discovery_rate": _ratio(fp, tp + fp, NONE_PREDICTED),
        "false_omission_rate": _ratio(fn, tn + fn, NONE_REJECTED),
        "f1": f_score(tp, fp, fn, 1.0),
        "f_beta": f_score(tp, fp, fn, beta),
        "jaccard": _ratio(tp, tp + fp + fn, "nothing is positive, in fact or in prediction"),
        **_pairs(tp, fp, fn, tn),
        **_likelihood(tp, fp, fn, tn),
    }


def f_score(tp: int, fp: int, fn: int, beta: float) -> Metric:
    """F-beta from counts; 0/0 only when nothing is positive in fact or in prediction."""
    weight = beta * beta
    above, below = (1 + weight) * tp, (1 + weight) * tp + weight * fn + fp
    return _ratio(above, below, "nothing is positive, in fact or in prediction")


def _pairs(tp: int, fp: int, fn: int, tn: int) -> dict[str, Metric]:
    """The metrics that need both classes, or both predictions."""
    both = NO_POSITIVES if not tp + fn else NO_NEGATIVES
    either = NONE_PREDICTED if not tp + fp else NONE_REJECTED
    truth, said = (tp + fn) * (fp + tn), (tp + fp) * (fn + tn)
    difference = tp * tn - fp * fn
    total = tp + fp + fn + tn
    by_chance = (tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)
    balanced = 0.5 + 0.5 * difference / truth if truth else None
    return {
        "balanced_accuracy": Metric(balanced, "" if truth else both),
        "informedness": _ratio(difference, truth, both),
        "markedness": _ratio(difference, said, either),
        "mcc": _ratio(difference, sqrt(truth) * sqrt(said), both if not truth else either),
        "kappa": _ratio(
            total * (tp + tn) - by_chance,
            total * total - by_chance,
            "one class only, in fact and in prediction: agreement by chance is already complete",
        ),
    }


def _likelihood(tp: int, fp: int, fn: int, tn: int) -> dict[str, Metric]:
    positives, negatives = tp + fn, fp + tn
    if not positives or not negatives:
        why = NO_POSITIVES if not positives else NO_NEGATIVES
        none = Metric(None, why)
        return dict.fromkeys(
            ("positive_likelihood_ratio", "negative_likelihood_ratio", "diagnostic_odds_ratio"),
            none,
        )
    return {
        "positive_likelihood_ratio": _ratio(
            tp * negatives, fp * positives, "there are no false positives: it has no upper bound"
        ),
        "negative_likelihood_ratio": _ratio(
            fn * negatives, tn * positives, "there are no true negatives: it has no upper bound"
        ),
        "diagnostic_odds_ratio": _ratio(
            tp * tn, fp * fn, "one kind of error does not occur: it has no upper bound"
        ),
    }


@dataclass(frozen=True)
class ClassRow:
    """One class against all others; `support` is how many cases are of it."""

    label: str
    support: int
    precision: Metric
    recall: Metric
    f1: Metric


@dataclass(frozen=True)
class Average:
    """Undefined values of a class count as 0, as scikit-learn's `zero_division=0` does."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Report:
    """Several classes. `matrix[i][j]` counts the cases of class i that were predicted as j."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    classes: tuple[ClassRow, ...]
    accuracy: float
    balanced_accuracy: float
    kappa: Metric
    mcc: Metric
    macro: Average
    micro: Average
    weighted: Average

    def counts(self, positive: str) -> Counts:
        """The binary confusion matrix of one class against all others."""
        at = self.labels.index(positive)
        hit, row = self.matrix[at][at], sum(self.matrix[at])
        column = sum(line[at] for line in self.matrix)
        total = sum(map(sum, self.matrix))
        return Counts(hit, column - hit, row - hit, total - row - column + hit)


def report(pairs: Mapping[tuple[str, str], int]) -> Report:
    """Confusion matrix and metrics of (actual, predicted) labels, each with its number of cases.

    Raises ValueError for no pairs or more than MAX_CLASSES labels.
    """
    if not pairs:
        raise ValueError("there are no labels")
    found = set(chain.from_iterable(pairs))
    if len(found) > MAX_CLASSES:
        raise ValueError(
            f"{len(found):,} different labels: at most {MAX_CLASSES} classes are meant"
        )
    labels = tuple(sorted(found))
    return from_matrix(labels, tuple(tuple(pairs.get((i, j), 0) for j in labels) for i in labels))


def from_matrix(labels: tuple[str, ...], matrix: tuple[tuple[int, ...], ...]) -> Report:
    """The same from a square matrix, rows actual and columns predicted."""
    supports = [sum(row) for row in matrix]
    said = [sum(column) for column in zip(*matrix, strict=True)]
    hits = [matrix[i][i] for i in range(len(labels))]
    total, right = sum(supports), sum(hits)
    classes = tuple(
        ClassRow(
            label,
            supports[i],
            _ratio(hits[i], said[i], NONE_PREDICTED),
            _ratio(hits[i], supports[i], NO_POSITIVES),
            f_score(hits[i], said[i] - hits[i], supports[i] - hits[i], 1.0),
        )
        for i, label in enumerate(labels)
    )
    recalls = [row.recall.value for row in classes if row.recall.value is not None]
    accuracy = right / total
    return Report(
        labels=labels,
        matrix=matrix,
        classes=classes,
        accuracy=accuracy,
        balanced_accuracy=fsum(recalls) / len(recalls),
        kappa=_kappa(supports, said, right),
        mcc=_mcc(supports, said, right),
        macro=_average(classes, [1] * len(labels)),
        micro=Average(accuracy, accuracy, accuracy),
        weighted=_average(classes, supports),
    )


def _average(classes: tuple[ClassRow, ...], weights: Sequence[int]) -> Average:
    total = fsum(weights)

    def mean(values: list[float | None]) -> float:
        pairs = zip(values, weights, strict=True)
        return fsum((value or 0.0) * weight for value, weight in pairs) / total

    return Average(
        mean([row.precision.value for row in classes]),
        mean([row.recall.value for row in classes]),
        mean([row.f1.value for row in classes]),
    )


def _kappa(supports: list[int], said: list[int], right: int) -> Metric:
    total = sum(supports)
    by_chance = sum(a * b for a, b in zip(supports, said, strict=True))
    why = "one class only, in fact and in prediction: agreement by chance is already complete"
    return _ratio(total * right - by_chance, total * total - by_chance, why)


def _mcc(supports: list[int], said: list[int], right: int) -> Metric:
    total = sum(supports)
    by_chance = sum(a * b for a, b in zip(supports, said, strict=True))
    truth = total * total - sum(a * a for a in supports)
    guess = total * total - sum(b * b for b in said)
    why = "every case is of one class" if not truth else "every prediction is the same"
    return _ratio(total * right - by_chance, sqrt(truth) * sqrt(guess), why)
