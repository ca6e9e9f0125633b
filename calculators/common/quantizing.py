"""The question of the trade-offs page, read: from what, to what, on which hardware."""

from dataclasses import dataclass
from functools import cached_property

from calculators.common import speedup, weighed
from calculators.common.advice import Wanted
from calculators.common.plan import Machine, usual_engine
from calculators.common.speedup import Side
from calculators.common.targets import PRECISIONS, Target
from calculators.common.weighed import Of
from calculators.kit.units import BITS
from calculators.maths.packing import Recipe
from calculators.maths.quality_loss import Question

OWN_ENGINE = {"exl2": "exllamav2", "exl3": "exllamav3"}  # run by nothing else


@dataclass(frozen=True)
class Asked:
    """The question, read. `engine` is auto for the format's usual one."""

    of: Of
    precision: str
    target: Target
    machine: Machine
    engine: str
    batch: int
    context: int
    task: str
    typed_loss: float | None

    @cached_property
    def original(self) -> Recipe:
        """The precision as a recipe; a model published in FP8 is taken as published."""
        if self.precision == "fp8" and not isinstance(self.of, int):
            kind = self.of.model.config.get("quantization_config") or {}
            if isinstance(kind, dict) and kind.get("quant_method") == "fp8":
                return Recipe.of("original")
        return Recipe.of(self.precision)

    @cached_property
    def runner(self) -> str:
        """The engine whose speed is modelled."""
        if self.engine != "auto":
            return self.engine
        recipe = self.target.recipe or Recipe.of("w4a16")
        return OWN_ENGINE.get(recipe.format) or usual_engine(recipe, self.machine)

    @cached_property
    def original_bytes(self) -> int:
        if isinstance(self.of, int):
            return self.of * PRECISIONS[self.precision]
        return weighed.weight_bytes(self.of, self.original)

    @cached_property
    def ideal_bytes(self) -> int:
        return round(weighed.parameters(self.of) * self.target.bits / BITS)

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """The quantized and the original model as a step reads them."""
        name = self.precision if self.original.format == "original" else self.original.format
        slow = Side(weighed.step(self.of, self.original, self.context), name)
        recipe = self.target.recipe
        if recipe is None:
            plain_bits = BITS * PRECISIONS[self.precision]
            return speedup.ideal_side(slow, self.target.bits, plain_bits), slow
        return Side(weighed.step(self.of, recipe, self.context), recipe.format), slow

    @cached_property
    def question(self) -> Question:
        """The target, asked of the published quality rows."""
        name = "" if isinstance(self.of, int) else self.of.model.id or self.of.name
        return self.target.question(name, weighed.parameters(self.of) / 1e9, self.task)

    @cached_property
    def wanted(self) -> Wanted:
        """What the advice is asked for."""
        return Wanted(self.of, self.machine, self.engine, self.batch, self.context, self.task)
