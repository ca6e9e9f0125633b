"""Metrics of classifiers and clusterings: pasted text -> numbers -> answers.

    tables.py      pasted text -> columns; every complaint names the line
    pasted.py      columns -> what each calculator reads
    confusion.py   counts or label pairs -> accuracy, precision, recall, F1, MCC ...
    corners.py     sorted scores -> pairs won, corners of the curve, the cheapest among them
    roc.py         scores and labels, or (FPR, TPR) points -> curve, area, Youden point
    threshold.py   a curve and two costs -> the cutoff of least expected cost
    silhouette.py  points and clusters -> a, b, s

A value that cannot be computed is `None` with its reason; input that cannot be meant is a
`ValueError` in plain words. Values agree with scikit-learn, which only the tests import.
"""
