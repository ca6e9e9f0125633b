"""Which format to take on this hardware, engine and task: ranked by rule, with the reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from calculators.common import weighed
from calculators.common.kernels import Runs, generation, runs
from calculators.common.plan import Machine, usual_engine
from calculators.common.plan_fields import ENGINE_NAMES
from calculators.common.quality_panel import ask, said
from calculators.common.speedup import Side
from calculators.common.targets import family, quality_question
from calculators.common.weighed import Of
from calculators.kit import Column, Refused, Table
from calculators.kit.units import digits, write
from calculators.maths.memory import Budget, Engine, Plan, engine
from calculators.maths.packing import Recipe
from calculators.maths.quality import Basis
from calculators.maths.quality_loss import ENOUGH, NEARNESS, Answer
from calculators.maths.roofline import Estimate

CANDIDATES = tuple(
    Recipe.parse(f"format={query}")
    for query in (
        *("bf16", "fp8", "int8-w8a8", "w8a16", "awq", "gptq", "gptq&bits=3"),
        *("nvfp4", "mxfp4", "bnb-nf4", "mlx"),
        *("gguf-bf16", "gguf-q8_0", "gguf-q6_k", "gguf-q5_k_m", "gguf-q4_k_m", "gguf-iq4_xs"),
        *("gguf-q3_k_m", "gguf-iq3_m", "gguf-q2_k"),
    )
)
# Upper ends of "nothing beyond the noise", "little" and "visible", by kind of loss. A judgement of
# ours: about 1 % is one standard error of MMLU-Pro (0.4 of 50 points) and of GSM8K (0.9 of 85), as
# `standard_error` in facts/quality.json has them; perplexity and divergence are set so that formats
# published in several kinds land in the same grade.
GRADES: Mapping[Basis, tuple[float, float, float]] = {
    "relative": (1, 3, 6),
    "recovery": (1, 3, 6),
    "perplexity": (0.5, 3, 10),
    "word_perplexity": (0.5, 3, 10),
    "kld": (0.005, 0.05, 0.15),
}
IN_WORDS = (
    "loses nothing beyond the noise",
    "loses little",
    "loses visibly",
    "loses much",
    "hardly measured",
)
NOTHING, MUCH, UNSURE = 0, 3, 4
BEST = 8  # rows of the ranking
HOW: Mapping[Runs, str] = {
    "native": "{engine} computes in it on {generation}",
    "unpacks": "{engine} unpacks it to 16 bits on {generation}",
    "runs": "{engine} runs it on {generation}",
}
PREFERRED: tuple[Runs, ...] = ("native", "unpacks", "runs")


@dataclass(frozen=True)
class Wanted:
    """What the advice is for. `engine` is auto for whichever runs a format best."""

    of: Of
    machine: Machine
    engine: str
    batch: int
    context: int
    task: str

    @cached_property
    def generation(self) -> str:
        return generation(self.machine.gpu.row) if self.machine.gpu else ""

    def engine_of(self, recipe: Recipe) -> tuple[str, Runs]:
        """The engine that runs a format best here, and how; ("", "") where no source says any."""
        usual = usual_engine(recipe, self.machine)
        asked = (usual, *ENGINE_NAMES) if self.engine == "auto" else (self.engine,)
        found = [(name, runs(name, recipe.format, self.generation)) for name in asked]
        if found[0][1] in PREFERRED:
            return found[0]
        for how in PREFERRED:
            for name, says in found:
                if says == how:
                    return name, says
        return "", "no" if any(says == "no" for _, says in found) else ""


@dataclass(frozen=True)
class Considered:
    """A format with what speaks for and against it; `against` is empty when it can be used."""

    recipe: Recipe
    against: str
    size: int = 0
    engine: str = ""
    how: Runs = ""
    loss: Answer | None = None
    budget: Budget | None = None
    speed: Estimate | None = None

    @property
    def grade(self) -> int:
        """Index into IN_WORDS."""
        assert self.loss is not None
        band = self.loss.band
        if band is None:
            known = "baseline" in self.loss.note or "trained" in self.loss.note
            return NOTHING if known else UNSURE
        ends = GRADES.get(self.loss.basis, GRADES["relative"])
        if band.n < ENOUGH and self.loss.nearness not in NEARNESS[:2]:
            return UNSURE
        return next((at for at, end in enumerate(ends) if band.median <= end), MUCH)

    @property
    def rank(self) -> tuple[int, float, int]:
        """First what is lost, then the speed, then the size."""
        speed = self.speed.tokens_per_second if self.speed else 0.0
        return self.grade, -speed, self.size


def consider(wanted: Wanted) -> list[Considered]:
    """Every candidate, the usable ones first and ranked."""
    found = [_consider(wanted, recipe) for recipe in CANDIDATES]
    usable = sorted((one for one in found if not one.against), key=lambda one: one.rank)
    if any(one.recipe.format == "bf16" for one in usable):  # the same bits twice help nobody
        usable = [one for one in usable if one.recipe.format != "gguf-bf16"]
    return usable + [one for one in found if one.against]


def _consider(wanted: Wanted, recipe: Recipe) -> Considered:
    name, how = wanted.engine_of(recipe)
    if not name:
        where = f" on {wanted.generation}" if wanted.generation else " on this hardware"
        who = "No engine here" if wanted.engine == "auto" else ENGINE_NAMES[wanted.engine]
        said_no = f"{who} runs it{where}." if how else f"No source read says that it runs{where}."
        return Considered(
            recipe, said_no.replace("runs it", "does not run it", who != "No engine here")
        )
    try:
        size = weighed.weight_bytes(wanted.of, recipe)
        packed = weighed.packed(wanted.of, recipe)
    except Refused as refusal:
        return Considered(recipe, str(refusal))
    plan = Plan(engine=name, context=wanted.context, concurrency=wanted.batch)
    planned = _planned(wanted.of, plan)
    budget = planned.budget(planned.weights(packed), wanted.machine.device)
    if not budget.starts:
        needed = write(budget.fixed_bytes + budget.one_request_bytes, "bytes")
        may = write(budget.limit_bytes, "bytes")
        said_no = (
            f"Needs {needed} with one request; {ENGINE_NAMES[name]} may take {may} of this card."
        )
        return Considered(recipe, said_no, size)
    at_once = min(wanted.batch, max(1, int(budget.max_concurrency)))
    return Considered(
        recipe,
        "",
        size,
        name,
        how,
        _loss(wanted, recipe),
        budget,
        _speed(wanted, recipe, name, at_once),
    )


@lru_cache(maxsize=32)
def _planned(of: Of, plan: Plan) -> Engine:
    """One engine serves every format: what does not depend on the weights is worked out once."""
    return engine(weighed.model(of), plan)


def _loss(wanted: Wanted, recipe: Recipe) -> Answer:
    known = "" if isinstance(wanted.of, int) else wanted.of.model.id or wanted.of.name
    billions = weighed.parameters(wanted.of) / 1e9
    return ask(quality_question(recipe, known, billions, wanted.task))


def _speed(wanted: Wanted, recipe: Recipe, name: str, batch: int) -> Estimate | None:
    if wanted.machine.card is None:
        return None
    side = Side(weighed.step(wanted.of, recipe, wanted.context), recipe.format)
    return side.at(batch, wanted.machine.card, name)


def ranking(wanted: Wanted, considered: list[Considered]) -> Table:
    """The usable formats, best first, each with its reasons."""
    usable = [one for one in considered if not one.against]
    table = tuple(
        (
            one.recipe.settings.name + _bits(one.recipe),
            ENGINE_NAMES[one.engine],
            "; ".join(_reasons(wanted, one)),
            said(one.loss) if one.loss else "",
            one.speed.tokens_per_second if one.speed else None,
            one.size,
        )
        for one in usable[:BEST]
    )
    columns = (
        Column("Format"),
        Column("Engine"),
        Column("Why"),
        Column("Published loss (rows)"),
        Column("Decodes at this batch", "tokens per second"),
        Column("Weights", "bytes"),
    )
    caption = (
        "Ranked by what is lost (nothing beyond the noise, little, visibly, much, unknown), "
        "then by speed, then by size. The grades are ours, the numbers are not."
    )
    empty = f"Nothing of these fits {wanted.machine.name}: take more cards, or a larger one."
    return Table(columns, table, "modelled", caption, mark=0, empty=empty)


def rejected(considered: list[Considered]) -> Table:
    """What does not run or does not fit, and why."""
    table = tuple(
        (one.recipe.settings.name + _bits(one.recipe), one.against)
        for one in considered
        if one.against
    )
    return Table((Column("Format"), Column("Why not")), table, "modelled", folded=True)


def _bits(recipe: Recipe) -> str:
    usual = recipe.settings.defaults.get("bits")
    return f", {recipe.bits} bits" if usual is not None and recipe.bits != usual else ""


def _reasons(wanted: Wanted, one: Considered) -> Iterator[str]:
    baseline = family(one.recipe.format) in ("bf16", "fp16", "fp32")
    yield "the original: nothing is lost" if baseline else IN_WORDS[one.grade]
    where = wanted.generation or "this hardware"
    yield HOW[one.how].format(engine=ENGINE_NAMES[one.engine], generation=where)
    budget = one.budget
    if budget is not None:
        if budget.gives_way == "concurrency":
            yield f"holds {int(budget.max_concurrency)} of the {wanted.batch} requests at once"
        else:
            filled = digits(100 * budget.total_bytes / budget.usable_bytes, 2)
            yield f"fills {filled} % of the card"
    if one.speed is not None and one.speed.bound == "compute":
        yield "bound by arithmetic at this batch"
