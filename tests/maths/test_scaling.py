"""Compute-optimal training, against the tables of the papers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculators.maths.scaling import (
    APPROACH_1,
    APPROACH_2,
    APPROACH_3,
    LAWS,
    REPLICATION,
    ParametricLoss,
    PowerLaw,
    for_budget,
    for_parameters,
    for_tokens,
    training,
)

# Tables 3 and A3 of Hoffmann et al. 2022: parameters, FLOPs, tokens. The paper prints two digits
# and counts operations of attention and embedding too, where this is 6 N D: hence 20 %.
TABLES = [
    (APPROACH_1, 400e6, 1.92e19, 8.0e9),
    (APPROACH_1, 10e9, 1.23e22, 205.1e9),
    (APPROACH_1, 280e9, 9.90e24, 5.9e12),
    (APPROACH_1, 1e12, 1.27e26, 21.2e12),
    (APPROACH_2, 400e6, 1.84e19, 7.7e9),
    (APPROACH_2, 10e9, 1.32e22, 219.5e9),
    (APPROACH_2, 280e9, 1.18e25, 7.1e12),
    (APPROACH_3, 400e6, 2.21e19, 9.2e9),
    (APPROACH_3, 10e9, 2.46e22, 410.1e9),
    (APPROACH_3, 280e9, 3.52e25, 20.1e12),
]


@pytest.mark.parametrize(("law", "parameters", "flops", "tokens"), TABLES)
def test_published_optima(
    law: ParametricLoss | PowerLaw, parameters: float, flops: float, tokens: float
) -> None:
    found = for_parameters(parameters, law)
    assert found.flops == pytest.approx(flops, rel=0.2)
    assert found.tokens == pytest.approx(tokens, rel=0.2)


def test_replication_exponent_and_ratio() -> None:
    """Besiroglu et al. 2024: a = 0.513, about 20 tokens per parameter at its budget."""
    assert REPLICATION.exponent == pytest.approx(0.5126, abs=5e-5)
    assert for_budget(5.76e23).tokens_per_parameter == pytest.approx(20, rel=0.15)


def test_exponents_of_table_2() -> None:
    found = [round(law.exponent, 2) for law in (APPROACH_1, APPROACH_2, APPROACH_3)]
    assert found == [0.50, 0.49, 0.46]


@pytest.mark.parametrize("law", [APPROACH_3, REPLICATION])
@pytest.mark.parametrize("flops", [1e18, 1e21, 1e26])
def test_the_closed_form_is_the_minimum(law: ParametricLoss, flops: float) -> None:
    best = for_budget(flops, law)
    loss = law.loss(best.parameters, best.tokens)
    for shift in (0.9, 0.99, 1.01, 1.1):
        assert law.loss(best.parameters * shift, best.tokens / shift) > loss


@given(st.sampled_from(list(LAWS.values())), st.floats(15, 30))
def test_directions_agree(law: ParametricLoss | PowerLaw, digits: float) -> None:
    budget = for_budget(10**digits, law)
    assert budget.flops == pytest.approx(10**digits)
    assert for_parameters(budget.parameters, law).tokens == pytest.approx(budget.tokens)
    assert for_tokens(budget.tokens, law).parameters == pytest.approx(budget.parameters)
    more = for_budget(10 ** (digits + 1), law)
    assert more.parameters > budget.parameters
    assert more.tokens > budget.tokens


def test_training_time() -> None:
    """6 x 70e9 x 1.4e12 operations at 40 % of an H100's 989 TFLOPS."""
    found = training(6 * 70e9 * 1.4e12, 989e12, 0.4, gpus=1024, usd_per_gpu_hour=2.0)
    assert found.gpu_hours == pytest.approx(412_875, rel=1e-3)
    assert found.days == pytest.approx(16.8, rel=1e-3)
    assert found.usd == pytest.approx(2 * found.gpu_hours)


@pytest.mark.parametrize(
    ("peak", "mfu", "gpus"), [(0, 0.4, 1), (1e15, 0, 1), (1e15, 1.1, 1), (1, 1, 0)]
)
def test_no_progress(peak: float, mfu: float, gpus: int) -> None:
    with pytest.raises(ValueError, match="no progress"):
        training(1e21, peak, mfu, gpus)


def test_loss_falls_to_the_irreducible() -> None:
    assert math.isclose(REPLICATION.loss(1e30, 1e30), REPLICATION.irreducible, rel_tol=1e-6)
