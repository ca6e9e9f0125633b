"""A module with `calculate` and `PAGE` becomes a calculator: its form, its codec, its answers."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any, TypeVar, get_type_hints
from urllib.parse import unquote, urlencode

from calculators.kit.inputs import Field, Refused
from calculators.kit.outputs import Output, Shown
from calculators.kit.page import Page

Declared = TypeVar("Declared")
LONGEST_QUERY = 5_000_000  # characters; pasted data travels in the query too
LONGEST_KEPT = 50_000  # characters; a longer text is read again while another field is typed into
TEXTS_KEPT = 8  # of each field


@dataclass(frozen=True)
class Parameter:
    """One input: the argument of `calculate`, its declaration, its default as text ("" if none)."""

    argument: str
    field: Field
    default: str

    @cached_property
    def name(self) -> str:
        """What URLs call it: an argument that would be a keyword of Python, `from_`, is `from`."""
        return self.argument.removesuffix("_")

    def parse(self, text: str) -> Any:
        """What `text` means; `Refused` when it means nothing."""
        return (self.field.input.parse if len(text) > LONGEST_KEPT else self._kept)(text)

    @cached_property
    def _kept(self) -> Callable[[str], Any]:
        return lru_cache(maxsize=TEXTS_KEPT)(self.field.input.parse)


@dataclass(frozen=True)
class Answer:
    """What was asked and what came out. With `errors` there are no outputs.

    `offers`: beside an error, by its field, the input that would help: name, text and label.
    """

    slug: str
    query: str
    outputs: tuple[Output, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    offers: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of the output of that name."""
        return next(output.value for output in self.outputs if output.name == name)

    def plain(self) -> dict[str, Any]:
        """As JSON data: slug, query, outputs, errors."""
        return {
            "slug": self.slug,
            "query": self.query,
            "outputs": {output.name: output.plain() for output in self.outputs},
            "errors": self.errors,
        }


@dataclass(frozen=True)
class Calculator:
    """A calculator, read off its module."""

    slug: str
    module: ModuleType = field(repr=False)

    @classmethod
    def of(cls, module: ModuleType) -> "Calculator":
        return cls(module.__name__.rpartition(".")[2].replace("_", "-"), module)

    @property
    def page(self) -> Page:
        page = self.module.PAGE
        if not isinstance(page, Page):
            raise TypeError(f"{self.slug}: PAGE is not a Page")
        return page

    @property
    def path(self) -> str:
        """Where its page stands below the site's root: its slug, or "" for the first page."""
        return "" if self.page.at_root else self.slug

    @property
    def root(self) -> str:
        """The way from its page to the site's root."""
        return "./" if self.page.at_root else "../"

    @cached_property
    def lead(self) -> str:
        """The docstring of `calculate`: its first paragraph."""
        return inspect.cleandoc(self.module.calculate.__doc__ or "").partition("\n\n")[0]

    @cached_property
    def about(self) -> str:
        """The docstring of `calculate` behind its first paragraph."""
        return inspect.cleandoc(self.module.calculate.__doc__ or "").partition("\n\n")[2]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        hints = get_type_hints(self.module.calculate, include_extras=True)
        found = []
        for name, parameter in inspect.signature(self.module.calculate).parameters.items():
            declared = _metadata(hints[name], Field)
            default = parameter.default
            if default is inspect.Parameter.empty:
                raise TypeError(f"{self.slug}: the input {name!r} has no default")
            text = declared.default if default is None else declared.input.write(default)
            found.append(Parameter(name, declared, text))
        return _both_ways(found)

    @cached_property
    def shown(self) -> dict[str, Shown]:
        """The outputs that `calculate` may return, by name."""
        result = get_type_hints(self.module.calculate)["return"]
        hints = get_type_hints(result, include_extras=True)
        return {item.name: _metadata(hints[item.name], Shown) for item in fields(result)}

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The form as it opens: every input's text."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def form(self, query: str) -> dict[str, str]:
        """The form that `query` fills: asked values, else defaults, each excluded one empty."""
        return self._fill(read_query(query))

    def _fill(self, asked: dict[str, str]) -> dict[str, str]:
        form = {**self.defaults, **{name: asked[name] for name in self.defaults if name in asked}}
        for parameter in self.parameters:
            if asked.get(parameter.name, "").strip():
                for other in parameter.field.excludes:
                    if other not in asked:
                        form[other] = ""
        return form

    def spell(self, query: str) -> str:
        """The same question with every input spelled out: what a share link says."""
        return urlencode(self.form(query))

    def ask(self, query: str) -> Answer:
        """Parse, compute; the visitor's mistakes are `errors` by field, a bug is an exception."""
        query = query.removeprefix("?")
        if len(query) > LONGEST_QUERY:
            return Answer(self.slug, "", errors={"query": "The question is too long to be read."})
        asked = read_query(query)
        errors = {
            name: f"There is no input of that name here; there are: {', '.join(self.defaults)}."
            for name in asked
            if name not in self.defaults
        }
        form = self._fill(asked)
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            text = form[parameter.name]
            try:
                self._check_alone(parameter, form)
                values[parameter.argument] = self._parse(parameter, text)
            except Refused as mistake:
                errors[mistake.field or parameter.name] = str(mistake)
        if errors:
            return Answer(self.slug, query, errors=errors)
        try:
            result = self.module.calculate(**values)
        except Refused as mistake:
            if mistake.field not in self.defaults:
                raise
            offer = mistake.offer
            offers = {mistake.field: offer} if offer and offer[0] in self.defaults else {}
            return Answer(self.slug, query, errors={mistake.field: str(mistake)}, offers=offers)
        outputs = tuple(
            Output(name, shown, getattr(result, name))
            for name, shown in self.shown.items()
            if getattr(result, name) is not None
        )
        return Answer(self.slug, query, outputs)

    def _check_alone(self, parameter: Parameter, form: dict[str, str]) -> None:
        if not form[parameter.name].strip():
            return
        for other in parameter.field.excludes:
            if form[other].strip():
                label = next(one.field.label for one in self.parameters if one.name == other)
                raise Refused(f"Fill this or “{label}”, not both: clear one of them.")

    def _parse(self, parameter: Parameter, text: str) -> Any:
        if not text.strip():
            if parameter.default and not (parameter.field.excludes or parameter.field.clearable):
                raise Refused("Please fill this in.")
            return None
        return parameter.parse(text)


# What pasted rows are full of. None decodes to a percent sign, so decoding the rest stays right.
_FREQUENT = {
    "%0A": "\n",
    "%0D": "\r",
    "%2C": ",",
    "%09": "\t",
    "%3B": ";",
    "%7C": "|",
    "%2B": "+",
    "%26": "&",
}


def read_query(query: str) -> dict[str, str]:
    """Name -> value, the last where a name comes twice; a quarter of a second faster than
    `urllib.parse.parse_qsl` for 100,000 pasted rows in the browser.
    """
    pairs = (field.partition("=") for field in query.split("&") if field)
    return {_decoded(name): _decoded(value) for name, _, value in pairs}


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" in text:
        for code, character in _FREQUENT.items():
            text = text.replace(code, character)
    return unquote(text)


def _both_ways(found: list[Parameter]) -> tuple[Parameter, ...]:
    """A field that excludes another is excluded by it."""
    paired = {frozenset((one.name, other)) for one in found for other in one.field.excludes}

    def rivals(one: Parameter) -> tuple[str, ...]:
        return tuple(other.name for other in found if {one.name, other.name} in paired)

    return tuple(replace(one, field=replace(one.field, excludes=rivals(one))) for one in found)


def _metadata(hint: Any, kind: type[Declared]) -> Declared:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, kind):
            return extra
    raise TypeError(f"{hint!r} says no {kind.__name__}")


def as_json(answer: Answer) -> str:
    """The answer's data as JSON text; infinities become null, as JSON has none."""
    return json.dumps(answer.plain(), ensure_ascii=False, allow_nan=False)
