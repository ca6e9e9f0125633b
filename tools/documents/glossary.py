"""The glossary: a page for each term, and the list of them."""

from collections.abc import Iterable
from functools import cache

from calculators import CALCULATORS
from calculators.kit import Calculator, Choice, Link, Pick, Switch
from calculators.kit.calculator import Parameter, read_query
from calculators.kit.outputs import Output
from tools.cards import Card
from tools.documents import folklore
from tools.printing import Body, ask, plain, template
from tools.terms import Entry, entries, subjects, users

FOLDER = "glossary"
ROOT = "../../"  # from an entry's page
TRAIL = (Link("Weighbridge", ""), Link("Glossary", FOLDER))
HIDDEN = {"hide": ["navigation", "toc"]}
SHORT = 90  # characters; a definition below that has room for a second sentence in a search result


def bodies() -> Iterable[Body]:
    """The list, then a page each."""
    yield _index()
    ordered = list(entries().values())
    for before, entry, after in zip([None, *ordered], ordered, [*ordered[1:], None], strict=False):
        yield _page(entry, before, after)


def _index() -> Body:
    return Body(
        FOLDER,
        "Glossary",
        "Terms of quantized language models, explained for people who deploy them: formats, "
        "memory, attention, speed and metrics, with sources and the calculators that compute them.",
        template("glossary.html", subjects=subjects()),
        group="Learn",
        order=80,
        sections=tuple((2, subject.id, subject.title) for subject in subjects()),
        schema="DefinedTermSet",
    )


def _page(entry: Entry, before: Entry | None, after: Entry | None) -> Body:
    slug, _, query = entry.live.partition("?")
    answer = ask(slug, query) if slug else None
    leads = [output for output in answer.outputs if output.shown.lead] if answer else []
    html = template(
        "entry.html",
        entry=entry,
        subject=next(subject for subject in subjects() if entry in subject.entries),
        leads=leads,
        live=_question(entry.live) if entry.live else None,
        slug=slug,
        query=query,
        terms={name: entries()[name].means for name in _marked(leads)},
        asks=[_question(asked) for asked in entry.asks if asked != entry.live],
        users=[Link(one.page.title, one.path) for one in _further(entry)],
        measured=[_sayings()[name] for name in entry.measured],
        see=[entries()[name] for name in entry.see],
        before=before,
        after=after,
        trail=TRAIL,
        root=ROOT,
    )
    return Body(
        f"{FOLDER}/{entry.id}",
        entry.title,
        _description(entry),
        html,
        meta=HIDDEN | {"title": f"{entry.title}: meaning, figures, sources"},
        card=Card(entry.title, entry.means),
        schema="DefinedTerm",
    )


def _marked(leads: Iterable[Output]) -> Iterable[str]:
    """The terms that figures are labelled with."""
    return filter(None, (output.shown.term for output in leads))


def _description(entry: Entry) -> str:
    said = f"{entry.title}: {entry.means}"
    if len(entry.means) < SHORT:
        said += f" {plain(entry.matters).partition('. ')[0].removesuffix('.')}."
    return said


def _further(entry: Entry) -> Iterable[Calculator]:
    """The calculators that name the term and that the entry does not ask anyway."""
    asked = {question.partition("?")[0] for question in entry.asks}
    return (one for one in users().get(entry.id, ()) if one.slug not in asked and one.path)


@cache
def _sayings() -> dict[str, folklore.Saying]:
    return {saying.id: saying for saying in folklore.sayings()}


# --- A question in words. ---


def _question(asked: str) -> tuple[Link, str]:
    """The calculator with the question in it, and what is asked: "Llama 3.1 70B · L40S"."""
    slug, _, query = asked.partition("?")
    calculator = CALCULATORS[slug]
    given = read_query(query)
    said = [_said(one, given[one.name]) for one in calculator.parameters if one.name in given]
    return Link(calculator.page.title, f"{calculator.path}?{query}"), " · ".join(said)


def _said(parameter: Parameter, text: str) -> str:
    field = parameter.field
    if isinstance(field.input, Pick):
        named = {option.value: option.label for option in field.input.options()}
        return named.get(text, text)
    if isinstance(field.input, Choice):
        return dict(field.input.options).get(text, text)
    if isinstance(field.input, Switch):
        text = "yes" if text == "true" else "no"
    return f"{field.label.lower()} {text}"
