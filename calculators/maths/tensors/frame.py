"""What nearly every decoder has around and between its blocks: sizes, embedding, norm, head."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.model import Architecture, Attention, Layer, Tensor
from calculators.maths.tensors.stack import Stack

# Cohere's model_max_length overrides its max_position_embeddings, as in vLLM
# (vllm-project/vllm:vllm/config/model.py, _get_and_verify_max_len).
CONTEXT_KEYS = (
    "model_max_length",
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "max_seq_len",
    "seq_length",
)
FULL, SLIDING = "full_attention", "sliding_attention"


@dataclass(frozen=True)
class Frame:
    """The sizes in a decoder's config, with the defaults of Transformers.

    `outer` is the whole file and `text` the part on the language model: the same, where nothing
    is nested. `tie_default` is the class's own answer where `tie_word_embeddings` is missing, and
    `head_dim_default` its own width of a head (None: hidden_size / num_attention_heads).
    """

    outer: Config
    tie_default: bool = False
    head_dim_default: int | None = None

    def __post_init__(self) -> None:
        self.text.require("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")

    @cached_property
    def text(self) -> Config:
        return self.outer.text

    @cached_property
    def hidden(self) -> int:
        return self.text.positive("hidden_size")

    @cached_property
    def vocab(self) -> int:
        return self.text.positive("vocab_size")

    @cached_property
    def count(self) -> int:
        """Decoder layers."""
        return self.text.depth("num_hidden_layers")

    @cached_property
    def width(self) -> int:
        """Of the dense feed-forward block."""
        return self.text.positive("intermediate_size")

    @cached_property
    def tied(self) -> bool:
        """The text part's own answer first, then the outer one, then the class default."""
        return self.text.flag(
            "tie_word_embeddings", self.outer.flag("tie_word_embeddings", self.tie_default)
        )

    @cached_property
    def attention(self) -> Attention:
        """Grouped-query attention; keys and values of `head_dim` each."""
        heads = self.text.positive("num_attention_heads")
        key_value_heads = self.text.positive("num_key_value_heads", default=heads)
        own = 0 if "head_dim" in self.text.data else self.head_dim_default or 0
        head_dim = self.text.integer("head_dim", default=own) or self.hidden // heads
        if not head_dim:
            raise UnknownArchitecture(f"hidden_size {self.hidden} is less than {heads} heads")
        if heads % key_value_heads:
            raise UnknownArchitecture(
                f"{heads} num_attention_heads do not share {key_value_heads} num_key_value_heads"
            )
        return Attention(heads, key_value_heads, head_dim, head_dim)

    @cached_property
    def dtype(self) -> str:
        """As the file says; BF16 where it does not."""
        for config in (self.text, self.outer):
            for key in ("torch_dtype", "dtype"):
                if config.has(key):
                    return config.word(key).removeprefix("torch.")
        return "bfloat16"

    def layer_types(self, default: Callable[[int], bool]) -> tuple[str, ...]:
        """Per layer `full_attention` or another kind; `default` says which indexes slide.

        Raises `UnknownArchitecture` where the list does not match the number of layers.
        """
        named = self.text.strings("layer_types")
        if not named:
            return tuple(SLIDING if default(index) else FULL for index in range(self.count))
        if len(named) != self.count:
            raise UnknownArchitecture(
                f"{self.text.path}layer_types has {len(named)} entries for {self.count} layers"
            )
        unknown = sorted(set(named) - {FULL, SLIDING})
        if unknown:
            raise UnknownArchitecture(
                f"{self.text.path}layer_types names {unknown[0]!r}, unknown for "
                f"{self.text.model_type or self.outer.model_type}"
            )
        return named

    def stack(
        self, prefix: str = "model.", block: str = "layers", embedding: str = "embed_tokens"
    ) -> Stack:
        """A stack that holds the token embedding already."""
        stack = Stack(prefix, block)
        stack.add(
            None,
            f"{prefix}{embedding}.weight",
            self.vocab,
            self.hidden,
            kind="embedding",
            linear=False,
        )
        return stack

    def architecture(
        self,
        stack: Stack,
        layers: Sequence[Layer],
        *more: Sequence[Tensor],
        norm: str | None = "norm",
        norm_bias: bool = False,
        head: str = "lm_head",
        head_bias: bool = False,
    ) -> Architecture:
        """Adds the last norm, if any, and, unless tied, the head.

        `more` are the tensors of MTP blocks and towers.
        """
        if norm:
            stack.norm(None, stack.prefix + norm, self.hidden, bias=norm_bias)
        if not self.tied:
            stack.linear(None, head, self.vocab, self.hidden, kind="head", bias=head_bias)
        return Architecture(
            model_type=self.outer.model_type,
            hidden_size=self.hidden,
            vocab_size=self.vocab,
            tied=self.tied,
            dtype=self.dtype,
            layers=tuple(layers),
            tensors=sum((tuple(tensors) for tensors in more), stack.tensors()),
            max_context=self.text.integer(*CONTEXT_KEYS, default=0) or None,
        )
