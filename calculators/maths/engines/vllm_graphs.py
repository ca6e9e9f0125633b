"""The CUDA graphs that vLLM captures, and what its start reserves for them.

One graph per size, twice: pieces between attentions for mixed batches, whole for decoding. The
start captures two of each and multiplies. Source: `vllm-project/vllm @v0.33.0`, config/vllm.py
(`_set_cudagraph_sizes`), v1/worker/gpu_model_runner.py (`profile_cudagraph_memory`).
"""

from functools import cache

from calculators.maths.engines.model import setting

FIRST_SIZES = (1, 2, 4)
STEP, WIDE_STEP, WIDE_FROM = 8, 16, 256
LARGEST, LARGEST_BLACKWELL = 512, 1024  # tokens, and never more than twice the requests
BLACKWELL_SINCE = (0, 28)
BLACKWELL = ("B200", "B300")  # of data centres, GB200 and GB300 with them


def largest_capture(device_name: str, version: tuple[int, ...]) -> int:
    """Tokens of the largest graph by default."""
    wide = version >= BLACKWELL_SINCE and any(name in device_name for name in BLACKWELL)
    return LARGEST_BLACKWELL if wide else LARGEST


def capture_sizes(
    requests: int, tokens_per_request: int, batched_tokens: int, largest: int = LARGEST
) -> tuple[int, ...]:
    """Batch sizes, in tokens, that are captured by default."""
    last = min(2 * requests * tokens_per_request, largest, batched_tokens)
    sizes = (*FIRST_SIZES, *range(STEP, WIDE_FROM, STEP), *range(WIDE_FROM, last + 1, WIDE_STEP))
    return tuple(size for size in sizes if size <= last)


@cache  # for every device the same few
def graphs(
    requests: int, tokens_per_request: int, batched_tokens: int, largest: int = LARGEST
) -> int:
    """How many are captured: pieces of every size, whole ones up to the largest decoding batch."""
    sizes = capture_sizes(requests, tokens_per_request, batched_tokens, largest)
    return len(sizes) + sum(size <= requests * tokens_per_request for size in sizes)


def reserved_bytes(layers: int, count: int) -> int:
    """What the start sets aside for `count` graphs of a model of so many layers."""
    each = layers * int(setting("vllm.graph_layer_bytes"))
    return int(setting("vllm.graph_first_bytes")) + count * each
