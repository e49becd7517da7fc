"""What a statement is: base pay, on-target earnings, a bonus, somebody's revenue, a head count.

The nearest telling word decides, right of the amount first ("$5,000 sign-on bonus"), then left ("a joining award of
8,000"). A word is near when few words that say nothing stand between; "including", "plus" and "with" end its reach.
"""

from aggregator.normalise.salary.grammar import FILL, FROM, UPTO, Statement
from aggregator.normalise.salary.lexicon import BIT
from aggregator.normalise.salary.tokens import (
    ADV,
    CLOSE,
    COLON,
    COMMA,
    DASH,
    NEWLINE,
    NOUN,
    OPEN,
    PLUS,
    STOP,
    WORD,
    Token,
)

PAY, BASE, OTE, EXTRA, WEAK, THING, COUNT, LINK, WITH, ACTUAL = (
    BIT[r] for r in ("pay", "base", "ote", "extra", "weak", "thing", "count", "link", "with", "actual")
)
AND, APPROX, MIN, MAX, NUM = BIT["and"], BIT["approx"], BIT["min"], BIT["max"], BIT["num"]
_TELLING = PAY | BASE | OTE | EXTRA | WEAK | THING | COUNT | ACTUAL
_LINKING = LINK | COLON | FROM | UPTO | APPROX | ADV | NOUN | FILL | BIT["per"] | BIT["to"] | BIT["cur"] | COMMA
_REACH_LEFT = 28
_REACH_RIGHT = 7
NOT_PAY = frozenset({"extra", "thing", "count", "actual"})


def classify(tokens: list[Token], found: list[Statement]) -> None:
    """Sets `kind`, `cued`, `left_period` and `bound` of every statement, in place."""
    following: Statement | None = None
    for statement in reversed(found):
        end = following.first if following else len(tokens)
        statement.kind = _right(tokens, statement, end, following)
        following = statement
    floor = 0
    for statement in found:
        _left(tokens, statement, floor)
        floor = statement.after


def _right(tokens: list[Token], statement: Statement, end: int, following: Statement | None) -> str:
    """The kind that the words after a statement give it, "" when they say nothing."""
    unknown = linked = 0
    for at in range(statement.after, min(end, statement.after + _REACH_RIGHT)):
        roles = tokens[at].roles
        if roles & (STOP | NEWLINE | PLUS | COMMA) or (roles & WITH and not roles & _TELLING):
            return ""
        if roles & _TELLING:
            kind = _right_kind(statement, tokens, at, roles, unknown, linked)
            if kind and kind != "base" and _belongs_to_next(tokens, at, following):
                return ""
            if kind:
                return kind
            unknown += 1
        elif roles & OPEN:
            if not _opens_telling(tokens, at, end):
                return ""
        elif roles & CLOSE or (roles & DASH and tokens[at].start > tokens[at - 1].end):
            return ""
        elif roles & LINK:
            linked = at
        elif not roles & (_LINKING | AND):
            unknown += 1
        if unknown > 3:
            return ""
    return ""


def _opens_telling(tokens: list[Token], at: int, end: int) -> bool:
    return at + 1 < end and bool(tokens[at + 1].roles & (BASE | OTE | EXTRA | ACTUAL))


def _right_kind(statement: Statement, tokens: list[Token], at: int, roles: int, unknown: int, linked: int) -> str:
    link = tokens[linked].text.casefold() if linked else ""
    if roles & ACTUAL and unknown == 0:
        return "actual"
    if roles & BASE:
        return "base" if unknown <= 2 else ""
    if roles & OTE:
        return "ote" if unknown <= 2 else ""
    if roles & EXTRA:
        return "extra" if unknown <= 2 else ""
    if roles & WEAK:
        if link in ("for", "towards", "toward", "on", "für", "pour", "para", "in") and linked == at - 1:
            return "extra"
        reach = tokens[at + 1].roles if at + 1 < len(tokens) else 0
        return "extra" if reach & (EXTRA | THING) or (unknown == 0 and reach & PAY) else ""
    if roles & THING:
        return "thing" if (unknown <= 2 and (not statement.period or linked)) else ""
    if roles & COUNT:
        if not statement.signed and not statement.period:
            return "count"
        return "count" if link in ("in", "of", "worth") and not statement.period and unknown <= 2 else ""
    if roles & PAY:
        return "pay" if unknown <= 3 else ""
    return ""


def _belongs_to_next(tokens: list[Token], at: int, following: Statement | None) -> bool:
    """"17k - 20k OTE 25k": a word that leads straight into the next amount is said of that amount."""
    if following is None or following.kind:
        return False
    between = tokens[at + 1 : following.first]
    return all(token.roles & (COLON | LINK | UPTO | FROM | APPROX | CLOSE) for token in between)


def _left(tokens: list[Token], statement: Statement, floor: int) -> None:
    """Reads the words before a statement; what the words after it said stays, unless these are closer."""
    unknown = lines = 0
    kind, direct = "", False
    at = statement.first - 1
    limit = max(floor, statement.first - _REACH_LEFT)
    while at >= limit:
        token = tokens[at]
        roles = token.roles
        if roles & STOP:
            break
        if roles & NEWLINE:
            lines += 1
            if lines > 1 or not _leads_on(tokens, at, statement, limit):
                break
        if roles & (ADV | NOUN) and token.period and not statement.left_period and not roles & BIT["per"]:
            if roles & ADV or (at and tokens[at - 1].roles & BIT["per"]):
                statement.left_period = token.period
        if roles & MIN or roles & MAX:
            statement.bound = statement.bound or ("min" if roles & MIN and not roles & MAX else "max")
        if roles & _TELLING and not kind:
            kind = _left_kind(tokens, at, roles, unknown, limit)
            direct = bool(kind) and unknown == 0
        elif not roles & _LINKING:
            unknown += 1
        at -= 1
    if kind in ("pay", "base", "ote"):
        statement.cued = True
    if not statement.kind or (statement.kind == "extra" and kind in ("pay", "base") and direct):
        statement.kind = kind
    elif statement.kind == "pay" and kind in ("base", "ote", "extra", "thing"):
        statement.kind = kind
    statement.cued = statement.cued or statement.kind in ("pay", "base", "ote")


def _leads_on(tokens: list[Token], at: int, statement: Statement, limit: int) -> bool:
    """Whether the line before is a heading of the line of the amount: short, and the amount opens its line."""
    opening = all(t.roles & (_LINKING | WORD | OPEN | DASH) for t in tokens[at + 1 : statement.first])
    return opening and statement.first - at <= 9


def _left_kind(tokens: list[Token], at: int, roles: int, unknown: int, limit: int) -> str:
    if roles & (PAY | BASE):
        before = tokens[at - 1].roles if at > limit else 0
        if before & (EXTRA | WEAK | THING) and not before & (PAY | BASE):
            return "extra"
        return "base" if roles & BASE else "pay"
    if roles & COUNT and not roles & (EXTRA | WEAK | THING | OTE):
        return ""
    if roles & ACTUAL:
        return "actual" if unknown == 0 else ""
    if unknown > (0 if roles & WEAK and not roles & EXTRA else 2):
        return ""
    if unknown and _after_with(tokens, at, limit):
        return ""
    if roles & WEAK and at - 2 >= limit and tokens[at - 1].roles & AND and tokens[at - 2].roles & PAY:
        return "pay"
    if roles & OTE:
        return "ote"
    return "thing" if roles & THING else "extra"


def _after_with(tokens: list[Token], at: int, limit: int) -> bool:
    """Whether the word stands in a list that "including" or "plus" opened: it is no name of the amount."""
    for before in range(at - 1, max(limit, at - 8) - 1, -1):
        roles = tokens[before].roles
        if roles & WITH:
            return True
        if not roles & (EXTRA | WEAK | COMMA | AND | LINK | OTE):
            return False
    return False
