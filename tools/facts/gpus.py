"""Accelerators: marketed memory, memory as the driver and CUDA report it, rates, and where from.

Left out: null fields; read-outs whose only source is a package index; the readers' guesses about
Apple's wired limit (the rule is code, the read-outs stay as rows of `wired_limits`).
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from calculators.kit.units import GIB, MIB
from tools.facts import File

REPEATED = 3  # a citation seen this often gets a key of its own

KEPT = (
    *("id", "name", "vendor", "class", "architecture", "compute_capability", "gfx"),
    *("unified_memory", "status", "memory_type", "memory_options_gb", "memory_bandwidth_gb_s"),
    *("fp32_tflops", "tflops_basis", "tflops_note", "pcie", "tdp_w", "tdp_note", "released"),
    *("release_note", "formats", "note", "conflicts", "gpus_per_board"),
    "devices_seen_by_software",
)
SEVERAL = re.compile(r"; (?![^(]*\))")  # between citations, not inside a parenthesis
CUDA_ONLY = ("PyTorch total", "CUDA total")  # what the read-out says when nvidia-smi was not seen


def convert(directory: Path) -> File:
    raw = json.loads((directory / "gpus.json").read_text(encoding="utf-8"))
    rows = [row(entry) for entry in raw]
    sources = shared_citations(rows)
    return File(
        about=(
            "Accelerators. marketed_gb is the figure on the box; total_bytes is what nvidia-smi or"
            " the driver reports, cuda_total_bytes what CUDA or HIP reports after the driver's"
            " reserve, both only where somebody read them out. Rates are dense; fp16 and bf16"
            " with FP32 accumulation."
        ),
        date="2026-11-21",
        rows=rows,
        sources=sources,
    )


def row(entry: dict[str, Any]) -> dict[str, Any]:
    kept = {key: entry[key] for key in KEPT if entry.get(key) not in (None, [], {})}
    kept |= memory(entry) | rates(entry)
    if entry.get("gpu_memory_default"):
        kept |= unified(entry["gpu_memory_default"])
    if hint := entry.get("vllm_gpu_memory_utilization_hint"):
        kept["advised_gpu_memory_utilization"] = hint["value"]
        kept["advice_source"] = hint["source"]
    kept["source"] = list(entry["source"])
    return kept


def memory(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if entry.get("memory_gb"):
        found["marketed_gb"] = entry["memory_gb"]
    read = entry.get("memory_bytes")
    if not read:
        return found
    if not read["what"].startswith(CUDA_ONLY):
        found["total_bytes"] = read.get("bytes") or read["mib"] * MIB
    if "cuda_total_bytes" in read:
        found["cuda_total_bytes"] = read["cuda_total_bytes"]
    elif "cuda_total_mib" in read:
        found["cuda_total_bytes"] = read["cuda_total_mib"] * MIB
    note = f"{read.get('note', '')} {read['source']}"
    if "ECC on" in note or "ecc_off_mib" in read:
        found["total_ecc"] = "on"
    elif "ECC off" in note or "ecc_on_mib" in read:
        found["total_ecc"] = "off"
    for state in ("on", "off"):
        if f"ecc_{state}_mib" in read:
            found[f"total_ecc_{state}_bytes"] = read[f"ecc_{state}_mib"] * MIB
    keys = ("source", "torch_source", "cuda_source", "ecc_source")
    cited = [text for key in keys for text in SEVERAL.split(read.get(key, "")) if text]
    found["memory_source"] = list(dict.fromkeys(cited))
    return found


def rates(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("dense_tflops", "dense_tflops_fp16_accumulate"):
        values = {name: value for name, value in (entry.get(key) or {}).items() if value}
        if values:
            found[key] = values
    if gemm := entry.get("measured_gemm_tflops"):
        notes = {"source", "note"}
        found["measured_gemm_tflops"] = {k: v for k, v in gemm.items() if k not in notes}
        found["measured_gemm_source"] = gemm["source"]
        if "note" in gemm:
            found["measured_gemm_note"] = gemm["note"]
    if streaming := entry.get("bandwidth_efficiency_measured"):
        found["measured_streaming_fraction"] = streaming["fraction"]
        found["measured_streaming_workload"] = streaming["workload"]
        found["measured_streaming_source"] = streaming["source"]
    if measured := entry.get("measured_bandwidth_gb_s"):
        found["measured_bandwidth_gb_s"] = measured["range"]
        found["measured_bandwidth_source"] = measured["source"]
    if link := entry.get("interconnect"):
        found["interconnect"] = link["type"]
        found["interconnect_gb_s_total"] = link["gb_s_total"]
        if link.get("source"):
            found["interconnect_source"] = link["source"]
        if link.get("note"):
            found["interconnect_note"] = link["note"]
    return found


def unified(default: dict[str, Any]) -> dict[str, Any]:
    """Read-outs of what the GPU may use of a shared memory."""
    if "linux_max_gib" in default:
        return {
            "gpu_limit_bytes": default["linux_max_gib"] * GIB,
            "gpu_limit_how": default["how"],
            "gpu_limit_source": default["source"],
            "gpu_limit_pitfall": default["pitfall"],
        }
    limits = []
    for memory_gb, readings in default["measured_by_memory_gb"].items():
        for reading in readings:
            if "pypi.org" in reading["source"]:
                continue
            limits.append(
                {
                    "marketed_gb": int(memory_gb),
                    "wired_limit_bytes": reading_bytes(reading),
                    **{key: reading[key] for key in ("chip", "os") if key in reading},
                    "source": reading["source"],
                }
            )
    return {"wired_limits": limits} if limits else {}


def reading_bytes(reading: dict[str, Any]) -> int:
    """Metal prints recommendedMaxWorkingSetSize in MiB and calls it MB; the rest says GB or GiB."""
    for key, unit in (("mb", MIB), ("gib", GIB), ("gb", 10**9)):
        if key in reading:
            return round(float(reading[key]) * unit)
    raise ValueError(f"no figure in {reading}")


def shared_citations(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Give citations that many rows repeat a short key, and put the keys into the rows."""
    counted = Counter(text for row in rows for text in row["source"])
    keys: dict[str, str] = {}
    for text, times in counted.items():
        if times >= REPEATED:
            keys[text] = unique_key(text, set(keys.values()))
    for entry in rows:
        entry["source"] = [keys.get(text, text) for text in entry["source"]]
        for name in ("measured_streaming_source", "measured_gemm_source"):
            if entry.get(name) in keys:
                entry[name] = keys[entry[name]]
    return {key: text for text, key in keys.items()}


def unique_key(text: str, taken: set[str]) -> str:
    """The repository or host and the last part of the path: short, and readable in a diff."""
    place = text.split("@")[0].split(" (")[0].removeprefix("https://").rstrip("/")
    key = place.split(":")[0] if ":" in place else place.split("/")[0]
    if key in taken:
        key = f"{key}/{place.replace(':', '/').split('/')[-1]}"
    if key in taken:
        raise ValueError(f"two citations would be called {key!r}")
    return key
