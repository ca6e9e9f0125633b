"""A page for each model of the catalogue, and the list of them."""

from collections.abc import Iterable

from calculators.facts.catalogue import models
from tools.documents.models.index import listing
from tools.documents.models.page import page_of
from tools.printing import Body


def bodies() -> Iterable[Body]:
    """The list, then a page each."""
    yield listing()
    for model in models():
        yield page_of(model)
