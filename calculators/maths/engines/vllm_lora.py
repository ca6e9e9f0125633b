"""Room that vLLM makes for LoRA adapters beside the weights, whether one is loaded or not.

Every linear layer has a pair of matrices per slot. A column-parallel layer's first matrix and a
row-parallel layer's second one stand whole on every rank. Source: `vllm-project/vllm @v0.33.0`,
lora/layers/{base_linear,fused_moe,vocab_parallel_embedding,logits_processor}.py; lora/layers.py and
config.py @v0.9.2.
"""

from calculators.maths.ranks import ROW_PARALLEL, padded_vocabulary
from calculators.maths.tensors import Architecture, Tensor

SLOT_BYTES = 2  # 16-bit
EXTRA_ROWS = 256  # of vocabulary that an adapter may bring (lora_extra_vocab_size)
LATER = (0, 12)  # read in 0.16.0, not in 0.11.0: no extra rows, slots for experts, and slots for
# the vocabulary of every model, not of Llama's kind alone
VOCABULARY_BEFORE = ("llama", "mistral")
LINEARS = ("attention", "mlp", "shared_expert", "recurrent")


def slot_bytes(
    model: Architecture,
    slots: int,
    rank: int,
    version: tuple[int, ...],
    tensor_parallel: int = 1,
) -> int:
    """Bytes on one rank of `slots` adapters of rank `rank` (`--max-loras`, `--max-lora-rank`)."""
    if not slots:
        return 0
    kinds = (*LINEARS, "expert") if version >= LATER else LINEARS
    values = sum(
        _values(tensor, tensor_parallel)
        for tensor in model.tensors
        if tensor.part == "text" and tensor.kind in kinds and len(tensor.shape) == 2
    )
    if version >= LATER or model.model_type in VOCABULARY_BEFORE:
        extra = 0 if version >= LATER else EXTRA_ROWS
        values += 2 * (padded_vocabulary(model.vocab_size) + extra + model.hidden_size)
        brought = 2 * extra * model.hidden_size
    else:
        brought = 0
    return SLOT_BYTES * slots * (rank * values + brought)


def _values(tensor: Tensor, tensor_parallel: int) -> int:
    """Values per unit of rank of the pairs of all matrices of this pattern."""
    out, into = tensor.shape
    if tensor.name.removesuffix(".weight").endswith(ROW_PARALLEL):
        into //= tensor_parallel
    else:
        out //= tensor_parallel
    return (out + into) * tensor.count
