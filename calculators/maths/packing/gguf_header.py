"""What a GGUF file holds besides the tensors' data: keys, tokenizer, the list of tensors, padding.

Source: ggml-org/ggml:docs/gguf.md; ggml-org/llama.cpp:gguf-py/gguf/gguf_writer.py.
"""

from collections.abc import Iterable
from typing import Literal

from calculators.facts import rows
from calculators.maths.packing.gguf_layout import Stored
from calculators.maths.packing.model import Packed
from calculators.maths.tensors import Architecture

Basis = Literal["measured", "modelled"]

ALIGNMENT = 32  # bytes, GGUF_DEFAULT_ALIGNMENT
# Of one tensor: length of the name (8), number of dimensions (4), type (4), offset (8).
ENTRY_BYTES = 24
DIMENSION_BYTES = 8

# Per token where no file of this vocabulary was measured, from those that were.
# A sentencepiece token: length (8), text, score (4), type (4). A BPE token has no score, but there
# is about one merge (8, both texts and a space) for each; vocabularies made with tiktoken have two.
SENTENCEPIECE_BYTES = 23
BPE_BYTES = 39
TIKTOKEN_BYTES = 61
SENTENCEPIECE = frozenset(
    {
        *("llama", "mistral", "mixtral", "phi3", "phimoe", "Yi", "baichuan"),
        *("internlm2", "internlm3"),
    }
)
# The converter calls for sentencepiece whatever the size (conversion/nemotron.py, minicpm.py).
LARGE_SENTENCEPIECE = frozenset(
    {"gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "nemotron", "minicpm"}
)
SENTENCEPIECE_AT_MOST = 100_000  # tokens; Llama 3 and Mistral NeMo have larger ones, which are BPE
TIKTOKEN = frozenset({128_256, 131_072, 200_064, 201_088, 202_048})  # vocabularies
# Falcon 3 (3 MB less than with a vocabulary of tiktoken's, seen on its cards)
PLAIN_BPE = frozenset({("llama", 131_072)})


def tokenizer_bytes(architecture: Architecture) -> tuple[int, Basis]:
    """Keys and tokenizer: as measured on a file of the same vocabulary, else by its size.

    The estimate may be off by a third; that is below 0.2 % of a file of 4 GB.
    """
    vocabulary = architecture.vocab_size
    family = architecture.model_type
    for row in rows("gguf_tokenizers"):
        if row["vocab_size"] == vocabulary and family in row.get("model_types", (family,)):
            return int(row["bytes"]), "measured"
    tiktoken = vocabulary in TIKTOKEN and (family, vocabulary) not in PLAIN_BPE
    each = TIKTOKEN_BYTES if tiktoken else BPE_BYTES
    small = family in SENTENCEPIECE and vocabulary <= SENTENCEPIECE_AT_MOST
    if small or family in LARGE_SENTENCEPIECE:
        each = SENTENCEPIECE_BYTES
    return each * vocabulary, "modelled"


def named_bytes(tokenizer: int, stored: Iterable[Stored]) -> int:
    """Tokenizer, keys and the list of tensors, up to where the first tensor begins."""
    return _aligned(tokenizer + sum(map(_entries, stored)))


def padding(part: Packed) -> int:
    """After each tensor, up to the alignment."""
    count = max(1, len(part.tensor.layers))
    size = part.bytes // count
    return (_aligned(size) - size) * count


def _entries(item: Stored) -> int:
    """In the list of tensors; `{}` in the name stands for the layer's number."""
    layers = item.tensor.layers
    fixed = ENTRY_BYTES + DIMENSION_BYTES * len(item.dimensions) + len(item.tensor.name)
    digits = sum(map(_digits, layers)) - len("{}") * len(layers)
    return fixed * item.count + digits


def _digits(layer: int) -> int:
    return 1 if layer < 10 else 2 if layer < 100 else 3


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
