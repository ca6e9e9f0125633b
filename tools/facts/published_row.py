"""A row of `published.json`, whoever gathered it."""

from dataclasses import dataclass

from calculators.facts import Row


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published size; the file's own words on its keys are in `published.ABOUT`."""

    name: str
    repo: str | None
    model: str | None = None
    config: Row | None = None
    format: str
    variant: str
    recipe: str | None
    bytes: int | None = None
    range_bytes: list[int] | None = None
    counts: str
    what: str
    size_text: str
    unit_note: str
    tensor_parallel: int | None = None
    note: str | None = None
    trust: str
    citable: bool | None = None
    unmatched: str | None = None
    explanation: str | None = None
    source: str

    def row(self) -> Row:
        """What is known of it, in this order."""
        return {key: value for key, value in vars(self).items() if value is not None}
