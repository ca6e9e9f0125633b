"""What is kept of every model in every format is what packing says."""

import json

import pytest

from calculators.common import comparison, usual_formats
from calculators.common.fitting import devices, host, usual_engine
from calculators.common.subject import subject
from calculators.maths.packing import CannotPack, Checkpoint, Recipe, checkpoint

MODELS = (
    "meta-llama/Llama-3.1-8B",
    "deepseek-ai/DeepSeek-V3",
    "openai/gpt-oss-20b",
    "Qwen/Qwen2.5-VL-7B-Instruct",
)


def packed(model: str, recipe: Recipe) -> Checkpoint | None:
    try:
        return checkpoint(subject(model).architecture, recipe)
    except CannotPack:
        return None


@pytest.mark.parametrize("model", MODELS)
def test_sizes_are_those_of_the_packed_model(model: str) -> None:
    expected = {recipe: packed(model, recipe) for recipe in usual_formats.recipes()}
    assert {
        recipe: (weight.tensor_bytes, weight.parameters)
        for recipe, weight in usual_formats.weights(subject(model)).items()
    } == {recipe: (one.tensor_bytes, one.parameters) for recipe, one in expected.items() if one}


@pytest.mark.parametrize("model", MODELS)
def test_each_format_has_the_device_that_it_has_alone(model: str) -> None:
    """Formats share what is known of a device; no format may see another's padding."""
    one = subject(model)
    numbers = comparison.kept(one)
    kept = zip(numbers[::2], numbers[1::2], strict=True)
    for (recipe, weight), (place, total) in zip(
        usual_formats.weights(one).items(), kept, strict=True
    ):
        engine = usual_engine(recipe.settings.family)
        alone = host.__wrapped__(one, engine, comparison.USUAL_CONTEXT)
        held = alone.smallest(weight.loaded)
        assert (held and (held[0].id, held[1])) == (
            (devices()[place].id, total) if place >= 0 else None
        )


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"torch_dtype": "float32"}, False),
        ({"intermediate_size": 14_464}, False),
        ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}, False),
    ],
)
def test_a_config_of_ones_own_is_counted_as_it_is(changed: dict[str, object], same: bool) -> None:
    known = subject("meta-llama/Llama-3.1-8B")
    own = subject(json.dumps({**known.model.config, **changed}))
    assert (usual_formats.listed(own) == known) == same
    assert {
        recipe: weight.tensor_bytes for recipe, weight in usual_formats.weights(own).items()
    } == {
        recipe: checkpoint(own.architecture, recipe).tensor_bytes
        for recipe in usual_formats.weights(own)
    }
