"""`jobledger normalise salary`: one object in, the contract's object out."""

from collections.abc import Mapping
from decimal import Decimal

from aggregator.normalise.money import annualise
from aggregator.normalise.salary import Salary, parse_salary
from aggregator.quality import Candidate, Flag, judge

_FIELDS = ("min", "max", "currency", "period")


def normalise_salary(obj: Mapping[str, object]) -> dict[str, object]:
    """The answer for one input object: `text` and, optionally, `country`, `currency`, `title` and published pay.

    `min` or `max` in the object make it published pay, and then `currency` and `period` belong to it. Amounts come back
    as JSON numbers, as stated; `annual_min` and `annual_max` in the same currency a year.

    >>> answer = normalise_salary({"text": "€60-100k"})
    >>> answer["min"], answer["max"], answer["currency"], answer["period"], answer["flags"]
    (60000, 100000, 'EUR', 'year', [])
    """
    text, country = _word(obj.get("text")), _word(obj.get("country"))
    currency, title = _word(obj.get("currency")), _word(obj.get("title"))
    published = None
    if obj.get("min") is not None or obj.get("max") is not None:
        published = {key: obj[key] for key in _FIELDS if obj.get(key) is not None}
    salary = parse_salary(text, country=country, currency=currency, structured=published)
    flags = judge(Candidate(salary=salary, title=title, country=country))
    return {
        "text": text,
        "ok": salary.ok,
        "min": as_number(salary.min),
        "max": as_number(salary.max),
        "currency": salary.currency,
        "period": salary.period,
        "open": salary.open,
        "is_estimate": salary.is_estimate,
        "annual_min": _annual(salary.min, salary.period),
        "annual_max": _annual(salary.max, salary.period),
        "flags": [_flag(flag) for flag in flags],
        "tiers": _tiers(salary),
    }


def as_number(amount: Decimal | None) -> int | float | None:
    """A Decimal as the plainest JSON number: 12 rather than 12.00."""
    if amount is None:
        return None
    whole = int(amount)
    return whole if whole == amount else float(amount)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _annual(amount: Decimal | None, period: str | None) -> int | float | None:
    return as_number(annualise(amount, period)) if amount is not None and period else None


def _flag(flag: Flag) -> dict[str, object]:
    answer: dict[str, object] = {"code": flag.code, "severity": flag.severity, "detail": flag.detail}
    if flag.suggestion:
        answer["suggestion"] = {k: as_number(v) if isinstance(v, Decimal) else v for k, v in flag.suggestion.items()}
    return answer


def _tiers(salary: Salary) -> list[dict[str, object]]:
    return [
        {"label": t.label, "min": as_number(t.min), "max": as_number(t.max), "currency": t.currency, "period": t.period}
        for t in salary.tiers
    ]
