"""Money: the five classic figures, loads, fleets and break-even points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calculators.maths import cost
from calculators.maths.cost import Load, TokenPrices

ROUNDED = 0.0005  # the figures are given to three decimals


@pytest.mark.parametrize(
    ("usd_per_hour", "tokens_per_second", "expected"),
    [
        (1.64, 1800, 0.253),
        (3.28, 1200, 0.759),
        (2.98, 1600, 0.517),
        (2.98, 2400, 0.345),
        (1.04, 3800, 0.076),
    ],
)
def test_dollars_per_million_tokens(
    usd_per_hour: float, tokens_per_second: int, expected: float
) -> None:
    found = cost.usd_per_million_tokens(usd_per_hour, tokens_per_second)
    assert found == pytest.approx(expected, abs=ROUNDED)


def test_half_the_utilisation_doubles_the_price() -> None:
    full, half = (cost.usd_per_million_tokens(2, 1000, share) for share in (1.0, 0.5))
    assert half == pytest.approx(2 * full)


@pytest.mark.parametrize(("speed", "utilisation"), [(0, 1), (-5, 1), (100, 0), (100, 1.2)])
def test_no_tokens_no_price(speed: int, utilisation: float) -> None:
    with pytest.raises(cost.NoThroughput):
        cost.usd_per_million_tokens(1, speed, utilisation)


def test_input_and_output_apart() -> None:
    """3.60 $/h is 0.001 $ a second; 10,000 tokens a second read, 1,000 written."""
    prices = cost.own_prices(3.60, 10_000, 1_000)
    assert prices.input == pytest.approx(0.1)
    assert prices.output == pytest.approx(1.0)
    assert prices.of(2_000_000, 1_000_000) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("requests", "peak", "most", "gpus", "deployments", "utilisation"),
    [
        # A request reads 1,000 tokens in 0.1 s and writes 500 in 0.5 s: 0.6 s of work.
        (100_000, 1.0, 1.0, 1, 1, 0.6944),  # 60,000 of 86,400 s
        (150_000, 1.0, 1.0, 1, 2, 0.5208),
        (100_000, 2.0, 1.0, 2, 2, 0.3472),  # twice as busy at the peak
        (100_000, 1.0, 0.5, 1, 2, 0.3472),
        (0, 1.0, 1.0, 4, 1, 0.0),  # one stays up
    ],
)
def test_fleet(
    requests: int, peak: float, most: float, gpus: int, deployments: int, utilisation: float
) -> None:
    load = Load.of_requests(requests, 1000, 500)
    found = cost.fleet(load, 2.0, 10_000, 1_000, gpus, peak, most)
    assert found.deployments == deployments
    assert found.gpus == deployments * gpus
    assert found.utilisation == pytest.approx(utilisation, abs=1e-4)
    assert found.usd_per_month == pytest.approx(found.gpus * 2.0 * 730)  # 8,760 h a year / 12


def test_break_even_is_where_both_cost_the_same() -> None:
    prices = TokenPrices(0.5, 1.5)
    tokens = cost.break_even_tokens_per_day(1500, prices, input_per_output=3)
    assert tokens is not None
    api = cost.api_usd_per_month(Load(3 * tokens, tokens), prices)
    assert api == pytest.approx(1500)
    assert cost.break_even_tokens_per_day(1500, TokenPrices(0, 0)) is None


def test_break_even_utilisation() -> None:
    """At that utilisation the own price of the mixture is the API's."""
    prices = TokenPrices(0.5, 1.5)
    share = cost.break_even_utilisation(2.5, 20_000, 2_000, prices, input_per_output=3)
    own = cost.own_prices(2.5, 20_000, 2_000, share)
    assert own.of(3, 1) == pytest.approx(prices.of(3, 1))
    assert cost.break_even_utilisation(2.5, 1, 1, TokenPrices(0, 0)) == float("inf")


positive = st.floats(0.01, 1e6)


@given(positive, positive, st.floats(0.01, 1))
def test_faster_and_fuller_is_never_dearer(usd: float, speed: float, share: float) -> None:
    price = cost.usd_per_million_tokens(usd, speed, share)
    assert cost.usd_per_million_tokens(usd, speed * 2, share) == pytest.approx(price / 2)
    assert cost.usd_per_million_tokens(usd, speed) <= price
    assert cost.usd_per_million_tokens(usd * 2, speed, share) == pytest.approx(price * 2)


@given(positive, positive, st.floats(1, 1e9), st.floats(1, 1e9))
def test_a_fleet_is_enough_and_not_one_too_many(
    read: float, write: float, into: float, out: float
) -> None:
    found = cost.fleet(Load(into, out), 1.0, read, write)
    assert found.utilisation <= 1 + 1e-9
    busy = found.utilisation * found.deployments
    assert found.deployments == 1 or busy > found.deployments - 1 - 1e-6 * busy
