"""Reasons to doubt a posting's pay: `FLAGS`, a table of (code, severity, question, test) that judges one candidate.

A test answers with a sentence (what was seen, against what) or None. Nothing is corrected: a likely reading is
suggested beside the original. `exclude` keeps the posting out of every statistic until somebody dismisses the flag.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from statistics import median

from aggregator.normalise.money import PERIODS_PER_YEAR, annualise
from aggregator.normalise.salary import Salary
from aggregator.normalise.salary.currency import national
from aggregator.normalise.salary.placeholder import filler_digits, is_placeholder
from aggregator.plausibility import Band, band, believable_periods
from aggregator.rules import RULES_VERSION
from db.unread import CODE as UNREADABLE

MAX_RATIO = Decimal("4.3")
"""Widest honest range: bands over several grades reach 4.0 in real rows, extra digits begin above 5."""
COHORT_MINIMUM = 12
"""Fewest postings of a cohort that the robust test needs: below, the MAD of real pay is noise."""
COHORT_LIMIT = 5.0
_COHORT_FLOOR = 0.15
_SHARED_MONEY = frozenset({"USD"})
_EURO_NEIGHBOURS = frozenset(
    {"GB", "CH", "PL", "CZ", "HU", "RO", "BG", "SE", "DK", "NO", "UA", "RS", "AL", "BA", "MK", "ME", "MD", "TR", "IS"}
)


@dataclass(frozen=True, slots=True)
class Flag:
    """A coded reason to doubt a value; `detail` says in a sentence what was seen, against what."""

    code: str
    severity: str
    detail: str
    suggestion: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the tests look at: a posting's pay and what it claims about itself."""

    salary: Salary
    title: str | None = None
    country: str | None = None
    level: str | None = None
    board_level: str | None = None
    title_level: str | None = None
    employment_types: tuple[str, ...] = ()
    valid_through: date | None = None
    seen_on: date | None = None
    duplicate_of: str | None = None
    pay_text: str | None = None
    """What the site's own pay field says, where it has one; never a description."""


Answer = str | tuple[str, Mapping[str, object]] | None
Test = Callable[[Candidate], Answer]


def _placeholder(c: Candidate) -> Answer:
    low, high = c.salary.min, c.salary.max
    if c.salary.note("placeholder") is None and not is_placeholder(low, high, hourly=c.salary.period == "hour"):
        return None
    reasons = [
        f"{end:,f} is a row of {filler_digits(end)} filler digits" for end in _ends(c) if filler_digits(end) >= 4
    ]
    if not reasons:
        reasons.append(f"{_pay(c)} is an amount that nobody pays")
    if low == high and reasons:
        reasons.append("both ends are equal")
    return "; ".join(dict.fromkeys(reasons))


def _non_positive(c: Candidate) -> Answer:
    noted = c.salary.note("non_positive")
    seen = noted if noted is not None else next((f"{end:f}" for end in _ends(c) if end <= 0), None)
    return f"an amount of {seen} was published; pay is above 0" if seen is not None else None


def _inverted(c: Candidate) -> Answer:
    noted = c.salary.note("inverted")
    if noted is None:
        return None
    low, _, high = noted.partition(">")
    return f"the range runs from {low} down to {high}", {"min": c.salary.min, "max": c.salary.max}


def _too_wide(c: Candidate) -> Answer:
    low, high = c.salary.min, c.salary.max
    if low is None or high is None or low <= 0 or high <= low * MAX_RATIO:
        return None
    return f"the top is {high / low:.1f} times the bottom, more than {MAX_RATIO}: {_pay(c)}"


def _above(c: Candidate) -> Answer:
    within, top = _band(c), c.salary.max if c.salary.max is not None else c.salary.min
    if within is None or top is None or annualise(top, c.salary.period or "year") <= within.high:
        return None
    if c.salary.period is None and believable_periods(top, top, within):
        return None
    return _against(c, top, within.high, "above", within), _suggested(c, within)


def _below(c: Candidate) -> Answer:
    within, top = _band(c), c.salary.max if c.salary.max is not None else c.salary.min
    if within is None or top is None or top <= 0 or c.salary.period is None:
        return None
    if annualise(top, c.salary.period) >= within.low:
        return None
    return _against(c, top, within.low, "below", within), _suggested(c, within)


def _period_mismatch(c: Candidate) -> Answer:
    salary, within = c.salary, _band(c)
    ends = [end for end in _ends(c) if end > 0]
    if within is None or not ends or salary.period is None:
        return None
    if salary.period in believable_periods(max(ends), max(ends), within):
        return None
    others = [p for p in believable_periods(min(ends), max(ends), within) if p != salary.period]
    if not others:
        return None
    said = "stated" if salary.period_stated else "read"
    return f"{_pay(c)} is {said} by the {salary.period} and believable only by the {' or '.join(others)}", {
        "period": _nearest(others, salary.period)
    }


def _currency_missing(c: Candidate) -> Answer:
    if c.salary.currency is not None or not _ends(c):
        return None
    return f"{_pay(c)} names no currency, and neither the source nor the country says which"


def _currency_country(c: Candidate) -> Answer:
    currency, tender = c.salary.currency, national(c.country)
    if currency is None or tender is None or currency == tender or currency in _SHARED_MONEY or not _ends(c):
        return None
    if currency == "EUR" and c.country in _EURO_NEIGHBOURS:
        return None
    return f"pay in {currency} for a place in {c.country}, where {tender} is paid"


def _not_pay(c: Candidate) -> Answer:
    if c.pay_text and not c.salary.ok and not _ends(c) and any(map(str.isdigit, c.pay_text)):
        return f"the pay field says {c.pay_text.strip()[:120]!r}, which is not understood as pay"
    if c.salary.note("not_pay") is None or not (c.salary.from_structured and _ends(c)):
        return None
    return f"the words beside {_pay(c)} name something else than base pay: {(c.salary.text or '').strip()[:120]}"


SAME_RUNG = (frozenset({"internship", "entry"}), frozenset({"senior", "lead"}), frozenset({"director", "executive"}))
"""Boards with four rungs say "Entry-level" of interns, "Senior-level / Expert" of leads and "Executive" of
directors."""


def _level_conflict(c: Candidate) -> Answer:
    if not c.board_level or not c.title_level or c.board_level == c.title_level:
        return None
    if any({c.board_level, c.title_level} <= rung for rung in SAME_RUNG):
        return None
    return f"the board says {c.board_level}, the title says {c.title_level}"


def _duplicate(c: Candidate) -> Answer:
    return f"the same source lists the same job as {c.duplicate_of}" if c.duplicate_of else None


def _expired(c: Candidate) -> Answer:
    if c.valid_through is None or c.seen_on is None or c.seen_on <= c.valid_through:
        return None
    return f"valid through {c.valid_through}, still listed on {c.seen_on}"


FLAGS: tuple[tuple[str, str, str, Test | None], ...] = (
    ("placeholder", "exclude", "Was a figure filled in because a form demanded one?", _placeholder),
    ("above_plausible", "exclude", "Is it more than anybody in that occupation is paid in that currency?", _above),
    ("below_plausible", "exclude", "Is it less than anybody is paid for the period?", _below),
    ("non_positive", "exclude", "Is an end zero or negative?", _non_positive),
    ("inverted", "exclude", "Is the bottom above the top?", _inverted),
    ("too_wide", "exclude", "Is the range too wide to say anything?", _too_wide),
    ("period_mismatch", "exclude", "Would the amount be believable only for another period?", _period_mismatch),
    ("currency_missing", "exclude", "Is there an amount of no known currency?", _currency_missing),
    ("currency_country_mismatch", "warn", "Is it paid in a currency that is not the country's?", _currency_country),
    ("not_pay", "exclude", "Is it a bonus, a budget, somebody's revenue, or no pay that we understand?", _not_pay),
    ("cohort_outlier", "warn", "Is it far from its role, level and country?", None),
    ("level_title_conflict", "warn", "Do the board and the title name different levels?", _level_conflict),
    ("duplicate_in_source", "warn", "Does the source list the job twice?", _duplicate),
    ("expired_but_listed", "warn", "Is it listed after its own last day?", _expired),
    (UNREADABLE, "exclude", "Did a rule fail on what the advertisement says now?", None),
)
"""Every code of the contract; a test of None is judged elsewhere: over many rows (`judge_cohorts`), or `db.unread`."""


def judge(candidate: Candidate) -> tuple[Flag, ...]:
    """All flags of one candidate, in the order of `FLAGS`.

    >>> [flag.code for flag in judge(Candidate(Salary(text=None, min=Decimal(5), max=Decimal(9), ok=True)))]
    ['currency_missing']
    """
    found: list[Flag] = []
    for code, severity, _, test in FLAGS:
        answer = test(candidate) if test else None
        if answer is not None:
            detail, suggestion = answer if isinstance(answer, tuple) else (answer, None)
            found.append(Flag(code, severity, f"{detail} (rules {RULES_VERSION})", suggestion or None))
    return _telling(found)


def _telling(found: list[Flag]) -> tuple[Flag, ...]:
    """A placeholder explains the amounts around it: what merely follows from it is not said again."""
    codes = {flag.code for flag in found}
    if "placeholder" not in codes:
        return tuple(found)
    kept = (flag for flag in found if flag.code not in ("period_mismatch", "currency_country_mismatch"))
    return tuple(replace(flag, suggestion=None) for flag in kept)


@dataclass(frozen=True, slots=True)
class CohortRow:
    """A posting as the cohort test sees it: yearly US dollars inside role family, level and country."""

    key: str
    family: str | None
    level: str | None
    country: str | None
    annual_usd: float


def judge_cohorts(rows: Iterable[CohortRow]) -> dict[str, Flag]:
    """Outliers by key: pay more than `COHORT_LIMIT` robust deviations from its cohort's median, on the log scale.

    A cohort is family x level x country with at least `COHORT_MINIMUM` rows. The deviation is 1.4826 MAD, at least
    15 %: a cohort of equal figures makes no outlier of its neighbour. To be run again as cohorts grow.
    """
    cohorts: dict[tuple[str, str, str], list[CohortRow]] = {}
    for row in rows:
        if row.family and row.level and row.country and row.annual_usd > 0 and math.isfinite(row.annual_usd):
            cohorts.setdefault((row.family, row.level, row.country), []).append(row)
    found: dict[str, Flag] = {}
    for (family, level, country), members in cohorts.items():
        if len(members) < COHORT_MINIMUM:
            continue
        logs = [math.log(row.annual_usd) for row in members]
        centre = median(logs)
        spread = max(1.4826 * median(abs(value - centre) for value in logs), _COHORT_FLOOR)
        for row, value in zip(members, logs, strict=True):
            distance = (value - centre) / spread
            if abs(distance) > COHORT_LIMIT:
                side = "above" if distance > 0 else "below"
                found[row.key] = Flag(
                    "cohort_outlier",
                    "warn",
                    f"{row.annual_usd:,.0f} USD a year is {abs(distance):.1f} robust deviations {side} the median "
                    f"{math.exp(centre):,.0f} of {len(members)} postings ({family}, {level}, {country}) "
                    f"(rules {RULES_VERSION})",
                )
    return found


def _ends(c: Candidate) -> list[Decimal]:
    return [end for end in dict.fromkeys((c.salary.min, c.salary.max)) if end is not None]


def _pay(c: Candidate) -> str:
    amounts = " - ".join(f"{end:,f}" for end in _ends(c))
    return " ".join(filter(None, (c.salary.currency, amounts, f"a {c.salary.period}" if c.salary.period else None)))


def _band(c: Candidate) -> Band | None:
    return band(c.salary.currency, country=c.country, title=c.title, period=c.salary.period)


def _against(c: Candidate, amount: Decimal, bound: Decimal, side: str, within: Band) -> str:
    period = c.salary.period or "year"
    who = f" for {within.occupation} occupations" if within.occupation else ""
    yearly = f" is {annualise(amount, period):,.0f} a year" if period != "year" else ""
    return f"{within.currency} {amount:,f} a {period}{yearly}, {side} the believable {bound:,.0f} a year{who}"


def _suggested(c: Candidate, within: Band) -> Mapping[str, object]:
    ends = [end for end in _ends(c) if end > 0]
    others = [p for p in believable_periods(min(ends), max(ends), within) if p != c.salary.period] if ends else []
    if others and c.salary.period:
        return {"period": _nearest(others, c.salary.period)}
    for power in (10, 1000, 12):
        scaled = [end / power for end in ends]
        if c.salary.period and scaled and c.salary.period in believable_periods(min(scaled), max(scaled), within):
            return {"min": min(scaled), "max": max(scaled)}
    return {}


def _nearest(periods: list[str], to: str) -> str:
    """The period whose length is nearest: a monthly amount read as yearly is likelier than a weekly one."""
    return min(periods, key=lambda p: abs(math.log(PERIODS_PER_YEAR[p] / PERIODS_PER_YEAR[to])))
