"""How one matrix product gains from narrow weights as its rows grow: curves that were published."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculators.maths.accelerator import Accelerator, accelerators
from calculators.maths.batching import BYTES_16, kernel, matrix_seconds


def gain(rows: int, bytes_per_weight: float, card: Accelerator, name: str) -> float:
    """Times the 16-bit product's speed, for one large matrix; no launch time."""
    plain = matrix_seconds(rows, BYTES_16, card)
    return plain / matrix_seconds(rows, bytes_per_weight, card, kernel(name))


# Published curves of one large matrix on an A10 (IST-DASLab/marlin, assets/peak.png, read off the
# chart to about 0.05): kernel, rows, times the 16-bit product, tolerance.
CURVES = [
    ("marlin", 1, 3.87, 0.03),
    ("marlin", 16, 3.90, 0.03),
    ("marlin", 32, 3.82, 0.03),
    ("marlin", 64, 3.09, 0.05),
    ("marlin", 128, 1.56, 0.05),
    ("exllamav2", 1, 3.78, 0.03),
    ("exllamav2", 4, 2.86, 0.05),
    ("exllamav2", 8, 1.50, 0.1),
    ("exllamav2", 16, 0.72, 0.1),
    ("exllamav2", 64, 0.44, 0.1),
    ("exllamav2", 128, 0.43, 0.1),
    # The kernel of January 2024 changes its tiling at 16 rows; one share stands for both.
    ("awq", 4, 0.86, 0.5),
    ("awq", 8, 0.44, 0.5),
    ("awq", 32, 0.31, 0.5),
]


@pytest.mark.parametrize(("name", "batch", "expected", "tolerance"), CURVES)
def test_weight_only_gain_fades_as_measured(
    name: str, batch: int, expected: float, tolerance: float
) -> None:
    bytes_per_weight = (4 + 16 / 128) / 8  # symmetric int4, groups of 128 with an FP16 scale
    found = gain(batch, bytes_per_weight, accelerators()["a10"], name)
    assert found == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    ("batch", "expected"), [(64, 3.38), (256, 1.52), (512, 1.07), (1024, 1.02)]
)
def test_int4_on_l40s(batch: int, expected: float) -> None:
    """Medians over layer shapes in aiconfigurator 095f58a5; small layers keep them under 4."""
    found = gain(batch, (4 + 16 / 128) / 8, accelerators()["l40s"], "marlin")
    assert found == pytest.approx(expected, rel=0.35)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 2000),
    st.sampled_from(tuple(accelerators().values())),
    st.sampled_from(["marlin", "exllamav2", "awq"]),
)
def test_a_weight_only_kernel_gains_at_most_its_width_and_less_with_rows(
    batch: int, card: Accelerator, name: str
) -> None:
    now, later = (gain(m, 0.5, card, name) for m in (batch, batch * 2))
    assert later <= now * 1.001 or name != "marlin"  # the others fall back to whole unpacking
    assert 0 < now <= 4.0001
