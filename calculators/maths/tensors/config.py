"""Reading a `config.json` that somebody else wrote: typed, within bounds, with plain errors."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

INTEGER_AT_MOST = 10**9  # no dimension of a model comes near; a sum of products stays a float
LAYERS_AT_MOST = 2_000  # the deepest published model has 126


class UnknownArchitecture(ValueError):
    """The layout is not understood; the message says by name what is missing or unknown."""

    @classmethod
    def of_type(cls, config: "Config", known: Iterable[str]) -> "UnknownArchitecture":
        if not config.model_type:
            return cls("this config has no model_type, so its layout is not known")
        types = list(known)
        near = get_close_matches(config.model_type[:80], types, n=3)
        others = (
            f"the nearest of {len(types)} known: {', '.join(near)}"
            if near
            else (f"{len(types)} others are")
        )
        return cls(f"the architecture {_shown(config.model_type)} is not known here ({others})")


class Config:
    """A config and its nested parts; every getter says which key is wrong and how."""

    def __init__(self, data: Mapping[str, Any], path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise UnknownArchitecture(f"a config is an object of keys, not {_shown(data)}")
        self.data = data
        self.path = path

    @property
    def model_type(self) -> str:
        value = self.data.get("model_type")
        return value if isinstance(value, str) else ""

    @property
    def architectures(self) -> tuple[str, ...]:
        """The names of the model classes, which say the layout where `model_type` is missing."""
        value = self.data.get("architectures")
        return tuple(filter(_is_text, value)) if isinstance(value, list | tuple) else ()

    def has(self, key: str) -> bool:
        """True when the key is there and not null."""
        return self.data.get(key) is not None

    def require(self, *keys: str) -> None:
        """Raises once for all of these keys that are missing or null."""
        missing = [f"{self.path}{key}" for key in keys if not self.has(key)]
        if missing:
            raise self._missing(missing)

    def _missing(self, keys: list[str]) -> UnknownArchitecture:
        subject = f"the key {keys[0]} is" if len(keys) == 1 else f"the keys {', '.join(keys)} are"
        return UnknownArchitecture(f"{self.model_type or 'config'}: {subject} missing")

    def part(self, key: str) -> "Config | None":
        """The nested config of that name, if there is one."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise UnknownArchitecture(f"{self.path}{key} is {_shown(value)}, not an object of keys")
        return Config(value, f"{self.path}{key}.")

    @property
    def text(self) -> "Config":
        """The language model's own config: nested in multimodal files, else the file."""
        return self.part("text_config") or self

    def renamed(self, names: Mapping[str, str]) -> "Config":
        """The same config with its old keys under new names, where these are missing."""
        data = dict(self.data)
        for old, new in names.items():
            if data.get(new) is None and data.get(old) is not None:
                data[new] = data[old]
        return Config(data, self.path)

    def with_text_defaults(self, defaults: Mapping[str, Any]) -> "Config":
        """With these values where a nested `text_config` leaves a key out.

        Transformers writes there only what differs from the class (Gemma 3 4B has no
        `vocab_size`); a file of a language model alone must name its sizes.
        """
        text = self.part("text_config")
        if text is None:
            return self
        return Config({**self.data, "text_config": {**defaults, **text.data}}, self.path)

    def integer(
        self,
        *keys: str,
        default: int | None = None,
        at_least: int = 0,
        at_most: int = INTEGER_AT_MOST,
    ) -> int:
        """The first of these keys that is present, as a whole number within the bounds."""
        for key in keys:
            value = self.data.get(key)
            if value is not None:
                return _integer(value, f"{self.path}{key}", at_least, at_most)
        if default is None:
            raise self._missing([" or ".join(f"{self.path}{key}" for key in keys)])
        return default

    def positive(self, *keys: str, default: int | None = None) -> int:
        """As `integer`, of at least 1."""
        return self.integer(*keys, default=default, at_least=1)

    def depth(self, *keys: str, default: int | None = None) -> int:
        """A number of layers: at least 1, at most `LAYERS_AT_MOST`."""
        return self.integer(*keys, default=default, at_least=1, at_most=LAYERS_AT_MOST)

    def number(self, key: str, at_most: float) -> float:
        """A number from 0 to `at_most`."""
        self.require(key)
        value = self.data[key]
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if not real or not 0 <= value <= at_most:
            raise UnknownArchitecture(
                f"{self.path}{key} is {_shown(value)}, not a number up to {at_most:g}"
            )
        return float(value)

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty when the key is missing."""
        return tuple(
            _integer(value, f"{self.path}{key}", 0, INTEGER_AT_MOST) for value in self.listed(key)
        )

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of words; empty when the key is missing."""
        values = self.listed(key)
        for value in values:
            if not _is_text(value):
                raise UnknownArchitecture(f"{self.path}{key} holds {_shown(value)}, not a word")
        return tuple(values)

    def parts(self, key: str) -> tuple["Config", ...]:
        """A list of nested configs; empty when the key is missing."""
        return tuple(
            Config(value, f"{self.path}{key}[{index}].")
            for index, value in enumerate(self.listed(key))
        )

    def listed(self, key: str) -> list[Any]:
        """A list of anything, at most as long as a model is deep; empty when missing."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > LAYERS_AT_MOST + 1:
            raise UnknownArchitecture(f"{self.path}{key} is {_shown(value)}, not a list for layers")
        return list(value)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.data.get(key)
        if value is None:
            return default
        if value not in (True, False):
            raise UnknownArchitecture(f"{self.path}{key} is {_shown(value)}, not true or false")
        return bool(value)

    def word(self, key: str, default: str = "") -> str:
        """A string; the default when the key is missing."""
        value = self.data.get(key)
        if value is None:
            return default
        if not _is_text(value):
            raise UnknownArchitecture(f"{self.path}{key} is {_shown(value)}, not a word")
        return str(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _integer(value: Any, path: str, at_least: int, at_most: int) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise UnknownArchitecture(f"{path} is {_shown(value)}, not a whole number")
    if not at_least <= value <= at_most:
        raise UnknownArchitecture(
            f"{path} is {_shown(value)}, not between {at_least} and {at_most:,}"
        )
    return int(value)


def _shown(value: object) -> str:
    """As in the file, cut short. (Python refuses to print an int of thousands of digits.)"""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
