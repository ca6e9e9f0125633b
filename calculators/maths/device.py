"""A GPU's memory in four steps: the box, nvidia-smi, CUDA, what an engine may take.

Read-outs win over rules; where nobody read a card out, the rules below stand in and say so.
Source of the rules: 71 read-outs in `facts/gpus.json` (`total_bytes`, `cuda_total_bytes`). Held
against the rows they stand in for, 62 of 69 totals are within 64 MiB and 19 of 20 CUDA totals
within 203 MiB; not so B300 and GB300 (their 288 GB are not GiB) and the unified memory of GB10,
which all have read-outs of their own. The rates of the same GPU are an `Accelerator`.
"""

from dataclasses import dataclass
from typing import Literal

from calculators.facts import Row
from calculators.kit.units import GIB, MIB

Basis = Literal["exact", "measured", "modelled"]

# Share of the marketed GiB that nvidia-smi shows: Ada, Ampere and older all of it; Hopper and
# Blackwell miss 0.42-0.52 % whatever the memory (21 rows of facts/gpus.json).
NEWER = ("Hopper", "Blackwell", "Blackwell Ultra", "Rubin")
NEWER_SHARE = 0.9953
# GDDR6 with ECC keeps its check bits in the same memory: A6000 49140 -> 46068, A10 24564 -> 23028.
ECC_SHARE = 15 / 16
# What the driver keeps back before CUDA: least squares over 19 read-outs of 8 to 180 GiB, residuals
# within 203 MiB (facts/gpus.json, and totals logged by vLLM in facts/memory_logs.json).
RESERVE_BYTES = 390 * MIB
RESERVE_SHARE = 0.002135
# AMD drivers show 16 MiB less than the marketed GiB (7900 XTX, 7900 XT, MI300X).
AMD_RESERVE_BYTES = 16 * MIB
# Metal's recommendedMaxWorkingSetSize: 2/3 of the memory up to 36 GB and 3/4 above, read out on
# 16, 32, 64 and 96 GB Macs; newer macOS gives 0.74-0.84 (`wired_limits` in facts/gpus.json).
WIRED_SMALL_BYTES = 36 * GIB
WIRED_SMALL_SHARE = 2 / 3
WIRED_SHARE = 3 / 4
# Memory that a desktop uses on the GPU it is shown by: 0.2-1.2 GiB in the nvidia-smi listings read.
DISPLAY_BYTES = GIB // 2


@dataclass(frozen=True, slots=True)
class Device:
    """`total_bytes` as the driver reports it, `usable_bytes` as CUDA, HIP or Metal reports it."""

    id: str
    name: str
    vendor: str
    marketed_bytes: int
    total_bytes: int
    usable_bytes: int
    basis: Basis
    compute_capability: float | None = None

    def usable_with(self, display: bool) -> int:
        """`usable_bytes`, less what a desktop takes where there is one."""
        return self.usable_bytes - (DISPLAY_BYTES if display else 0)


def typed_device(name: str, memory_gib: float, usable_bytes: int | None = None) -> Device:
    """A card that somebody typed in: its memory in GiB, the reserve by rule unless given."""
    total = round(memory_gib * GIB)
    usable = after_reserve(total) if usable_bytes is None else usable_bytes
    return Device("typed", name, "", total, total, usable, "modelled")


def device(row: Row, memory_gb: int | None = None, ecc: bool | None = None) -> Device | None:
    """The device of a row of `facts/gpus.json`; None where its memory is not known (CPUs).

    `memory_gb` picks one of several sizes sold, `ecc` overrides how the card ships.
    """
    marketed_gb = memory_gb or row.get("marketed_gb")
    if not marketed_gb:
        return None
    marketed = int(marketed_gb) * GIB
    other_size = marketed_gb != row.get("marketed_gb")
    total, basis = _total(row, marketed, ecc, other_size)
    usable = _usable(row, total, marketed, basis, other_size, ecc)
    capability = row.get("compute_capability")
    return Device(
        id=row["id"],
        name=row["name"],
        vendor=row["vendor"],
        marketed_bytes=marketed,
        total_bytes=total,
        usable_bytes=usable,
        basis=basis,
        compute_capability=float(capability) if capability else None,
    )


def after_reserve(total: int) -> int:
    """What CUDA reports of `total` bytes, by rule."""
    return total - RESERVE_BYTES - round(RESERVE_SHARE * total)


def _total(row: Row, marketed: int, ecc: bool | None, other_size: bool) -> tuple[int, Basis]:
    if other_size or ("total_bytes" not in row and "cuda_total_bytes" not in row):
        share = NEWER_SHARE if row.get("architecture") in NEWER else 1.0
        amd = AMD_RESERVE_BYTES if row["vendor"] == "AMD" else 0
        total = round(marketed * share) - amd
        on = ecc if ecc is not None else row.get("class") == "datacenter"  # as they ship
        return (round(total * ECC_SHARE) if on and _loses_to_ecc(row) else total), "modelled"
    total = int(row.get("total_bytes") or row["cuda_total_bytes"])
    shipped = row.get("total_ecc") == "on"
    if ecc is None or ecc == shipped or not _loses_to_ecc(row):
        return total, "measured"
    state = "on" if ecc else "off"
    if read := row.get(f"total_ecc_{state}_bytes"):
        return int(read), "measured"
    return round(total * ECC_SHARE if ecc else total / ECC_SHARE), "modelled"


def _loses_to_ecc(row: Row) -> bool:
    """HBM and GDDR7 carry their check bits beside the data; consumer cards have no ECC switch."""
    professional = row.get("class") in ("workstation", "datacenter")
    return professional and str(row.get("memory_type", "")).startswith("GDDR6")


def _usable(
    row: Row, total: int, marketed: int, basis: Basis, other_size: bool, ecc: bool | None
) -> int:
    if row["vendor"] == "Apple":
        share = WIRED_SMALL_SHARE if marketed <= WIRED_SMALL_BYTES else WIRED_SHARE
        return round(marketed * share)
    if "gpu_limit_bytes" in row and not other_size:
        return int(row["gpu_limit_bytes"])
    shipped = ecc is None or not _loses_to_ecc(row) or ecc == (row.get("total_ecc") == "on")
    if basis == "measured" and shipped and "cuda_total_bytes" in row and not other_size:
        return int(row["cuda_total_bytes"])
    if row["vendor"] == "NVIDIA":
        return after_reserve(total)
    return total
