"""Figures in words: amounts, shares, cells, and the sentence that a report begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insights.model import Group

UNSTATED = "not stated"
LABELS = {"employment": "employment type"}


def money(amount: float | None, currency: str | None = None) -> str:
    """An amount per year, to the unit.

    >>> money(118250.4, "EUR"), money(None)
    ('EUR 118,250', '–')
    """
    if amount is None:
        return "–"
    return f"{currency} {amount:,.0f}" if currency else f"{amount:,.0f}"


def share(part: float | None) -> str:
    """
    >>> share(0.294), share(0.004), share(None)
    ('29 %', '0.4 %', '–')
    """
    if part is None:
        return "–"
    return f"{100 * part:.1f} %" if 0 < part < 0.01 else f"{100 * part:.0f} %"


def change_words(change: float | None) -> str:
    """A change given as a share, to a tenth of a percent.

    >>> change_words(0.0312), change_words(-0.005), change_words(0.0), change_words(None)
    ('+3.1 %', '-0.5 %', '0.0 %', '–')
    """
    if change is None:
        return "–"
    return f"{100 * change:+.1f} %" if round(change, 3) else "0.0 %"


def counted(n: int, one: str, many: str | None = None) -> str:
    """
    >>> counted(1, "posting"), counted(1200, "posting")
    ('1 posting', '1,200 postings')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """
    >>> listed(["role", "level", "country"]), listed(["role"]), listed([])
    ('role, level and country', 'role', '')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def label(dimension: str) -> str:
    return LABELS.get(dimension, dimension).capitalize()


def value(text: str | None) -> str:
    """One value of a dimension, as people read it.

    >>> value("full_time"), value(None)
    ('full time', 'not stated')
    """
    return UNSTATED if text is None else text.replace("_", " ")


def cell_name(key: Mapping[str, str | None], currency: str | None = None) -> str:
    """
    >>> cell_name({"role": "Data Engineer", "level": None}, "EUR")
    'Data Engineer · level not stated · EUR'
    """
    parts = [
        value(text) if text is not None else f"{LABELS.get(name, name)} {UNSTATED}" for name, text in key.items()
    ] or ["All postings"]
    return " · ".join([*parts, currency] if currency else parts)


def subject(filters: Mapping[str, Any]) -> str:
    """What the postings have in common, from the filters: "Senior Data Engineer in DE"."""
    parts = [", ".join(value(v) for v in filters.get("level", ())).capitalize()]
    parts.append(" or ".join(filters.get("role", ()) or filters.get("family", ())) or filters.get("title") or "")
    said = " ".join(part for part in parts if part) or "All roles"
    places = [*filters.get("city", ()), *filters.get("country", ())]
    remote = [f"({', '.join(filters['remote'])})"] if filters.get("remote") else []
    return " ".join([said, *([f"in {', '.join(places)}"] if places else []), *remote])


def finding(filters: Mapping[str, Any], totals: Sequence[Group]) -> str:
    """The report's title: what it found, in one sentence."""
    about = subject(filters)
    main = max(totals, key=lambda g: (g.n, g.currency or ""), default=None)
    if main is None or main.n == 0:
        return f"{about}: no posting with usable pay"
    if main.median is None:
        return f"{about}: too few postings with pay for a figure ({main.reason})"
    sure = ""
    if main.median_ci is not None and main.median_ci[0] < main.median_ci[1]:
        sure = f" (95 % interval {money(main.median_ci[0])} to {money(main.median_ci[1])})"
    return (
        f"{about}: half of the advertised pay lies between {money(main.p25, main.currency)} and {money(main.p75)}"
        f" a year, the median is {money(main.median)}{sure}"
    )
