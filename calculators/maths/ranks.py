"""What one GPU holds of a checkpoint when a model is spread over several.

Tensor parallelism cuts matrices, but not all: norms, routers and the compressed projections of
latent attention stand whole on every rank, a KV projection is never cut below one head, and the
vocabulary is padded first. Pipeline parallelism deals out whole layers. The largest rank decides.
Source: `vllm-project/vllm @v0.33.0`, model_executor/layers/{linear,vocab_parallel_embedding}.py and
models/{llama,deepseek_v2}.py; distributed/utils.py (`get_pp_indices`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from calculators.maths.kv_cache import CacheLayer, cache_layers
from calculators.maths.packing.model import Checkpoint, Packed
from calculators.maths.tensors import Architecture, Attention, Tensor

WHOLE_TENSOR = Fraction(1)
VOCAB_PADDING = 64  # rows; vocab_parallel_embedding.py, DEFAULT_VOCAB_PADDING_SIZE

KEY_VALUE = ("k_proj", "v_proj")
FUSED_QKV = ("qkv_proj", "Wqkv", "query_key_value", "c_attn", "qkv")
WHOLE = (  # ReplicatedLinear in models/deepseek_v2.py and mla.py
    *("q_a_proj", "kv_a_proj_with_mqa", "q_a_layernorm", "kv_a_layernorm"),
    *("indexer.wq_b", "indexer.wk", "indexer.weights_proj", "indexer.k_norm"),
)
ROW_PARALLEL = ("o_proj", "out_proj", "down_proj", "c_proj", "w2", "dense")  # bias kept whole


@dataclass(frozen=True, slots=True)
class Heads:
    """Query and KV heads of the model's widest attention, for cutting fused projections."""

    query: int
    key_value: int


def heads(model: Architecture) -> Heads:
    """Of the widest attention, query and key-value; 1 and 1 where there is none."""
    found = [m for layer in model.layers for m in layer.mixers if isinstance(m, Attention)]
    if not found:
        return Heads(1, 1)
    widest = max(found, key=lambda mixer: mixer.query_heads)
    return Heads(widest.query_heads, widest.key_value_heads)


def padded_vocabulary(rows: int, tensor_parallel: int = 1) -> int:
    """Rows after padding to a multiple of 64, and of the ranks that share them."""
    padded = -(-rows // VOCAB_PADDING) * VOCAB_PADDING
    return -(-padded // tensor_parallel) * tensor_parallel


def rank_share(tensor: Tensor, split: int, cut: Heads) -> Fraction:
    """The part of a tensor that one of `split` tensor-parallel ranks holds."""
    if tensor.kind in ("embedding", "head"):
        rows = tensor.shape[0]
        return Fraction(padded_vocabulary(rows, split), split * rows)
    if split == 1:
        return WHOLE_TENSOR
    if tensor.kind in ("norm", "router", "projector") or _is_whole(tensor):
        return WHOLE_TENSOR
    if tensor.kind == "attention":
        return _attention_share(tensor, split, cut)
    return Fraction(1, split)


def _is_whole(tensor: Tensor) -> bool:
    name = tensor.name.removesuffix(".weight").removesuffix(".bias")
    if name.endswith(WHOLE):
        return True
    return len(tensor.shape) == 1 and name.endswith(ROW_PARALLEL)


def _attention_share(tensor: Tensor, split: int, cut: Heads) -> Fraction:
    name = tensor.name.removesuffix(".weight").removesuffix(".bias")
    own = max(1, cut.key_value // split)
    if name.endswith(KEY_VALUE):
        return Fraction(own, cut.key_value)
    if name.endswith(FUSED_QKV):
        whole = cut.query + 2 * cut.key_value
        return Fraction(cut.query // split + 2 * own, whole) if whole else Fraction(1, split)
    return Fraction(1, split)


def pipeline_stages(layers: int, stages: int) -> tuple[range, ...]:
    """Layers of each stage: equal parts, what is left over goes to the later stages but the last.

    `get_pp_indices` gives the remainder to the stages before the last one, from the back.
    """
    sizes = [layers // stages] * stages
    left = layers - sum(sizes)
    for step in range(left):
        sizes[-(step + 2) % stages] += 1
    starts = [sum(sizes[:stage]) for stage in range(stages)]
    return tuple(range(start, start + size) for start, size in zip(starts, sizes, strict=True))


@dataclass(frozen=True, slots=True)
class RankWeights:
    """Bytes of weights that the fullest rank loads, apart from what the engine adds."""

    bytes: int
    latent_up_bytes: int  # kv_b_proj as 16-bit, which latent attention keeps once more
    quantized: bool
    streamed_bytes: int = 0  # the largest tensor of experts that waits in main memory
    mxfp4_bytes: int = 0  # of experts whose kernels want padded matrices


def rank_weights(
    model: Architecture,
    checkpoint: Checkpoint,
    tensor_parallel: int = 1,
    pipeline_parallel: int = 1,
    parts: Iterable[str] = ("text", "vision", "audio"),
) -> RankWeights:
    """The fullest rank's weights; `parts` are the ones the engine loads."""
    held = set(parts)
    loaded = [part for part in checkpoint.parts if part.tensor.part in held]
    cut = heads(model)
    shares = [(part, rank_share(part.tensor, tensor_parallel, cut)) for part in loaded]
    if pipeline_parallel == 1:
        total = sum(_bytes(part.bytes, share) for part, share in shares)
    else:
        stages = pipeline_stages(len(model.layers), pipeline_parallel)
        total = max(_stage_bytes(shares, stages, stage, model) for stage in range(len(stages)))
    up = [part for part in loaded if "kv_b_proj" in part.tensor.name]
    latent = sum(2 * part.tensor.parameters for part in up) // tensor_parallel // pipeline_parallel
    quantized = any(part.quantized for part in loaded)
    mxfp4 = sum(p.bytes for p in loaded if p.stored_as.startswith("mxfp4") and _is_expert(p))
    each = mxfp4 // tensor_parallel // pipeline_parallel
    return RankWeights(total, latent, quantized, mxfp4_bytes=each)


def _is_expert(part: Packed) -> bool:
    return part.tensor.kind == "expert"


def _bytes(size: int, share: Fraction) -> int:
    return size * share.numerator // share.denominator


def _stage_bytes(
    shares: list[tuple[Packed, Fraction]],
    stages: tuple[range, ...],
    stage: int,
    model: Architecture,
) -> int:
    """The first stage holds the embedding, the last the head, the norm and a tied embedding."""
    first, last = stage == 0, stage == len(stages) - 1
    total = 0
    for part, share in shares:
        tensor = part.tensor
        if tensor.layers and tensor.part == "text":
            here = sum(1 for layer in tensor.layers if layer in stages[stage])
            total += _bytes(part.bytes * here // len(tensor.layers), share)
        elif tensor.kind == "embedding":
            total += _bytes(part.bytes, share) if first or (last and model.tied) else 0
        elif tensor.kind in ("head", "norm"):
            total += _bytes(part.bytes, share) if last else 0
        else:
            total += _bytes(part.bytes, share) if first else 0
    return total


def fullest_stage(model: Architecture, stages: int, drafting: int = 0) -> tuple[CacheLayer, ...]:
    """Cache layers of the pipeline stage that has the most of them.

    `drafting` more attention layers of a multi-token-prediction block stand on the last stage.
    """
    layers = cache_layers(model)
    grows = [layer for layer in layers if layer.kind in ("full", "latent")] if drafting else []
    extra = tuple(grows[-1:] * drafting)
    if stages == 1:
        return layers + extra
    parts = (
        cache_layers(replace(model, layers=model.layers[stage.start : stage.stop]))
        for stage in pipeline_stages(len(model.layers), stages)
    )
    return max(parts, key=len) + extra


@dataclass(frozen=True, slots=True)
class Offload:
    """Weights of llama.cpp's devices: the fullest GPU, all GPUs, and what stays in main memory."""

    fullest: RankWeights
    all_gpus_bytes: int
    host_bytes: int


def offload(
    model: Architecture,
    checkpoint: Checkpoint,
    gpus: int = 1,
    n_gpu_layers: int | None = None,
    cpu_expert_layers: int = 0,
) -> Offload:
    """Layer split as llama.cpp does it: the last `n_gpu_layers` of layers and output go to GPUs.

    The embedding always stays in main memory; a tied one is copied to the GPU as the output.
    `cpu_expert_layers` keeps the experts of that many first layers in main memory
    (`--n-cpu-moe`). Source: `ggml-org/llama.cpp @0c1e57098`, src/llama-model.cpp (load_tensors).
    """
    count = len(model.layers)
    wanted = count + 1 if n_gpu_layers is None else min(n_gpu_layers, count + 1)
    first = count + 1 - wanted
    per_layer = [0] * count
    layers = output = 0
    for part in checkpoint.parts:
        tensor = part.tensor
        if tensor.part != "text":
            continue
        if tensor.layers:
            each = part.bytes // len(tensor.layers)
            lowest = max(first, cpu_expert_layers if tensor.kind == "expert" else 0)
            held = tensor.layers
            if held[0] < lowest or held[-1] >= count:  # layers stand in ascending order
                held = tuple(layer for layer in held if lowest <= layer < count)
            layers += each * len(held)
            if gpus > 1:
                for layer in held:
                    per_layer[layer] += each
        elif wanted and (tensor.kind != "embedding" or model.tied):
            output += part.bytes
    whole = sum(part.bytes for part in checkpoint.parts if part.tensor.part == "text")
    on_gpus = layers + output
    copied = sum(p.bytes for p in checkpoint.parts if p.tensor.kind == "embedding")
    fullest = on_gpus if gpus == 1 else _fullest([*per_layer[first:], output], gpus, wanted)
    quantized = any(part.quantized for part in checkpoint.parts)
    experts = [p for p in checkpoint.parts if p.tensor.kind == "expert" and cpu_expert_layers]
    streamed = max((p.bytes // len(p.tensor.layers) for p in experts), default=0)
    biggest = RankWeights(fullest, 0, quantized, streamed)
    host = whole - on_gpus + (copied if model.tied and wanted else 0)
    return Offload(biggest, on_gpus, host)


def _fullest(units: Sequence[int], gpus: int, wanted: int) -> int:
    """Equal runs of layers, the output after the last one; the largest run."""
    if not wanted:
        return 0
    share = -(-len(units) // gpus)
    return max(sum(units[start : start + share]) for start in range(0, len(units), share))
