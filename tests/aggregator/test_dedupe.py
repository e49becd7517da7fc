"""Which ads are one job: precision first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.dedupe import AGAINST, EVIDENCE, FOR_REPOSTS, Ad, Publisher, groups_of, same_job, title_words

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOARD, FEED, THIRD = Publisher("acme-board", "acme.example"), Publisher("feed", "feed.example"), Publisher("x", "")
LONG = " ".join(f"word{n}" for n in range(200))
OTHER = " ".join(f"other{n}" for n in range(200))
OPENING = " ".join(f"about{n}" for n in range(45))


def posting(id: str = "a", **changes: Any) -> Ad:
    base: dict[str, Any] = {
        "id": id,
        "title": "Senior Data Engineer, Payments",
        "company": "acme",
        "level": "senior",
        "city": "Berlin",
        "country": "DE",
        "countries": ("DE",),
        "location_text": "Berlin, Germany",
        "description": LONG,
        "publishers": frozenset({BOARD}),
        "first_seen": NOON,
        "last_seen": NOON + DAY,
    }
    return Ad(**base | changes)


def copy(**changes: Any) -> Ad:
    return posting("b", **{"publishers": frozenset({FEED})} | changes)


REMOTE: dict[str, Any] = {"city": None, "country": None, "countries": (), "location_text": "Remote", "remote": "remote"}
COUNTRY: dict[str, Any] = {"city": None, "location_text": "Germany"}
PAY: dict[str, Any] = {"currency": "EUR", "annual_min": Decimal(60000), "annual_max": Decimal(80000)}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"title": "Data Engineer (Senior) - Payments"}, id="order of words"),
        pytest.param({"title": "Sr. Data Engineer, Payments"}, id="short form"),
        pytest.param({"title": "Senior Data Enginer, Payments"}, id="misspelt"),
        pytest.param({"title": "Senior Data Engineer, Payments - Berlin"}, id="the place in the title"),
        pytest.param(
            {"title": "Senior Data Engineer, Payments | Acme Tools", "employer": "Acme Tools Ltd"},
            id="the employer in the title",
        ),
        pytest.param({"title_text": "Senior Data Engineer, Payments (#4410) - Days"}, id="number and hours only there"),
        pytest.param(REMOTE, id="only Remote, same text"),
        pytest.param(COUNTRY, id="only the country, same text"),
        pytest.param({"description": f"Apply today! {LONG} Equal opportunity."}, id="a frame around the text"),
        pytest.param({"description": " ".join(LONG.split()[:150])}, id="text cut"),
        pytest.param({"description": None}, id="no text, same city"),
        pytest.param(
            {"description": None, "title": "Senior Data Engineer, Payments - Berlin"},
            id="no text, the city in the title",
        ),
        pytest.param({"level": None}, id="level not said"),
        pytest.param(PAY, id="pay only there"),
        pytest.param({"first_seen": NOON + 60 * DAY, "last_seen": NOON + 61 * DAY}, id="two months later elsewhere"),
    ],
)
def test_one_job(other: dict[str, Any]) -> None:
    verdict = same_job(posting(), copy(**other))
    assert verdict.same, verdict.why
    assert same_job(copy(**other), posting()) == verdict


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({}, {"company": "umbrella"}, id="another employer"),
        pytest.param({"company": None}, {"company": None}, id="no employer"),
        pytest.param({}, {"level": "lead"}, id="another level"),
        pytest.param({}, {"city": "Munich", "location_text": "Munich, Germany"}, id="another city"),
        pytest.param({}, {"country": "AT", "countries": ("AT",)}, id="another country"),
        pytest.param({}, {"countries": ("DE", "FR")}, id="more countries"),
        pytest.param(
            {"city": "Portland", "country": "US", "countries": ("US",), "region": "OR"},
            {"city": "Portland", "country": "US", "countries": ("US",), "region": "ME"},
            id="a namesake in another state",
        ),
        pytest.param({"requisition": "R-1"}, {"requisition": "R-2"}, id="another requisition"),
        pytest.param({"title_text": "Nurse - Days"}, {"title_text": "Nurse (Nights)"}, id="other hours"),
        pytest.param(
            {"title_text": "Buyer (#1001)"}, {"title_text": "Buyer - Req 1002"}, id="another number in the title"
        ),
        pytest.param(
            {}, {"title": "Senior Data Engineer, Acme Payments", "employer": "Acme Tools"}, id="half the name"
        ),
        pytest.param({"remote": "onsite"}, {"remote": "remote"}, id="on site and remote"),
        pytest.param({"employment_types": ("full_time",)}, {"employment_types": ("internship",)}, id="an internship"),
        pytest.param(PAY, PAY | {"annual_min": Decimal(90000), "annual_max": Decimal(99000)}, id="another pay"),
        pytest.param(PAY, PAY | {"currency": "USD"}, id="another currency"),
        pytest.param({}, {"title": "Senior Data Engineer, Risk"}, id="another team"),
        pytest.param({}, {"title": "Senior Data Engineer"}, id="no team"),
        pytest.param({"title": "Data Engineer II"}, {"title": "Data Engineer III"}, id="another grade"),
        pytest.param({"title": "Java Developer"}, {"title": "JavaScript Developer"}, id="another language"),
        pytest.param({"title": "C++ Developer"}, {"title": "C# Developer"}, id="another sign"),
        pytest.param({}, {"description": OTHER}, id="another text"),
        pytest.param({}, REMOTE | {"description": None}, id="only Remote, no text"),
        pytest.param({"description": OPENING}, COUNTRY | {"description": OPENING}, id="a country is no city"),
        pytest.param(
            {},
            {"city": None, "country": None, "countries": (), "location_text": "South of the river"},
            id="unread place",
        ),
        pytest.param({}, {"first_seen": NOON + 300 * DAY, "last_seen": NOON + 301 * DAY}, id="a year later"),
    ],
)
def test_two_jobs(one: dict[str, Any], other: dict[str, Any]) -> None:
    for a, b in ((posting(**one), copy(**other)), (copy(**other), posting(**one))):
        assert not same_job(a, b).same


class TestOnePublisher:
    def test_side_by_side_are_two_openings(self) -> None:
        assert not same_job(posting(), posting("b")).same

    def test_one_after_the_other_is_a_repost(self) -> None:
        assert same_job(posting(), posting("b", first_seen=NOON + 9 * DAY, last_seen=NOON + 12 * DAY)).same

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"description": None}, id="no text"),
            pytest.param(COUNTRY, id="another word for the place"),
            pytest.param({"first_seen": NOON + 200 * DAY, "last_seen": NOON + 201 * DAY}, id="half a year later"),
        ],
    )
    def test_a_new_ad_is_a_new_vacancy_unless_all_says_otherwise(self, other: dict[str, Any]) -> None:
        later = {"first_seen": NOON + 9 * DAY, "last_seen": NOON + 12 * DAY}
        assert not same_job(posting(), posting("b", **later | other)).same


class TestGroups:
    def ids(self, *ads: Ad, apart: Any = ()) -> list[list[str]]:
        return sorted([ad.id for ad, _ in group] for group in groups_of(ads, apart))

    def test_three_publishers_one_job(self) -> None:
        ads = posting(), copy(), posting("c", publishers=frozenset({THIRD}))
        assert self.ids(*ads) == [["a", "b", "c"]]

    def test_the_first_seen_stays(self) -> None:
        assert self.ids(posting(first_seen=NOON + DAY, last_seen=NOON + 2 * DAY), copy()) == [["b", "a"]]

    def test_what_could_be_two_jobs_is_neither(self) -> None:
        berlin, munich = posting(), posting("m", city="Munich", location_text="Munich, Germany")
        assert self.ids(berlin, munich, copy(**REMOTE)) == []

    def test_a_surer_partner_settles_it(self) -> None:
        link = frozenset({"https://acme.example/1"})
        berlin, munich = posting(urls=link), posting("m", city="Munich", location_text="Munich, Germany")
        assert self.ids(berlin, munich, copy(**REMOTE, urls=link)) == [["a", "b"]]

    def test_what_a_person_keeps_apart_stays_apart(self) -> None:
        assert self.ids(posting(), copy(), apart={frozenset(("a", "b"))}) == []

    @given(st.permutations(range(4)))
    def test_the_order_does_not_matter(self, order: list[int]) -> None:
        ads = [posting(), copy(), posting("c", city="Bonn"), posting("d", city="Bonn", publishers=frozenset({THIRD}))]
        assert self.ids(*(ads[n] for n in order)) == [["a", "b"], ["c", "d"]]


def test_the_tables_are_sound() -> None:
    assert {name for name, _, _ in EVIDENCE} >= FOR_REPOSTS
    assert len({name for name, _ in AGAINST}) == len(AGAINST)
    assert [strength for _, strength, _ in EVIDENCE] == sorted((s for _, s, _ in EVIDENCE), reverse=True)


@given(st.text(max_size=60))
def test_any_title_has_words(title: str) -> None:
    assert title_words(title) == tuple(sorted(set(title_words(title))))
