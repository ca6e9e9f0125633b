"""Metrics against scikit-learn, against worked examples, and on input nobody meant."""

import math
import random
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from calculators.maths.metrics import confusion, corners, pasted, roc, silhouette, threshold

EXACT = 1e-12  # both sides are a few floating-point operations from the same integers

counts = st.integers(0, 10_000)
labels = st.sampled_from("abcd")
coordinate = st.integers(-50, 50).map(lambda n: n / 4)  # exact, with many ties


def sk_pairs(tp: int, fp: int, fn: int, tn: int) -> tuple[list[int], list[int], list[int]]:
    return [1, 0, 1, 0], [1, 1, 0, 0], [tp, fp, fn, tn]


def quiet(call: Callable[..., Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


@given(counts, counts, counts, counts)
@settings(max_examples=60, deadline=None)
def test_binary_metrics_are_those_of_scikit_learn(tp: int, fp: int, fn: int, tn: int) -> None:
    if not tp + fp + fn + tn:
        return
    truth, said, weight = sk_pairs(tp, fp, fn, tn)
    ours = confusion.metrics(confusion.Counts(tp, fp, fn, tn), beta=2.0)
    nan = {"zero_division": math.nan, "sample_weight": weight}
    expected = {
        "accuracy": sk.accuracy_score(truth, said, sample_weight=weight),
        "precision": quiet(lambda: sk.precision_score(truth, said, **nan)),
        "recall": quiet(lambda: sk.recall_score(truth, said, **nan)),
        "specificity": quiet(lambda: sk.recall_score(truth, said, pos_label=0, **nan)),
        "negative_predictive_value": quiet(
            lambda: sk.precision_score(truth, said, pos_label=0, **nan)
        ),
        "f1": quiet(lambda: sk.f1_score(truth, said, **nan)),
        "f_beta": quiet(lambda: sk.fbeta_score(truth, said, beta=2.0, **nan)),
        "jaccard": quiet(
            lambda: sk.jaccard_score(truth, said, zero_division=0, sample_weight=weight)
        ),
    }
    if ours["mcc"].value is not None:
        expected["mcc"] = sk.matthews_corrcoef(truth, said, sample_weight=weight)
    if ours["kappa"].value is not None:
        expected["kappa"] = sk.cohen_kappa_score(truth, said, sample_weight=weight)
    if ours["informedness"].value is not None:
        balanced = sk.balanced_accuracy_score(truth, said, sample_weight=weight)
        expected |= {"balanced_accuracy": balanced, "informedness": 2 * balanced - 1}
    for name, value in expected.items():
        if math.isnan(value):
            assert ours[name].value is None, name
        elif ours[name].value is None:
            assert value == 0, name
        else:
            assert ours[name].value == pytest.approx(value, abs=EXACT), name
    for metric in ours.values():
        assert (metric.value is None) == bool(metric.why)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        # Powers' definitions on tp=90 fp=10 fn=30 tn=870
        ((90, 10, 30, 870), "precision", 0.9),
        ((90, 10, 30, 870), "recall", 0.75),
        ((90, 10, 30, 870), "false_positive_rate", 10 / 880),
        ((90, 10, 30, 870), "false_negative_rate", 0.25),
        ((90, 10, 30, 870), "prevalence", 0.12),
        ((90, 10, 30, 870), "markedness", 0.9 + 870 / 900 - 1),
        ((90, 10, 30, 870), "positive_likelihood_ratio", 66.0),
        ((90, 10, 30, 870), "negative_likelihood_ratio", 0.25 / (870 / 880)),
        ((90, 10, 30, 870), "diagnostic_odds_ratio", 261.0),
        ((0, 0, 5, 5), "precision", None),
        ((0, 5, 0, 5), "recall", None),
        ((5, 0, 5, 0), "specificity", None),
        ((5, 0, 1, 5), "positive_likelihood_ratio", None),
        ((5, 0, 0, 0), "kappa", None),
        ((0, 0, 0, 5), "f1", None),
        ((5, 5, 0, 0), "mcc", None),
        ((10**15, 1, 1, 10**15), "mcc", 1.0),
    ],
)
def test_binary_metrics_by_hand(
    given: tuple[int, int, int, int], name: str, value: float | None
) -> None:
    metric = confusion.metrics(confusion.Counts(*given))[name]
    assert metric.value == (None if value is None else pytest.approx(value, abs=EXACT))


@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_multiclass_report_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, said = [a for a, _ in pairs], [b for _, b in pairs]
    ours = confusion.report(Counter(pairs))
    theirs = quiet(lambda: sk.confusion_matrix(truth, said, labels=ours.labels))
    assert [list(row) for row in ours.matrix] == theirs.tolist()
    for average, mine in (
        ("macro", ours.macro),
        ("micro", ours.micro),
        ("weighted", ours.weighted),
    ):
        theirs = sk.precision_recall_fscore_support(truth, said, average=average, zero_division=0)
        assert (mine.precision, mine.recall, mine.f1) == pytest.approx(theirs[:3], abs=EXACT)
    assert ours.accuracy == pytest.approx(sk.accuracy_score(truth, said), abs=EXACT)
    balanced = quiet(lambda: sk.balanced_accuracy_score(truth, said))
    assert ours.balanced_accuracy == pytest.approx(balanced, abs=EXACT)
    assert (ours.mcc.value or 0) == pytest.approx(
        quiet(lambda: sk.matthews_corrcoef(truth, said)), abs=EXACT
    )
    if ours.kappa.value is not None:
        kappa = sk.cohen_kappa_score(truth, said)
        assert ours.kappa.value == pytest.approx(kappa, abs=EXACT)


@given(st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=2, max_size=80))
@settings(max_examples=120, deadline=None)
def test_area_and_points_are_those_of_scikit_learn(cases: list[tuple[int, bool]]) -> None:
    scores, positives = [s / 8 for s, _ in cases], [p for _, p in cases]
    if len(set(positives)) < 2:
        return
    curve = roc.curve_from_scores(scores, positives)
    assert curve.area == pytest.approx(sk.roc_auc_score(positives, scores), abs=EXACT)
    fpr, tpr, cutoffs = sk.roc_curve(positives, scores, drop_intermediate=False)
    every = set(zip(fpr.tolist(), tpr.tolist(), cutoffs.tolist(), strict=True))
    points = [curve.point(i) for i in range(len(curve))]
    assert every.issuperset(tuple(point) for point in points)
    assert curve.youden_point.youden == pytest.approx(max(tpr - fpr), abs=EXACT)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_area_of_points_is_that_of_scikit_learn(raw: list[tuple[int, int]]) -> None:
    fpr = sorted(x / 20 for x, _ in raw)
    tpr = sorted(y / 20 for _, y in raw)
    shuffled = list(zip(fpr, tpr, strict=True))
    random.Random(1).shuffle(shuffled)
    curve = roc.curve_from_points(*zip(*shuffled, strict=True), corners=False)
    assert curve.area == pytest.approx(sk.auc(fpr, tpr), abs=EXACT)
    whole = roc.curve_from_points(fpr, tpr)
    assert whole.area == pytest.approx(sk.auc([0, *fpr, 1], [0, *tpr, 1]), abs=EXACT)


@given(
    st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=2, max_size=60),
    st.integers(0, 9),
    st.integers(1, 9),
)
@settings(max_examples=80, deadline=None)
def test_least_cost_is_the_least_over_every_cutoff(
    cases: list[tuple[int, bool]], cost_fp: int, cost_fn: int
) -> None:
    scores, positives = [float(s) for s, _ in cases], [p for _, p in cases]
    if len(set(positives)) < 2:
        return
    curve = roc.curve_from_scores(scores, positives)
    choice = threshold.least_cost(curve, threshold.costs_for(curve, cost_fp, cost_fn))

    def mean_cost(cutoff: float) -> float:
        said = [score >= cutoff for score in scores]
        table = sk.confusion_matrix(positives, said, labels=[False, True])
        return float(cost_fp * table[0][1] + cost_fn * table[1][0]) / len(cases)

    least = min(map(mean_cost, {*scores, math.inf}))
    assert choice.cost == pytest.approx(least, abs=EXACT)
    for point in choice.equally_good:
        assert point.threshold is not None
        assert mean_cost(point.threshold) == pytest.approx(least, abs=1e-11)


@pytest.mark.parametrize(
    ("points", "costs", "expected"),
    [
        # cost = fp * FPR * (1 - p) + fn * (1 - TPR) * p, by hand at p = 0.1
        (([0.1, 0.3], [0.6, 0.9], [0.8, 0.4]), (1, 1, 0.1), (None, 0.1)),
        (([0.1, 0.3], [0.6, 0.9], [0.8, 0.4]), (1, 10, 0.1), (0.4, 0.27 + 0.1)),
        (([0.1, 0.3], [0.6, 0.9], [0.8, 0.4]), (1, 5, 0.1), (0.8, 0.09 + 0.2)),
    ],
)
def test_operating_points_by_hand(
    points: tuple[list[float], list[float], list[float]],
    costs: tuple[int, int, float],
    expected: tuple[Any, ...],
) -> None:
    choice = threshold.least_cost(roc.curve_from_points(*points), threshold.Costs(*costs))
    assert (choice.best.threshold, choice.cost) == (expected[0], pytest.approx(expected[1]))


@given(
    st.lists(st.tuples(coordinate, coordinate, st.sampled_from("xyz")), min_size=3, max_size=40),
    st.sampled_from(["euclidean", "manhattan"]),
)
@settings(max_examples=60, deadline=None)
def test_silhouettes_are_those_of_scikit_learn(
    rows: list[tuple[float, float, str]], metric: str
) -> None:
    points, clusters = [row[:2] for row in rows], [row[2] for row in rows]
    if not 2 <= len(set(clusters)) < len(points):
        return
    ours = silhouette.silhouettes(points, clusters, metric)
    # scikit-learn's Euclidean distances come from squared norms; give it exact ones.
    exact: dict[str, Callable[..., float]] = {
        "euclidean": math.dist,
        "manhattan": lambda p, q: abs(p[0] - q[0]) + abs(p[1] - q[1]),
    }
    matrix = [[exact[metric](p, q) for q in points] for p in points]
    theirs = sk.silhouette_samples(matrix, clusters, metric="precomputed")
    assert [point.s for point in ours.points] == pytest.approx(theirs.tolist(), abs=EXACT)
    assert ours.mean == pytest.approx(theirs.mean(), abs=EXACT)


def test_cosine_silhouettes_are_those_of_scikit_learn() -> None:
    rng = random.Random(5)
    points = [tuple(rng.uniform(-1, 1) for _ in range(6)) for _ in range(60)]
    clusters = [rng.choice("abc") for _ in points]
    ours = silhouette.silhouettes(points, clusters, "cosine")
    theirs = sk.silhouette_samples(points, clusters, metric="cosine")
    assert [point.s for point in ours.points] == pytest.approx(theirs.tolist(), abs=EXACT)


def test_silhouette_by_hand() -> None:
    """Two pairs on a line: a = 1; b of the outer point 10.5, of the inner one 9.5."""
    found = silhouette.silhouettes([(0.0,), (1.0,), (10.0,), (11.0,)], list("aabb"))
    outer, inner = found.points[:2]
    assert (outer.a, outer.b, outer.s) == (1, 10.5, pytest.approx(9.5 / 10.5))
    assert (inner.a, inner.b, inner.s) == (1, 9.5, pytest.approx(8.5 / 9.5))
    assert found.cluster_means() == pytest.approx(dict.fromkeys("ab", (9.5 / 10.5 + 8.5 / 9.5) / 2))
    assert [bar[:2] for bar in silhouette.bars(found)] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


@given(st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=2, max_size=60))
@settings(max_examples=80, deadline=None)
def test_many_cases_are_judged_as_few_are(cases: list[tuple[int, bool]]) -> None:
    scores, positives = [s / 8 for s, _ in cases], [p for _, p in cases]
    if len(set(positives)) < 2:
        return
    few = roc.curve_from_scores(scores, positives)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ALL_CORNERS", 0), ("SKETCHED", 2), ("BLOCK", 3)):
            patch.setattr(corners, name, value)
        many = roc.curve_from_scores(scores, positives)
    points = set(map(few.point, range(len(few))))
    assert points.issuperset(map(many.point, range(len(many))))
    assert (many.area, many.youden_point) == (few.area, few.youden_point)
    for costs in (
        threshold.Costs(1, 3, 0.2),
        threshold.Costs(0, 1, 0.5),
        threshold.Costs(1, 0, 0.5),
    ):
        assert threshold.least_cost(many, costs).best == threshold.least_cost(few, costs).best


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion.Counts(0, 0, 0, 0), "all four counts are 0"),
        (lambda: confusion.Counts(-1, 0, 0, 1), "true positives: -1"),
        (lambda: confusion.Counts(1.5, 0, 0, 1), "not a whole number"),  # type: ignore[arg-type]
        (lambda: confusion.metrics(confusion.Counts(1, 0, 0, 1), math.nan), "beta"),
        (lambda: confusion.report({}), "no labels"),
        (
            lambda: confusion.report({(str(i), "0"): 1 for i in range(200)}),
            "200 different labels",
        ),
        (lambda: roc.curve_from_scores([], []), "no scores"),
        (lambda: roc.curve_from_scores([0.1, 0.2], [True, True]), "no negative cases"),
        (lambda: roc.curve_from_scores([0.1, math.nan], [True, False]), "score number 2 is nan"),
        (lambda: roc.curve_from_points([0.1, 0.5], [0.8, 0.3]), "never falls"),
        (lambda: roc.curve_from_points([0.1], [math.nan]), "nan is not a rate"),
        (lambda: roc.curve_from_points([0.5], [0.5], corners=False), "one point has no area"),
        (lambda: threshold.Costs(0, 0, 0.5), "cost nothing"),
        (lambda: threshold.Costs(1, math.inf, 0.5), "the cost of a false negative is inf"),
        (lambda: threshold.Costs(1, 1, 1.5), "prevalence"),
        (
            lambda: threshold.costs_for(roc.curve_from_points([0.1], [0.5]), 1, 1),
            "give a prevalence",
        ),
        (lambda: silhouette.silhouettes([], []), "no points"),
        (lambda: silhouette.silhouettes([(1.0,), (2.0,)], ["a", "a"]), "one cluster"),
        (lambda: silhouette.silhouettes([(1.0,), (2.0,)], ["a", "b"]), "a cluster of its own"),
        (lambda: silhouette.silhouettes([(1.0,), (math.inf,)], ["a", "b"]), "point 2"),
        (
            lambda: silhouette.silhouettes([(1e308,), (-1e308,), (0.0,)], list("aab")),
            "no number up",
        ),
        (lambda: silhouette.silhouettes([(1.0,)] * 100_000, ["a"] * 100_000), "too many here"),
        (lambda: silhouette.silhouettes([(0.0,), (1.0,), (2.0,)], list("aab"), "cosine"), "origin"),
    ],
)
def test_what_cannot_be_meant_is_said_in_plain_words(
    call: Callable[..., Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_coinciding_points_have_silhouette_zero() -> None:
    found = silhouette.silhouettes([(1.0, 1.0)] * 4, list("aabb"))
    assert {point.s for point in found.points} == {0.0}


def test_a_hundred_thousand_rows_keep_their_answer() -> None:
    """Two interleaved runs of scores; the area is a count of ordered pairs, known exactly."""
    n = 50_000
    text = "\n".join(f"{2 * i + 1},1\n{2 * i},0" for i in range(n))
    curve = roc.curve_from_scores(*pasted.scored_labels(text))
    assert curve.area == pytest.approx((n + 1) / (2 * n), abs=1e-9)  # 100,000 sums of 1e-5
    assert len(roc.drawn(curve)) <= roc.DRAWN_POINTS + 1
    costs = threshold.costs_for(curve, 1, 1)
    choice = threshold.least_cost(curve, costs)
    chart = threshold.cost_against_threshold(choice, costs)
    assert chart == sorted(chart)
    assert min(cost for _, cost in chart) == choice.cost
