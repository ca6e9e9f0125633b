"""What an accelerator streams and multiplies at its nominal rates, and the class it is in.

The memory of the same GPU is a `Device`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from calculators.facts import rows

# Classes whose members reach alike shares of their nominal rates; the fits are made per class.
# A class is followed by the broader one that stands in for it when it has too few measurements.
BROADER = {
    "nvidia-geforce": ("nvidia-gddr",),
    "nvidia-workstation": ("nvidia-gddr",),
}
# Hopper with 15 % of its tensor rate: its shares (0.2-0.4) say nothing about other HBM parts.
CUT_DOWN = ("h20",)


@dataclass(frozen=True)
class Accelerator:
    """One accelerator. `flops`: dense operations per second by dtype (fp16, fp8, int8, fp4).

    `link_bytes_per_second`: to its peers, in one direction; 0 when not known.
    """

    id: str
    device_class: str
    bandwidth: float  # bytes per second, nominal
    flops: Mapping[str, float] = field(default_factory=dict, hash=False)
    link_bytes_per_second: float = 0.0
    nvlink: bool = False

    def peak(self, dtype: str = "fp16") -> float | None:
        """Dense operations per second, or None when no figure is known."""
        return self.flops.get(dtype)


def device_class(row: Mapping[str, Any]) -> str:
    """The class of a `gpus` row, from its vendor, architecture and memory."""
    vendor, architecture = row.get("vendor"), row.get("architecture") or ""
    memory = row.get("memory_type") or ""
    if row.get("class") == "cpu":
        return "cpu"
    if vendor == "NVIDIA":
        return _nvidia(row["id"], row["class"], memory)
    if vendor == "AMD" and "HBM" not in memory:
        if architecture == "RDNA 3.5":
            return "strix-halo"
        return "rdna4" if architecture == "RDNA 4" else "rdna"
    if vendor == "Intel":
        return "other" if "HBM" in memory else "arc"
    return {"AMD": "instinct", "Apple": "apple"}.get(str(vendor), "other")


def _nvidia(gpu_id: str, market: str, memory: str) -> str:
    if gpu_id in CUT_DOWN:
        return f"nvidia-{gpu_id}"
    if "HBM" in memory:
        return "nvidia-hbm"
    if market == "soc":
        return "jetson" if "jetson" in gpu_id else "gb10"
    return "nvidia-geforce" if market in ("consumer", "laptop") else "nvidia-workstation"


def _flops(row: Mapping[str, Any]) -> dict[str, float]:
    """Where no tensor rate is published (Apple, Pascal) the FP32 shader rate stands in for FP16."""
    found = {dtype: rate * 1e12 for dtype, rate in (row.get("dense_tflops") or {}).items() if rate}
    if "fp16" not in found and row.get("fp32_tflops"):
        found["fp16"] = row["fp32_tflops"] * 1e12
    return found


PCIE_BYTES_PER_SECOND = {"3.0": 15.75e9, "4.0": 31.5e9, "5.0": 63.0e9}  # x16, PCI-SIG, one way


def of_row(row: Mapping[str, Any]) -> Accelerator:
    """A `gpus` row, or a visitor's own in the same keys."""
    both_ways = row.get("interconnect_gb_s_total")
    pcie = PCIE_BYTES_PER_SECOND.get(str(row.get("pcie") or "")[:3], 0.0)
    return Accelerator(
        id=row["id"],
        device_class=device_class(row),
        bandwidth=row["memory_bandwidth_gb_s"] * 1e9,
        flops=_flops(row),
        link_bytes_per_second=both_ways * 1e9 / 2 if both_ways else pcie,
        nvlink=bool(both_ways),
    )


@cache
def accelerators() -> dict[str, Accelerator]:
    """All accelerators of the catalogue whose bandwidth is known, by id."""
    return {row["id"]: of_row(row) for row in rows("gpus") if row.get("memory_bandwidth_gb_s")}
