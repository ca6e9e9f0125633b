"""Sizes that model cards print, a table to a card: types and GB, gathered in November 2026."""

from dataclasses import dataclass, field

from calculators.facts import Row
from tools.facts.published_row import Published

BILLION = 10**9
HUB = "https://huggingface.co/"
UNQUANTIZED = ("F16", "BF16", "Q8_0")  # an importance matrix changes nothing in these


@dataclass(frozen=True)
class Card:
    """`sizes`: type and GB as printed; `made`: what the recipe adds to a quantized type."""

    name: str
    repo: str
    sizes: str
    made: str
    model: str | None = None
    config: Row | None = None
    explanations: dict[str, str] = field(default_factory=dict)


GLM_4_9B = {
    "model_type": "chatglm",
    "add_bias_linear": False,
    "add_qkv_bias": True,
    "ffn_hidden_size": 13696,
    "hidden_size": 4096,
    "kv_channels": 128,
    "multi_query_attention": True,
    "multi_query_group_num": 4,
    "num_attention_heads": 32,
    "num_layers": 40,
    "padded_vocab_size": 151552,
    "tie_word_embeddings": False,
}
NEMOTRON_MINI_4B = {
    "model_type": "nemotron",
    "head_dim": 128,
    "hidden_size": 3072,
    "intermediate_size": 9216,
    "num_attention_heads": 24,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 256000,
}
GRANITE_31_1B = {
    "model_type": "granitemoe",
    "hidden_size": 1024,
    "intermediate_size": 512,
    "num_attention_heads": 16,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 24,
    "num_key_value_heads": 8,
    "num_local_experts": 32,
    "tie_word_embeddings": True,
    "vocab_size": 49155,
}

TOKENIZER = "the tokenizer in the header is estimated: {} MB off is enough to miss what is printed"

CARDS = (
    Card(
        "zai-org/glm-4-9b-chat-1m",
        "bartowski/glm-4-9b-chat-1m-GGUF",
        "F16 18.97, Q8_0 10.08, Q6_K_L 8.63, Q6_K 8.33, Q5_K_L 7.60, Q5_K_M 7.21, Q4_K_L 6.77, "
        "Q5_K_S 6.75, Q4_K_M 6.31, Q3_K_XL 5.87, Q4_K_S 5.80, Q4_0 5.52",
        "imatrix=true&built=2024-08",
        config=GLM_4_9B,
    ),
    Card(
        "nvidia/Nemotron-Mini-4B-Instruct",
        "bartowski/Nemotron-Mini-4B-Instruct-GGUF",
        "F16 8.39, Q8_0 4.46, Q6_K_L 3.83, Q5_K_L 3.55, Q6_K 3.45, Q4_K_L 3.28, Q3_K_XL 3.14, "
        "Q5_K_M 3.06, Q5_K_S 2.99, Q4_K_M 2.70, Q4_K_S 2.58",
        "imatrix=true",
        config=NEMOTRON_MINI_4B,
        explanations={"Q5_K_L": TOKENIZER.format(0.2), "Q6_K": TOKENIZER.format(0.3)},
    ),
    Card(
        "ibm-granite/granite-3.1-1b-a400m-instruct",
        "bartowski/granite-3.1-1b-a400m-instruct-GGUF",
        "F16 2.67, Q8_0 1.42, Q6_K_L 1.11, Q6_K 1.10, Q5_K_L 0.97, Q5_K_M 0.96, Q5_K_S 0.93, "
        "Q4_K_L 0.83, Q4_K_M 0.82, Q4_K_S 0.77, Q4_0 0.77, IQ4_NL 0.77",
        "imatrix=true",
        config=GRANITE_31_1B,
        explanations={"Q4_K_S": TOKENIZER.format(0.1)},
    ),
    Card(
        "tiiuae/Falcon3-1B-Instruct",
        "bartowski/Falcon3-1B-Instruct-GGUF",
        "F16 3.34, Q8_0 1.78, Q6_K_L 1.50, Q5_K_L 1.38, Q6_K 1.37, Q4_K_L 1.26, Q5_K_M 1.21, "
        "Q5_K_S 1.19, Q3_K_XL 1.17, Q4_K_M 1.06, Q4_K_S 1.02, Q4_0 1.02, IQ4_NL 1.01",
        "imatrix=true",
        model="tiiuae/Falcon3-1B-Base",
    ),
    Card(
        "TheDrummer/Cydonia-R1-24B-v4",
        "bartowski/TheDrummer_Cydonia-R1-24B-v4-GGUF",
        "BF16 47.15, Q8_0 25.05, Q6_K_L 19.67, Q6_K 19.35, Q5_K_L 17.18, Q5_K_M 16.76, "
        "Q5_K_S 16.30, Q4_1 14.87, Q4_K_L 14.83, Q4_K_M 14.33, Q4_K_S 13.55, Q4_0 13.49",
        "imatrix=true",
        model="mistralai/Mistral-Small-24B-Instruct-2501",
    ),
    Card(
        "deepseek-ai/DeepSeek-V3-0324",
        "bartowski/deepseek-ai_DeepSeek-V3-0324-GGUF",
        "Q8_0 713.29, Q6_K 550.80, Q5_K_M 475.40, Q5_K_S 461.81, Q4_1 419.94, Q4_K_M 404.43",
        "imatrix=true&built=2025-03",
        model="deepseek-ai/DeepSeek-V3",
    ),
)


def card_rows() -> list[Row]:
    """One row for each file of each card."""
    return [_row(card, *size.split()) for card in CARDS for size in card.sizes.split(", ")]


def _row(card: Card, kind: str, printed: str) -> Row:
    step = BILLION // 10 ** len(printed.partition(".")[2])
    size = round(float(printed) * BILLION)
    plain = kind in UNQUANTIZED
    return Published(
        name=card.name,
        repo=card.repo,
        model=card.model,
        config=card.config,
        format="gguf",
        variant=kind,
        recipe=f"format=gguf-{kind.lower()}" + ("" if plain else f"&{card.made}"),
        range_bytes=[size - step // 2, size + step // 2],
        counts="file",
        what="model card (file size)",
        size_text=f"{printed} GB",
        unit_note="decimal GB",
        trust="B",
        explanation=card.explanations.get(kind),
        source=f"{HUB}{card.repo} (model card)",
    ).row()
