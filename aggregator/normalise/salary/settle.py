"""From classified statements to one `Salary`: which statements count, their envelope, currency and period."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from aggregator.normalise.salary.currency import resolve
from aggregator.normalise.salary.grammar import Statement
from aggregator.normalise.salary.lexicon import BIT, implied_currencies
from aggregator.normalise.salary.model import PayTier, Salary
from aggregator.normalise.salary.period import inferred_period
from aggregator.normalise.salary.tokens import NEWLINE, NUM, STOP, Token

_ESTIMATE = re.compile(
    r"\((?:glassdoor|indeed|site|payscale|talent)?\s*est(?:imate|\.)?\s*\)|(?:glassdoor|indeed) est|estimated by"
)
_PRO_RATA = re.compile(r"\bpro[\s-]?rata\b")
_CHOSEN = frozenset({"base", "pay", "", "ote", "actual"})
_MAX_TIERS = 24
_EXCERPT = 160


class Reading(NamedTuple):
    """A text taken apart, with the evidence that the caller brought."""

    text: str
    tokens: list[Token]
    found: list[Statement]
    country: str | None
    hint: str | None


def choose(reading: Reading) -> list[Statement]:
    """The statements of base pay that belong together, in order; empty when the text states none."""
    found = [s for s in reading.found if s.high != 0]
    if len(found) == 1:  # most short texts
        return found if found[0].kind in _CHOSEN else []
    for kinds in (("base",), ("pay", ""), ("ote",), ("actual",)):
        group = [s for s in found if s.kind in kinds]
        if kinds == ("base",):
            group = _with_outer_range(group, found)
        if group:
            group = _without_add_ons(_comparable(group), reading.found)
            return [s for s in group if not _repeats_end(s, group)] or group[:1]
    return []


def _with_outer_range(base: list[Statement], found: list[Statement]) -> list[Statement]:
    """A lone base amount that ends a range speaks of that range: 18000 - 26000/annum to 26K basic."""
    if not base or any(s.is_range for s in base):
        return base
    ends = {s.high for s in base}
    return [s for s in found if s in base or (s.kind in ("pay", "") and s.is_range and {s.low, s.high} & ends)]


def _without_add_ons(group: list[Statement], found: list[Statement]) -> list[Statement]:
    """A field whose top is base plus what is no base gives way to the base: 11000 - 20000/annum 11,000 OTE 20,000."""
    others = [s.high for s in found if s.kind in ("ote", "extra")]
    for outer in group:
        for inner in group:
            if inner is outer or not outer.is_range or inner.low != outer.low or inner.high >= outer.high:
                continue
            if any(outer.high in (other, inner.high + other) for other in others):
                return [s for s in group if s is not outer]
    return group


def _comparable(group: list[Statement]) -> list[Statement]:
    """Those that can share an envelope with the first: same sign, same period, same order of magnitude."""
    lead = next((s for s in group if s.signed), group[0])
    if lead.signed:
        group = [s for s in group if s.signed or (s.cued and (s.is_range or s.bound)) or s.period]
    return [
        s
        for s in group
        if (s.sign == lead.sign or s.sign is None or lead.sign is None)
        and (s.period == lead.period or s.period is None or lead.period is None)
        and lead.high / 20 <= s.high <= lead.high * 20
    ]


def _repeats_end(statement: Statement, group: list[Statement]) -> bool:
    """A lone amount that only says again an end of another statement."""
    if statement.is_range:
        return False
    for other in group:
        if other is statement:
            continue
        if other.is_range and other.low <= statement.high <= other.high and statement.open != "upto":
            return True
        if other.is_range and statement.high in (other.low, other.high):
            return True
        if not other.is_range and statement.high == other.high:
            earlier = group.index(other) < group.index(statement)
            if earlier and (statement.bound == other.bound or statement.bound is None):
                return True
    return False


def settle(reading: Reading, group: list[Statement]) -> Salary:
    """The `Salary` of a chosen group."""
    low, high, open_ = envelope(group)
    notes = [note for s in group for note in s.notes]
    lead = _first(group, "sign") or group[0]
    timed = _first(group, "period")
    stated = timed.period if timed else None
    if stated is None and (timed := _first(group, "left_period")):
        stated = timed.left_period
    sign = lead.sign or _implied(reading, lead) or _only_sign(reading)
    near = line_tokens(reading.tokens, lead) if sign in ("$", "kr") else ()
    top = high if high is not None else low or Decimal(0)
    currency, said = resolve(sign, country=reading.country, hint=reading.hint, high=top, period=stated, near=near)
    if stated is None and currency is None and lead.scaled and "薪" in reading.text:
        period = inferred_period(low if low is not None else top, top, "CNY", country="CN", sign="CNY")
    else:
        period = stated or inferred_period(
            low if low is not None else top, top, currency, country=reading.country, sign=sign
        )
    if all(s.kind == "ote" for s in group):
        notes.append("ote_only")
    lower = reading.text.lower()
    if "rata" in lower and _PRO_RATA.search(lower):
        notes.append("pro_rata")
    return Salary(
        text=reading.text,
        ok=True,
        min=low,
        max=high,
        currency=currency,
        period=period,
        open=open_,
        is_estimate="est" in lower and bool(_ESTIMATE.search(lower)),
        tiers=_tiers(reading, group, currency, period),
        notes=tuple(dict.fromkeys(notes)),
        period_stated=stated is not None,
        currency_stated=said,
    )


def _first(group: list[Statement], name: str) -> Statement | None:
    """The first statement that has a value of this name."""
    for statement in group:
        if getattr(statement, name) is not None:
            return statement
    return None


def envelope(group: Sequence[Statement]) -> tuple[Decimal | None, Decimal | None, str | None]:
    """(lowest, highest, open) of statements that belong together."""
    if len(group) == 1:
        only = group[0]
        floor, ceiling = only.open != "upto" and only.bound != "max", only.open != "from" and only.bound != "min"
        if floor and ceiling:
            return only.low, only.high, None
    lows = [s.low for s in group if s.open != "upto" and s.bound != "max"]
    highs = [s.high for s in group if s.open != "from" and s.bound != "min"]
    low, high = (min(lows) if lows else None), (max(highs) if highs else None)
    if low is not None and high is not None and low > high:
        low, high = min(low, high), max(low, high)
    if low is None and high is None:
        return group[0].low, group[0].high, None
    return low, high, "upto" if low is None else "from" if high is None else None


def excerpt(reading: Reading, group: list[Statement]) -> str:
    """The lines of a long text on which a group stands, each cut to its surroundings."""
    body, lines = reading.text, list[str]()
    for statement in group:
        start, end = reading.tokens[statement.first].start, reading.tokens[statement.after - 1].end
        left = max(body.rfind("\n", 0, start) + 1, start - _EXCERPT)
        right = body.find("\n", end)
        line = body[left : min(right if right >= 0 else len(body), end + _EXCERPT)].strip()
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)


def line_tokens(tokens: list[Token], statement: Statement) -> list[Token]:
    """The tokens of the line on which a statement stands."""
    start = end = statement.first
    while start > 0 and not tokens[start - 1].roles & NEWLINE and statement.first - start < 40:
        start -= 1
    while end < len(tokens) and not tokens[end].roles & NEWLINE and end - statement.after < 14:
        end += 1
    return tokens[start:end]


def _implied(reading: Reading, statement: Statement) -> str | None:
    implied = implied_currencies()
    tokens = reading.tokens[max(0, statement.first - 3) : statement.after + 2]
    if any(token.roles & BIT["payments"] and token.text == "薪" for token in tokens[1:]):
        return "CNY"
    sign = next(
        (implied[t.text.casefold()] for t in tokens if t.text.casefold() in implied and t.roles & BIT["scale"]), None
    )
    if sign == "¥" and "薪" in reading.text:
        return "CNY"
    if sign is None or reading.hint or reading.country:
        return None
    return sign


def _only_sign(reading: Reading) -> str | None:
    """The one currency of what stands beside an amount without sign: "30k - 38k + meal vouchers of 8 €"."""
    said = {s.sign for s in reading.found if s.sign and s.kind == "extra"}
    return said.pop() if len(said) == 1 and not (reading.country or reading.hint) else None


def _tiers(reading: Reading, group: list[Statement], currency: str | None, period: str | None) -> tuple[PayTier, ...]:
    if len(group) < 2:
        return ()
    return tuple(
        PayTier(
            _label(reading, s),
            s.low if s.open != "upto" else None,
            s.high if s.open != "from" else None,
            currency,
            period,
        )
        for s in group[:_MAX_TIERS]
    )


def _label(reading: Reading, statement: Statement) -> str | None:
    """The words on the same line before a tier's amount: its zone, level or city."""
    at = statement.first
    while at > 0 and not tokens_break(reading.tokens[at - 1]) and statement.first - at < 12:
        at -= 1
    if at == statement.first:
        return None
    words = reading.text[reading.tokens[at].start : reading.tokens[statement.first].start].strip(" \t:–—-*•(|,")
    return words[:80] or None


def tokens_break(token: Token) -> bool:
    """Whether a token ends the label of a tier."""
    return bool(token.roles & (NEWLINE | NUM | STOP))
