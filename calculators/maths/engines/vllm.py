"""vLLM: a share of the CUDA total, less weights, activations, graphs and libraries, is KV cache.

Source: `vllm-project/vllm @v0.33.0`: v1/worker/{utils,gpu_worker,gpu_model_runner}.py,
v1/core/{kv_cache_utils,kv_cache_planning}.py, engine/arg_utils.py, config/cache.py; overheads are
rows of `facts/engines.json` fitted on logs.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import NamedTuple

from calculators.kit.units import GIB
from calculators.maths.device import Device
from calculators.maths.engines.blocks import Cut, Pool, pool, state_element_bytes
from calculators.maths.engines.model import (
    Budget,
    Plan,
    Term,
    drafting,
    error_of,
    feed_forward_width,
    fullest_rank,
    longest_context,
    plan_version,
    setting,
)
from calculators.maths.engines.vllm_graphs import graphs, largest_capture, reserved_bytes
from calculators.maths.engines.vllm_lora import slot_bytes
from calculators.maths.engines.vllm_vision import ACTIVATION_BYTES, VisionPass
from calculators.maths.kv_cache import CacheLayer, KvDtype, cache_layers, kv_dtype
from calculators.maths.packing.model import Checkpoint
from calculators.maths.ranks import (
    RankWeights,
    fullest_stage,
    padded_vocabulary,
)
from calculators.maths.tensors import Architecture, Attention, Experts, Recurrent

# First versions, each read in the published source of that version and of the one before it.
HYBRID_SINCE = (0, 9, 1)  # v1/core/kv_cache_coordinator.py; before, sliding layers kept all tokens
ASYNC_SINCE = (0, 14)  # two batches in flight: SchedulerConfig.async_scheduling
ALIGN_SINCE = (0, 27)  # prefix caching of recurrent states by default: two pages per request;
# 0.26.0 leaves it off for hybrids, 0.28.0 does not, and a log of 0.27.1 has the second page
CAPACITY_LINE_SINCE = (0, 21)  # tokens are printed as concurrency x length
GRAPHS_INSIDE_SINCE = (0, 20)  # VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS
ONE_LINE_SINCE = (0, 28)  # capacity and concurrency in one log line
HUGE_SINCE = (0, 28)  # cards of 160 GiB have defaults of their own
A100_SMALL_SINCE = (0, 9)  # A100s keep the small defaults (PR 17885)
MXFP4_ALIGNMENT = 256
V1_SINCE = (0, 8)
ROUNDED_GIB_SINCE = (0, 14)
RUNNER_2_SINCE = (0, 30)  # the second model runner for every model; in 0.28.0 for dense ones alone
RUNNER_2_DENSE_SINCE = (0, 28)
COUNT_BYTES, BITS_OF_MASK = 4, 32  # v1/worker/gpu/sample/penalties.py @v0.33.0
UNCUT_TOKENS = 32768  # arg_utils.py of 0.6: chunked prefill is the default above this length

LARGE_CARD, HUGE_CARD = 70 * GIB, 160 * GIB  # arg_utils.py: where the defaults change
ROTARY_ERROR = "as wide as a head: too much where only a part of it rotates, at most 0.1 GiB"
SLOW_LARGE = ("A100", "GB10")  # large cards that keep the small defaults
SMALL_CARD = 50 * GIB  # non-torch memory differs between cards of up to 48 GB and larger ones


class Kind(NamedTuple):
    """What vLLM takes a card for: defaults that its memory and its name decide.

    `largest` tokens of a CUDA graph; `libraries` names the setting of what they take.
    """

    tokens: int
    requests: int
    largest: int
    libraries: str


@dataclass(frozen=True, slots=True)
class Start:
    """What a start takes on cards of a kind, whatever the weights.

    `bytes` come off what weights leave for the cache; a request takes so many blocks of the pool.
    """

    bytes: int
    terms: tuple[Term, ...]
    blocks: Pool
    request: int


def libraries(plan: Plan, device: Device) -> str:
    """The setting that says what CUDA's context and NCCL take of the device."""
    parallel = "_parallel" if plan.gpus > 1 else ""
    small = "_small" if device.marketed_bytes < SMALL_CARD else ""
    return f"vllm.non_torch{parallel}{small}_bytes"


@dataclass(frozen=True)
class Vllm:
    """A model and a plan for vLLM; everything that no GPU and no format changes is kept."""

    model: Architecture
    plan: Plan

    @cached_property
    def version(self) -> tuple[int, ...]:
        return plan_version(self.plan)

    @cached_property
    def dtypes(self) -> tuple[KvDtype, KvDtype]:
        """Sparse MLA has a layout of its own for 8-bit caches (`fp8_ds_mla`)."""
        name = self.plan.kv_dtype
        sparse = any(layer.index_dim for layer in cache_layers(self.model))
        if sparse and kv_dtype(name).id == "fp8":
            name = "fp8_ds_mla"
        return kv_dtype(name), kv_dtype(self.plan.value_dtype or name)

    def pool(self, batched_tokens: int) -> Pool:
        """The block pool of the fullest pipeline stage."""
        if batched_tokens not in self._pools:
            self._pools[batched_tokens] = pool(self._stage, self._cut(batched_tokens))
        return self._pools[batched_tokens]

    @cached_property
    def _stage(self) -> tuple[CacheLayer, ...]:
        return fullest_stage(self.model, self.plan.pipeline_parallel, drafting(self.plan))

    @cached_property
    def _pools(self) -> dict[int, Pool]:
        return {}

    def _cut(self, batched_tokens: int) -> Cut:
        plan, version = self.plan, self.version
        align = version >= ALIGN_SINCE if plan.prefix_caching is None else plan.prefix_caching
        keys, values = self.dtypes
        return Cut(
            keys=keys,
            values=values,
            tensor_parallel=plan.tensor_parallel,
            block_size=plan.block_size or setting("vllm.block_size"),
            hybrid=version >= HYBRID_SINCE,
            in_flight_tokens=batched_tokens * (2 if version >= ASYNC_SINCE else 1),
            states=(2 if align else 1) + plan.speculative_tokens,
            state_bytes=plan.state_bytes or state_element_bytes(self.model),
            speculative_tokens=plan.speculative_tokens,
            context_parallel=plan.context_parallel,
        )

    def batch(self, device: Device) -> tuple[int, int]:
        """max_num_batched_tokens and max_num_seqs: as asked, or the API server's defaults.

        Before V1 a prompt was not cut up to 32,768 tokens, so a batch had room for the longest.
        """
        if self.version < V1_SINCE:
            whole = self.plan.context if self.plan.context <= UNCUT_TOKENS else 0
            tokens, requests = max(2048, whole), 256
        elif device.marketed_bytes >= HUGE_CARD and self.version >= HUGE_SINCE:
            tokens, requests = 16384, 1024
        elif device.marketed_bytes >= LARGE_CARD and not self._slow(device):
            tokens, requests = 8192, 1024
        else:
            tokens, requests = 2048, 256
        return self.plan.max_num_batched_tokens or tokens, self.plan.max_num_seqs or requests

    def _slow(self, device: Device) -> bool:
        named = any(name in device.name for name in SLOW_LARGE)
        return named and self.version >= A100_SMALL_SINCE

    @cached_property
    def _forward_bytes_per_token(self) -> int:
        """Three tensors of the feed-forward width and three of the model's are alive at the peak.

        Against a slope of 110.6 KB per token measured on an RTX 3090 this gives 109.8.
        """
        width = 3 * feed_forward_width(self.model) // self.plan.tensor_parallel
        return ACTIVATION_BYTES * (width + 3 * self.model.hidden_size)

    @cached_property
    def _sampler(self) -> tuple[float, int]:
        """Bytes per request and vocabulary entry, and the vocabulary."""
        per = setting("vllm.sampler_bytes", self.version)
        return per, padded_vocabulary(self.model.vocab_size)

    def activation_bytes(self, batched_tokens: int, requests: int) -> int:
        """Peak of the profiling run: a full forward pass, or sampling for every request.

        The sampler runs while the hidden states of the pass are still held. A vision tower is
        profiled before; what it makes stays beside both.
        """
        per, vocabulary = self._sampler
        hidden = ACTIVATION_BYTES * batched_tokens * self.model.hidden_size
        sampler = round(per * min(requests, batched_tokens) * vocabulary) + hidden
        tower, held = self._vision.bytes(batched_tokens, requests, self.plan.context)
        return max(tower, held + max(sampler, batched_tokens * self._forward_bytes_per_token))

    def counters(self, requests: int) -> int:
        """The second model runner's record of tokens for penalties: for every request a count of
        each entry of the vocabulary, and one bit.
        """
        if not self._second_runner:
            return 0
        entries = self.model.vocab_size
        return COUNT_BYTES * requests * (entries + -(-entries // BITS_OF_MASK))

    @cached_property
    def _second_runner(self) -> bool:
        plain = not any(
            isinstance(part, Experts | Recurrent)
            for layer in self.model.layers
            for part in (*layer.mixers, *layer.feed_forward)
        )
        return self.version >= (RUNNER_2_DENSE_SINCE if plain else RUNNER_2_SINCE)

    @cached_property
    def _vision(self) -> VisionPass:
        model = self.model
        if not self.plan.vision:
            model = replace(model, tensors=tuple(t for t in model.tensors if t.part != "vision"))
        return VisionPass(model, self.plan.tensor_parallel)

    @cached_property
    def rope_bytes(self) -> int:
        """The table of sines and cosines: one 16-bit row of the rotary width per position."""
        mixers = (m for layer in self.model.layers for m in layer.mixers)
        widths = {
            mixer.latent.rope_head_dim if mixer.latent else mixer.head_dim
            for mixer in mixers
            if isinstance(mixer, Attention)
        }
        return (self.model.max_context or 0) * sum(widths) * ACTIVATION_BYTES

    def graph_bytes(self, kind: Kind) -> tuple[int, str]:
        """CUDA graphs: what capture takes, and since 0.20 what the start sets aside for it."""
        if self.plan.enforce_eager:
            return 0, ""
        if self.version < GRAPHS_INSIDE_SINCE:
            return setting("vllm.graph_bytes"), error_of("vllm.graph_bytes")
        each = 1 + self.plan.speculative_tokens
        count = graphs(kind.requests, each, kind.tokens, kind.largest)
        return reserved_bytes(len(self.model.layers), count), error_of("vllm.graph_layer_bytes")

    @cached_property
    def _fraction(self) -> float:
        return self.plan.memory_fraction or setting("vllm.gpu_memory_utilization", self.version)

    def weights(self, checkpoint: Checkpoint) -> RankWeights:
        return fullest_rank(self.model, checkpoint, self.plan)

    def loaded_bytes(self, weights: RankWeights) -> int:
        """What "Model loading took" counts: weights, rotary tables, room for LoRA adapters, and for
        quantized latent attention the 16-bit copy of its up-projection (mla_attention.py).
        """
        copies = weights.latent_up_bytes if weights.quantized else 0
        padding = self.padding(weights.mxfp4_bytes)
        return weights.bytes + self.rope_bytes + copies + padding + self._adapters

    @cached_property
    def _adapters(self) -> int:
        plan = self.plan
        ranks, slots = plan.tensor_parallel, plan.max_loras
        return slot_bytes(self.model, slots, plan.max_lora_rank, self.version, ranks)

    def padding(self, mxfp4: int) -> int:
        """mxfp4 experts are padded for their kernels: the hidden size to a multiple of 256.

        Kernels of other cards pad the experts' width to 128 or 256 as well, up to 6 % more.
        Source: model_executor/layers/quantization/mxfp4.py @v0.11.0.
        """
        hidden = self.model.hidden_size
        padded = -(-hidden // MXFP4_ALIGNMENT) * MXFP4_ALIGNMENT
        return mxfp4 * (padded - hidden) // hidden

    def kind(self, device: Device) -> Kind:
        """Cards of one kind differ for vLLM by nothing but their limit."""
        tokens, requests = self.batch(device)
        largest = largest_capture(device.name, self.version)
        return Kind(tokens, requests, largest, libraries(self.plan, device))

    def limit(self, device: Device) -> int:
        """Bytes that it may use of the device."""
        whole = ceil(device.usable_bytes * self._fraction)
        return min(whole, device.usable_with(self.plan.display))

    def _start(self, kind: Kind) -> Start:
        if kind not in self._starts:
            tokens, requests, _, named = kind
            active = self.activation_bytes(tokens, requests) + self.counters(requests)
            taken = setting(named)
            captured, graphs_error = self.graph_bytes(kind)
            inside = captured if self.version >= GRAPHS_INSIDE_SINCE else 0
            sampler = error_of("vllm.sampler_bytes", self.version)
            blocks = self.pool(tokens)
            self._starts[kind] = Start(
                bytes=active + taken + inside,
                terms=(
                    Term("activations", active, "modelled", sampler),
                    Term("libraries", taken, "modelled", error_of(named)),
                    Term("graphs", captured, "modelled", graphs_error),
                ),
                blocks=blocks,
                request=blocks.blocks_per_request(self.plan.context),
            )
        return self._starts[kind]

    @cached_property
    def _starts(self) -> dict[Kind, Start]:
        return {}

    def budget(self, weights: RankWeights, device: Device) -> Budget:
        """The budget of one GPU of this kind with these weights on it."""
        kind, limit = self.kind(device), self.limit(device)
        start = self._start(kind)
        blocks, request = start.blocks, start.request
        loaded = self.loaded_bytes(weights)
        available = limit - loaded - start.bytes
        count = blocks.blocks(available)
        return Budget(
            plan=self.plan,
            device=device,
            limit_bytes=limit,
            terms=(
                Term("weights", weights.bytes, "exact"),
                Term("tables", loaded - weights.bytes, "modelled", ROTARY_ERROR),
                *start.terms,
            ),
            kv_cache_bytes=available,
            kv_cache_tokens=self.tokens(blocks, count),
            kv_needed_bytes=self.plan.concurrency * request * blocks.bytes_per_block,
            one_request_bytes=request * blocks.bytes_per_block,
            max_concurrency=count / request if request else float(kind.requests),
            longest=lambda: longest_context(
                lambda context: blocks.request_bytes(context) <= available,
                self.model.max_context or self.plan.context,
            ),
            logged=self.log_lines,
        )

    def tokens(self, blocks: Pool, count: int) -> int:
        """The capacity that this version prints. For hybrids it depends on the context asked."""
        context = self.plan.context
        if not blocks.buckets:
            return 0
        if self.version >= CAPACITY_LINE_SINCE:
            return int(count / blocks.blocks_per_request(context) * context)
        return count // blocks.groups * blocks.smallest_block * self.plan.context_parallel

    def log_lines(self, budget: Budget) -> tuple[str, ...]:
        """Loading, budget, capacity and concurrency, worded as this version words them."""
        loaded = (budget.term("weights") + budget.term("tables")) / GIB
        kv = budget.kv_cache_bytes / GIB
        length = f"{self.plan.context:,}"
        capacity = f"GPU KV cache size: {budget.kv_cache_tokens:,} tokens"
        times = f"Maximum concurrency for {length} tokens per request: "
        times += f"{budget.max_concurrency:.2f}x"
        if self.version < V1_SINCE:
            blocks = budget.kv_cache_tokens // setting("vllm.block_size")
            plain = f"Maximum concurrency for {self.plan.context} tokens per request: "
            return (
                f"Loading model weights took {loaded:.4f} GB",
                f"the rest of the memory reserved for KV Cache is {kv:.2f}GiB.",
                f"# cuda blocks: {blocks}",
                f"{plain}{budget.max_concurrency:.2f}x",
            )
        digits = 2 if self.version >= ROUNDED_GIB_SINCE else 4
        first = (
            f"Model loading took {loaded:.{digits}f} GiB",
            f"Available KV cache memory: {kv:.2f} GiB",
        )
        if self.version >= ONE_LINE_SINCE:
            return (*first, f"{capacity}, {times}")
        return (*first, capacity, times)
