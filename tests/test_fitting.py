"""Which devices hold a model, found by kinds of devices, is what asking each of them says."""

import pytest

from calculators.common.fitting import devices, host, usual_engine
from calculators.common.recipes import recipe
from calculators.common.subject import subject
from calculators.common.weighed import packed
from calculators.maths.memory import Plan, engine

MODELS = (
    "meta-llama/Llama-3.1-8B",
    "deepseek-ai/DeepSeek-V2-Lite",  # latent attention keeps 16-bit copies
    "openai/gpt-oss-20b",  # mxfp4 is padded
    "Qwen/Qwen2.5-VL-7B-Instruct",  # a tower is profiled
)


@pytest.mark.parametrize("context", [100, 131_072])
@pytest.mark.parametrize("format_id", ["bf16", "fp8", "original", "gguf-q4_k_m", "mlx"])
@pytest.mark.parametrize("model", MODELS)
def test_each_device_says_the_same_alone(model: str, format_id: str, context: int) -> None:
    one, packing = subject(model), recipe(format_id)
    name = usual_engine(packing.settings.family)
    asked = engine(one.architecture, Plan(engine=name, context=context))
    weights = asked.weights(packed(one, packing))
    apple = {"mlx": True, "vllm": False}.get(name)
    alone = [
        asked.budget(weights, device)
        for device in devices()
        if apple in (None, device.vendor == "Apple")
    ]
    assert [(budget.device.id, budget.total_bytes) for budget in alone if budget.fits] == [
        (held.device.id, held.bytes)
        for held in host(one, name, context).holding(weights, len(devices()))
    ]
