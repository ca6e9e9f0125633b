"""Holds the batched formula against throughput rows: nothing is fitted to them but the band."""

from collections import defaultdict
from math import exp, log
from statistics import median
from typing import Any

from calculators.maths.accelerator import accelerators
from calculators.maths.flops import active_linear_parameters, prompt
from calculators.maths.kv_cache import UnknownKvDtype
from calculators.maths.measured_speed import Measurement, measurements
from calculators.maths.prefill import prefill, serving_throughput
from calculators.maths.roofline import Setup, decode
from calculators.maths.tensors import Architecture
from calculators.maths.traffic import (
    ALL_REDUCES_PER_LAYER,
    ExpertBytes,
    Work,
    kv_bytes_read,
)
from tools.fit_cases import architectures, is_mixture

# Bits per quantized weight with group scales; head and embedding are taken at 16 bit.
BITS = {
    "bf16": 16.0,
    "fp16": 16.0,
    "fp8": 8.0,
    "awq-int4": 4.15625,
    "gptq-int4": 4.15625,
    "awq-w4a8": 4.15625,
    "nvfp4": 4.5,
    "Q4_0": 4.5,
    "Q8_0": 8.5,
    "MXFP4": 4.25,
}
# Rows that count decoding steps alone: llama-bench's batched mode and micro-batches.
DECODING_ALONE = ("llama.cpp",)


def batch_rows() -> list[dict[str, Any]]:
    """The band of measured over predicted throughput above one sequence, and its summary."""
    known = architectures()
    groups: dict[str, list[tuple[Measurement, float]]] = defaultdict(list)
    for found in measurements():
        if found.measure == "throughput" and found.batch > 1 and found.model_id in known:
            predicted = _predicted(found, known[found.model_id])
            if predicted:
                groups[found.engine].append((found, log(found.value / predicted)))
    for engine, group in groups.items():
        ratios = sorted(exp(value) for _, value in group)
        middle, low, high = median(ratios), ratios[0], ratios[-1]
        print(f"throughput {engine:14} n={len(group):<4} {middle:.2f} ({low:.2f}-{high:.2f})")
    pairs = [pair for group in groups.values() for pair in group]
    every = sorted(((value, found) for found, value in pairs), key=lambda pair: pair[0])
    edge = len(every) // 20
    row = {
        "kind": "batch",
        "low": round(exp(every[edge][0]), 3),
        "high": round(exp(every[-1 - edge][0]), 3),
        "median_error": round(median(abs(exp(value) - 1) for value, _ in every), 3),
        "n": len(every),
        "devices": len({found.gpu for _, found in every}),
        "source": sorted({found.source for _, found in every}),
    }
    print({key: value for key, value in row.items() if key != "source"})
    return [row]


def _predicted(found: Measurement, model: Architecture) -> float | None:
    bits = BITS.get(found.format) or BITS.get(found.variant)
    if bits is None:
        return None
    card = accelerators()[found.gpu]
    setup = Setup.of(found.engine, found.format, card, found.gpus, generation=found.generation)
    alone = found.engine in DECODING_ALONE
    context = found.prompt_tokens + (0 if alone else found.output_tokens // 2)
    try:
        work = _work(model, bits, context)
    except UnknownKvDtype:
        return None
    if alone and not found.output_tokens:  # a prompt in micro-batches: one cache serves all rows
        work = work.at(kv_bytes_read(model, context // 2) // found.batch)
    if alone or not found.output_tokens:
        return decode(work, card, setup, found.batch).tokens_per_second
    read = prefill(
        prompt(model, found.prompt_tokens or 1),
        found.prompt_tokens or 1,
        card,
        setup,
        mixture=is_mixture(model),
    )
    return serving_throughput(work, card, setup, found.batch, read, found.output_tokens)


def _work(model: Architecture, bits: float, context: int) -> Work:
    """From shapes alone, as these rows name no file."""
    head = model.vocab_size * model.hidden_size
    running = [
        tensor
        for tensor in model.tensors
        if tensor.linear and tensor.part == "text" and tensor.kind not in ("head", "embedding")
    ]
    shared = sum(tensor.parameters for tensor in running if tensor.active == tensor.copies)
    return Work(
        shared_bytes=round(shared * bits / 8) + 2 * head,
        kv_bytes=kv_bytes_read(model, context),
        parameters=active_linear_parameters(model) + head,
        bits=bits,
        experts=tuple(
            ExpertBytes(round(t.parameters * bits / 8), t.copies, t.active)
            for t in running
            if t.active < t.copies
        ),
        hidden_size=model.hidden_size,
        all_reduces=ALL_REDUCES_PER_LAYER * len(model.layers),
    )
