"""What each calculator reads from a paste: label pairs, scored labels, operating points, clusters.

Columns are found by their header, else by what they hold; doubt is a ValueError that says how to
remove it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from heapq import nsmallest
from itertools import repeat
from operator import eq

from calculators.maths.metrics.silhouette import MAX_POINTS, check_size
from calculators.maths.metrics.tables import MAX_ROWS, SAMPLE, Table, is_number, read

SCORE_NAMES = ("score", "scores", "probability", "prob", "proba", "p", "y_score", "confidence")
LABEL_NAMES = ("label", "labels", "class", "target", "y", "y_true", "actual", "truth", "outcome")
ACTUAL_NAMES = (*LABEL_NAMES, "true label", "gold", "reference", "expected")
PREDICTED_NAMES = ("predicted", "prediction", "predictions", "pred", "y_pred", "predicted label")
CLUSTER_NAMES = ("cluster", "clusters", "group", "label", "labels", "class")
FPR_NAMES = ("fpr", "false positive rate", "1-specificity", "1 - specificity", "x")
TPR_NAMES = ("tpr", "true positive rate", "sensitivity", "recall", "y")

_POSITIVE_OF = {
    frozenset(pair): pair[0]
    for pair in (
        ("1", "0"),
        ("1", "-1"),
        ("+1", "-1"),
        ("1.0", "0.0"),
        ("true", "false"),
        ("t", "f"),
        ("positive", "negative"),
        ("pos", "neg"),
        ("yes", "no"),
        ("y", "n"),
        ("spam", "ham"),
        ("spam", "not spam"),
        ("fraud", "legit"),
        ("sick", "healthy"),
        ("defect", "ok"),
        ("fail", "pass"),
    )
}


def positive_class(labels: Iterable[str], stated: str | None = None) -> str:
    """The label that counts as positive: `stated`, or the known half of a pair such as spam/ham.

    Raises ValueError when there are more than two labels, or two whose meaning is not known.
    """
    found = set(labels)
    wanted = (stated or "").strip()
    if wanted in found:
        return wanted
    if not wanted and len(found) > 2:
        raise ValueError(f"{len(found):,} labels, two are wanted: {_few(found)}")
    by_name = {label.lower(): label for label in sorted(found)}
    if wanted:
        if wanted.lower() not in by_name:
            raise ValueError(f"the positive class {wanted!r} is not among the labels {_few(found)}")
        return by_name[wanted.lower()]
    matches = {p for pair, p in _POSITIVE_OF.items() if by_name.keys() <= pair}
    if len(by_name) == 2 and len(matches) == 1:
        return by_name[matches.pop()]
    if len(found) == 1:
        raise ValueError(f"every label is {found.pop()!r}; both classes are needed")
    raise ValueError(f"say which label is the positive class: {_few(found)}")


def _few(labels: Collection[str]) -> str:
    return ", ".join(nsmallest(6, labels)) + (" ..." if len(labels) > 6 else "")


def label_pairs(text: str) -> Counter[tuple[str, str]]:
    """How often each pair of an actual and a predicted label stands in a two-column paste; a header
    may swap the columns.

    Of 100,000 lines few are different, and only those are read; where one cannot be, all are, for
    the number of its line.
    """
    lines = text.splitlines()
    repeated = Counter(lines[SAMPLE:])
    if len(lines) > MAX_ROWS:
        return _pairs(text, [1] * len(lines))
    try:
        return _pairs(
            "\n".join([*lines[:SAMPLE], *repeated]), [*repeat(1, SAMPLE), *repeated.values()]
        )
    except ValueError:
        return _pairs(text, [1] * len(lines))


def _pairs(text: str, times: Sequence[int]) -> Counter[tuple[str, str]]:
    """The pairs of a paste whose lines count so many times each."""
    table = read(text, PREDICTED_NAMES)
    if table.width != 2:
        raise ValueError(f"line {table.lines[0]}: {table.width} columns, two are wanted")
    predicted = table.named(*PREDICTED_NAMES)
    actual = table.named(*ACTUAL_NAMES)
    swapped = predicted == 0 or (predicted is None and actual == 1)
    for column in table.columns:
        if "" in column:
            raise ValueError(f"line {table.lines[column.index('')]}: a label is missing")
    first, second = reversed(table.columns) if swapped else table.columns
    found: Counter[tuple[str, str]] = Counter()
    for line, *pair in zip(table.lines, first, second, strict=True):
        found[pair[0], pair[1]] += times[line - 1]
    return found


def scored_labels(text: str, positive: str | None = None) -> tuple[list[float], bytes]:
    """Scores, and for each 1 if it is of the positive class, else 0; the label column is found by
    its header, else by holding words, else by holding 0 and 1 (or -1 and 1) only.
    """
    table = read(text, (*SCORE_NAMES, *LABEL_NAMES))
    label, score = table.named(*LABEL_NAMES), table.named(*SCORE_NAMES)
    if label is None or score is None or label == score:
        if table.width != 2:
            raise ValueError(
                f"line {table.lines[0]}: {table.width} columns; two are wanted, or a header line "
                "with the names score and label"
            )
        label = _label_column(table)
        score = 1 - label
    labels = table.columns[label]
    kinds = set(labels)
    chosen = positive_class(kinds, positive)
    if all(len(kind) == 1 and kind.isascii() for kind in kinds):  # 100,000 compared at once
        is_chosen = bytes(chr(code) == chosen for code in range(256))
        return table.numbers(score), "".join(labels).encode().translate(is_chosen)
    return table.numbers(score), bytes(map(eq, labels, repeat(chosen)))


def _label_column(table: Table) -> int:
    named = table.named(*LABEL_NAMES)
    scored = table.named(*SCORE_NAMES)
    if named is not None:
        return named
    if scored is not None:
        return 1 - scored
    words = [i for i in (0, 1) if _is_word(table.columns[i][0])]
    classes = words or [i for i in (0, 1) if _known_pair(table.columns[i])]
    if len(classes) == 1:
        return classes[0]
    raise ValueError(
        "which column holds the labels? Put a header line above: score,label or label,score"
    )


def _is_word(cell: str) -> bool:
    """Neither a number nor one that went wrong: nan and inf are scores to complain about."""
    return not is_number(cell.replace(",", ".")) and not re.fullmatch(
        r"(?i)[-+\d.e]*|.?(nan|inf)", cell
    )


def _known_pair(cells: Sequence[str]) -> bool:
    def known(values: set[str]) -> bool:
        return any(values <= pair for pair in _POSITIVE_OF)

    return known(set(cells[:SAMPLE])) and known(set(cells))  # most columns show it at once


def operating_points(text: str) -> tuple[list[float], list[float], list[float] | None]:
    """FPR, TPR and, where there is a third column, thresholds."""
    table = read(text, (*FPR_NAMES, *TPR_NAMES))
    if table.width not in (2, 3):
        raise ValueError(
            f"line {table.lines[0]}: {table.width} columns; FPR and TPR are wanted, and a threshold"
            " if you have it"
        )
    fpr, tpr = table.named(*FPR_NAMES), table.named(*TPR_NAMES)
    if fpr is None or tpr is None or fpr == tpr:
        fpr, tpr = 0, 1
    for index in (fpr, tpr):
        _check_rates(table, index)
    rest = {0, 1, 2} - {fpr, tpr}
    thresholds = table.numbers(rest.pop()) if table.width == 3 else None
    return table.numbers(fpr), table.numbers(tpr), thresholds


def _check_rates(table: Table, index: int) -> None:
    for line, rate in zip(table.lines, table.numbers(index), strict=True):
        if not 0 <= rate <= 1:
            hint = "; write percentages as fractions" if 1 < rate <= 100 else ""
            raise ValueError(f"line {line}: {rate:g} is not a rate from 0 to 1{hint}")


def labelled_points(text: str) -> tuple[list[tuple[float, ...]], Sequence[str]]:
    """Points and their clusters. The cluster column is the one that a header names so, else the
    only one with words in it, else the last.

    More points than silhouettes are computed of are refused before they are read.
    """
    lines = text.splitlines()
    if len(lines) > MAX_POINTS:
        filled = list(filter(str.strip, lines))
        head = read("\n".join(filled[:SAMPLE]), CLUSTER_NAMES)
        above = len(filled[:SAMPLE]) - len(head.lines)  # a header, the rule of a Markdown table
        check_size(len(filled) - above, max(1, head.width - 1))
    table = read(text, CLUSTER_NAMES)
    if table.width < 2:
        raise ValueError("coordinates and a cluster are wanted: two columns or more")
    at = table.named(*CLUSTER_NAMES)
    if at is None:
        words = [i for i in range(table.width) if not table.is_numeric(i)]
        at = words[0] if len(words) == 1 else table.width - 1
    columns = [table.numbers(i) for i in range(table.width) if i != at]
    return list(zip(*columns, strict=True)), table.columns[at]
