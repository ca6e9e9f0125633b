"""The result panel of a confusion matrix: its metrics, the matrix drawn, every sum, every class."""

from dataclasses import dataclass
from math import fsum
from typing import Annotated

from calculators.common.pasted import sentence
from calculators.kit import (
    Axis,
    Chart,
    Column,
    Figure,
    Note,
    Notes,
    Shown,
    Step,
    Table,
    Working,
    exact,
    heatmap,
)
from calculators.kit.units import digits
from calculators.maths.metrics import confusion
from calculators.maths.metrics.confusion import Average, Counts, Metric, Report

DRAWN_CLASSES = 20  # a larger matrix is a table only
POSITIVE, NEGATIVE = "positive", "negative"  # of four counts, whose classes have no names


@dataclass(frozen=True)
class Matrix:
    """What the matrix says."""

    accuracy: Annotated[
        Figure, Shown("Accuracy", "fraction", "Share that is right.", term="accuracy", lead=True)
    ]
    f1: Annotated[
        Figure, Shown("F1", "score", "Harmonic mean of precision and recall.", term="f1", lead=True)
    ]
    mcc: Annotated[
        Figure,
        Shown(
            "MCC",
            "score",
            "Matthews correlation: 0 is chance, 1 is perfect.",
            term="mcc",
            lead=True,
        ),
    ]
    precision: Annotated[
        Figure, Shown("Precision", "fraction", "Of those called positive.", term="precision")
    ]
    recall: Annotated[
        Figure,
        Shown("Recall", "fraction", "Sensitivity: share of the positives found.", term="recall"),
    ]
    specificity: Annotated[
        Figure | None,
        Shown("Specificity", "fraction", "Share of the negatives left alone.", term="specificity"),
    ]
    negative_predictive_value: Annotated[
        Figure | None, Shown("Negative predictive value", "fraction", "Of those called negative.")
    ]
    balanced_accuracy: Annotated[
        Figure,
        Shown(
            "Balanced accuracy",
            "fraction",
            "Mean of the recalls of all classes.",
            term="balanced-accuracy",
        ),
    ]
    f_beta: Annotated[Figure | None, Shown("F-beta", "score", "Recall counts beta times as much.")]
    kappa: Annotated[Figure, Shown("Cohen's kappa", "score", "Agreement beyond chance.")]
    informedness: Annotated[Figure | None, Shown("Informedness, Youden's J", "score")]
    markedness: Annotated[Figure | None, Shown("Markedness", "score")]
    jaccard: Annotated[Figure | None, Shown("Jaccard", "score")]
    false_positive_rate: Annotated[Figure | None, Shown("False positive rate", "fraction")]
    false_negative_rate: Annotated[Figure | None, Shown("False negative rate", "fraction")]
    positive_likelihood_ratio: Annotated[Figure | None, Shown("Positive likelihood ratio", "score")]
    negative_likelihood_ratio: Annotated[Figure | None, Shown("Negative likelihood ratio", "score")]
    diagnostic_odds_ratio: Annotated[Figure | None, Shown("Diagnostic odds ratio", "score")]
    prevalence: Annotated[Figure | None, Shown("Prevalence", "fraction", "Share of positives.")]
    cases: Annotated[Figure, Shown("Cases", " ")]
    notes: Annotated[Notes | None, Shown("Mind")]
    chart: Annotated[Chart | None, Shown("The matrix")]
    working: Annotated[Working, Shown("The sums, with your numbers")]
    classes: Annotated[Table, Shown("Class by class")]


def _figure(metric: Metric) -> Figure:
    return exact(metric.value, sentence(metric.why) if metric.why else "")


def matrix(report: Report, counts: Counts | None, positive: str, beta: float, note: str) -> Matrix:
    """The panel. `counts` are those of the class `positive`, None (and "") where figures are means
    over the classes; `note` says why.
    """
    cases = sum(map(sum, report.matrix))
    found = confusion.metrics(counts, beta) if counts else {}
    binary = {
        name: _figure(found[name]) if name in found else None
        for name in (
            "specificity",
            "negative_predictive_value",
            "informedness",
            "markedness",
            "jaccard",
            "false_positive_rate",
            "false_negative_rate",
            "positive_likelihood_ratio",
            "negative_likelihood_ratio",
            "diagnostic_odds_ratio",
            "prevalence",
        )
    }
    mean = "The mean over the classes, each alike."
    return Matrix(
        accuracy=exact(report.accuracy),
        precision=_figure(found["precision"]) if found else exact(report.macro.precision, mean),
        recall=_figure(found["recall"]) if found else exact(report.macro.recall, mean),
        f1=_figure(found["f1"]) if found else exact(report.macro.f1, mean),
        mcc=_figure(report.mcc),
        kappa=_figure(report.kappa),
        balanced_accuracy=_figure(found["balanced_accuracy"])
        if found
        else exact(report.balanced_accuracy),
        f_beta=_figure(found["f_beta"]) if found and beta != 1 else None,
        cases=exact(cases),
        notes=_notes(report, found, positive, note),
        chart=_chart(report),
        working=_working(report, counts, found),
        classes=_classes(report),
        **binary,
    )


def _notes(report: Report, found: dict[str, Metric], positive: str, note: str) -> Notes | None:
    notes = [Note(note)] if note else []
    if positive not in ("", POSITIVE):
        notes.append(Note(f"“{positive}” counts as positive."))
    missing: dict[str, list[str]] = {}
    for name in ("precision", "recall", "specificity", "F1", "MCC", "kappa"):
        metric = found.get(name.lower())
        if metric and metric.value is None:
            missing.setdefault(metric.why, []).append(name)
    for why, names in missing.items():
        notes.append(Note(f"Not defined, because {why}: {', '.join(names)}.", "warning"))
    largest = max(map(sum, report.matrix)) / sum(map(sum, report.matrix))
    if largest > max(0.8, report.accuracy):
        text = f"Always naming the largest class would be right in {100 * largest:.1f} % of cases."
        notes.append(Note(text, "warning"))
    return Notes(tuple(notes)) if notes else None


def _chart(report: Report) -> Chart | None:
    if len(report.labels) > DRAWN_CLASSES:
        return None
    cells = [
        (actual, predicted, report.matrix[i][j])
        for i, actual in enumerate(report.labels)
        for j, predicted in enumerate(report.labels)
    ]
    return heatmap(
        "Cases by actual and predicted class", "Predicted", "Actual", Axis("Cases"), cells
    )


def _working(report: Report, counts: Counts | None, found: dict[str, Metric]) -> Working:
    cases = sum(map(sum, report.matrix))
    right = sum(report.matrix[i][i] for i in range(len(report.labels)))
    steps = [Step("Accuracy", f"{right:,} right / {cases:,} cases", digits(report.accuracy))]
    if counts is None:
        classes = len(report.labels)
        for name, key in (("Precision", "precision"), ("Recall", "recall"), ("F1", "f1")):
            terms = [getattr(row, key).value or 0.0 for row in report.classes]
            text = " + ".join(map(digits, terms)) if classes <= 6 else f"sum over {classes} classes"
            steps.append(Step(name, f"({text}) / {classes}", digits(fsum(terms) / classes)))
        return Working((*steps, Step("MCC", "Gorodkin's R, over all classes", _said(report.mcc))))
    tp, fp = counts.true_positives, counts.false_positives
    fn, tn = counts.false_negatives, counts.true_negatives
    products = " × ".join(f"{one:,}" for one in (tp + fp, tp + fn, tn + fp, tn + fn))
    lines = (
        ("Precision", f"{tp:,} / ({tp:,} + {fp:,})", "precision"),
        ("Recall", f"{tp:,} / ({tp:,} + {fn:,})", "recall"),
        ("Specificity", f"{tn:,} / ({tn:,} + {fp:,})", "specificity"),
        ("F1", f"2 × {tp:,} / (2 × {tp:,} + {fp:,} + {fn:,})", "f1"),
        ("MCC", f"({tp:,} × {tn:,} − {fp:,} × {fn:,}) / √({products})", "mcc"),
    )
    steps += [Step(label, text, _said(found[name])) for label, text, name in lines]
    return Working(tuple(steps))


def _said(metric: Metric) -> str:
    return "not defined" if metric.value is None else digits(metric.value)


def _classes(report: Report) -> Table:
    rows: list[tuple[object, ...]] = [
        (row.label, row.support, row.precision.value, row.recall.value, row.f1.value)
        for row in report.classes
    ]
    cases = sum(map(sum, report.matrix))

    def mean(label: str, average: Average) -> tuple[object, ...]:
        return (label, cases, average.precision, average.recall, average.f1)

    rows += [
        mean("Mean of classes (macro)", report.macro),
        mean("Mean of cases (weighted)", report.weighted),
    ]
    columns = (
        Column("Class"),
        Column("Cases", " "),
        Column("Precision", "fraction"),
        Column("Recall", "fraction"),
        Column("F1", "score"),
    )
    return Table(columns, tuple(rows), caption="In means an undefined value counts as 0")
