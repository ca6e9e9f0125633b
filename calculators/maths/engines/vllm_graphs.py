"""The CUDA graphs that vLLM captures, and what its start reserves for them.

One graph per size, twice: pieces between attentions for mixed batches, whole for decoding. The
start captures two of each and multiplies. Source: `vllm-project/vllm @v0.33.0`, config/vllm.py
(`_set_cudagraph_sizes`), v1/worker/gpu_model_runner.py (`profile_cudagraph_memory`).
"""

from functools import cache

from calculators.maths.engines.model import setting

FIRST_SIZES = (1, 2, 4)
STEP, WIDE_STEP, WIDE_FROM = 8, 16, 256
LARGEST = 512  # max_cudagraph_capture_size, and twice the requests


def capture_sizes(requests: int, tokens_per_request: int, batched_tokens: int) -> tuple[int, ...]:
    """Batch sizes, in tokens, that are captured by default."""
    largest = min(2 * requests * tokens_per_request, LARGEST, batched_tokens)
    sizes = (*FIRST_SIZES, *range(STEP, WIDE_FROM, STEP), *range(WIDE_FROM, LARGEST + 1, WIDE_STEP))
    return tuple(size for size in sizes if size <= largest)


@cache  # for every device the same few
def graphs(requests: int, tokens_per_request: int, batched_tokens: int) -> int:
    """How many are captured: pieces of every size, whole ones up to the largest decoding batch."""
    sizes = capture_sizes(requests, tokens_per_request, batched_tokens)
    return len(sizes) + sum(size <= requests * tokens_per_request for size in sizes)


def reserved_bytes(layers: int, count: int) -> int:
    """What the start sets aside for `count` graphs of a model of so many layers."""
    each = layers * int(setting("vllm.graph_layer_bytes"))
    return int(setting("vllm.graph_first_bytes")) + count * each
