"""The one formatter: a number and its unit become text. GB is 10^9 and GiB is 2^30, always."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

MINUS = "−"
ALMOST = 0.99  # of a unit: less than that rounds to it at no precision used here


@dataclass(frozen=True, slots=True)
class Amount:
    """`text` as shown; `also` the same amount in the unit a reader may compare with."""

    text: str
    also: str = ""

    def __str__(self) -> str:
        return self.text


def write(value: object, unit: str = "") -> Amount:
    """`value` in `unit`, for a reader. Booleans read yes or no, None reads as a dash."""
    return Amount(text(value, unit), _also(value, unit))


def text(value: object, unit: str = "") -> str:
    """What `write` says first: all that a cell of a table has room for."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if not isfinite(value):
        return "unbounded"
    if value < 0:
        return MINUS + text(-value, unit)
    writer = _TEXTS.get(unit)
    return writer(value) if writer else _plain(value, unit)


def _also(value: object, unit: str) -> str:
    writer = _ALSO.get(unit)
    if writer is None or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not isfinite(value):
        return ""
    said = writer(abs(value))
    return MINUS + said if said and value < 0 else said


def digits(value: float, significant: int = 4) -> str:
    """`value` to so many significant digits, never in scientific notation, thousands grouped."""
    if value == 0:
        return "0"
    written = f"{value:#,.{significant}g}"  # rounds first, and then decides about the decimals
    if "e" not in written:
        whole = value == int(value)
        return written.rstrip("0").rstrip(".") if whole else written.removesuffix(".")
    exponent = int(f"{value:.{significant - 1}e}".partition("e")[2])
    places = max(0, significant - 1 - exponent)
    text = f"{value:,.{min(places, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text and value == int(value) else text


def _scaled(value: float, steps: tuple[tuple[float, str], ...], significant: int = 4) -> str:
    for size, name in steps:
        # 999.96 kB must not print as 1,000 kB
        near = size > value > ALMOST * size
        if value >= size or (near and float(f"{value / size:.{significant - 1}e}") >= 1):
            return f"{digits(value / size, significant)} {name}"
    return f"{digits(value, significant)} {steps[-1][1]}" if steps[-1][0] == 1 else "0"


BITS = 8  # in a byte
MIB, GIB = 2**20, 2**30  # bytes

_GB = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
_GIB = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1, "bytes"))
_COUNT = ((1e12, "T"), (1e9, "B"), (1e6, "M"))
_FLOPS = ((1e24, "YFLOP"), (1e21, "ZFLOP"), (1e18, "EFLOP"), (1e15, "PFLOP"), (1e12, "TFLOP"),
          (1e9, "GFLOP"), (1e6, "MFLOP"), (1, "FLOP"))  # fmt: skip


def _count(value: float) -> str:
    return digits(value, 6) if value < 1e6 else _scaled(value, _COUNT)


def _seconds(value: float) -> str:
    if value >= 2 * 86400:
        return f"{digits(value / 86400, 3)} days"
    if value >= 2 * 3600:
        return f"{digits(value / 3600, 3)} h"
    if value >= 120:
        return f"{digits(value / 60, 3)} min"
    return f"{digits(value, 3)} s" if value >= 1 else f"{digits(value * 1000, 3)} ms"


def _usd(value: float) -> str:
    if value >= 1000:
        return f"${value:,.0f}"
    return f"${value:,.2f}" if value >= 10 else f"${digits(max(value, 0), 3)}"


def _plain(value: float, unit: str) -> str:
    number = f"{value:,}" if isinstance(value, int) else digits(value)
    return f"{number} {unit}".rstrip()


_TEXTS: dict[str, Callable[[float], str]] = {
    "bytes": lambda value: _scaled(value, _GB),
    "bytes per token": lambda value: f"{value:,.0f} bytes per token",
    "bytes per second": lambda value: f"{_scaled(value, _GB)}/s",
    "parameters": _count,
    "tokens": lambda value: f"{value:,.0f} tokens",
    "training tokens": _count,
    "bits": lambda value: f"{digits(value)} bits",
    "seconds": _seconds,
    "usd": _usd,
    "usd per hour": lambda value: f"{_usd(value)}/h",
    "usd per million tokens": lambda value: f"{_usd(value)} per 1M tokens",
    "usd per month": lambda value: f"{_usd(value)} per month",
    "tokens per second": lambda value: f"{digits(value, 3)} tokens/s",
    "ratio": lambda value: f"{value:.2f}×",
    "fraction": lambda value: f"{digits(100 * value, 3)} %",
    "percent": lambda value: f"{digits(value, 3)} %",
    "flop": lambda value: _scaled(value, _FLOPS),
    "score": digits,
    "gpus": lambda value: "1 GPU" if value == 1 else f"{value:,.0f} GPUs",
}
_ALSO: dict[str, Callable[[float], str]] = {
    "bytes": lambda value: _scaled(value, _GIB) if value >= 1024 else "",
    "bytes per token": lambda value: f"{digits(value / 1024)} KiB per token",
    "parameters": lambda value: "" if value < 1e6 else f"{value:,.0f}",
    "training tokens": lambda value: "" if value < 1e6 else f"{value:,.0f}",
}
