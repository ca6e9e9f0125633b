"""ROC curve and its area, from scores with labels or from operating points."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Annotated

from calculators.common.pasted import SCORES, PointsInput, PositiveInput, ScoresInput, curve
from calculators.kit import (
    Axis,
    Chart,
    Column,
    Example,
    Figure,
    Note,
    Notes,
    Page,
    Question,
    Series,
    Shown,
    Source,
    Step,
    Table,
    Working,
    exact,
    lines,
    modelled,
)
from calculators.kit.units import digits
from calculators.maths.metrics.corners import pairs_won
from calculators.maths.metrics.roc import Curve, Point, curve_from_scores, drawn, standard_error

SPELLED_POINTS = 12  # a longer curve is no sum to follow
LISTED = 40
CONFIDENCE = 1.96  # standard errors on either side of a 95 % interval


@dataclass(frozen=True)
class Area:
    """What the curve says."""

    auc: Annotated[
        Figure,
        Shown(
            "Area under the curve",
            "score",
            "AUC: 0.5 is chance, 1 is perfect.",
            term="auc",
            lead=True,
        ),
    ]
    auc_interval: Annotated[
        Figure | None, Shown("With its uncertainty", "score", "95 %, by Hanley and McNeil.")
    ]
    gini: Annotated[Figure, Shown("Gini", "score", "2 × AUC − 1.")]
    youden: Annotated[Figure, Shown("Greatest TPR − FPR", "score", "Youden's J.")]
    youden_threshold: Annotated[
        Figure | None,
        Shown("At the threshold", "score", "Positive from there upwards.", term="threshold"),
    ]
    youden_tpr: Annotated[Figure, Shown("True positive rate there", "fraction")]
    youden_fpr: Annotated[Figure, Shown("False positive rate there", "fraction")]
    positives: Annotated[Figure | None, Shown("Positive cases", " ")]
    negatives: Annotated[Figure | None, Shown("Negative cases", " ")]
    notes: Annotated[Notes | None, Shown("Mind")]
    chart: Annotated[Chart, Shown("The curve")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    points: Annotated[Table, Shown("Operating points")]


def calculate(
    scores: ScoresInput = None,
    points: PointsInput = None,
    positive: PositiveInput = None,
) -> Area:
    """The ROC curve and the area under it, from pasted scores or from operating points.

    A classifier that gives a score becomes one that says yes or no once a threshold is set. The curve
    shows every threshold at once: the share of positives found against the share of negatives called
    positive. Its area is the probability that a random positive case scores higher than a random
    negative one, ties counting half.
    """
    found = curve(scores, points, positive)
    best = found.youden_point
    area = found.area
    return Area(
        auc=exact(area, "By trapezoids between the points."),
        auc_interval=_interval(found, area),
        gini=exact(2 * area - 1),
        youden=exact(best.youden),
        youden_threshold=None if best.threshold is None else exact(_finite(best.threshold)),
        youden_tpr=exact(best.true_positive_rate),
        youden_fpr=exact(best.false_positive_rate),
        positives=None if found.positives is None else exact(found.positives),
        negatives=None if found.negatives is None else exact(found.negatives),
        notes=_notes(found, area),
        chart=_chart(found, best),
        working=_working(found, area),
        points=_table(found),
    )


def _finite(threshold: float) -> float | None:
    """None above every score: nothing is called positive."""
    return None if threshold == inf else threshold


def _interval(found: Curve, area: float) -> Figure | None:
    if found.positives is None or found.negatives is None:
        return None
    error = CONFIDENCE * standard_error(area, found.positives, found.negatives)
    why = f"From {found.positives:,} positives and {found.negatives:,} negatives alone."
    return modelled(area, max(0.0, area - error), min(1.0, area + error), why)


def _notes(found: Curve, area: float) -> Notes | None:
    notes = []
    if area < 0.5:
        text = "Worse than chance: labels or scores may be the wrong way round."
        notes.append(Note(text, "warning"))
    if min(found.positives or 100, found.negatives or 100) < 30:
        notes.append(
            Note("Fewer than 30 cases of a class: the area is uncertain, as the band says.")
        )
    if len(found) == 2:
        notes.append(Note("All scores are equal: the curve is the diagonal."))
    return Notes(tuple(notes)) if notes else None


def _chart(found: Curve, best: Point) -> Chart:
    line = [(one.false_positive_rate, one.true_positive_rate) for one in drawn(found)]
    here = (best.false_positive_rate, best.true_positive_rate)
    return lines(
        "ROC curve",
        Axis("False positive rate", "fraction", ".0%", zero=True),
        Axis("True positive rate", "fraction", ".0%", zero=True),
        (
            Series("Classifier", line),
            Series("Chance", [(0, 0), (1, 1)]),
            Series("Greatest TPR − FPR", [here], dots=True),
        ),
        basis="exact",
    )


def _working(found: Curve, area: float) -> Working:
    steps = []
    if found.positives and found.negatives:
        pairs = found.positives * found.negatives
        size = f"{found.positives:,} × {found.negatives:,}"
        steps += [
            Step("Pairs of a positive and a negative", size, f"{pairs:,}"),
            Step("Ranked right, ties half", "counted along the curve", _halves(found.pairs_won)),
            Step("AUC", f"{_halves(found.pairs_won)} / {pairs:,}", digits(area)),
        ]
    elif len(found) <= SPELLED_POINTS:
        terms = []
        rates = zip(found.false_positive_rates, found.true_positive_rates, strict=True)
        for (x1, y1), (x2, y2) in pairwise(rates):
            if x2 > x1:
                terms.append(f"{x2 - x1:.4g} × ({y1:.4g} + {y2:.4g}) / 2")
        steps.append(Step("AUC", " + ".join(terms), digits(area)))
    else:
        steps.append(Step("AUC", f"{len(found) - 1} trapezoids", digits(area)))
    steps.append(Step("Gini", f"2 × {digits(area)} − 1", digits(2 * area - 1)
                      if area >= 0.5 else f"−{digits(1 - 2 * area)}"))  # fmt: skip
    return Working(tuple(steps))


def _halves(pairs: float) -> str:
    """A number of pairs, ties counting half."""
    twice = round(2 * pairs)
    return f"{twice // 2:,}" + (".5" if twice % 2 else "")


def _table(found: Curve) -> Table:
    chosen = drawn(found, most=LISTED)
    rows = tuple(
        (
            "none" if one.threshold is None else _finite(one.threshold),
            one.false_positive_rate,
            one.true_positive_rate,
            one.youden,
        )
        for one in chosen
    )
    columns = (
        Column("Threshold", "score"),
        Column("False positive rate", "fraction"),
        Column("True positive rate", "fraction"),
        Column("TPR − FPR", "score"),
    )
    at = next(i for i, one in enumerate(chosen) if one == found.youden_point)
    caption = "A dash stands for a threshold above every score"
    return Table(columns, rows, caption=caption, mark=at, folded=True)


FIVE = "points=fpr,tpr%0A0,0%0A0.1,0.5%0A0.3,0.8%0A0.6,0.95%0A1,1"
PAGE = Page(
    title="ROC curve and AUC",
    description="Area under the ROC curve from pasted scores and labels or from (FPR, TPR) points, "
    "by trapezoids, with the curve, its best point and its uncertainty.",
    group="Metrics",
    order=82,
    keywords=("ROC", "AUC", "area under the curve", "Youden index", "Gini", "trapezoidal rule"),
    how_to=(
        "Paste scores and labels, a case to a line, as a spreadsheet or CSV file has them; up to "
        "100,000 lines and more. Or paste points of a curve: false positive rate, true positive "
        "rate.",
        "If the labels are not a known pair such as 1 and 0, say which one is positive.",
        "Read the area and the point that is farthest above chance.",
    ),
    why=(
        "Ties count half, as they should, and no pair is left out, in 100,000 rows as in ten.",
        "The band shows how far a small sample can be trusted.",
        "Your scores stay in this page.",
    ),
    assumes=(
        "A case is called positive when its score is at or above the threshold. Where low scores "
        "mean positive, the area comes out below 0.5.",
        "Points are joined by straight lines, and (0, 0) and (1, 1) are added where they are missing.",
        "The area agrees with scikit-learn's `roc_auc_score` and `auc`, by tests on random data.",
        "The band assumes independent cases (Hanley and McNeil 1982). The scores in the form are "
        "made up.",
    ),
    examples=(
        Example("24 messages", "scores=" + SCORES.replace("\n", "%0A"), {"auc": 122 / 143}),
        Example("Five points", FIVE, {"auc": 0.8075}),
        Example(
            "Perfect",
            "scores=0.9,1%0A0.8,1%0A0.4,0%0A0.2,0",
            {"auc": 1.0, "youden_threshold": 0.8},
        ),
        Example("All scores equal", "scores=0.5,1%0A0.5,0%0A0.5,1%0A0.5,0", {"auc": 0.5}),
        Example("Upside down", "scores=0.1,1%0A0.3,1%0A0.6,0%0A0.9,0", {"auc": 0.0}),
    ),
    questions=(
        Question(
            "What does the area mean?",
            "Take a positive and a negative case at random: the area is the probability that the "
            "positive one scores higher, counting a tie as half. It says how well cases are ranked "
            "and nothing about how scores are calibrated or where to cut.",
        ),
        Question(
            "How is it computed from points?",
            "By the trapezoidal rule: for two neighbouring points the difference of their false "
            "positive rates times the mean of their true positive rates, summed. Five points can "
            f"only underestimate a curve that bulges between them; the example gives [[?{FIVE}#auc]].",
        ),
        Question(
            "Which threshold should I use?",
            "The point farthest above the diagonal weighs both errors alike and ignores how common "
            "positives are. If the errors cost different amounts, use the "
            "[threshold page](../threshold-cost/).",
        ),
        Question(
            "Is ROC misleading when positives are rare?",
            "It does not change with the share of positives, which is its strength and its trap: a "
            "false positive rate of 1 % looks small and can still mean ten false alarms for each "
            "hit. Look at precision too, on the [confusion matrix page](../confusion-matrix/).",
        ),
        Question(
            "Why do all cases of equal score move together?",
            "No threshold can part them. A tie of positives and negatives is therefore a slanted "
            "step, which counts each mixed pair as half. Drawing them one after the other would make "
            "the area depend on the order of the lines.",
        ),
        Question(
            "What about more than two classes?",
            "Take one class as positive and the others together as negative, once for each class, "
            "and average. This page draws one such curve at a time.",
        ),
    ),
    sources=(
        Source(
            "Fawcett, An introduction to ROC analysis",
            "https://doi.org/10.1016/j.patrec.2005.10.010",
        ),
        Source(
            "Hanley and McNeil, The meaning and use of the area under a ROC curve",
            "https://doi.org/10.1148/radiology.143.1.7063747",
        ),
        Source(
            "scikit-learn, roc_auc_score",
            "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_auc_score.html",
        ),
    ),
    code=(Curve, curve_from_scores, pairs_won),
)
