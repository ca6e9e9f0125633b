"""A page for each accelerator of the catalogue, and the list of them."""

from collections.abc import Iterable

from calculators.facts.catalogue import gpus
from tools.documents.gpus.index import listing
from tools.documents.gpus.page import page_of
from tools.printing import Body


def bodies() -> Iterable[Body]:
    """The list, then a page each."""
    yield listing()
    for gpu in gpus():
        yield page_of(gpu)
