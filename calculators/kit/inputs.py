"""Kinds of input. Each parses what a visitor typed and writes it back: `parse(write(v)) == v`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from calculators.kit import quantity
from calculators.kit.units import write


class Refused(ValueError):
    """The visitor's mistake, in words that stand beside the field. `field` may be filled later.

    `offer`: the input, its text and what to call it, that would be answered: one step away.
    """

    def __init__(
        self, message: str, field: str | None = None, offer: tuple[str, str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.offer = offer


class Input(Protocol):
    """What a field accepts. `kind` names the branch of the input template."""

    @property
    def kind(self) -> str: ...

    def parse(self, text: str) -> Any:
        """The value that `text` means, or `Refused`."""

    def write(self, value: Any) -> str:
        """The text that parses to `value`."""


@dataclass(frozen=True)
class Field:
    """One input of a calculator, as `Annotated[type, Field(...)]`.

    `excludes` names fields that are empty where this one is filled; one of the two says so for both.
    `term` is its glossary entry; `default` is the text with which an optional input opens,
    `clearable` says that it may then be emptied.
    """

    label: str
    input: Input
    help: str = ""
    term: str = ""
    excludes: tuple[str, ...] = ()
    advanced: bool = False
    placeholder: str = ""
    default: str = ""
    clearable: bool = False


_TYPED = {
    "parameters": (quantity.SCALES, ("parameters", "params", "param")),
    "tokens": (quantity.BINARY_SCALES, ("tokens", "token", "tok")),
    "bytes": (quantity.BYTE_SCALES, ()),
    "percent": ({}, ("percent", "%")),
    "flop": (quantity.FLOP_SCALES, ("flops", "flop")),
    "training tokens": (quantity.SCALES, ("tokens", "token", "tok")),
    "usd": (quantity.SCALES, ("usd", "dollars", "dollar", "$")),
}


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, as people type it. Whole numbers are `int`, others `float`."""

    unit: str = ""
    minimum: float = 0
    maximum: float = 1e18
    whole: bool = False
    examples: str = ""
    kind: str = "quantity"

    def parse(self, text: str) -> int | float:
        scales, words = _TYPED.get(self.unit, (quantity.SCALES, ()))
        try:
            number = quantity.read(text, scales, words)
        except quantity.NotANumber as mistake:
            hint = f" Try {self.examples}." if self.examples else ""
            raise Refused(f"{str(mistake)[:1].upper()}{str(mistake)[1:]}.{hint}") from None
        # Compare as decimals: a float bound converts exactly, and 1e400 must not become infinity.
        if number < Decimal(self.minimum):
            raise Refused(f"Must be at least {self._bound(self.minimum)}.")
        if number > Decimal(self.maximum):
            raise Refused(f"Must be at most {self._bound(self.maximum)}.")
        if number == number.to_integral_value():
            return int(number)
        if self.whole:
            raise Refused("Must be a whole number.")
        return float(number)

    def _bound(self, value: float) -> str:
        return write(value, self.unit).text

    def write(self, value: int | float) -> str:
        return repr(value)


@dataclass(frozen=True)
class Choice:
    """One of a few options, as (value, label) pairs; the values are what URLs spell."""

    options: tuple[tuple[str, str], ...]
    convert: Callable[[str], Any] = str
    aliases: tuple[tuple[str, str], ...] = ()
    kind: str = "choice"

    def parse(self, text: str) -> Any:
        asked = text.strip().casefold()
        # Values first: an alias or a label may spell another option's value.
        known = {label.casefold(): value for value, label in self.options}
        known |= dict(self.aliases) | {value.casefold(): value for value, _ in self.options}
        if asked in known:
            return self.convert(known[asked])
        listed = ", ".join(value for value, _ in self.options)
        raise Refused(f"“{text.strip()[:60]}” is not one of: {listed}.")

    def write(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Words:
    """A few words between commas, such as kinds of tensors; what they mean is the maths' affair."""

    example: str = ""
    longest: int = 400
    kind: str = "words"

    def parse(self, text: str) -> tuple[str, ...]:
        if len(text) > self.longest:
            raise Refused(f"At most {self.longest} characters.")
        words = tuple(filter(None, re.split(r"[\s,;]+", text.strip())))
        for word in words:
            if not re.fullmatch(r"[\w.*-]+", word, re.ASCII):
                raise Refused(f"“{word[:40]}” is not a word known here. Try {self.example}.")
        return words

    def write(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


@dataclass(frozen=True)
class Text:
    """One line of any text, such as a label of the visitor's own data."""

    longest: int = 200
    kind: str = "text"

    def parse(self, text: str) -> str:
        if len(text) > self.longest:
            raise Refused(f"At most {self.longest} characters.")
        return text.strip()

    def write(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Switch:
    """Yes or no; URLs spell `true` and `false`."""

    kind: str = "switch"

    def parse(self, text: str) -> bool:
        asked = text.strip().casefold()
        if asked in ("true", "yes", "on", "1"):
            return True
        if asked in ("false", "no", "off", "0"):
            return False
        raise Refused("Must be yes or no.")

    def write(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class Option:
    """A row of a catalogue as a picker shows it: found by any part of value, label or aliases."""

    value: str
    label: str
    hint: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pick:
    """One row of a long catalogue, found by typing; `resolve` may also take a pasted document."""

    catalogue: str
    options: Callable[[], Sequence[Option]]
    resolve: Callable[[str], Any]
    spell: Callable[[Any], str]
    takes_config: bool = False
    kind: str = "pick"

    def parse(self, text: str) -> Any:
        return self.resolve(text.strip())

    def write(self, value: Any) -> str:
        return self.spell(value)


@dataclass(frozen=True)
class Pasted:
    """Text as people paste it: lines of data. The calculator reads it; length is bounded here."""

    longest: int = 4_000_000  # characters; about 100,000 rows of a label and a score
    rows: int = 8
    kind: str = "pasted"

    def parse(self, text: str) -> str:
        if len(text) > self.longest:
            raise Refused(f"That is {len(text):,} characters; at most {self.longest:,} are read.")
        return text

    def write(self, value: str) -> str:
        return value
