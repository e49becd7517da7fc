"""One posting from the readings of all the raw postings that describe it.

Within one source the newest reading counts. Across sources the better source of each field wins, by `PREFERENCE`; every
raw posting and every sighting stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from aggregator.lifecycle import reposts
from aggregator.normalise.money import Rates, annualise
from aggregator.normalise.salary import PayTier, Salary
from aggregator.quality import Candidate, judge
from aggregator.reading import Reading
from db.keys import key
from db.postings import FlagDraft, PostingDraft
from db.types import fits
from db.unread import seen_of

PREFERENCE: tuple[tuple[str, str, Callable[[Reading], object]], ...] = (
    ("pay", "a published amount before one read from text, any pay before none", lambda r: _pay_rank(r.salary)),
    ("place", "a city before a country before nothing", lambda r: (bool(r.location.city), bool(r.location.country))),
    ("level", "a level of the board before one of the title", lambda r: (bool(r.board_level), bool(r.title_level))),
    ("description", "the longer one", lambda r: len(r.description_text or "")),
    ("employment", "any before none", lambda r: bool(r.employment_types)),
    ("link", "any before none", lambda r: bool(r.url)),
)
"""Which reading gives which group of fields: the one that ranks highest, the founding one among equals."""


def _pay_rank(salary: Salary) -> tuple[bool, bool, bool, bool]:
    stated = salary.min is not None or salary.max is not None
    return (salary.ok, stated, not salary.is_estimate, salary.from_structured)


def compose(posting_id: str, readings: Sequence[Reading], rates: Rates) -> PostingDraft:
    """The posting that `readings` (one or more, in any order) describe."""
    every = sorted(readings, key=lambda r: (r.raw_id != posting_id, r.first_seen.date(), r.raw_id))
    ordered = _newest_of_each_source(every)
    best = {group: max(ordered, key=rank) for group, _why, rank in PREFERENCE}  # type: ignore[arg-type]  # ranks are tuples, numbers or booleans
    first, pay, place, level = ordered[0], best["pay"], best["place"], best["level"]
    country = place.location.country
    salary = pay.salary
    seen = seen_of(every)
    reposted, reposted_days = reposts([(r.source, r.first_seen, r.last_seen) for r in every])
    values: dict[str, Any] = {
        "title": first.title,
        "title_text": first.title_text,
        "role": first.role.role,
        "family": first.role.family,
        "soc": first.role.soc,
        "role_confidence": first.role.confidence,
        "level": level.level,
        "level_text": level.level_text,
        "title_level": first.title_level,
        "employment_types": list(best["employment"].employment_types),
        "company_id": key("company", first.company.key) if first.company else None,
        "company": first.company.name if first.company else None,
        "location_text": place.location_text,
        "city": place.location.city,
        "region": place.location.region,
        "country": country,
        "countries": list(place.location.countries),
        "remote": place.location.remote,
        "remote_scope": list(place.location.remote_scope),
        **_money(pay, rates, seen["first_seen"]),
        "url": best["link"].url,
        "description_text": best["description"].description_text,
        "requisition_text": next((r.requisition_text for r in ordered if r.requisition_text), None),
        "sources": sorted({r.source for r in every}),
        "posted_on": min((r.posted_on for r in every if r.posted_on), default=None),
        "valid_through": max((r.valid_through for r in ordered if r.valid_through), default=None),
        "block": f"{first.company.key}|{first.role.family or ''}" if first.company else "",
        **seen,
        "reposted": reposted,
        "reposted_days": reposted_days,
    }
    candidate = Candidate(
        salary=salary,
        title=first.title,
        country=country,
        level=level.level,
        board_level=level.board_level,
        title_level=first.title_level,
        employment_types=best["employment"].employment_types,
        valid_through=values["valid_through"],
        seen_on=values["last_seen"].date(),
        pay_text=pay.pay_field,
    )
    return PostingDraft(
        id=posting_id,
        values=values,
        company=(values["company_id"], values["company"]) if first.company else None,
        flags=tuple(
            FlagDraft(flag.code, flag.severity, flag.detail, dict(flag.suggestion or {})) for flag in judge(candidate)
        ),
        read_from={r.raw_id: r.content_hash for r in every},
    )


def _newest_of_each_source(ordered: Sequence[Reading]) -> list[Reading]:
    """What each source says today: of the ads by which it published the job, the newest one."""
    newest: dict[str, Reading] = {}
    for reading in ordered:
        known = newest.get(reading.source)
        if known is None or (reading.first_seen.date(), reading.raw_id) > (known.first_seen.date(), known.raw_id):
            newest[reading.source] = reading
    return list(newest.values())


def _money(pay: Reading, rates: Rates, first_seen: Any) -> dict[str, Any]:
    """Amounts as stated, by the year, and in US dollars at the rate of the day first seen."""
    salary = pay.salary
    low, high = (amount if fits(amount) else None for amount in (salary.min, salary.max))
    yearly = [_annual(amount, salary.period) for amount in (low, high)]
    stated = low is not None or high is not None
    currency = salary.currency if stated else None
    dollars = [
        rates.usd(amount, currency, first_seen.date()) if amount is not None and currency else None for amount in yearly
    ]
    rate = next((conversion for conversion in dollars if conversion is not None), None)
    return {
        "salary_text": pay.salary_text,
        "salary_min": low,
        "salary_max": high,
        "currency": currency,
        "period": salary.period if stated else None,
        "salary_open": salary.open if stated else None,
        "salary_is_estimate": salary.is_estimate,
        "pay_tiers": [_tier(tier) for tier in salary.tiers],
        "annual_min": yearly[0],
        "annual_max": yearly[1],
        "annual_min_usd": _whole(dollars[0].amount) if dollars[0] else None,
        "annual_max_usd": _whole(dollars[1].amount) if dollars[1] else None,
        "fx_rate": rate.rate if rate else None,
        "fx_date": rate.rate_date if rate else None,
    }


def _annual(amount: Decimal | None, period: str | None) -> Decimal | None:
    if amount is None or period is None:
        return None
    yearly = annualise(amount, period)
    return yearly if fits(yearly) else None


def _whole(amount: Decimal) -> Decimal | None:
    cents = amount.quantize(Decimal("0.01"))
    return cents if fits(cents) else None


def _tier(tier: PayTier) -> dict[str, Any]:
    return {
        "label": tier.label,
        "min": str(tier.min) if tier.min is not None else None,
        "max": str(tier.max) if tier.max is not None else None,
        "currency": tier.currency,
        "period": tier.period,
    }
