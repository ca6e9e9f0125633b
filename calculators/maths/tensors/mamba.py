"""Mamba and Mamba-2 blocks, and the models made of nothing else.

Layouts: huggingface/transformers src/transformers/models/{mamba,mamba2,falcon_mamba}.
"""

from dataclasses import dataclass

from calculators.maths.tensors.config import Config, UnknownArchitecture
from calculators.maths.tensors.frame import Frame
from calculators.maths.tensors.mixture import Mixture, Sizes
from calculators.maths.tensors.model import Architecture, Recurrent
from calculators.maths.tensors.registry import family
from calculators.maths.tensors.stack import Layers, Stack


@dataclass(frozen=True)
class Mamba:
    """The widths of a Mamba block: `inner` channels with a state of `state` each."""

    inner: int
    state: int
    kernel: int
    rank: int
    conv_bias: bool = True
    bias: bool = False

    @property
    def recurrent(self) -> Recurrent:
        """The convolution's last inputs, and `state` per channel."""
        return Recurrent("mamba", (self.kernel - 1) * self.inner, self.state * self.inner)

    def tensors(self, stack: Stack, layers: Layers, hidden: int, prefix: str) -> None:
        """Everything but the norm before the block."""
        inner = self.inner
        rows = self.rank + 2 * self.state
        linear = stack.linear
        linear(layers, f"{prefix}in_proj", 2 * inner, hidden, kind="recurrent", bias=self.bias)
        convolution(stack, layers, prefix, inner, self.kernel, self.conv_bias)
        linear(layers, f"{prefix}x_proj", rows, inner, kind="recurrent")
        linear(layers, f"{prefix}dt_proj", inner, self.rank, kind="recurrent", bias=True)
        stack.add(layers, f"{prefix}A_log", inner, self.state, kind="recurrent", linear=False)
        stack.add(layers, f"{prefix}D", inner, kind="recurrent")
        linear(layers, f"{prefix}out_proj", hidden, inner, kind="recurrent", bias=self.bias)


@dataclass(frozen=True)
class Mamba2:
    """The widths of a Mamba-2 block: `heads` of `head_dim`, inputs and outputs in `groups`."""

    heads: int
    head_dim: int
    groups: int
    state: int
    kernel: int
    conv_bias: bool = True
    bias: bool = False
    out_bias: bool = False
    normed: bool = True
    a_log: str | None = None  # its dtype in the files, where it is not the model's

    @property
    def inner(self) -> int:
        return self.heads * self.head_dim

    @property
    def convolved(self) -> int:
        """Channels that pass the convolution: the inner ones, B and C."""
        return self.inner + 2 * self.groups * self.state

    @property
    def recurrent(self) -> Recurrent:
        """The convolution's last inputs, and `state` per inner channel."""
        return Recurrent("mamba2", (self.kernel - 1) * self.convolved, self.state * self.inner)

    def tensors(self, stack: Stack, layers: Layers, hidden: int, prefix: str) -> None:
        """Everything but the norm before the block."""
        rows = self.inner + self.convolved + self.heads
        stack.linear(layers, f"{prefix}in_proj", rows, hidden, kind="recurrent", bias=self.bias)
        convolution(stack, layers, prefix, self.convolved, self.kernel, self.conv_bias)
        for name in ("A_log", "D", "dt_bias"):
            dtype = self.a_log if name == "A_log" else None
            stack.add(layers, prefix + name, self.heads, kind="recurrent", dtype=dtype)
        if self.normed:
            stack.norm(layers, f"{prefix}norm", self.inner)
        out = f"{prefix}out_proj"
        stack.linear(layers, out, hidden, self.inner, kind="recurrent", bias=self.out_bias)


def convolution(
    stack: Stack, layers: Layers, prefix: str, channels: int, kernel: int, bias: bool
) -> None:
    """A depthwise convolution over the last `kernel` tokens."""
    stack.add(layers, f"{prefix}conv1d.weight", channels, 1, kernel, kind="recurrent")
    if bias:
        stack.add(layers, f"{prefix}conv1d.bias", channels, kind="recurrent")


def time_step_rank(config: Config, key: str, hidden: int) -> int:
    """A number, or "auto": a sixteenth of the hidden size, rounded up."""
    if config.data.get(key) in (None, "auto"):
        return -(-hidden // 16)
    return config.positive(key)


def mamba2_sizes(config: Config, hidden: int, inner: int | None = None) -> Mamba2:
    """From the `mamba_*` keys that Bamba, Falcon H1 and Granite 4 share."""
    heads = config.positive("mamba_n_heads")
    inner = inner or config.positive("mamba_expand", default=2) * hidden
    head_dim = inner // heads
    if config.data.get("mamba_d_head") not in (None, "auto"):
        head_dim = config.positive("mamba_d_head")
    if heads * head_dim != inner:
        raise UnknownArchitecture(f"mamba_n_heads {heads} x {head_dim} is not the width {inner}")
    bias = config.flag("mamba_proj_bias")
    return Mamba2(
        heads,
        head_dim,
        groups=config.positive("mamba_n_groups", default=1),
        state=config.positive("mamba_d_state", default=256),
        kernel=config.positive("mamba_d_conv", default=4),
        conv_bias=config.flag("mamba_conv_bias", True),
        bias=bias,
        out_bias=bias,
    )


def alone(sizes: Frame, block: Mamba | Mamba2) -> Architecture:
    """One block and one norm to a layer, under the names of the `-hf` checkpoints."""
    model = Mixture(sizes, "backbone.", embedding="backbone.embeddings")
    block.tensors(model.stack, model.all, model.hidden, "mixer.")
    model.mix(model.all, block.recurrent)
    model.norms(model.all, "norm")
    return model.finish(norm="norm_f")


@family("mamba", "falcon_mamba")
def mamba(outer: Config) -> Architecture:
    """Mamba, and Falcon Mamba whose further norms have no weights; tied by default."""
    sizes = Sizes(outer, True, needs=("state_size",))
    config = sizes.text
    block = Mamba(
        inner=config.positive("expand", default=2) * sizes.hidden,
        state=config.positive("state_size"),
        kernel=config.positive("conv_kernel", default=4),
        rank=time_step_rank(config, "time_step_rank", sizes.hidden),
        conv_bias=config.flag("use_conv_bias", True),
        bias=config.flag("use_bias"),
    )
    return alone(sizes, block)


@family("mamba2")
def mamba2(outer: Config) -> Architecture:
    """Mamba-2, Codestral Mamba among them."""
    sizes = Sizes(outer, needs=("num_heads", "head_dim", "state_size"))
    config = sizes.text
    bias = config.flag("use_bias")
    block = Mamba2(
        config.positive("num_heads"),
        config.positive("head_dim"),
        groups=config.positive("n_groups", default=8),
        state=config.positive("state_size"),
        kernel=config.positive("conv_kernel", default=4),
        conv_bias=config.flag("use_conv_bias", True),
        bias=bias,
        out_bias=bias,
    )
    return alone(sizes, block)
