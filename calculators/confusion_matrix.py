"""Metrics of a classifier from its confusion matrix: four counts, or pairs of labels."""

from functools import lru_cache
from typing import Annotated

from calculators.common.confusion_panel import NEGATIVE, POSITIVE, Matrix, matrix
from calculators.common.pasted import refused_at, sentence
from calculators.kit import Example, Field, Page, Pasted, Quantity, Question, Refused, Source, Text
from calculators.maths.metrics import confusion
from calculators.maths.metrics.confusion import MAX_COUNT, Counts, Report
from calculators.maths.metrics.pasted import label_pairs, positive_class


def _count(label: str, help: str, default: str) -> Field:
    quantity = Quantity("", 0, MAX_COUNT, whole=True, examples="412")
    return Field(label, quantity, help, excludes=("labels",), placeholder=default, default=default)


def calculate(
    tp: Annotated[
        int | None, _count("True positives", "Positive, and called so. Made up here.", "412")
    ] = None,
    fp: Annotated[
        int | None, _count("False positives", "Negative, but called positive.", "38")
    ] = None,
    fn: Annotated[
        int | None, _count("False negatives", "Positive, but called negative.", "61")
    ] = None,
    tn: Annotated[int | None, _count("True negatives", "Negative, and called so.", "489")] = None,
    labels: Annotated[
        str | None,
        Field(
            "or pairs of labels",
            Pasted(),
            "Actual, then predicted, one case to a line. Any number of classes.",
            excludes=("tp", "fp", "fn", "tn"),
            placeholder="spam,ham",
            term="confusion-matrix",
        ),
    ] = None,
    positive: Annotated[
        str | None,
        Field(
            "Positive label",
            Text(),
            "Of pasted labels. Empty: the known half of a pair such as yes and no, else none.",
            placeholder="spam",
            advanced=True,
        ),
    ] = None,
    beta: Annotated[
        float,
        Field(
            "Beta",
            Quantity("", 0.01, 100),
            "Of F-beta: 2 weighs recall more, 0.5 precision.",
            advanced=True,
        ),
    ] = 1,
) -> Matrix:
    """Accuracy, precision, recall, specificity, F1, MCC and the rest, from counts or from labels.

    A confusion matrix counts cases by what they are and what they were called. Every metric here is a
    ratio of those counts, and each answers another question: precision, whether an alarm can be
    believed; recall, what is missed; MCC, how much better than chance both classes are told apart.
    Where a ratio has nothing below the line it is shown as a dash with the reason, not as 0.
    """
    if labels is not None:
        report, chosen, note = _of_labels(labels, positive)
    else:
        if positive is not None:
            raise Refused("This is for pasted labels: paste some, or clear this.", "positive")
        report, chosen, note = _of_counts(tp, fp, fn, tn), POSITIVE, ""
    counts = report.counts(chosen) if chosen else None
    return matrix(report, counts, chosen, beta, note)


def _of_counts(tp: int | None, fp: int | None, fn: int | None, tn: int | None) -> Report:
    typed = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    found = {name: count for name, count in typed.items() if count is not None}
    for name in typed:
        if name not in found:
            raise Refused("This count is needed too; type 0 if there are none.", name)
    with refused_at("tp"):
        counts = Counts(found["tp"], found["fp"], found["fn"], found["tn"])
    rows = (
        (counts.true_positives, counts.false_negatives),
        (counts.false_positives, counts.true_negatives),
    )
    return confusion.from_matrix((POSITIVE, NEGATIVE), rows)


@lru_cache(1)
def _report(labels: str) -> Report:
    """Kept for the next keystroke, which is mostly in another field."""
    return confusion.report(label_pairs(labels))


def _of_labels(labels: str, positive: str | None) -> tuple[Report, str, str]:
    """The report, the positive class or "", and why there is none."""
    with refused_at("labels"):
        report = _report(labels)
    if len(report.labels) > 2 and positive is None:
        return report, "", "Several classes: precision, recall and F1 are means over the classes."
    try:
        return report, positive_class(report.labels, positive), ""
    except ValueError as mistake:
        if positive is not None and positive in report.labels:
            return report, positive, ""
        if positive is not None:
            raise Refused(sentence(str(mistake)), "positive") from None
        note = f"{sentence(str(mistake))} Until then figures are means over the classes."
        return report, "", note


SENTIMENT = "tp=412&fp=38&fn=61&tn=489"
IMAGES = "tp=46&fp=9&fn=4&tn=941"
PAGE = Page(
    title="Confusion matrix calculator",
    description="Accuracy, precision, recall, specificity, F1, MCC, kappa and more from four counts "
    "or from pasted labels of any number of classes, with the matrix drawn and every sum shown.",
    group="Metrics",
    order=81,
    keywords=("confusion matrix", "precision", "recall", "F1 score", "MCC", "specificity"),
    how_to=(
        "Type the four counts. Or clear them and paste labels: the actual one, then the predicted "
        "one, a case to a line, from a spreadsheet or a CSV file.",
        "With labels, say which one is positive if the page cannot know; with more than two classes "
        "leave it empty for means over the classes.",
        "Read the metrics; each dash says why there is no value.",
    ),
    why=(
        "With rare positives accuracy says little: in the image example it is "
        f"[[?{IMAGES}#accuracy]], and still one alarm in six is false (precision "
        f"[[?{IMAGES}#precision]]).",
        "Undefined metrics stay undefined. Tools that print 0 make a classifier look bad that was "
        "never tested on positives.",
        "Your labels stay in this page.",
    ),
    assumes=(
        "Rows of the matrix are actual classes, columns predicted ones.",
        "Values agree with scikit-learn, by tests on random matrices; where it warns and returns 0, "
        "here is a dash. In macro means an undefined value counts as 0, as `zero_division=0` does.",
        "The counts in the form and in the examples are made up.",
    ),
    examples=(
        Example(
            "Sentiment analysis",
            SENTIMENT,
            {"accuracy": 0.901, "precision": 412 / 450, "recall": 412 / 473, "f1": 824 / 923},
        ),
        Example(
            "Images: defect or not",
            IMAGES,
            {"accuracy": 0.987, "recall": 0.92, "precision": 46 / 55},
        ),
        Example(
            "Three classes, pasted",
            "labels=actual,predicted%0Acat,cat%0Acat,cat%0Acat,dog%0Adog,dog%0Adog,dog%0Adog,cat"
            "%0Abird,bird%0Abird,dog%0Abird,bird%0Abird,bird",
            {"accuracy": 0.7, "cases": 10},
        ),
        Example(
            "Pasted yes and no",
            "labels=yes,yes%0Ayes,no%0Ano,no%0Ano,no%0Ano,yes%0Ayes,yes",
            {"precision": 2 / 3, "recall": 2 / 3, "specificity": 2 / 3},
        ),
        Example("No positives at all", "tp=0&fp=3&fn=0&tn=97", {"recall": None, "accuracy": 0.97}),
    ),
    questions=(
        Question(
            "Precision or recall?",
            "Precision is what you want when acting on an alarm is expensive, recall when missing "
            "one is. A threshold trades one for the other; the [threshold page]"
            "(../threshold-cost/) finds the cutoff that costs least.",
        ),
        Question(
            "Why is accuracy misleading for rare classes?",
            "Calling everything negative is right as often as negatives are common. In the image "
            f"example 95 % are negative, so an accuracy of [[?{IMAGES}#accuracy]] is less than it "
            f"seems; MCC is [[?{IMAGES}#mcc]].",
        ),
        Question(
            "F1 or MCC?",
            "F1 ignores true negatives and depends on which class you call positive. MCC uses all "
            "four counts and is the same whichever class is positive. For two classes that both "
            "matter, prefer MCC.",
        ),
        Question(
            "What is a good MCC?",
            "0 is what guessing reaches, 1 is perfect, below 0 is worse than guessing. It is a "
            f"correlation: the sentiment example has [[?{SENTIMENT}#mcc]]. There is no threshold "
            "for good; compare classifiers on the same data.",
        ),
        Question(
            "Macro, micro or weighted?",
            "Macro takes the mean over classes, so that rare ones count as much as common ones. "
            "Weighted counts each class by its cases. Micro counts all cases alike, and for one "
            "label per case that is accuracy.",
        ),
        Question(
            "Why is a value missing?",
            "It would be a division by zero. Without positive cases there is no recall; with nothing "
            "called positive there is no precision. Point at the badge to read which it is.",
        ),
    ),
    sources=(
        Source(
            "Powers, Evaluation: from precision, recall and F-measure to ROC, informedness, "
            "markedness and correlation",
            "https://arxiv.org/abs/2010.16061",
        ),
        Source(
            "Chicco and Jurman, The advantages of MCC over F1 score and accuracy",
            "https://doi.org/10.1186/s12864-019-6413-7",
        ),
        Source(
            "Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient",
            "https://doi.org/10.1016/j.compbiolchem.2004.09.006",
        ),
        Source(
            "scikit-learn, model evaluation",
            "https://scikit-learn.org/stable/modules/model_evaluation.html",
        ),
    ),
    code=(confusion.metrics, confusion.report),
)
