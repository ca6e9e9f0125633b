"""The page that holds every prediction against what was published."""

from collections.abc import Iterator

from tools import accuracy, print_chart
from tools.printing import Body, prose, template

TITLE = "Accuracy"
LEAD = (
    "Every figure here can be checked. This page holds predictions against what others published, "
    "row by row, each with its source, our misses included."
)


def bodies() -> Iterator[Body]:
    """One page."""
    sections = [
        (section, prose(section.text), print_chart.svg(section.chart.spec) if section.chart else "")
        for section in accuracy.sections()
    ]
    html = template("accuracy.html", title=TITLE, lead=LEAD, sections=sections, root="../")
    yield Body(
        "accuracy",
        TITLE,
        LEAD,
        html,
        group="Learn",
        order=10,
        meta={"hide": ["toc"]},
        sections=tuple((2, section.id, section.title) for section, *_ in sections),
    )
