"""Published speeds of writing, as the pages of models and of GPUs list them."""

from collections.abc import Iterable
from functools import cache
from operator import attrgetter

from calculators.maths.measured_speed import Measurement, measurements

SETUP = ("gpus", "format", "variant", "measure", "engine")


def best_of_model(model_id: str) -> list[Measurement]:
    """The best figure of each GPU and setup, all requests together."""
    return _best(_written("model_id").get(model_id, ()), "gpu")


def best_on_gpu(gpu_id: str) -> list[Measurement]:
    """The best figure of each model, by the name its source gives it, and setup."""
    return _best(_written("gpu").get(gpu_id, ()), "model")


def _best(found: Iterable[Measurement], apart: str) -> list[Measurement]:
    key_of = attrgetter(apart, *SETUP)
    best: dict[object, Measurement] = {}
    for one in found:
        key = key_of(one)
        if key not in best or best[key].value < one.value:
            best[key] = one
    return list(best.values())


@cache
def _written(by: str) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for one in measurements():
        if one.measure in ("decode", "throughput"):
            found.setdefault(getattr(one, by), []).append(one)
    return found
