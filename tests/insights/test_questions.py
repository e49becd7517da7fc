"""The questions people ask: where an offer stands, how two roles differ, whether articles are right."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from db.filters import Filters
from db.models import FxRate
from insights.claims import check_claims, read_claims
from insights.compare import compare_roles
from insights.model import InsightError
from insights.offer import newest_rate, place_offer
from tests.insights.market import NOW, article, claim, fill, posting, unpaid


def market(url: str, n: int = 40, **changes: object) -> str:
    """Senior data engineers in Germany, 50 to 89 thousand by thousands, every posting of another employer."""
    postings = [
        posting(i, salary_min=Decimal(50_000 + 1_000 * i), salary_max=Decimal(50_000 + 1_000 * i), **changes)
        for i in range(n)
    ]
    return fill(url, postings)


SENIOR = {"role": "Data Engineer", "family": "Data Engineering", "level": "senior", "country": "DE"}


def test_an_offer_stands_above_the_share_that_advertises_less(database_url: str) -> None:
    place = place_offer(
        market(database_url), filters=Filters(), alone=True, offer=Decimal(80_500), currency="EUR", **SENIOR
    )
    assert place.percentile == pytest.approx(31 / 40)
    assert place.interval is not None
    assert place.interval[0] < 31 / 40 < place.interval[1]
    assert [(stage.words, stage.weight) for stage in place.stages] == [("same role, level and country", 1.0)]
    assert place.statement.startswith("EUR 80,500 a year is more than about 78% of comparable postings advertise")


def test_ties_count_half(database_url: str) -> None:
    place = place_offer(
        market(database_url), filters=Filters(), alone=True, offer=Decimal(50_000), currency="EUR", **SENIOR
    )
    assert place.percentile == pytest.approx(0.5 / 40)


def test_a_thin_cell_leans_on_wider_ones_and_says_so(database_url: str) -> None:
    close = [posting(i, salary_min=Decimal(70_000), salary_max=Decimal(70_000)) for i in range(10)]
    wider = [posting(i, level="mid", salary_min=Decimal(90_000), salary_max=Decimal(90_000)) for i in range(10, 50)]
    url = fill(database_url, [*close, *wider])
    place = place_offer(url, filters=Filters(), alone=True, offer=Decimal(80_000), currency="EUR", **SENIOR)
    first, second = place.stages
    assert (first.figures.n, second.figures.n) == (10, 50)
    assert first.weight == pytest.approx(10 / 15)
    assert place.percentile == pytest.approx(10 / 15 * 1.0 + 5 / 15 * 0.2)
    assert "same role and country, any level" in place.statement
    assert "(10 postings)" in place.statement


def test_a_cell_too_thin_to_show_does_not_count_at_all(database_url: str) -> None:
    close = [posting(i, salary_min=Decimal(200_000), salary_max=Decimal(200_000)) for i in range(2)]
    wider = [posting(i, level="mid") for i in range(10, 45)]
    url = fill(database_url, [*close, *wider])
    place = place_offer(url, filters=Filters(), alone=True, offer=Decimal(80_000), currency="EUR", **SENIOR)
    assert place.stages[0].weight == 0
    assert place.stages[0].percentile is None
    assert place.stages[0].figures.median is None
    assert place.percentile == pytest.approx(35 / 37)
    assert "alone: 2 postings" in place.statement


def test_across_countries_the_comparison_is_in_us_dollars(database_url: str) -> None:
    abroad = [
        posting(i, country="GB", currency="GBP", salary_min=Decimal(60_000), salary_max=Decimal(60_000))
        for i in range(40)
    ]
    url = fill(database_url, [posting(99), *abroad])
    at_par = Decimal(60_000) * Decimal("1.25") / Decimal("1.10")
    below = place_offer(url, filters=Filters(), alone=True, offer=at_par - 1, currency="EUR", **SENIOR)
    above = place_offer(url, filters=Filters(), alone=True, offer=at_par + 5_000, currency="EUR", **SENIOR)
    assert below.stages[-1].figures.currency == "USD"
    assert below.percentile == 0
    assert above.percentile == 1


def test_without_a_rate_nothing_is_converted(database_url: str) -> None:
    odd = [posting(i, currency="XTS", fx_rate=None, country=["DE", "FR"][i % 2]) for i in range(12)]
    place = place_offer(
        fill(database_url, odd), filters=Filters(), alone=True, offer=Decimal(75_000), currency="XTS", **SENIOR
    )
    assert {stage.figures.currency for stage in place.stages} == {"XTS"}
    assert place.percentile == 1


def test_nothing_to_compare_with_is_said_not_guessed(database_url: str) -> None:
    url = fill(database_url, [posting(1), unpaid(2)])
    place = place_offer(url, filters=Filters(), alone=True, offer=Decimal(80_000), currency="EUR", **SENIOR)
    assert place.percentile is None
    assert place.interval is None
    assert "nothing to compare it with" in place.statement


def test_one_employers_many_postings_make_the_place_less_sure(database_url: str, tmp_path: object) -> None:
    many = place_offer(
        market(database_url), filters=Filters(), alone=True, offer=Decimal(70_000), currency="EUR", **SENIOR
    )
    few = [
        posting(
            i,
            company=f"E{i % 4}",
            salary_min=Decimal(50_000 + 10_000 * (i % 4)),
            salary_max=Decimal(50_000 + 10_000 * (i % 4)),
        )
        for i in range(40)
    ]
    url = fill(f"sqlite:///{tmp_path}/few.db", few)
    unsure = place_offer(url, filters=Filters(), alone=True, offer=Decimal(70_000), currency="EUR", **SENIOR)
    assert many.interval is not None
    assert unsure.interval is not None
    assert np.ptp(unsure.interval) > 1.5 * np.ptp(many.interval)


@pytest.mark.parametrize(
    ("offer", "like"),
    [(Decimal(0), {"role": "Cook"}), (Decimal(-5), {"role": "Cook"}), (Decimal(5), {"level": "senior"})],
    ids=["nothing", "negative", "no role"],
)
def test_an_impossible_question_is_one_clear_error(database_url: str, offer: Decimal, like: dict[str, str]) -> None:
    with pytest.raises(InsightError):
        place_offer(fill(database_url, []), filters=Filters(), alone=True, offer=offer, currency="EUR", **like)


def test_the_newest_rate_wins(database_url: str) -> None:
    url = fill(
        database_url,
        [posting(1)],
        [
            FxRate(currency="EUR", on=NOW.date(), usd=1.2, origin="t"),
            FxRate(currency="CHF", on=NOW.date(), usd=1.3, origin="t"),
        ],
    )
    assert (newest_rate(url, "EUR"), newest_rate(url, "CHF"), newest_rate(url, "USD")) == (1.2, 1.3, 1.0)
    assert newest_rate(url, "JPY") is None


def two_roles(url: str) -> str:
    """Data engineers at 70 thousand, analysts at 50 at the same level and place; more of the analysts are senior."""
    made, number = [], 0
    for role, base, levels in (("Data Engineer", 70_000, (30, 10)), ("Data Analyst", 50_000, (10, 30))):
        for level, raised, many in (("mid", 0, levels[0]), ("senior", 25_000, levels[1])):
            for i in range(many):
                for country in ("DE", "AT"):
                    number += 1
                    pay = Decimal(base + raised + 100 * (i % 7))
                    made.append(
                        posting(number, role=role, level=level, country=country, salary_min=pay, salary_max=pay)
                    )
    growth = claim(3, kind="growth", amount=None, currency=None, period=None, percent=12.0, until=2031)
    return fill(
        url, made, [article(), claim(1), growth, claim(2, role="Data Analyst", amount=Decimal(20), period="hour")]
    )


def test_two_roles_are_compared_in_pay_and_like_for_like(database_url: str) -> None:
    found = compare_roles(two_roles(database_url), ("Data Engineer", "Data Analyst"), filters=Filters(), alone=True)
    (gap,) = found.gaps
    assert gap.currency == "EUR"
    assert gap.raw == pytest.approx(70_300 / 75_300 - 1, abs=0.02)
    assert gap.like_for_like == pytest.approx((70_300 / 50_300 + 95_300 / 75_300) / 2 - 1, abs=0.01)
    assert gap.pairs == 4
    engineer, analyst = found.sides
    assert {g.key["level"]: g.n for g in engineer.by_level} == {"mid": 60, "senior": 20}
    assert {g.key["country"] for g in analyst.by_country} == {"AT", "DE"}
    assert [c.percent for c in engineer.growth] == [12.0]
    assert [check.claim.source for check in analyst.claims] == ["Payscope"]
    assert "At the same level and country it is" in found.statement


def test_roles_without_pay_compare_without_a_gap(database_url: str) -> None:
    url = fill(database_url, [unpaid(1), posting(2, role="Data Analyst")])
    found = compare_roles(url, ("Data Engineer", "Data Analyst"), filters=Filters(), alone=True)
    assert found.gaps == ()
    assert "no currency in which both" in found.statement


@pytest.mark.parametrize("roles", [("A",), ("A", "A"), ("A", "B", "C")], ids=str)
def test_compare_takes_two_roles(database_url: str, roles: tuple[str, ...]) -> None:
    with pytest.raises(InsightError, match="two different roles"):
        compare_roles(fill(database_url, []), roles, filters=Filters())


def test_claims_stand_beside_what_is_advertised(database_url: str) -> None:
    claims = [
        claim(1),
        claim(2, amount=Decimal(30), period="hour", country=None),
        claim(3, currency="USD"),
        claim(4, role=None),
        claim(5, period=None),
        claim(6, country="FR"),
    ]
    url = fill(database_url, [posting(i) for i in range(12)], [article(), *claims])
    by_number = dict(zip("123456", sorted(check_claims(url, filters=Filters(), alone=True), key=lambda c: [
        x.id for x in claims if (x.amount, x.currency, x.period, x.country, x.role) ==
        (c.claim.amount, c.claim.currency, c.claim.period, c.claim.country, c.claim.role)]), strict=True))  # fmt: skip
    assert by_number["1"].difference == pytest.approx(75_000 / 70_000 - 1)
    assert by_number["2"].difference == pytest.approx(62_400 / 70_000 - 1)
    assert by_number["1"].within_interval is False
    for number in "3456":
        assert by_number[number].difference is None
        assert by_number[number].reason
    assert {c.article for c in read_claims(url)} == {"Data Engineer vs. Data Analyst"}
    assert read_claims(url, ["Cook"]) == ()
