"""What a statement is: base pay, on-target earnings, a bonus, somebody's revenue, a head count.

The nearest telling word decides, right of the amount first ("$5,000 sign-on bonus"), then left ("a joining award of
8,000"). A word is near when few words that say nothing stand between; "including", "plus" and "with" end its reach.
"""

from decimal import Decimal

from aggregator.normalise.money import annualise
from aggregator.normalise.salary.grammar import FILL, FROM, UPTO, Statement
from aggregator.normalise.salary.lexicon import BIT, currencies
from aggregator.normalise.salary.tokens import (
    ADV,
    CLOSE,
    COLON,
    COMMA,
    DASH,
    NEWLINE,
    NOUN,
    OPEN,
    PERCENT,
    PLUS,
    SLASH,
    STOP,
    WORD,
    Token,
)

PAY, BASE, OTE, EXTRA, WEAK, THING, COUNT, LINK, WITH, ACTUAL, UNIT, STIPEND, PERK = (
    BIT[r]
    for r in (
        "pay",
        "base",
        "ote",
        "extra",
        "weak",
        "thing",
        "count",
        "link",
        "with",
        "actual",
        "unit",
        "stipend",
        "perk",
    )
)
AND, APPROX, MIN, MAX, NUM = BIT["and"], BIT["approx"], BIT["min"], BIT["max"], BIT["num"]
OTHERS, JOB = BIT["others"], BIT["job"]
_TELLING = PAY | BASE | OTE | EXTRA | WEAK | THING | COUNT | ACTUAL | UNIT | STIPEND | PERK
_LINKING = LINK | COLON | FROM | UPTO | APPROX | ADV | NOUN | FILL | BIT["per"] | BIT["to"] | BIT["cur"] | COMMA
_TITLE_ENDS = STOP | NEWLINE | COLON | COMMA | DASH | OPEN | LINK | WITH | NUM | BIT["cur"] | PAY | BASE | UNIT
_REACH_LEFT = 28
_REACH_RIGHT = 7
NOT_PAY = frozenset({"extra", "thing", "count", "actual", "unit"})
_PLAIN = {"$": "USD", "£": "GBP"}
_WHOSE = frozenset(
    {"earn", "earns", "earning", "earned", "earnings", "income", "incomes", "pays", "paying", "pay", "make"}
)
"""Words of pay that need a look at who is paid: a salary is an employee's, an income may be anybody's."""
_PURSES = frozenset({"fund", "funds", "assistance", "setup", "advance", "grant", "account"})
_FIGURES = frozenset(
    {"revenue", "revenues", "arr", "mrr", "gmv", "spend", "ad spend", "cloud spend", "turnover", "pipeline"}
)
_OF = frozenset({"of", "von", "de", "di", "da", "van"})
_INCLUDED = frozenset(
    {"included", "inclus", "incluse", "incluido", "incluida", "incluída", "inkludiert", "inbegriffen"}
)
_INCLUDED_GLUED = ("含む", "込み", "込", "包含", "포함")
_ASIDE = 14
_HEADING_TOKENS = 8
_LINE_TOKENS = 26
_INHERIT_LINES = 3


def classify(tokens: list[Token], found: list[Statement]) -> None:
    """Sets `kind`, `cued`, `left_period` and `bound` of every statement, in place."""
    following: Statement | None = None
    for statement in reversed(found):
        end = following.first if following else len(tokens)
        statement.kind = _right(tokens, statement, end, following)
        following = statement
    floor = 0
    previous: Statement | None = None
    for statement in found:
        _left(tokens, statement, floor)
        if previous is not None and not statement.kind and not statement.is_range and _added_on(tokens, statement):
            statement.kind = "extra"
        if previous is not None and not statement.kind and not of_others(tokens, statement):
            _inherit(tokens, previous, statement)
        previous, floor = statement, max(statement.after, statement.claimed)


def _added_on(tokens: list[Token], statement: Statement) -> bool:
    """ "26,000 + 4,000 weighting": what a plus adds to the pay before it is not that pay, nor is "+ VA 600"."""
    at = statement.first - 1
    if at < 0:
        return False
    named = tokens[at].roles & ~BIT["phrase"] == WORD and tokens[at].text.isupper() and at > 0
    return bool(tokens[at - named].roles & PLUS)


def _inherit(tokens: list[Token], previous: Statement, statement: Statement) -> None:
    """The second amount of a list ("Zone A: ...; Zone B: ...") is what the first is, when they look alike."""
    if previous.kind not in ("base", "pay", "ote") or not (statement.is_range or previous.sign == statement.sign):
        return
    if statement.sign not in (previous.sign, None):
        return
    between = tokens[previous.after : statement.first]
    lines = sum(1 for token in between if token.roles & NEWLINE)
    if lines and previous.is_range and not statement.is_range and not _in_list(tokens, statement):
        return  # a sentence of its own below a range: a bond to post, a fee to pay
    alike = previous.high / 6 <= statement.high <= previous.high * 6
    if alike and len(between) <= 60 and lines <= _INHERIT_LINES and (lines or statement.is_range == previous.is_range):
        statement.kind, statement.cued = previous.kind, previous.cued


def _in_list(tokens: list[Token], statement: Statement) -> bool:
    """Whether an amount stands as the items of a list do: at the start of its line, behind a colon or a dash."""
    at = statement.first - 1
    while at >= 0 and tokens[at].roles & (FROM | UPTO | APPROX) and not tokens[at].roles & (NEWLINE | COLON | DASH):
        at -= 1
    return at < 0 or bool(tokens[at].roles & (NEWLINE | COLON | DASH | OPEN))


def _right(tokens: list[Token], statement: Statement, end: int, following: Statement | None) -> str:
    """The kind that the words after a statement give it, "" when they say nothing."""
    unknown = linked = 0
    if _per_piece(tokens, statement.after):
        return "unit"
    for at in range(statement.after, min(end, statement.after + _REACH_RIGHT)):
        roles = tokens[at].roles
        if roles & (STOP | NEWLINE | PLUS | COMMA | NUM) or (roles & WITH and not roles & _TELLING):
            return ""
        if at == statement.after and _is_seam(tokens, at):
            return ""
        if roles & _TELLING:
            kind = _right_kind(statement, tokens, at, roles, unknown, linked)
            bracketed = bool(tokens[at - 1].roles & OPEN)
            if kind and (kind != "base" or bracketed) and _belongs_to_next(tokens, at, following):
                return ""
            if kind:
                statement.apart, statement.tied = bool(unknown), bool(linked)
                statement.claimed = _to_end_of_name(tokens, at + 1, end)
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


def _to_end_of_name(tokens: list[Token], at: int, end: int) -> int:
    """The place behind a name of several words: of "sign-on bonus" none is left to name what comes after."""
    while at < end and tokens[at].roles & (EXTRA | WEAK) and not tokens[at].roles & (PAY | BASE | OTE):
        at += 1
    return at


def _is_seam(tokens: list[Token], at: int) -> bool:
    """ "$149,000.00About us": where a tag was taken out, a new sentence is glued to the figure."""
    word = tokens[at].text
    return (
        at > 0 and tokens[at].start == tokens[at - 1].end and len(word) > 1 and word[0].isupper() and word[1].islower()
    )


def _per_piece(tokens: list[Token], at: int) -> bool:
    """ "$30 per completed survey": paid by the piece, when "per" is followed by no time."""
    if at + 1 >= len(tokens) or tokens[at].text.casefold() not in ("per", "pro", "par", "por", "each"):
        return False
    following = tokens[at + 1 : at + 3]
    if following[0].roles & DASH or following[0].text.casefold() == "rata":
        return False  # "pro-rata"
    return not any(token.roles & (BIT["odd"] | NOUN | ADV | BIT["plural"]) for token in following)


def _opens_telling(tokens: list[Token], at: int, end: int) -> bool:
    return at + 1 < end and bool(tokens[at + 1].roles & (BASE | OTE | EXTRA | ACTUAL))


def _right_kind(statement: Statement, tokens: list[Token], at: int, roles: int, unknown: int, linked: int) -> str:
    if not roles & (PAY | BASE | OTE | ACTUAL | UNIT) and _in_title(tokens, at):
        return ""
    link = tokens[linked].text.casefold() if linked else ""
    if roles & ACTUAL and unknown == 0:
        return "actual"
    if roles & BASE:
        if _base_and_more(tokens, at):
            return "ote"
        return "base" if unknown <= 2 else ""
    if roles & OTE:
        return "ote" if unknown <= 2 else ""
    if roles & UNIT:
        return "unit" if unknown == 0 else ""
    if roles & STIPEND:
        statement.left_period = statement.left_period or _period_behind(tokens, at + 1)
        return "pay" if _living(statement) and not unknown else "extra"
    if roles & (EXTRA | PERK):
        behind = tokens[at + 1].text.casefold() if at + 1 < len(tokens) else ""
        if behind in _INCLUDED or behind.startswith(_INCLUDED_GLUED):
            return ""  # "(bonus included)": the figure holds it
        return "extra" if unknown <= 2 and (linked or not _yearly_pay(statement)) else ""
    if roles & WEAK:
        if roles & THING and statement.scaled and not statement.thousands and not unknown:
            return "thing"  # "£1.2m seed"
        if link in ("for", "towards", "toward", "on", "für", "pour", "para", "in") and linked == at - 1:
            return "extra"
        if not linked and _yearly_pay(statement):
            return ""
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if following and following.text.casefold() in _PURSES:
            return "extra"
        reach = following.roles if following else 0
        return "extra" if reach & (EXTRA | THING) or (unknown == 0 and reach & PAY) else ""
    if roles & THING:
        figure = unknown == 0 and tokens[at].text.casefold() in _FIGURES
        return "thing" if unknown <= 2 and (not statement.period or linked or figure) else ""
    if roles & COUNT:
        if not statement.signed and (not statement.period or (statement.scaled and unknown <= 2)):
            return "count"
        return "count" if link in ("in", "of", "worth") and not statement.period and unknown <= 2 else ""
    if roles & PAY:
        return "pay" if unknown <= 3 else ""
    return ""


def _period_behind(tokens: list[Token], at: int) -> str | None:
    """The period of "stipend/month", "stipend per month"."""
    if at + 1 < len(tokens) and tokens[at].roles & (SLASH | BIT["per"]) and tokens[at + 1].roles & NOUN:
        return tokens[at + 1].period
    return None


def _base_and_more(tokens: list[Token], at: int) -> bool:
    """ "(base + bonus)" in brackets of its own says that the figure is the sum of both."""
    inside = tokens[at - 1 : at + 4]
    return (
        len(inside) == 5
        and bool(inside[0].roles & OPEN)
        and bool(inside[2].roles & (PLUS | AND | SLASH))
        and bool(inside[3].roles & EXTRA)
        and bool(inside[4].roles & CLOSE)
    )


def _yearly_pay(statement: Statement) -> bool:
    """39,000 per annum is pay even when "bonus" follows without a comma; 2,500 a year is the stipend that follows."""
    row = currencies().get(_PLAIN.get(statement.sign or "", statement.sign or ""))
    return statement.period == "year" and statement.high >= (row.year_from if row else 10_000) * Decimal("1.5")


def _living(statement: Statement, said: str | None = None) -> bool:
    """Whether a stipend is what somebody lives on: said for a period, and no less than the least yearly pay."""
    row = currencies().get(_PLAIN.get(statement.sign or "", statement.sign or ""))
    period = statement.period or statement.left_period or said
    return period is not None and (row is None or annualise(statement.high, period) >= row.low)


def _belongs_to_next(tokens: list[Token], at: int, following: Statement | None) -> bool:
    """ "17k - 20k OTE 25k": a word that leads straight into the next amount is said of that amount."""
    if following is None or following.kind:
        return False
    between = tokens[at + 1 : following.first]
    return all(token.roles & (COLON | LINK | UPTO | FROM | APPROX | CLOSE) for token in between)


def _left(tokens: list[Token], statement: Statement, floor: int) -> None:
    """Reads the words before a statement; what the words after it said stays, unless these are closer."""
    unknown, kind, direct, above = 0, "", False, 0
    limit = max(floor, statement.first - _REACH_LEFT)
    at = statement.first - 1
    while at >= limit:
        token = tokens[at]
        roles = token.roles
        if roles & STOP:
            break
        if roles & CLOSE:
            at = _before_aside(tokens, at, limit)
            continue
        if roles & NEWLINE:
            if kind or above > 1 or not _is_heading(tokens, at, statement, floor):
                break
            if above and statement.bound is None:
                break
            above += 1
            while at > limit and tokens[at - 1].roles & (NEWLINE | COLON):
                at -= 1
            limit = max(floor, at - _REACH_LEFT)
        timed = roles & ADV or (roles & NOUN and at and tokens[at - 1].roles & BIT["per"])
        if timed and token.period and not statement.left_period and not roles & BIT["per"]:
            statement.left_period = token.period
        if roles & (MIN | MAX) and not statement.is_range:
            statement.bound = statement.bound or ("min" if roles & MIN and not roles & MAX else "max")
        if roles & BIT["session"] and not above and at > limit and tokens[at - 1].roles & NUM:
            kind = "unit"  # the price of a session of 45 minutes is no pay by the hour
        elif roles & _TELLING and not kind:
            kind = _left_kind(tokens, at, statement, unknown, limit)
            direct = bool(kind) and unknown == 0
        elif roles & DASH and tokens[at].end < tokens[at + 1].start:
            unknown += 2
        elif not roles & _LINKING:
            unknown += 1
        at -= 1
    if kind in ("pay", "base", "ote"):
        statement.cued = True
    nearer = (
        statement.kind == "extra"
        and kind in ("pay", "base")
        and ((direct and not statement.tied) or (statement.apart and statement.is_range))
    )  # "pays up to $10,000 toward student loans" says itself what the money is for
    telling = statement.kind == "pay" and kind in ("base", "ote", "extra", "thing")
    if not statement.kind or nearer or telling:
        statement.kind = kind
    statement.cued = statement.cued or statement.kind in ("pay", "base", "ote")


def _before_aside(tokens: list[Token], close: int, limit: int) -> int:
    """The place to go on from, leftward, at a closing bracket: one that only qualifies ("(inclusive of bonus)") is
    passed over."""
    for at in range(close - 1, max(limit, close - _ASIDE) - 1, -1):
        if tokens[at].roles & OPEN:
            inside = tokens[at + 1 : close]
            passed = any(token.roles & WITH for token in inside)
            return at - 1 if passed else close - 1
        if tokens[at].roles & NEWLINE:
            break
    return close - 1


def _is_heading(tokens: list[Token], newline: int, statement: Statement, floor: int) -> bool:
    """Whether the line that ends at `newline` names what its next line says: it is short or ends in a colon."""
    if statement.first - newline > _LINE_TOKENS:
        return False
    last = newline
    while last > floor and tokens[last - 1].roles & NEWLINE:
        last -= 1
    if last <= floor:
        return False
    if tokens[last - 1].roles & COLON:
        return True
    start = last
    while start > floor and not tokens[start - 1].roles & NEWLINE and last - start <= _HEADING_TOKENS:
        start -= 1
    return last - start <= _HEADING_TOKENS


def _left_kind(tokens: list[Token], at: int, statement: Statement, unknown: int, limit: int) -> str:
    roles = tokens[at].roles
    before = tokens[at - 1].roles if at > limit else 0
    if roles & UNIT:
        return ""
    if roles & STIPEND:
        period = tokens[at - 1].period if before & ADV else None
        return "pay" if _living(statement, period) and not before & (EXTRA | WEAK | PERK | THING) else "extra"
    if roles & (PAY | BASE) and not roles & OTE:
        if _somebody_elses(tokens, at, limit):
            return "thing"
        if before & (EXTRA | WEAK | PERK | THING) and not before & (PAY | BASE):
            named = tokens[max(limit, at - 3) : at - 1]
            if len(named) == 2 and named[1].roles & (AND | SLASH | PLUS) and named[0].roles & (PAY | BASE):
                return "ote"
            return "extra"
        return "base" if roles & BASE else "pay"
    if _in_title(tokens, at) or _is_tier_name(tokens, at, statement):
        return ""
    if _recruiters_budget(tokens, at, statement):
        return "pay"
    if roles & EXTRA and before & PERCENT and tokens[at + 1].roles & (COMMA | DASH | SLASH):
        return ""  # "0.5% equity, $120k": the share has its own figure
    if roles & COUNT and not roles & (EXTRA | WEAK | PERK | THING | OTE):
        return ""
    if roles & ACTUAL:
        return "actual" if unknown == 0 else ""
    if unknown > (0 if roles & (WEAK | PERK) and not roles & EXTRA else 2):
        return ""
    if unknown and _after_with(tokens, at, limit) and tokens[statement.first - 1].text.casefold() not in _OF:
        return ""
    if roles & WEAK and at - 2 >= limit and tokens[at - 1].roles & AND and tokens[at - 2].roles & PAY:
        return "pay"
    if roles & OTE:
        return "ote"
    return "thing" if roles & THING else "extra"


def _is_tier_name(tokens: list[Token], at: int, statement: Statement) -> bool:
    """ "Premium: $93,600 - $117,000": a zone's name in a list of zones, a range on its own line."""
    if tokens[at].text.casefold() != "premium" or not statement.is_range or not (at and tokens[at - 1].roles & NEWLINE):
        return False
    return bool(tokens[statement.first - 1].roles & COLON)


def _in_title(tokens: list[Token], at: int) -> bool:
    """Whether a word belongs to a job's name: an Insurance Agent's $60,000 are no insurance."""
    for token in tokens[at + 1 : at + 5]:
        if token.roles & JOB:
            return True
        if token.roles & _TITLE_ENDS or token.text.isdecimal():
            return False
    return False


def _recruiters_budget(tokens: list[Token], at: int, statement: Statement) -> bool:
    """ "Budget: up to 12 LPA", "Budget $70/hr": what a recruiter calls the pay, where it opens its line or sentence."""
    if tokens[at].text.casefold() != "budget" or not (at == 0 or tokens[at - 1].roles & (STOP | NEWLINE)):
        return False
    return statement.period in ("hour", "day") or (
        statement.scaled and statement.period == "year" and _living(statement)
    )


def _somebody_elses(tokens: list[Token], at: int, limit: int) -> bool:
    """ "our merchants earn", "families with incomes of", "the tuition plan pays": whose money a verb speaks of."""
    if tokens[at].text.casefold() not in _WHOSE:
        return False
    for before in range(at - 1, max(limit, at - 4) - 1, -1):
        roles = tokens[before].roles
        if roles & (STOP | NEWLINE | COLON | COMMA | DASH):
            return False
        if roles & OTHERS or (roles & EXTRA and at - before > 1):
            return True
    return False


def of_others(tokens: list[Token], statement: Statement) -> bool:
    """Whether the words just before a statement speak of customers, families and the like, in the same sentence."""
    for at in range(statement.first - 1, max(0, statement.first - 8) - 1, -1):
        if tokens[at].roles & (STOP | NEWLINE):
            return False
        if tokens[at].roles & OTHERS:
            return not (tokens[statement.first - 1].roles & COLON and tokens[at - 1].roles & NEWLINE)
    return False


def _after_with(tokens: list[Token], at: int, limit: int) -> bool:
    """Whether the word stands in a list that "including" or "plus" opened: it is no name of the amount."""
    for before in range(at - 1, max(limit, at - 8) - 1, -1):
        roles = tokens[before].roles
        if roles & WITH:
            return True
        if not roles & (EXTRA | WEAK | PERK | COMMA | AND | LINK | OTE):
            return False
    return False
