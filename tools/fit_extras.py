"""Constants beside the two regressions: several cards, and kernels that fade with the batch."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

from calculators.facts import rows
from calculators.maths.accelerator import accelerators
from calculators.maths.measured_speed import Measurement, measurements
from calculators.maths.traffic import ALL_REDUCES_PER_LAYER
from tools.fit_cases import decode_case
from tools.fit_levels import Levels


def _several(split: str) -> list[Measurement]:
    return [
        found
        for found in measurements()
        if found.measure == "decode"
        and found.split == split
        and found.weight_bytes_read
        and not found.mixture
    ]


def tensor_parallel(levels: Levels) -> dict[str, Any]:
    """Microseconds that one all-reduce of one token adds: the median over rows of the time beyond
    the one-card formula at n times the bandwidth, over the all-reduces of the model. Engines that
    no longer exist in that form (2023) show their own overheads and are left out."""
    layers = {row["id"]: _layers(row["config"]) for row in rows("models")}
    each: list[float] = []
    used: list[Measurement] = []
    for found in _several("tensor"):
        if found.version == "late 2023" or not layers.get(found.model_id):
            continue
        card = accelerators()[found.gpu]
        together = replace(card, bandwidth=card.bandwidth * found.gpus)
        case = decode_case(found, together)
        beyond = case.time - levels.predict(case)
        each.append(beyond / (ALL_REDUCES_PER_LAYER * layers[found.model_id]))
        used.append(found)
    each.sort()
    row = {
        "kind": "tensor_parallel",
        "all_reduce_us": round(median(each) * 1e6, 1),
        "quartiles_us": [
            round(each[len(each) // 4] * 1e6, 1),
            round(each[-len(each) // 4] * 1e6, 1),
        ],
        **_counted(used),
    }
    print({key: value for key, value in row.items() if key != "source"})
    return row


def _layers(config: dict[str, Any]) -> int:
    inner = config.get("text_config") or config
    return int(inner.get("num_hidden_layers") or inner.get("n_layer") or 0)


def layer_split(levels: Levels) -> dict[str, Any]:
    """Milliseconds that each further card adds when layers are dealt out to cards."""
    used = _several("layer")
    each = []
    for found in used:
        case = decode_case(found, accelerators()[found.gpu])
        each.append((case.time - levels.predict(case)) / (found.gpus - 1))
    row = {
        "kind": "layer_split",
        "per_card_ms": round(max(0.0, median(each)) * 1e3, 3),
        **_counted(used),
    }
    print({key: value for key, value in row.items() if key != "source"})
    return row


def _counted(used: list[Measurement]) -> dict[str, Any]:
    return {
        "n": len(used),
        "devices": len({found.gpu for found in used}),
        "source": sorted({found.source for found in used}),
    }


# Which measured series tells what share of the card's FP16 rate a weight-only kernel reaches.
KERNELS: dict[str, Callable[[Measurement], bool]] = {
    "marlin": lambda found: "marlin" in found.variant.lower() and "peak.png" in found.source,
    "exllamav2": lambda found: "exllama" in found.variant.lower(),
    "awq": lambda found: found.engine == "awq-kernel",
}
WEIGHT_BYTES_16 = 2
FIRST = 3  # points after that; with more rows some kernels change their tiling
SATURATED = 0.8  # of the speed-up at one row: below it the kernel no longer waits for memory


def kernels() -> list[dict[str, Any]]:
    """Share of the nominal FP16 rate at which a kernel unpacks and multiplies, from where its
    speed-up has fallen below the memory-bound one and 16 bit still waits for memory."""
    groups: dict[str, list[Measurement]] = defaultdict(list)
    for found in measurements():
        if found.measure == "kernel_speedup":
            for name, mine in KERNELS.items():
                if mine(found):
                    groups[name].append(found)
    made = []
    for name, group in groups.items():
        shares = list(_shares(group))
        made.append(
            {
                "kind": "kernel",
                "name": name,
                "share_of_fp16": float(f"{median(shares):.3g}"),
                **_counted(group),
            }
        )
        print({key: value for key, value in made[-1].items() if key != "source"})
    return made


def _shares(group: list[Measurement]) -> list[float]:
    """Operations per second over nominal: 2 m per weight in 2 bytes / bandwidth / speed-up."""
    best = max(found.value for found in group)
    group = sorted(group, key=lambda found: found.batch)
    shares = []
    for found in group:
        card = accelerators()[found.gpu]
        peak = card.peak() or 1.0
        seconds = WEIGHT_BYTES_16 / card.bandwidth / found.value
        memory_bound_16 = 2 * found.batch / peak < WEIGHT_BYTES_16 / card.bandwidth
        if found.value < SATURATED * best and memory_bound_16:
            shares.append(2 * found.batch / peak / seconds)
    return shares[:FIRST]
