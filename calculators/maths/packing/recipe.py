"""A recipe: a format and its settings, read from and written to a query string."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from calculators.facts import rows

DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Format:
    """One row of `facts/formats.json`; its `about` says what the fields mean."""

    id: str
    name: str
    title: str
    family: str
    defaults: Mapping[str, Any]
    choices: Mapping[str, tuple[Any, ...]]
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    dtype: str | None
    shard_bytes: int | None
    options: Mapping[str, Any]
    variants: tuple[str, ...]
    tool: str
    notes: str
    source: tuple[str, ...]


@cache
def formats() -> tuple[Format, ...]:
    """All formats, in the order in which the facts list them."""
    return tuple(
        Format(
            id=row["id"],
            name=row["name"],
            title=row["title"],
            family=row["family"],
            defaults=row["defaults"],
            choices={key: tuple(values) for key, values in row.get("choices", {}).items()},
            keep=tuple(row["keep"]),
            drop=tuple(row["drop"]),
            dtype=row.get("dtype"),
            shard_bytes=row["shard_bytes"],
            options=row.get("options", {}),
            variants=tuple(row["variants"]),
            tool=row["tool"],
            notes=row.get("notes", ""),
            source=row["source"],
        )
        for row in rows("formats")
    )


@cache
def _by_id() -> dict[str, Format]:
    return {one.id: one for one in formats()}


def _flag(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise ValueError("say true or false")
    return words[text.lower()]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(" ", "").split(",") if word)


_READ: dict[str, Callable[[str], Any]] = {
    "bits": int,
    "group_size": int,
    "act_order": _flag,
    "zero_point": _flag,
    "zero_bias": _flag,
    "double_quant": _flag,
    "imatrix": _flag,
    "built": str,
    "bpw": float,
    "head_bits": int,
    "dtype": str,
    "head": str,
    "inv_freq": _flag,
    "keep": _words,
    "drop": _words,
}


@dataclass(frozen=True)
class Recipe:
    """How a checkpoint is packed. What a format's row does not set keeps the value below.

    `group_size`   weights that share a scale; -1 for a whole row of the matrix
    `act_order`    GPTQ's order by activation
    `zero_bias`    AutoGPTQ's bias of zeros for matrices that have none
    `double_quant` bitsandbytes: the scales are quantized too
    `imatrix`      GGUF: made with an importance matrix
    `built`        GGUF, EXL3, AWQ, MLX: month (YYYY-MM) of the tool that made it; empty for the
                   usual one
    `bpw`          EXL2, EXL3: bits per weight asked for
    `dtype`        of what stays unquantized; empty for the tool's own choice
    `head`         of a tied model: "copied" when the tool writes a second matrix as lm_head
    `inv_freq`     files made before Transformers 4.32 hold the rotary frequencies of every layer
    `keep`, `drop` what stays unquantized, what is not written: see `packing/select.py`.
                   The word `default` stands for the tool's own list, which is also the default
    """

    format: str
    bits: int = 16
    group_size: int = 0
    act_order: bool = False
    zero_point: bool = False
    zero_bias: bool = False
    double_quant: bool = False
    imatrix: bool = False
    built: str = ""
    bpw: float = 0.0
    head_bits: int = 0
    dtype: str = ""
    head: str = "shared"
    inv_freq: bool = False
    keep: tuple[str, ...] = ("default",)
    drop: tuple[str, ...] = ("default",)

    @classmethod
    def parse(cls, query: str) -> "Recipe":
        """From `format=gptq&bits=4&group_size=32`; ValueError says which field is wrong and how."""
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        name = given.pop("format", "")
        if name not in _by_id():
            known = ", ".join(one.id for one in formats() if one.family != "llama_cpp")
            raise ValueError(f"format: {name!r} is not known (known: {known}, gguf-<type>)")
        return cls.of(name, **_settings(_by_id()[name], given))

    @classmethod
    def of(cls, name: str, **settings: Any) -> "Recipe":
        """The format of that name with its defaults, but for these settings."""
        return cls(name, **{**_by_id()[name].defaults, **settings})

    def __hash__(self) -> int:
        return hash(self.query)  # which both keep: recipes are keys of all that is counted once

    @cached_property
    def query(self) -> str:
        """The shortest query string that parses to this recipe."""
        defaults = _by_id()[self.format].defaults
        pairs = [("format", self.format)]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != defaults.get(field.name, field.default):
                pairs.append((field.name, _written(value)))
        return urlencode(pairs, safe=",*:-")

    @cached_property
    def settings(self) -> Format:
        """The facts row of the format."""
        return _by_id()[self.format]

    @cached_property
    def keeps(self) -> tuple[str, ...]:
        """`keep` with the tool's own list in place of `default`."""
        return _spelled_out(self.keep, self.settings.keep)

    @cached_property
    def drops(self) -> tuple[str, ...]:
        """`drop` with the tool's own list in place of `default`."""
        return _spelled_out(self.drop, self.settings.drop)


def _settings(row: Format, given: Mapping[str, str]) -> dict[str, Any]:
    """The typed settings of a query, checked against what the format can do."""
    found: dict[str, Any] = {}
    neutral = {field.name: field.default for field in fields(Recipe)[1:]}
    for name, text in given.items():
        if name not in _READ:
            raise ValueError(f"{name}: no such setting (known: {', '.join(_READ)})")
        try:
            value = _READ[name](text)
        except ValueError as wrong:
            said = str(wrong) if _READ[name] is _flag else "not a number"
            raise ValueError(f"{name}: {text!r}, {said}") from None
        _check(row, name, value, neutral[name])
        found[name] = value
    return found


def _check(row: Format, name: str, value: Any, neutral: Any) -> None:
    if name == "dtype" and value not in ("", *DTYPES):
        raise ValueError(f"dtype: {value!r} is none of {', '.join(DTYPES)}")
    if name == "head" and value not in ("shared", "copied"):
        raise ValueError(f"head: {value!r}, say shared or copied")
    if name == "bpw" and "bpw" in row.defaults and not 1 <= value <= 8:
        raise ValueError(f"bpw: {value} is outside 1 to 8")
    if name == "built" and not re.fullmatch(r"\d{4}-\d{2}", value):
        raise ValueError(f"built: {value!r} is not YYYY-MM")
    general = {
        "llama_cpp": ("built",),
        "exl3": ("built", "head", "keep", "drop"),
        "awq": ("built", "dtype", "head", "inv_freq", "keep", "drop"),
        "mlx": ("built", "dtype", "head", "inv_freq", "keep", "drop"),
    }.get(row.family, ("dtype", "head", "inv_freq", "keep", "drop"))
    if name in general or name in row.defaults:
        choices = row.choices.get(name)
        if choices and value not in choices:
            listed = ", ".join(_written(choice) for choice in choices)
            raise ValueError(f"{name}: {row.name} has {listed}, not {_written(value)}")
    elif value != neutral:
        raise ValueError(f"{name}: {row.name} has no such setting")


def _spelled_out(asked: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for one in asked for word in (default if one == "default" else (one,)))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else f"{value}"
