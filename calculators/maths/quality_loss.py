"""What a choice of format costs in quality: the nearest published numbers, and what they warn of.

`ask` answers with the rows nearest to the question, on the first basis that has any: the share of a
benchmark score, else a published recovery, else perplexity, else KL divergence. Bases do not mix.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from calculators.maths.quality import (
    BASES,
    Band,
    Basis,
    Measurement,
    Selector,
    band,
    family,
    select,
    short_name,
    size_class,
)

NEARNESS = ("same model", "same family and size", "same size class", "any size")
SAME_SIZE = 0.2
"""Share by which two parameter counts may differ and still be one size (7B and 8B)."""
ENOUGH = 3
"""Rows below which the next wider circle of models is asked."""
PREFERENCE: tuple[Basis, ...] = ("relative", "recovery", "perplexity", "word_perplexity", "kld")
ORDER = (
    *((basis, 1) for basis in PREFERENCE[:2]),  # a score of the very model decides, however stated
    *((basis, 2) for basis in PREFERENCE),
    *((basis, 3) for basis in PREFERENCE),
)
"""Bases to try, each with the farthest circle that one of its rows must lie in."""

GGUF_METHODS = (None, "imatrix", "no imatrix")
"""How llama-quantize makes files; other ways (AutoRound, one type for all tensors) when asked."""
CALIBRATED = ("GPTQ", "AWQ", "AutoRound")
TRAINED_IN = {"mxfp4": ("gpt-oss",)}
"""Models published in the format itself: there is no 16-bit model to lose against."""
UNQUANTIZED = ("original", "bf16", "fp16", "fp32", "gguf-bf16", "gguf-f16", "gguf-f32")
METHODS = {name.lower(): name for name in ("RTN", "optimised RTN", "HQQ", "OmniQuant", *CALIBRATED)}
"""Methods as the rows write them; a question may write them in any case."""


@dataclass(frozen=True, slots=True)
class Question:
    """`format` as in `facts/formats.json`, or gguf-TYPE; the rest narrows it where given.

    `bits`: of integer weights, or bits per weight of EXL2 and EXL3. `group_size`: -1 per channel.
    """

    format: str
    model: str = ""
    billions: float | None = None
    method: str | None = None
    bits: float | None = None
    group_size: int | None = None
    task: str = "general"


@dataclass(frozen=True, slots=True)
class Meant:
    """The rows a format name stands for, and what to know about them."""

    selector: Selector
    note: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning with its figures spelled out, and the bands they come from."""

    text: str
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """`band` over `rows`, nearest first, none of them farther than `nearness`.

    `band` is None where nothing was published; `note` then says so.
    """

    question: Question
    basis: Basis
    nearness: str
    band: Band | None
    rows: tuple[Measurement, ...]
    warnings: tuple[Warned, ...]
    note: str

    @property
    def unit(self) -> str:
        return BASES[self.basis]


@lru_cache(maxsize=1024)
def meant(question: Question) -> Meant:
    """Which published rows the format of a question stands for."""
    name = question.format.lower()
    if question.method:
        method = METHODS.get(question.method.lower(), question.method)
        question = replace(question, method=method)
    if name.startswith("gguf"):
        kind = question.format.split("-", 1)[-1].upper()
        made = (question.method,) if question.method else GGUF_METHODS
        return Meant(Selector(formats=(f"gguf-{kind}",), methods=made))
    if name in ("exl2", "exl3"):
        return Meant(Selector(formats=(name,), bits=question.bits or 4.0))
    if name in _WEIGHT_ONLY:
        return _weight_only(question, *_WEIGHT_ONLY[name])
    if name.startswith("fp8"):
        note = "FP8 rows of every scale granularity: too few are published to part them"
        return Meant(Selector(formats=("fp8", "fp8-channel", "fp8-block")), note)
    methods = (question.method,) if question.method else ()
    return Meant(Selector(formats=(name,), methods=methods))


_WEIGHT_ONLY: dict[str, tuple[int, tuple[str | None, ...], str]] = {
    "awq": (4, ("AWQ",), ""),
    "gptq": (4, ("GPTQ",), ""),
    "hqq": (4, ("HQQ",), ""),
    "rtn": (4, ("RTN",), ""),
    "w4a16": (4, CALIBRATED, "calibrated 4-bit weights of any method: GPTQ, AWQ, AutoRound"),
    "w8a16": (8, (), "8-bit weights of any method"),
    "mlx": (
        4,
        ("RTN", "optimised RTN"),
        "MLX itself has no published rows: these are of rounding to nearest, which it does",
    ),
}


def _weight_only(
    question: Question, bits: int, methods: tuple[str | None, ...], note: str
) -> Meant:
    """Integer weights: the method decides, not the container. Unstated groups count as groups."""
    if question.method:
        methods, note = (question.method,), ""
    width = int(question.bits or bits)
    groups: tuple[int | None, ...] = (None, 32, 64, 128, 256, 1024)
    if question.group_size == -1 or width == 8:
        groups = (-1,) if width < 8 else ()  # 8-bit weights are per channel as a rule, unsaid
    return Meant(Selector(formats=(f"w{width}a16",), methods=methods, groups=groups), note)


def nearness(m: Measurement, question: Question) -> int:
    """Index into NEARNESS: how far a row's model is from the one asked about."""
    return _nearness(m.model, m.billions, question.model, question.billions)


@lru_cache(maxsize=4096)  # a page asks about one model in dozens of formats
def _nearness(model: str, billions: float | None, asked: str, asked_billions: float | None) -> int:
    if asked and short_name(model) == short_name(asked):
        return 0
    if billions is None or asked_billions is None:
        return 3
    close = abs(billions - asked_billions) <= SAME_SIZE * asked_billions
    if close and asked and family(model) == family(asked):
        return 1
    return 2 if size_class(billions) == size_class(asked_billions) else 3


def ask(question: Question) -> Answer:
    """The nearest published losses, on the first basis of PREFERENCE that has rows near enough."""
    about = meant(question)
    if question.format.lower() in UNQUANTIZED:
        note = "this is the baseline: losses are counted from it"
        return Answer(question, "relative", NEARNESS[0], None, (), (), note)
    for name in TRAINED_IN.get(question.format, ()):
        if name in question.model.lower():
            note = f"{name} is trained in this format: no 16-bit model exists to compare with"
            return Answer(question, "relative", NEARNESS[0], None, (), (), note)
    warnings = tuple(warn(question))
    for basis, farthest in ORDER:
        found = _nearest(about.selector, question, basis, max(farthest, 2))
        if found and nearness(found[0], question) <= farthest:
            circle = NEARNESS[max(nearness(m, question) for m in found)]
            note = "; ".join(filter(None, (about.note, _against(found))))
            answer = band(found, basis)
            return Answer(question, basis, circle, answer, tuple(found), warnings, note)
    note = "; ".join(filter(None, (about.note, "no published measurement of this format is known")))
    return Answer(question, "relative", NEARNESS[3], None, (), warnings, note)


def loss_percent(question: Question) -> Answer:
    """`ask` on the relative score alone: the percentage of the 16-bit score lost.

    `band` is None where no score was published for the format; `ask` then says what was.
    """
    about = meant(question)
    found = _nearest(about.selector, question, "relative", 3)
    circle = NEARNESS[max((nearness(m, question) for m in found), default=3)]
    return replace(
        ask(question),
        basis="relative",
        nearness=circle,
        band=band(found, "relative"),
        rows=tuple(found),
        note=about.note if found else "no benchmark score of this format is published",
    )


def one_basis(question: Question, basis: Basis) -> Band | None:
    """The nearest band on this basis; None where no row of the format is on it."""
    return band(_nearest(meant(question).selector, question, basis, 3), basis)


def _nearest(
    selector: Selector, question: Question, basis: Basis, farthest: int
) -> list[Measurement]:
    """Rows within the narrowest circle that holds ENOUGH, or all up to `farthest`, nearest first.

    The task narrows scores; perplexity and divergence have none.
    """
    if basis in ("relative", "points", "recovery") and question.task != "any":
        selector = _of_task(selector, question.task)
    ranked = [(nearness(m, question), m) for m in select(selector, basis)]
    ranked.sort(key=itemgetter(0))
    for circle in range(farthest + 1):
        found = [m for rank, m in ranked if rank <= circle]
        if len(found) >= ENOUGH:
            return found
    return [m for rank, m in ranked if rank <= farthest]


@lru_cache(maxsize=1024)
def _of_task(selector: Selector, task: str) -> Selector:
    return replace(selector, tasks=(task,))


def _against(found: Iterable[Measurement]) -> str:
    others = sorted({m.against for m in found if m.against})
    return f"measured against {', '.join(others)}" if others else ""


def warn(question: Question) -> list[Warned]:
    """What the rows warn of, for this question; every figure in a text is a band's."""
    return list(chain(_small(question), _task(question), _grouping(question), _few_bits(question)))


@lru_cache(maxsize=2048)
def _of(selector: Selector, basis: Basis, **narrower: Any) -> Band | None:
    return band(select(replace(selector, **narrower), basis), basis)


def _said(found: Band) -> str:
    """A band in words; the unit follows from its basis."""
    unit = "%" if "%" in BASES[found.basis] else "points"
    worst = f", at worst {found.most:.1f} {unit}" if found.n > 1 else ""
    return f"{found.median:.1f} {unit} (median of {found.n}{worst})"


def is_four_bit(question: Question) -> bool:
    """Whether the weights are of 4 bits or about that."""
    name = question.format.lower()
    if name in ("awq", "gptq", "hqq", "w4a16", "rtn", "mlx", "exl2", "exl3"):
        return (question.bits or 4) < 5
    return name in ("nvfp4", "mxfp4", "bnb-nf4", "bnb-fp4") or bool(
        re.match(r"gguf-(iq4|q4|mxfp4|nvfp4)", name)
    )


def _small(question: Question) -> Iterable[Warned]:
    """4 bits below 5B parameters."""
    if question.billions is None or question.billions >= 5 or not is_four_bit(question):
        return
    four_bit = Selector(formats=("w4a16", "nvfp4"), methods=CALIBRATED, tasks=("general",))
    own = replace(meant(question).selector, tasks=("general",))
    chosen = own if _of(own, "relative", below_billions=5.0) else four_bit
    small = _of(chosen, "relative", below_billions=5.0)
    large = _of(chosen, "relative", from_billions=10.0)
    if small is None or large is None or small.median <= large.median:
        return
    what = "This format" if chosen is own else "Calibrated 4-bit weights"
    yield Warned(
        f"{what} cost models below 5B {_said(small)} of their score, "
        f"models from 10B up {_said(large)}.",
        (small, large),
    )


def _task(question: Question) -> Iterable[Warned]:
    """Maths and code lose more than general knowledge does."""
    selector = meant(question).selector
    usual = _of(selector, "relative", tasks=("general",))
    for task in ("maths", "code", "reasoning"):
        hard = _of(selector, "relative", tasks=(task,))
        if usual and hard and hard.n >= ENOUGH and hard.median > usual.median + 0.5:
            yield Warned(
                f"In {task} the published losses are {_said(hard)}, in general tests "
                f"{_said(usual)}: try your own task.",
                (hard, usual),
            )


def _grouping(question: Question) -> Iterable[Warned]:
    """One scale per channel, and rounding after training to MXFP4."""
    if question.group_size == -1 and is_four_bit(question):
        per_channel = _of(meant(question).selector, "relative", tasks=("general",))
        grouped = _of(meant(replace(question, group_size=128)).selector, "relative")
        if per_channel and grouped and per_channel.most > grouped.most:
            yield Warned(
                f"With one scale per channel the published losses are {_said(per_channel)}, "
                f"with groups {_said(grouped)}.",
                (per_channel, grouped),
            )
    if question.format == "mxfp4":
        after, other = (
            _of(Selector(formats=(name,), tasks=("general",)), "relative")
            for name in ("mxfp4", "nvfp4")
        )
        if after and other and after.median > other.median:
            yield Warned(
                f"Rounding a finished model to MXFP4 costs {_said(after)} of the score, "
                f"NVFP4 {_said(other)}; models trained in MXFP4 are another matter.",
                (after, other),
            )


def _few_bits(question: Question) -> Iterable[Warned]:
    """Two bits and less."""
    selector = meant(question).selector
    low = re.match(r"gguf-i?q[12]", question.format.lower()) or (question.bits or 4) <= 2.5
    basis: Basis
    for basis in ("relative", "perplexity"):
        found = _of(selector, basis) if low else None
        if found and found.median > 5:
            yield Warned(
                f"About 2 bits per weight changes the model: {_said(found)} "
                f"{'of the score' if basis == 'relative' else 'more perplexity'}.",
                (found,),
            )
            return
