"""Pasted tables as people have them: what is read, and what is refused in plain words."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculators.maths.metrics import confusion, pasted, roc, silhouette, tables

SCORED = ([0.9, 0.2, 0.5], b"\1\0\1")


@pytest.mark.parametrize(
    "text",
    [
        "0.9,1\n0.2,0\n0.5,1",
        "score,label\n0.9,1\n0.2,0\n0.5,1\n",
        "label,score\n1,0.9\n0,0.2\n1,0.5",
        "y_true\tscore\nyes\t0.9\nno\t0.2\nyes\t0.5",
        "0,9;1\n0,2;0\n0,5;1",
        "0,9 spam\n0,2 ham\n0,5 spam",
        "0.9 , True\n0.2 , False\n\n 0.5 , True",
        '"score","label"\r\n"0.9","pos"\r\n"0.2","neg"\r\n"0.5","pos"\r\n',
        "id,score,label\n7,0.9,1\n8,0.2,0\n9,0.5,1",
        "| 0.9 | 1 |\n| 0.2 | -1 |\n| 0.5 | 1 |",
        "\ufeff0.9  1\n0.2  0\n0.5  1",
        "| score | label |\n|:---|---:|\n| 0.9 | 1 |\n| 0.2 | 0 |\n| 0.5 | 1 |",
        "0.9;1;\n0.2;0;\n0.5;1;",
    ],
)
def test_scores_are_read_as_people_paste_them(text: str) -> None:
    assert pasted.scored_labels(text) == SCORED


@pytest.mark.parametrize(
    ("text", "stated", "message"),
    [
        ("", None, "nothing to read"),
        ("score,label\n", None, "no row under"),
        ("0.9,1\n0.2,0,3", None, "line 2: 3 columns, but line 1 has 2"),
        ("0.9,1\n\nx,0\n0.1,1", None, "line 3: 'x' is not a finite number"),
        ("0.9,1\nnan,0", None, "line 2: 'nan'"),
        ("0.9,1\n-inf,0", None, "line 2: '-inf'"),
        ("1e400,1\n0.2,0", None, "line 1: '1e400'"),
        ("0.9,cat\n0.2,dog", None, "which label is the positive class: cat, dog"),
        ("0.9,cat\n0.2,dog", "cow", "'cow' is not among the labels cat, dog"),
        ("0.9,a\n0.2,b\n0.3,c", None, "3 labels, two are wanted"),
        ("0.9,1\n0.3,1\n0.4,1", None, "every label is '1'"),
        ("1,234\t1\n2,345\t0", None, "line 1: is the comma decimal"),
        ("1,0\n0,1\n1,1", None, "which column holds the labels"),
        # begins like labels, and is none
        (
            "\n".join(f"{i % 2 if i < 60 else i / 400},{2 + i % 2}" for i in range(200)),
            None,
            "which column holds the labels",
        ),
        ('0.9,"yes\n0.2,no', None, "quotation mark"),
        ("0.9\n0.2", None, "1 columns; two are wanted"),
    ],
)
def test_bad_scores_name_the_line_and_the_remedy(
    text: str, stated: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pasted.scored_labels(text, stated)


def test_a_stated_positive_class_is_taken_in_any_case() -> None:
    assert pasted.scored_labels("0.9,Cat\n0.2,Dog\n0.5,Cat", "cat") == SCORED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spam,ham\nham,ham", (["spam", "ham"], ["ham", "ham"])),
        ("actual,predicted\nspam,ham\nham,ham", (["spam", "ham"], ["ham", "ham"])),
        ("predicted,actual\nham,spam\nham,ham", (["spam", "ham"], ["ham", "ham"])),
        ("true,false\ntrue,true", (["true", "true"], ["false", "true"])),
        ("'not spam' spam\n'not spam' 'not spam'", (["not spam"] * 2, ["spam", "not spam"])),
    ],
)
def test_label_pairs_are_read(text: str, expected: tuple[list[str], list[str]]) -> None:
    assert pasted.label_pairs(text) == Counter(zip(*expected, strict=True))


CELLS = st.sampled_from(
    ["0.5", "1", "0,5", "1,234", "spam", "not spam", '"ham"', "", "é", " x", "\xa0"]
)
PARTS = st.sampled_from([",", ";", "\t", " ", ", "])


@given(st.integers(1, 3), PARTS, st.lists(CELLS, min_size=1, max_size=24), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_tidy_paste_is_read_as_line_by_line(
    width: int, part: str, cells: list[str], ragged: bool
) -> None:
    rows = [cells[i : i + width] for i in range(0, len(cells), width)]
    if not ragged:
        rows = [row for row in rows if len(row) == width] or [cells]
    text = "\n".join(map(part.join, rows))
    with pytest.MonkeyPatch.context() as patch:
        quick = read_or_refusal(text)
        patch.setattr(tables, "_tidy", lambda text: None)
        assert quick == read_or_refusal(text)


def read_or_refusal(text: str) -> object:
    try:
        found = tables.read(text)
    except ValueError as refusal:
        return str(refusal)
    return found.header, list(map(list, found.columns)), list(found.lines), found.decimal_comma


@given(st.lists(st.sampled_from(["a,b", "b,b", "a, a", "", "b,a"]), min_size=60, max_size=90))
@settings(max_examples=40, deadline=None)
def test_repeated_lines_count_as_often_as_they_stand(lines: list[str]) -> None:
    pairs = [line.replace(" ", "").split(",") for line in lines if line]
    assert pasted.label_pairs("\n".join(lines)) == Counter((a, b) for a, b in pairs)


def test_a_wrong_line_among_repeated_ones_is_named() -> None:
    with pytest.raises(ValueError, match="line 203: 1 columns"):
        pasted.label_pairs("a,b\nb,b\n" * 101 + "a\n" + "a,a\n" * 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,0.5\n1,1", ([0, 1], [0.5, 1], None)),
        ("tpr,fpr\n0.5,0\n1,1", ([0, 1], [0.5, 1], None)),
        ("threshold,fpr,tpr\n0.7,0,0.5\n0.1,1,1", ([0, 1], [0.5, 1], [0.7, 0.1])),
    ],
)
def test_operating_points_are_read(text: str, expected: tuple[Any, ...]) -> None:
    assert pasted.operating_points(text) == expected


def test_a_percentage_is_told_from_a_rate() -> None:
    with pytest.raises(ValueError, match="line 2: 85 is not a rate from 0 to 1; write percentages"):
        pasted.operating_points("0,0\n0.2,85")


@pytest.mark.parametrize(
    ("text", "points", "clusters"),
    [
        ("1,2,a\n3,4,b", [(1, 2), (3, 4)], ["a", "b"]),
        ("a 1 2\nb 3 4", [(1, 2), (3, 4)], ["a", "b"]),
        ("x;y;cluster\n1,5;2;0\n3;4;1", [(1.5, 2), (3, 4)], ["0", "1"]),
    ],
)
def test_clusters_are_read(text: str, points: list[list[float]], clusters: list[str]) -> None:
    read = pasted.labelled_points(text)
    assert (read[0], list(read[1])) == (points, clusters)


SCRAPS = st.sampled_from([*"01.,;|\t\n \"'-eE", "\r\n", "yes", "no", "score", "nan", "é", "\x00"])


@given(st.lists(SCRAPS, max_size=30).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_paste_is_read_or_refused_in_words(text: str) -> None:
    readers = (
        lambda: confusion.report(pasted.label_pairs(text)),
        lambda: roc.curve_from_scores(*pasted.scored_labels(text)),
        lambda: roc.curve_from_points(*pasted.operating_points(text)),
        lambda: silhouette.silhouettes(*pasted.labelled_points(text)),
    )
    for reader in readers:
        with suppress(ValueError):  # a refusal; any other exception fails
            reader()
