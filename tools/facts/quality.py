"""`quality.json`: published quality before and after quantization, one row per table column.

A reference row is one number. Numbers of one model, metric, baseline, setting and source share a
row here, so that 1,591 of them fit in a page's download.
"""

import json
import re
from pathlib import Path

from calculators.facts import Row
from tools.facts import File

ABOUT = (
    "Published quality of quantized models. model: as the source names it; nominal_billions: "
    "parameters by that name (total, for a mixture of experts); kind: what value and baseline are "
    "(score: higher is better, percent; perplexity; word_perplexity: per word; kld: KL divergence "
    "from the baseline; recovery: percent of the baseline score, all that was printed; "
    "relative_loss: change in percent of the baseline score, all that was printed; agreement: "
    "percent of tokens with the same first choice; probability: change of the probability of the "
    "right token, points); against: the baseline where it is not the 16-bit model; evidence: how "
    "the number was printed where it was not a table (statement: prose, not a measurement). "
    "values: format (w4a16: integer weights of 4 bits and 16-bit activations, and so on), "
    "method, group (weights per scale, -1 per channel), bits (of EXL2 and EXL3), label as "
    "published, value; ratio where only value/baseline was printed; standard_error: of one score, "
    "in points, as the source states it. date is when the source was read."
)
DATE = "2026-11-21"

KINDS = {
    "points value-baseline (higher is better)": "score",
    "absolute (baseline = 0 by definition)": "kld",
    "percentage points change of the probability of the right token": "probability",
    "percentage points, worst 0.1 % of tokens": "probability",
    "points below 100 %": "agreement",
    "recovery in percent of baseline": "recovery",
    "relative loss in percent of baseline (lower is better)": "relative_loss",
}

BILLIONS = {  # names that do not say their size; totals of the published checkpoints
    "Phi4": 14.7,
    "Phi-3.5-mini-Instruct": 3.8,
    "Phi-4-mini-Instruct": 3.8,
    "microsoft/phi-2": 2.7,
    "DeepSeek-V2-Lite": 15.7,
    "DeepSeek-V4-Flash": 158,
    "DeepSeek-R1": 671,
    "Llama-4-Scout": 109,
    "MiMo-V2.5": 309,  # 113.1 GB at 2.93 bits per weight
    "Mistral-Nemo-Instruct-2407": 12.2,
    "Mixtral-8x7B": 46.7,
    "mistralai/Mixtral-8x7B-v0.1": 46.7,
    "Command-R": 35,
    "Command-R-Plus": 104,
    "Llama-3.1 family (8B-405B)": None,
    "DeepSeek-R1-Distill 7B and larger": None,
}

AGAINST = (
    (r"8\.0 bpw EXL3 point", "EXL3 at 8.0 bits"),
    (r"6\.0 bpw EXL3 point", "EXL3 at 6.0 bits"),
    (r"FP16 cache with the same weights", "FP16 KV cache"),
    (r"Q8_0 K cache", "Q8_0 K cache"),
    (r"baseline = FP8 original", "the FP8 original"),
    (r"baseline = FP8|no BF16 baseline", "FP8 checkpoint"),
    (r"native mixed FP4/FP8 weights up-cast", "native FP4/FP8 weights, up-cast"),
    (r"baseline = QAT bf16", "BF16 weights trained for 4 bits"),
)

LABELLED = (  # what a label says of the method, the first that it says
    (r"alg_ext|AutoRound|iters=|FP8_BLOCK Tuning", "AutoRound"),
    (r"(?i)opt-?r[tn]{2}|optimi[sz]ed RTN", "optimised RTN"),
    (r"HQQ$", "HQQ"),
    (r"RTN|int8wo|int8dq", "RTN"),
    (r"INT8 AWQ", "AWQ"),
    (r"SmoothQuant", "SmoothQuant"),
    (r"\(pure\)|^pure Q", "pure"),
    (r"no imatrix", "no imatrix"),
    (r"imatrix", "imatrix"),
    (r"per-tensor", "per tensor"),
    (r"PTPC", "per channel"),
)
NAMED = {  # what a reference format's first word says of it, where it is not the format itself
    "awq": "AWQ",
    "gptq": "GPTQ",
    "rtn": "RTN",
    "hqq": "HQQ",
    "autoround": "AutoRound",
    "omniquant": "OmniQuant",
    "smoothquant": "SmoothQuant",
    "quarot": "QuaRot",
    "spinquant": "SpinQuant",
    "nugptq": "NuGPTQ",
}
INVENTED = "midpoint written"  # a range in prose, turned into a number by whoever noted it


def convert(directory: Path) -> File:
    given: list[Row] = json.loads((directory / "quality.json").read_text(encoding="utf-8"))
    sources: dict[str, str] = {}
    tables: dict[str, Row] = {}
    for row in given:
        if INVENTED in row["conditions"]:
            continue
        head = _head(row, sources)
        key = json.dumps(head)
        tables.setdefault(key, head | {"values": []})["values"].append(_value(row, head["kind"]))
    return File(ABOUT, DATE, list(tables.values()), {key: url for url, key in sources.items()})


def _head(row: Row, sources: dict[str, str]) -> Row:
    key = sources.setdefault(row["source"], f"s{len(sources) + 1}")
    head = {
        "model": row["model"],
        "nominal_billions": _billions(row["model"]),
        "metric": row["metric"],
        "kind": _kind(row),
        "baseline": row["baseline"],
        "against": next((a for p, a in AGAINST if re.search(p, row["conditions"])), None),
        "conditions": _conditions(row["conditions"]),
        "evidence": _evidence(row.get("evidence")),
        "standard_error": _standard_error(row["metric"], row["conditions"]),
        "source": key,
    }
    return {name: value for name, value in head.items() if value not in (None, "")}


def _kind(row: Row) -> str:
    if row["metric"] == "wikitext2-word-ppl":
        return "word_perplexity"
    return "perplexity" if row["metric"].endswith("ppl") else KINDS.get(row["delta_kind"], "score")


def _billions(model: str) -> float | None:
    if model in BILLIONS:
        return BILLIONS[model]
    found = re.search(r"(\d+(?:\.\d+)?)[Bb]\b", model)
    if not found:
        raise ValueError(f"{model}: no size in the name and none in BILLIONS")
    return float(found[1]) if "." in found[1] else int(found[1])


def _conditions(text: str) -> str:
    """Without what the row says elsewhere: model, file size, bits of the weights."""
    text = re.sub(r"^Llama 3 8B, |^file [\d.]+ GB, |(^|, )[\d.]+ bpw(; |$)|^recovery$", "", text)
    text = re.sub(r", file [\d.]+ GiB|; the benchmark says size [\d.]+ GB", "", text)
    return re.sub(r"; value label printed on the chart|; source gives ln.*", "", text)


def _evidence(text: str | None) -> str | None:
    if text and "statement" in text:
        return "statement"
    return {"quoted from model card": "model card", "copy of model card": "model card"}.get(
        text or "", text
    )


def _standard_error(metric: str, conditions: str) -> float | None:
    """In points; a 95 % interval is 1.96 of them to each side."""
    if found := re.search(r"standard error about ([\d.]+)", conditions):
        return float(found[1])
    found = re.search(rf"\+-([\d.]+) \({metric}\)", conditions)
    return round(float(found[1]) / 1.96, 2) if found else None


def _value(row: Row, kind: str) -> Row:
    label = row["variant"]
    value = {
        "format": _format(row["format"], label),
        "method": _method(row["format"], label),
        "group": _group(label, row["conditions"]),
        "bits": _bits(row["format"], label),
        "label": label,
        "value": row["value"],
    }
    if row["value"] is None:
        name = "value" if kind == "relative_loss" else "ratio"
        value[name] = row["delta_or_ratio"]
    return {name: item for name, item in value.items() if item is not None}


def _format(name: str, label: str) -> str:
    if name == "gguf":
        return f"gguf-{_gguf_type(label)}"
    if name.endswith(("w4a4", "w4a8")):
        return "w4a4-kv4" if "KV4" in label else name[-4:]
    if name == "fp8":
        return "fp8-block" if "BLOCK" in label else "fp8-channel" if "PTPC" in label else "fp8"
    if "INT4+INT8" in label or "mixed INT4/INT8" in label:
        return "w4-8a16"
    if "mixed MXFP4/8" in label:
        return "mxfp4-8"
    renamed = {"nf4-bnb": "bnb-nf4", "nugptq": "w4a16", "int8-w8a16": "w8a16"}
    found = re.fullmatch(r"\w+-int(\d)", name)
    return f"w{found[1]}a16" if found else renamed.get(name, name)


def _gguf_type(label: str) -> str:
    """The llama.cpp file type in a label; auto-round names its 2-, 3- and 4-bit recipes after
    q2ks, q3ks and q4km in the same table."""
    text = label.replace("opt-rtn (2bit)", "q2_k_s").replace("opt-rtn (3bit)", "q3_k_s")
    text = text.replace("opt-rtn (4bit)", "q4_k_m")
    text = re.sub(r"\bq(\d)k([sm])\b", r"q\1_k_\2", text, flags=re.I)
    if label.startswith(("mixed", "mix-")) or "recipe" in label:
        return "mixed"
    found = re.search(r"(UD-)?(I?Q\d\w*|MXFP4|F16)", text, flags=re.I)
    if not found:
        raise ValueError(f"no GGUF type in {label!r}")
    return found[0].upper().replace("_PURE", "")


def _method(name: str, label: str) -> str | None:
    if name in ("exl2", "exl3", "aqlm", "vptq", "other"):
        return None
    if name == "kv-cache":
        return re.split(r" cache |, weights| \(", label)[1]
    named = NAMED.get(name.split("-")[0])
    if named and named != "RTN":
        return named
    return next((method for p, method in LABELLED if re.search(p, label)), named)


def _group(label: str, conditions: str) -> int | None:
    text = f"{label} {conditions}"
    if re.search(r"no groups|per-channel|G-1\b", text):
        return -1
    found = re.search(r"(?:[Gg]|block )(\d{2,4})\b", label)
    return int(found[1]) if found else None


def _bits(name: str, label: str) -> float | None:
    found = re.search(r"([\d.]+) ?bpw", label)
    return float(found[1]) if found and name in ("exl2", "exl3") else None
