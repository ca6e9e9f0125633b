"""The metric pages: figures by hand, scikit-learn on random pastes, degenerate and large pastes."""

import json
import random
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from calculators import answer as door
from calculators import ask
from calculators.kit.calculator import Answer, read_query

EXACT = 1e-12


def asked(slug: str, **fields: Any) -> Answer:
    found = ask(slug, urlencode(fields))
    assert not found.errors, found.errors
    return found


def value(found: Answer, name: str) -> Any:
    return found.value(name).value


# --- Against scikit-learn, through the door: the paste is written, read and reckoned. ---

separators = st.sampled_from([",", "\t", " ", ";", ", "])
labels = st.sampled_from(["cat", "dog", "not a bird", "ü"])


@given(st.lists(st.tuples(labels, labels), min_size=1, max_size=40), st.sampled_from(",;\t"))
@settings(max_examples=40, deadline=None)
def test_pasted_labels_are_those_of_scikit_learn(
    pairs: list[tuple[str, str]], separator: str
) -> None:
    if len({label for pair in pairs for label in pair}) < 3:
        return  # of two, one may be meant as positive
    paste = "\n".join(separator.join(pair) for pair in [("actual", "predicted"), *pairs])
    found = asked("confusion-matrix", labels=paste)
    truth, said = zip(*pairs, strict=True)
    macro = sk.precision_recall_fscore_support(truth, said, average="macro", zero_division=0)
    assert [value(found, name) for name in ("precision", "recall", "f1")] == pytest.approx(
        macro[:3], abs=EXACT
    )
    assert value(found, "accuracy") == pytest.approx(sk.accuracy_score(truth, said), abs=EXACT)
    if value(found, "mcc") is not None:
        expected = sk.matthews_corrcoef(truth, said)
        assert value(found, "mcc") == pytest.approx(expected, abs=EXACT)


@given(st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=2, max_size=60), separators)
@settings(max_examples=60, deadline=None)
def test_pasted_scores_are_those_of_scikit_learn(
    cases: list[tuple[int, bool]], separator: str
) -> None:
    truth = [int(positive) for _, positive in cases]
    if len(set(truth)) < 2:
        return
    scores = [score / 8 for score, _ in cases]
    lines = [f"{score}{separator}{label}" for score, label in zip(scores, truth, strict=True)]
    paste = "\n".join([f"score{separator}label", *lines])
    found = asked("roc-auc", scores=paste)
    assert value(found, "auc") == pytest.approx(sk.roc_auc_score(truth, scores), abs=EXACT)
    cut = asked("threshold-cost", scores=paste, cost_false_positive=2, cost_false_negative=3)
    cutoffs = [*sorted(set(scores)), max(scores) + 1]
    costs = []
    for cutoff in cutoffs:
        said = [score >= cutoff for score in scores]
        table = sk.confusion_matrix(truth, said, labels=[0, 1])
        costs.append((2 * table[0][1] + 3 * table[1][0]) / len(truth))
    assert value(cut, "expected_cost") == pytest.approx(min(costs), abs=EXACT)
    best = value(cut, "best_threshold")
    here = costs[-1] if best is None else costs[cutoffs.index(best)]
    assert here == pytest.approx(min(costs), abs=EXACT)


@given(
    st.lists(
        st.tuples(st.integers(-9, 9), st.integers(1, 9), st.sampled_from("ABC")),
        min_size=3,
        max_size=25,
    ),
    st.sampled_from(["euclidean", "manhattan", "cosine"]),
)
@settings(max_examples=40, deadline=None)
def test_pasted_points_are_those_of_scikit_learn(
    rows: list[tuple[int, int, str]], metric: str
) -> None:
    clusters = [row[2] for row in rows]
    if not 2 <= len(set(clusters)) < len(rows):
        return
    paste = "\n".join(["x,y,cluster", *(f"{x},{y},{c}" for x, y, c in rows)])
    found = asked("silhouette", data=paste, metric=metric, point=len(rows))
    points = [row[:2] for row in rows]
    apart = sk.pairwise_distances(points, metric=metric)
    # of one direction, scikit-learn has 0 or 2e-16; a ratio of such is luck
    apart[apart < 1e-12] = 0
    each = sk.silhouette_samples(apart, clusters, metric="precomputed")
    # its distances from 2e-5 up have the rounding of 1 - cosine
    near = 1e-9 if metric == "cosine" else EXACT
    assert value(found, "point_silhouette") == pytest.approx(each[-1], abs=near)
    assert value(found, "silhouette") == pytest.approx(each.mean(), abs=near)


# --- By hand ---


@pytest.mark.parametrize(
    ("question", "output", "expected"),
    [
        ("confusion-matrix?tp=90&fp=10&fn=30&tn=870", "precision", 0.9),
        ("confusion-matrix?tp=90&fp=10&fn=30&tn=870", "recall", 0.75),
        ("confusion-matrix?tp=90&fp=10&fn=30&tn=870", "f1", 180 / 220),
        ("confusion-matrix?tp=90&fp=10&fn=30&tn=870&beta=2", "f_beta", 450 / 580),
        ("confusion-matrix?tp=6&fp=1&fn=2&tn=3", "mcc", 16 / (7 * 8 * 4 * 5) ** 0.5),
        ("confusion-matrix?labels=spam ham%0Aspam spam%0Aham ham", "recall", 0.5),
        ("confusion-matrix?labels=a,b%0Ab,b%0Aa,a&positive=a", "specificity", 1),
        ("confusion-matrix?labels=a,b%0Ab,c%0Ac,c&positive=c", "precision", 0.5),
        ("roc-auc?points=0,0%0A0.5,0.5%0A1,1", "auc", 0.5),
        ("roc-auc?points=0.2,0.8", "auc", 0.2 * 0.8 / 2 + 0.8 * 1.8 / 2),
        ("roc-auc?scores=1,1%0A2,0%0A3,1%0A4,0", "auc", 0.25),
        ("roc-auc?scores=1,a%0A2,b&positive=b", "auc", 1),
        ("threshold-cost?points=0.1,0.8,0.7&prevalence=20", "best_threshold", 0.7),
        ("threshold-cost?cost_false_positive=0", "expected_cost", 0),
        (
            "threshold-cost?cost_false_positive=1&cost_false_negative=3",
            "calibrated_threshold",
            0.25,
        ),
        ("silhouette?data=0,A%0A1,A%0A10,B%0A11,B&point=1", "point_silhouette", 9.5 / 10.5),
        ("silhouette?data=0,A%0A1,A%0A10,B&point=3", "point_silhouette", 0),
    ],
)
def test_by_hand(question: str, output: str, expected: float) -> None:
    found = ask(*question.split("?"))
    assert not found.errors
    assert value(found, output) == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize(
    ("question", "output", "words"),
    [
        ("confusion-matrix?tp=0&fp=3&fn=0&tn=97", "recall", "no positive cases"),
        ("confusion-matrix?tp=0&fp=0&fn=4&tn=6", "precision", "nothing was predicted positive"),
        ("confusion-matrix?tp=4&fp=0&fn=6&tn=0", "specificity", "no negative cases"),
        ("threshold-cost?cost_false_negative=0", "best_threshold", "calling nothing positive"),
        ("threshold-cost?points=0.1,0.8&prevalence=20", "best_threshold", "without thresholds"),
        ("threshold-cost?points=0.1,0.8&prevalence=90", "best_threshold", "everything positive"),
        ("silhouette?data=0,A%0A1,A%0A10,B&point=3", "a", "alone"),
    ],
)
def test_what_is_not_defined_is_a_dash_with_its_reason(
    question: str, output: str, words: str
) -> None:
    found = ask(*question.split("?"))
    assert value(found, output) is None
    assert words in found.value(output).why.casefold()


@pytest.mark.parametrize(
    ("question", "field", "words"),
    [
        ("confusion-matrix?tp=0&fp=0&fn=0&tn=0", "tp", "nothing to measure"),
        ("confusion-matrix?tp=1&fp=&fn=0&tn=0", "fp", "needed"),
        ("confusion-matrix?tp=1.5", "tp", "whole"),
        ("confusion-matrix?labels=a", "labels", "two are wanted"),
        ("confusion-matrix?labels=a,b%0Ac", "labels", "Line 2"),
        ("confusion-matrix?labels=a,b%0Ac,c&positive=z", "positive", "'z'"),
        ("confusion-matrix?positive=z", "positive", "pasted labels"),
        ("roc-auc?scores=0.5,1%0A0.7,1", "scores", "every label is"),
        ("roc-auc?scores=0.5,spam%0A0.7,spam", "scores", "both classes"),
        ("roc-auc?scores=score,label%0Anan,1%0A0.2,0", "scores", "Line 2"),
        ("roc-auc?scores=score,label%0A1e999,1%0A0.2,0", "scores", "finite"),
        ("roc-auc?points=0.5,0.5&positive=a", "positive", "no labels"),
        ("roc-auc?points=0.1,0.9%0A0.5,0.2", "points", "never falls"),
        ("roc-auc?points=10,90", "points", "fractions"),
        ("roc-auc?scores=", "scores", "Paste"),
        ("threshold-cost?points=0.1,0.5", "prevalence", "how common"),
        (
            "threshold-cost?cost_false_positive=0&cost_false_negative=0",
            "cost_false_positive",
            "cost nothing",
        ),
        ("silhouette?data=1,2,A%0A2,3,A", "data", "one cluster"),
        ("silhouette?data=1,A%0A2,B", "data", "cluster of its own"),
        ("silhouette?data=1,A%0Anan,B%0A3,B", "data", "Line 2"),
        ("silhouette?data=0,0,A%0A1,1,A%0A2,2,B&metric=cosine", "data", "origin"),
        ("silhouette?point=999", "point", "18 points"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(question: str, field: str, words: str) -> None:
    assert words.casefold() in ask(*question.split("?")).errors[field].casefold()


# --- 100,000 lines ---

ROWS = 100_000


def large(fields: Callable[..., Any], separator: str = ",") -> str:
    chance = random.Random(7)
    return "\n".join(separator.join(fields(chance)) for _ in range(ROWS))


def scored(chance: Random) -> tuple[str, str]:
    return f"{chance.random():.6f}", str(chance.randrange(2))


@pytest.mark.parametrize(
    ("slug", "field", "text"),
    [
        ("confusion-matrix", "labels", large(lambda chance: chance.choices(["a", "b", "c"], k=2))),
        ("roc-auc", "scores", large(scored)),
        ("roc-auc", "scores", large(scored, " ")),
        ("threshold-cost", "scores", large(scored, "\t")),
        ("silhouette", "data", large(scored)),
    ],
    ids=["labels", "scores", "spaces", "tabs", "points"],
)
def test_a_hundred_thousand_lines(slug: str, field: str, text: str) -> None:
    query = urlencode({field: text})
    found = ask(slug, query)
    assert "too many here" in found.errors["data"] if slug == "silhouette" else not found.errors


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_query_is_read_as_the_browser_wrote_it(fields: dict[str, str]) -> None:
    assert read_query(urlencode(fields)) == fields


def test_labels_of_the_visitor_are_no_markup() -> None:
    paste = "<b>x</b>,<b>x</b>\n<i>y</i>,<b>x</b>\nz,z"
    html = json.loads(door("confusion-matrix", urlencode({"labels": paste})))["html"]
    assert "&lt;b&gt;x" in html
    assert "<b>x" not in html
