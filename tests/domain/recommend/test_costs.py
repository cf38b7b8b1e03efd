"""What a round trip costs."""

from __future__ import annotations

import numpy as np

from app.domain.recommend.costs import round_trip_costs


def test_korea_taxes_the_sale_by_its_day_and_the_united_states_take_a_fee():
    days = np.array(["2019-06-02", "2019-06-03", "2026-01-02"], dtype="datetime64[D]")
    np.testing.assert_allclose(round_trip_costs(days, "KRW"), [0.0033, 0.0028, 0.0023])
    np.testing.assert_allclose(
        round_trip_costs(days, "USD"), [0.005 + 20.7e-6, 0.005 + 20.7e-6, 0.005], atol=1e-9
    )
