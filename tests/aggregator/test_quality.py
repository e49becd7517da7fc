"""Flags: what raises them, what must not, and that the table covers the contract."""

from datetime import date
from decimal import Decimal

import pytest

from aggregator.normalise.salary import parse_salary
from aggregator.plausibility import occupation_class
from aggregator.quality import COHORT_MINIMUM, FLAGS, Candidate, CohortRow, judge, judge_cohorts

CODES = [
    "placeholder",
    "above_plausible",
    "below_plausible",
    "non_positive",
    "inverted",
    "too_wide",
    "period_mismatch",
    "currency_missing",
    "currency_country_mismatch",
    "not_pay",
    "cohort_outlier",
    "level_title_conflict",
    "duplicate_in_source",
    "expired_but_listed",
    "unreadable",
]


def codes(
    text: str | None = None, *, title: str | None = "Data Engineer", country: str | None = None, **pay: object
) -> set[str]:
    salary = parse_salary(text, country=country, structured=pay or None)
    return {flag.code for flag in judge(Candidate(salary, title=title, country=country)) if flag.severity == "exclude"}


def test_the_table_names_every_code_once() -> None:
    assert [code for code, *_ in FLAGS] == CODES
    assert {severity for _, severity, *_ in FLAGS} == {"exclude", "warn"}
    assert all(question.endswith("?") for _, _, question, _ in FLAGS)


@pytest.mark.parametrize("row", FLAGS, ids=lambda row: row[0])
def test_a_plain_posting_passes_every_test(row: tuple[str, str, str, object]) -> None:
    candidate = Candidate(parse_salary("$120,000 - $150,000 a year", country="US"), title="Data Engineer", country="US")
    test = row[3]
    assert test is None or test(candidate) is None  # type: ignore[operator]  # each row's fourth field is its test


@pytest.mark.parametrize(
    ("text", "title", "country", "expected"),
    [
        ("USD 1111111K - 1111111K", "Data Engineer", None, {"placeholder", "above_plausible"}),
        ("EUR 2222222", "Data Engineer", "DE", {"placeholder", "above_plausible"}),
        ("GBP 123456", "Data Engineer", "GB", {"placeholder"}),
        ("$0 - $1,500,000", "Data Engineer", "US", {"placeholder"}),
        ("$130 - $160,000 per year", "Data Engineer", "US", {"too_wide"}),
        ("$185,000 - $15,000 per year", "Data Engineer", "US", {"inverted", "too_wide"}),
        ("£28,000 - £310,000 per annum", "Sign Writer", "GB", {"too_wide"}),
        ("£410,000 - £480,000 per annum", "Retail Store Manager", "GB", {"above_plausible"}),
        ("£45 to £60 per annum", "Data Analyst", "GB", {"below_plausible", "period_mismatch"}),
        ("£380 - £450 per hour", "Java Contractor", "GB", {"above_plausible", "period_mismatch"}),
        ("72.000 - 88.000 € monatlich", "Data Engineer", "DE", {"above_plausible", "period_mismatch"}),
        ("$95,000 - $115,000 per hour", "Data Engineer", "US", {"above_plausible", "period_mismatch"}),
        ("$18,500/hr", "Housekeeper", "US", {"above_plausible", "period_mismatch"}),
        ("60,000-80,000", "Data Engineer", None, {"currency_missing"}),
        ("38 000 SEK per år", "Data Engineer", "SE", {"below_plausible", "period_mismatch"}),
        ("1.100 € im Jahr", "Auszubildende Pflege", "DE", {"below_plausible", "period_mismatch"}),
        ("450 € im Monat", "Pflegefachkraft", "DE", {"below_plausible"}),
    ],
)
def test_bad_pay_is_flagged_for_its_reason(text: str, title: str, country: str | None, expected: set[str]) -> None:
    found = codes(text, title=title, country=country)
    assert expected <= found
    if "placeholder" in expected:
        assert found <= {"placeholder", "above_plausible", "below_plausible", "non_positive", "too_wide"}


def test_the_famous_placeholder_has_exactly_two_reasons() -> None:
    assert codes("USD 1111111K - 1111111K") == {"placeholder", "above_plausible"}


@pytest.mark.parametrize(
    ("text", "title", "country"),
    [
        ("CLP 58.800.000 al año", "Data Scientist", "CL"),
        ("Rp 300.000.000 - 420.000.000 per tahun", "Engineering Manager", "ID"),
        ("£8.50 per hour", "Support Worker", "GB"),
        ("€46,300 - €46,300", "Consultant", "AT"),
        ("KWD 420 - 600 per month", "Nurse", "KW"),
        ("$420,000 - $760,000", "Research Engineer", "US"),
        ("$480,000 a year", "Cardiologist", "US"),
        ("£280,000 - £360,000 per annum", "Tax Partner", "GB"),
        ("$5/hour", "Virtual Assistant", "PH"),
        ("£7,900 per annum", "Apprentice Plumber", "GB"),
        ("50 - 65 triệu/tháng", "Developer", "VN"),
        ("bruttó 850 000 - 1 100 000 Ft/hó", "Developer", "HU"),
        ("$45,000 - $160,000", "Account Executive", "US"),
        ("450 - 650 € im Monat", "Praktikant (m/w/d) Marketing", "DE"),
        ("£4,300 per annum", "Saturday Shop Assistant", "GB"),
        ("400 € al mes", "Becario de diseño", "ES"),
        ("Gratification : 650 € par mois", "Stage - Assistant RH", "FR"),
        ("$85,000 - $99,999", "Buyer", "US"),
        ("時給1,200円", "Shop assistant", "JP"),
        ("€1.600 - €1.900 pro Tag", "Interim CFO", "DE"),
    ],
)
def test_unusual_but_honest_pay_is_not(text: str, title: str, country: str) -> None:
    assert codes(text, title=title, country=country) == set()


@pytest.mark.parametrize(
    ("pay", "expected"),
    [
        ({"min": 2400, "max": 155000, "currency": "USD", "period": "year"}, "too_wide"),
        ({"min": -1, "max": -1, "currency": "EUR"}, "non_positive"),
        ({"min": 40, "max": 0, "currency": "USD", "period": "hour"}, "non_positive"),
        ({"min": 21.5, "max": 23, "currency": "USD", "period": "year"}, "period_mismatch"),
        ({"min": 70_000_000, "max": 210_000_000, "currency": "USD", "period": "year"}, "above_plausible"),
        ({"min": 1, "max": 1, "currency": "INR", "period": "year"}, "placeholder"),
    ],
)
def test_published_amounts_are_judged_too(pay: dict[str, object], expected: str) -> None:
    assert expected in codes(**pay)


def test_an_amount_that_the_text_calls_a_bonus_is_no_pay() -> None:
    found = codes("Employee referral bonus up to 3,500 EUR", min=3500, max=3500, currency="EUR", period="year")
    assert "not_pay" in found


def test_suggestions_stand_beside_the_original() -> None:
    salary = parse_salary("MXN 21,000 - 26,000 anuales")
    flags = {flag.code: flag for flag in judge(Candidate(salary, title="Contador", country="MX"))}
    assert flags["period_mismatch"].suggestion == {"period": "month"}
    assert salary.min == 21_000
    assert "MXN 21,000" in flags["period_mismatch"].detail


def test_warnings_do_not_exclude() -> None:
    candidate = Candidate(
        parse_salary("¥9,000,000 a year", country="JP"),
        title="Senior Engineer",
        country="AU",
        board_level="entry",
        title_level="senior",
        valid_through=date(2026, 1, 31),
        seen_on=date(2026, 2, 1),
        duplicate_of="other",
    )
    assert {(flag.code, flag.severity) for flag in judge(candidate)} == {
        ("currency_country_mismatch", "warn"),
        ("level_title_conflict", "warn"),
        ("duplicate_in_source", "warn"),
        ("expired_but_listed", "warn"),
    }


@pytest.mark.parametrize(
    ("title", "occupation"),
    [
        ("Assistant Store Manager", "ordinary"),
        ("Chief Financial Officer", "top"),
        ("Assistant to the Director", "ordinary"),
        ("Hedge Fund Intern", "top"),
        ("Project Manager", "middle"),
        ("Machine Learning Engineer", ""),
        (None, ""),
    ],
)
def test_occupations_are_known_by_words_of_the_title(title: str | None, occupation: str) -> None:
    assert occupation_class(title) == occupation


def cohort(size: int, odd: float) -> list[CohortRow]:
    rows = [CohortRow(str(n), "data", "senior", "US", 140_000 + 1_000 * n) for n in range(size)]
    return [*rows, CohortRow("odd", "data", "senior", "US", odd)]


@pytest.mark.parametrize("odd", [14_000, 1_400_000])
def test_a_cohort_names_its_outliers(odd: float) -> None:
    found = judge_cohorts(cohort(30, odd))
    assert list(found) == ["odd"]
    assert found["odd"].severity == "warn"
    assert "31 postings" in found["odd"].detail


def test_a_small_cohort_says_nothing() -> None:
    assert judge_cohorts(cohort(COHORT_MINIMUM - 2, 1_400_000)) == {}


def test_a_cohort_of_equal_figures_spares_its_neighbour() -> None:
    rows = [CohortRow(str(n), "data", "senior", "US", 150_000.0) for n in range(40)]
    assert judge_cohorts([*rows, CohortRow("near", "data", "senior", "US", 180_000.0)]) == {}


def test_rows_without_a_cohort_are_left_alone() -> None:
    rows = [CohortRow(str(n), None, "senior", "US", 10.0**n) for n in range(1, 40)]
    assert judge_cohorts(rows) == {}


def test_decimals_survive_judging() -> None:
    assert codes(min=Decimal("33.33"), max=Decimal("41.10"), currency="GBP", period="hour") == set()
