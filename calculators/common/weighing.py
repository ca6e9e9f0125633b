"""A model in the formats people use: what each weighs, and the smallest hardware that runs it."""

from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from calculators.common.capacity import most_requests
from calculators.common.kernels import generation, runs
from calculators.common.money import Price, cheapest
from calculators.common.plan import Case, Machine, case, machine, split, usual_engine
from calculators.common.speed import Speed, Task, setup_of
from calculators.common.subject import Subject
from calculators.facts import rows
from calculators.facts.catalogue import Gpu, gpus
from calculators.kit import Refused
from calculators.kit.units import GIB
from calculators.maths.cost import usd_per_million_tokens
from calculators.maths.memory import Budget, Engine, Plan
from calculators.maths.packing import Recipe

# The formats that most published checkpoints have (the rows of facts/published.json).
USUAL = (
    ("BF16", "format=bf16"),
    ("FP8", "format=fp8"),
    ("AWQ, 4 bits", "format=awq"),
    ("GPTQ, 4 bits", "format=gptq"),
    ("NVFP4", "format=nvfp4"),
    ("GGUF Q8_0", "format=gguf-q8_0"),
    ("GGUF Q4_K_M", "format=gguf-q4_k_m"),
    ("MLX, 4 bits", "format=mlx"),
)
REQUEST = (1024, 256)  # tokens read and written, as the GPU fit page has them
AS_PUBLISHED = ("As published", "format=original")
SEVERAL = (2, 4, 8, 16)  # GPUs of one kind; 16 stand in two machines
MOST = {"consumer": 4, "workstation": 8, "soc": 1}  # that are put together; 16 of all others
NO_ENGINE = ("Google", "AWS", "Huawei", "Tenstorrent")  # their own software, not the six read here


@dataclass(frozen=True)
class Offer:
    """So many GPUs of a kind that somebody sells or rents, by a dated price."""

    machine: Machine
    gpus: int
    generation: str
    price: Price | None

    @property
    def memory_bytes(self) -> int:
        return self.gpus * self.machine.device.usable_bytes

    @property
    def name(self) -> str:
        return (
            short_name(self.machine)
            if self.gpus == 1
            else f"{self.gpus} × {short_name(self.machine)}"
        )

    @property
    def usd_per_hour(self) -> float | None:
        return self.gpus * self.price.usd_per_hour if self.price else None


def short_name(machine: Machine) -> str:
    """The name as people say it, with its memory."""
    name = machine.name
    for maker in ("NVIDIA GeForce ", "NVIDIA ", "AMD "):
        name = name.removeprefix(maker)
    size = f"{machine.device.marketed_bytes / GIB:.0f} GB"
    return name if "GB" in name else f"{name} {size}"


@dataclass(frozen=True)
class Hosted:
    """A case on an offer, with the memory of its fullest GPU."""

    offer: Offer
    case: Case
    budget: Budget
    task: Task  # of the format, the same on all hardware

    @property
    def filled(self) -> float:
        """Share of the fullest GPU's usable memory."""
        return self.budget.total_bytes / self.budget.usable_bytes

    @property
    def fits(self) -> bool:
        return self.budget.fits

    @cached_property
    def _speed(self) -> Speed | None:
        card, plan = self.offer.machine.card, self.case.plan
        if card is None:
            return None
        format_id = self.case.recipe.format
        setup = setup_of(format_id, plan.engine, card, plan.tensor_parallel, plan.gpus)
        return Speed(self.task, card, setup)

    @property
    def tokens_per_second(self) -> float | None:
        """That one request alone sees written; None where no bandwidth is known."""
        return self._speed.decode(1).tokens_per_second if self._speed else None

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Written, at the largest batch that memory and the engine allow."""
        hourly, batch = self.offer.usd_per_hour, most_requests(self.case, self.budget)
        if hourly is None or self._speed is None or not batch:
            return None
        return usd_per_million_tokens(hourly, self._speed.serving(batch))

    @property
    def asked(self) -> dict[str, object]:
        """How a link to a calculator asks for it; the model goes before."""
        return {
            "format": self.case.recipe.format,
            "gpu": self.offer.machine.device.id,
            "gpus": self.offer.gpus,
            "context": self.case.plan.context,
        }


@cache
def offers() -> tuple[Offer, ...]:
    """Few GPUs first, then little memory."""
    priced = {row["gpu"] for row in rows("prices")}
    found: list[Offer] = []
    for gpu in gpus():
        if gpu.id not in priced or gpu.row["vendor"] in NO_ENGINE:
            continue
        found += offers_of(gpu)
    return tuple(sorted(found, key=lambda one: (one.gpus, one.memory_bytes, one.name)))


@cache
def offers_of(gpu: Gpu) -> tuple[Offer, ...]:
    """One of them, then several as they are put together."""
    most = MOST.get(gpu.row["class"], SEVERAL[-1])
    return tuple(
        Offer(machine(gpu), count, generation(gpu.row), _price(gpu.id))
        for count in (1, *SEVERAL)
        if count <= most
    )


def _price(gpu_id: str) -> Price | None:
    """What a provider lists; what strangers bid on a marketplace is no price to plan with."""
    found = cheapest(gpu_id)
    return found if found and not found.kind.startswith("marketplace") else None


@cache
def _rented() -> tuple[Offer, ...]:
    priced = [one for one in offers() if one.usd_per_hour is not None]
    return tuple(sorted(priced, key=lambda one: (one.usd_per_hour, one.gpus)))


def usual_formats(subject: Subject | None) -> tuple[tuple[str, str], ...]:
    """(label, recipe query); a model that is published quantized shows that first."""
    quantized = subject is not None and subject.architecture.quantization is not None
    return (AS_PUBLISHED, *USUAL) if quantized else USUAL


@dataclass(frozen=True, eq=False)
class Weighed:
    """A model in one format, and the hardware that runs it with one request of its context."""

    label: str
    case: Case
    _engines: dict[Plan, Engine] = field(repr=False)  # shared by all formats of the model
    _spread: dict[int, Case | None] = field(default_factory=dict, repr=False)

    @property
    def bytes(self) -> int:
        return round(self.case.packed.tensor_bytes * self.case.scale)

    @cached_property
    def smallest(self) -> Hosted | None:
        """The fewest GPUs, and of these those of least memory, that run it."""
        return self._first(offers())

    @cached_property
    def cheapest(self) -> Hosted | None:
        """The lowest rent of GPUs that run it."""
        return self._first(_rented())

    def over(self, one: Gpu) -> Hosted | None:
        """On the fewest of that card that run it; None where none do."""
        return self._first(offers_of(one))

    def on(self, offer: Offer) -> Hosted | None:
        """On that offer, whether it fits or not; None where the heads cannot be shared."""
        planned = self._over(offer.gpus)
        if planned is None:
            return None
        return Hosted(offer, planned, planned.budget(offer.machine.device), self._task)

    @cached_property
    def _task(self) -> Task:
        return Task(self.case, *REQUEST)

    def runs(self, offer: Offer) -> bool:
        """A source says so of engine, format and generation; a publisher's own runs as BF16 does."""
        name = self.case.recipe.format
        known = "bf16" if name == "original" else name
        return runs(self.case.plan.engine, known, offer.generation) not in ("", "no")

    def _first(self, among: tuple[Offer, ...]) -> Hosted | None:
        for offer in among:
            if offer.memory_bytes < self.bytes or not self.runs(offer):
                continue
            hosted = self.on(offer)
            if hosted and hosted.budget.fits:
                return hosted
        return None

    def _over(self, gpus: int) -> Case | None:
        """The case on so many GPUs."""
        if gpus not in self._spread:
            found = self.case if gpus == 1 else _split(self.case, gpus)
            if found:
                # An engine knows no format: all of them share one, kept where the case looks.
                if found.plan not in self._engines:
                    self._engines[found.plan] = found.engine
                vars(found)["engine"] = self._engines[found.plan]
            self._spread[gpus] = found
        return self._spread[gpus]


def _split(asked: Case, gpus: int) -> Case | None:
    try:
        ranks, stages = split(asked.plan.engine, asked.model, gpus, None, None)
    except Refused:
        return None
    return asked.planned(replace(asked.plan, tensor_parallel=ranks, pipeline_parallel=stages))


def weighings(subject: Subject | None, params: int | None, context: int) -> tuple[Weighed, ...]:
    """The usual formats; those that the format's tool would refuse are left out."""
    found = []
    engines: dict[Plan, Engine] = {}
    for label, query in usual_formats(subject):
        recipe = Recipe.parse(query)
        plan = Plan(engine=usual_engine(recipe), context=context)
        try:
            found.append(Weighed(label, case(subject, params, recipe, plan), engines))
        except Refused:
            continue
    return tuple(found)
