"""MLX affine: a scale and a bias for every group, embedding and head included.

ml-explore/mlx-lm:mlx_lm/utils.py (quantize_model), convert.py (set_dtype), and quant_predicate and
cast_predicate of the models @d78bf58e217c904ec282ed8da9b947491f78c022; models that see or hear are
converted by Blaizzy/mlx-vlm:mlx_vlm/convert.py @9b13f522a7f1d214f426c67bb292c9e1065e9108
"""

from calculators.maths.packing.assembly import CODES, Assign, Part, Stored, assemble
from calculators.maths.packing.layout import Row, layout
from calculators.maths.packing.model import Checkpoint
from calculators.maths.packing.recipe import Recipe
from calculators.maths.tensors import Architecture, Tensor

WORD = 32
EIGHT_BITS, EIGHT_BITS_GROUP = 8, 64  # what a model's quant_predicate asks for
# Since when the tools ask a model's quant_predicate; before, its routers were packed as the rest is:
# mlx-lm @cbfba0a9 of 5 August 2025, mlx-vlm @1c2ada51 of 6 March 2026
MLX_LM_ASKS, MLX_VLM_ASKS = "2025-08", "2026-03"
BEFORE_ANY_ASKS = "2025-07"
# What the models' cast_predicate leaves in the dtype of the original files
SPARED = ("A_log", "e_score_correction_bias", "expert_bias", "router_bias")

# Routers that are bare parameters, no Linear module (`self.weight` in the MoEGate of the model)
BARE_ROUTERS = frozenset(
    {
        *("deepseek", "deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "kimi_k25"),
        *("dots1", "exaone_moe", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa"),
        *("mimo_v2_flash", "nemotron_h"),
    }
)
# Linear routers without a predicate: packed as everything else is
PLAIN_ROUTERS = frozenset(
    {
        *("mixtral", "qwen2_moe", "olmoe", "phimoe", "ernie4_5_moe", "hunyuan_v1_moe"),
        *("llama4", "llama4_text", "dbrx", "flex_olmo"),
    }
)
# Gemma 4, which mlx-vlm converts: the dense MLP beside the experts has 8 bits, the projections of
# images and sound into the text are packed, the projection of the per-layer embeddings is a class of its own and stays (published
# totals of E2B, E4B, 26B-A4B and 31B, to the byte)
GEMMA4 = frozenset({"gemma4", "gemma4_text", "gemma4_unified"})
PER_LAYER_PROJECTION = "per_layer_model_projection"


def pack(architecture: Architecture, recipe: Recipe) -> Checkpoint:
    """Experts are stacked; a width that the group does not divide stays as it is."""
    family = architecture.model_type
    kept = layout(architecture).named(_keeps(architecture, recipe))
    dtype = recipe.dtype or architecture.dtype
    experts = any(tensor.kind == "expert" for tensor in architecture.tensors)
    asks = _asks(architecture, recipe)

    def eight(tensor: Tensor) -> bool:
        if not asks:
            return False
        if tensor.kind == "router":
            return family not in PLAIN_ROUTERS
        return family in GEMMA4 and experts and tensor.kind == "mlp"

    def store(row: Row, recipe: Recipe) -> Stored | None:
        bits, group = recipe.bits, recipe.group_size
        if eight(row.tensor):
            bits, group = EIGHT_BITS, EIGHT_BITS_GROUP
        scale = CODES.get(recipe.dtype or row.tensor.dtype or dtype, "BF16")
        if row.columns % group or row.columns % recipe.group_size:
            return None
        groups = (row.rows, row.columns // group)
        parts = (
            Part("weight", "U32", (row.rows, row.columns * bits // WORD)),
            Part("scales", scale, groups),
            Part("biases", scale, groups),
        )
        return Stored(f"mlx {bits} bits g{group}", parts, stacked=row.tensor.copies > 1)

    assign: Assign = lambda tensor: None if kept(tensor) else store
    return assemble(architecture, recipe, assign, _spared)


def _spared(tensor: Tensor) -> bool:
    return tensor.name.endswith(SPARED)


def _asks(architecture: Architecture, recipe: Recipe) -> bool:
    """Whether the tool of that month asks the model which matrices are to have other bits."""
    if not recipe.built:
        return True
    dropped = layout(architecture).named(recipe.drops)
    towers = (tensor for tensor in architecture.tensors if tensor.part in ("vision", "audio"))
    sees = any(not dropped(tensor) for tensor in towers)
    return recipe.built >= (MLX_VLM_ASKS if sees else MLX_LM_ASKS)


def _keeps(architecture: Architecture, recipe: Recipe) -> tuple[str, ...]:
    """What this model's code leaves, beside what the recipe keeps."""
    family = architecture.model_type
    if family in BARE_ROUTERS:
        return (*recipe.keeps, "router")
    if family in GEMMA4:
        return (*recipe.keeps, f"*{PER_LAYER_PROJECTION}*", "-*embedding_projection*")
    return recipe.keeps
