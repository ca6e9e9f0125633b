"""Which modules a list in a config names: `ignore`, `modules_to_not_convert`, `targets`."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Named = Callable[[str], bool]
WRAPPERS = {"model", "language_model"}
LISTS = (
    *("ignore", "ignored_layers", "exclude_modules", "modules_to_not_convert"),
    *("llm_int8_skip_modules", "quantized_layers"),
)


def excluded(patterns: Iterable[str]) -> Named:
    """True for modules that a list such as `ignore` or `modules_to_not_convert` names.

    An entry is `re:` and a regular expression, a pattern with `*`, or names joined by dots that
    must stand in the module's name one after the other; wrappers of the whole model do not count.
    """
    expressions, globs, runs = [], [], []
    for pattern in patterns:
        if pattern.startswith("re:"):
            expressions.append(_expression(pattern.removeprefix("re:")))
        elif "*" in pattern:
            globs.append(bare(pattern))
        else:
            runs.append(f".{bare(pattern)}.")

    def named(module: str) -> bool:
        plain = bare(module)
        return (
            any(run in f".{plain}." for run in runs)
            or any(fnmatchcase(plain, glob) or fnmatchcase(plain, f"{glob}.*") for glob in globs)
            or any(expression.match(module) for expression in expressions)
        )

    return named


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error:
        raise ValueError(f"{text[:60]!r} is not a regular expression") from None


def holding(words: Iterable[str]) -> Named:
    """True for modules whose name has one of the words anywhere in it, as AutoAWQ looks."""
    listed = tuple(words)
    return lambda module: any(word in module for word in listed)


def targets(patterns: Iterable[str]) -> Named:
    """As `excluded`, where `Linear` names every matrix."""
    listed = tuple(patterns)
    return (lambda module: True) if "Linear" in listed else excluded(listed)


def names_layers(config: Mapping[str, Any]) -> bool:
    """A list of the config has numbers in its names, so that layers may differ."""
    groups = config.get("config_groups")
    lists = [config.get(key) for key in LISTS]
    if isinstance(groups, Mapping):
        lists += [group.get("targets") for group in groups.values() if isinstance(group, Mapping)]
    named = (str(name) for one in lists if isinstance(one, Collection) for name in one)
    return any(character.isdigit() for name in named for character in name)


def bare(name: str) -> str:
    """Without the wrappers of the whole model."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)
