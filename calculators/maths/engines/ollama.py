"""Ollama starts a llama.cpp server and lets it fit itself; it keeps less back and asks for less.

Source: `ollama/ollama @fb30760996`: server/routes.go (context by total memory), ml/device.go (what
is kept back per GPU). Its own pre-flight guess ignores windows, latents, states and cache types,
so it is not reproduced here.
"""

from calculators.facts import rows
from calculators.maths.device import Device
from calculators.maths.engines.llama_cpp import LlamaCpp
from calculators.maths.engines.model import Plan
from calculators.maths.tensors import Architecture


def ollama(model: Architecture, plan: Plan) -> LlamaCpp:
    """llama.cpp's rules with Ollama's reserve."""
    return LlamaCpp(model, plan, "ollama.reserve_bytes", "ollama.reserve_metal_bytes")


def default_context(devices: int, device: Device) -> int:
    """Tokens of context when the user asks for none: by the memory of all GPUs."""
    total = devices * device.usable_bytes
    return max(
        int(row["value"])
        for row in rows("engines")
        if row["id"].startswith("ollama.context_from") and row["at_least_bytes"] <= total
    )
