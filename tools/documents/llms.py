"""`llms.txt`: the site in one Markdown file, for programs that read (see llmstxt.org)."""

from collections.abc import Iterable
from pathlib import Path

from calculators import CALCULATORS
from calculators.kit import Calculator
from tools.printing import Body, plain
from tools.terms import entries

WRITTEN = Path(__file__).parents[2] / "site" / "docs"
ABOUT = """# Weighbridge

> What a language model weighs, where it fits, how fast it runs, what it costs. Calculators written
> in Python that run in the visitor's browser; nothing that is typed leaves the machine.

The query string of a calculator's page is its whole question: `SITE_URL/awq-size/?params=70B`. The
same question on the command line, with Python's standard library alone, answers in JSON:
`python3 -m calculators 'awq-size?params=70B' --json`. An output is `{"value", "unit", "basis"}`;
basis is exact (counted), measured (published by somebody), modelled (a formula with a stated error)
or given. Bare sizes are bytes; GB is 10^9 and GiB is 2^30. A model's weights are counted tensor by
tensor: `parameters x bits / 8` is too small for quantized models, whose embeddings and output heads
mostly stay in 16 bits.
"""
CLOSING = """
## Data

- [Facts as JSON and CSV](SITE_URL/data/): CC BY 4.0, each row with source and date.
"""


def bodies() -> Iterable[Body]:
    """No page: the file is for programs."""
    return ()


def files(site_url: str, made: Iterable[Body]) -> dict[str, bytes]:
    """The file, in the order of the menu."""
    others = [body for body in made if body.group and not body.calculator]
    lines = [ABOUT, "## Calculators", ""]
    lines += [_calculator(calculator) for calculator in CALCULATORS.values()]
    lines += ["", "## Pages", ""]
    lines += [f"- [{body.title}](SITE_URL/{body.path}/): {body.description}" for body in others]
    lines += [_guide(path) for path in sorted(WRITTEN.rglob("*.md")) if path.stem != "index"]
    lines += ["", "## Glossary", ""]
    lines += [
        f"- [{entry.title}](SITE_URL/glossary/{entry.id}/): {entry.means}"
        for entry in entries().values()
    ]
    return {"llms.txt": ("\n".join(lines) + "\n" + CLOSING).replace("SITE_URL/", site_url).encode()}


def _guide(path: Path) -> str:
    """A hand-written page: its heading, and its first paragraph."""
    title, lead = path.read_text(encoding="utf-8").split("\n\n")[:2]
    place = path.relative_to(WRITTEN).with_suffix("").as_posix()
    return f"- [{title.removeprefix('# ')}](SITE_URL/{place}/): {plain(lead)}"


def _calculator(calculator: Calculator) -> str:
    page, slug = calculator.page, calculator.slug
    inputs = ", ".join(f"`{name}`" for name in calculator.defaults)
    outputs = ", ".join(f"`{name}`" for name in calculator.shown)
    about = plain(page.description, slug)
    place = f"{calculator.path}/" if calculator.path else ""
    return f"- [{page.title}](SITE_URL/{place}): {about} Inputs: {inputs}. Outputs: {outputs}."
