"""From tokens to pay statements.

    statement := [from | upto | between] amount [tail] [connector amount [tail]]*
    amount    := [sign] number [scale] [sign]
    connector := dash | "to" | "and" after "between"
    tail      := { "gross" | "(" | per noun | "/" noun | "hourly" | "+" | sign }

A statement says nothing yet about what it is (base pay, a bonus, revenue): `context` decides that.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from aggregator.normalise.salary.amounts import (
    Amount,
    drops_zeros,
    is_slashed_range,
    mend_lost_digit,
    more_telling,
    read_amount,
    share_scale,
)
from aggregator.normalise.salary.lexicon import BIT, fold
from aggregator.normalise.salary.tokens import (
    ADV,
    CLOSE,
    COLON,
    COMMA,
    CUR,
    DASH,
    NEWLINE,
    NOUN,
    NUM,
    OPEN,
    PER,
    PLURAL,
    PLUS,
    SCALE,
    SLASH,
    STOP,
    TIMES,
    TO,
    WORD,
    Token,
)

AND, BETWEEN, FROM, UPTO = (BIT[r] for r in ("and", "between", "from", "upto"))
AFTER_FROM, AFTER_UPTO, APPROX, FILL = (BIT[r] for r in ("after_from", "after_upto", "approx", "fill"))
PREFIX_ONLY, SUFFIX_ONLY, PAYMENTS = BIT["prefix_only"], BIT["suffix_only"], BIT["payments"]
MIN, MAX = BIT["min"], BIT["max"]
_EXTRAS = BIT["extra"] | BIT["weak"] | BIT["perk"]
_NAMING = _EXTRAS | CUR | BIT["pay"] | BIT["base"] | BIT["ote"] | BIT["actual"] | BIT["thing"] | BIT["count"]
_GLUED_ONLY = frozenset("mMbBlLtT")
_SHORT_NOUNS = frozenset(
    {
        "h",
        "hr",
        "ph",
        "std",
        "mo",
        "month",
        "mth",
        "yr",
        "year",
        "annum",
        "wk",
        "week",
        "day",
        "hour",
        "heure",
        "mois",
        "mes",
        "monat",
        "mies",
        "uur",
    }
)
_WIDEST = 20
_MAX_STATEMENTS = 120
_BEFORE_TIME = frozenset(["one", "1", "full", "calendar", "working", "work", "(", "brutto", "gross", "-", "single"])
_ONES = Decimal(1)
_THOUSAND = Decimal(1000)


@dataclass(slots=True)
class Statement:
    """One amount or range with what stands directly around it; `first` and `after` are token places."""

    low: Decimal
    high: Decimal
    sign: str | None
    period: str | None
    open: str | None
    first: int
    after: int
    scaled: bool
    is_range: bool
    grouped: bool
    notes: list[str] = field(default_factory=list)
    bound: str | None = None
    kind: str = ""
    label: str | None = None
    left_period: str | None = None
    cued: bool = False
    fielded: bool = False
    thousands: bool = False
    apart: bool = False
    tied: bool = False
    claimed: int = 0

    @property
    def signed(self) -> bool:
        """Whether a currency stands beside it."""
        return self.sign is not None


@dataclass(slots=True)
class _Tail:
    period: str | None
    plus: bool
    sign: str | None
    upto: bool
    after: int


def statements(tokens: list[Token]) -> list[Statement]:
    """Every pay-shaped statement, left to right; none overlaps another.

    At most `_MAX_STATEMENTS`: a text with more is a table of prices. Bare small figures beside signed amounts (a
    zone's number, a rating) are none.
    """
    found: list[Statement] = []
    place, count = 0, len(tokens)
    while place < count and len(found) < _MAX_STATEMENTS:
        if tokens[place].roles & NUM:
            statement = _statement(tokens, place, found[-1].after if found else 0)
            if statement:
                found.append(statement)
                place = max(statement.after, place + 1)
                continue
        place += 1
    if len(found) > 1 and any(s.signed or s.scaled for s in found):
        return [s for s in found if s.signed or s.scaled or s.period or s.high >= 1000]
    return found


def _statement(tokens: list[Token], place: int, floor: int) -> Statement | None:
    first = read_amount(tokens, place, floor)
    if first is None:
        return None
    tail = _tail(tokens, first.after, signed=first.sign is not None)
    amounts, tails = [first], [tail]
    between = _opening(tokens, first.first, floor) == "between"
    while True:
        start = _connector(tokens, tails[-1].after, between)
        if start is None:
            break
        number = _number_place(tokens, start)
        following = read_amount(tokens, number, start, in_range=True) if number is not None else None
        if following is None or len(amounts) == 3:
            break
        said = tokens[start - 1].text.casefold()
        if (
            (" " in said or said == "upto")
            and tokens[start - 1].roles & UPTO
            and (tails[-1].plus or following.value < amounts[-1].value)
        ):
            break
        if tails[-1].period and following.value > amounts[-1].value * _WIDEST:
            break  # "$25.50/hr - $3000 bonus"
        if (tails[-1].period or tails[-1].plus) and _is_named_extra(tokens, following.after):
            break  # "$1,800/week - $7,500 sign-on"
        if tokens[tails[-1].after].roles & OPEN and following.value <= amounts[-1].value:
            break  # "£80k (London) - £70k (Leeds)"
        if len(amounts) == 1 and _is_date(tokens[place]) and following.sign and first.sign is None and not tail.period:
            return None  # "Summer 2025 - $500/week"
        if len(amounts) == 1 and _is_grade(first, following):
            return None  # "Band 5 - £29,970"
        if len(amounts) == 2 and (any(t.period for t in tails) or not _continues(amounts, following)):
            break
        amounts.append(following)
        tails.append(_tail(tokens, following.after, signed=bool(following.sign or first.sign)))
    return _assemble(tokens, amounts, tails, floor)


def _is_named_extra(tokens: list[Token], at: int) -> bool:
    """Whether the word right behind an amount names it a bonus or the like: it ends no range begun by a whole rate."""
    return at < len(tokens) and bool(tokens[at].roles & BIT["extra"]) and not tokens[at].roles & (BIT["pay"] | WORD)


def _is_date(token: Token) -> bool:
    """Whether a number alone reads as a year of our days."""
    return len(token.text) == 4 and token.value is not None and 2015 <= token.value <= 2035


def _is_grade(first: Amount, following: Amount) -> bool:
    """A small whole number without a sign in front of a signed amount is a band or a level, not the bottom of it."""
    return (
        following.sign is not None
        and first.sign is None
        and first.scale is None
        and following.scale is None
        and first.written.isdecimal()
        and first.value < 100
        and following.value > first.value * 100
        and not drops_zeros(first, following)
    )


def _continues(amounts: list[Amount], third: Amount) -> bool:
    """A third amount belongs to "minimum - midpoint - maximum" only when the three ascend in the same writing."""
    first, second = amounts
    return first.sign == second.sign == third.sign and first.value <= second.value <= third.value


def _number_place(tokens: list[Token], place: int) -> int | None:
    """The place of the number of an amount that starts here, past its signs and its "up to"."""
    for at in range(place, min(place + 5, len(tokens))):
        roles = tokens[at].roles
        if roles & NUM:
            return at
        if not roles & (CUR | UPTO | FROM | APPROX | FILL | TO):
            return None
    return None


def _tail(tokens: list[Token], place: int, *, signed: bool) -> _Tail:
    """What follows an amount directly: its period, its plus sign, a currency in words."""
    tail = _Tail(None, False, None, False, place)
    depth, at, count = 0, place, len(tokens)
    if place and tokens[place - 1].roles & SCALE and tokens[place - 1].roles & ADV:
        tail.period = tokens[place - 1].period  # LPA: lakh a year
    while at < count:
        roles = tokens[at].roles
        step = _period_at(tokens, at, signed) if tail.period is None else None
        if step:
            tail.period, at = step
        elif tail.period and (roles & NOUN or roles & ADV) and _repeats(tokens, at):
            at += 1
        elif roles & CUR and not (at + 1 < count and tokens[at + 1].roles & NUM) and not roles & PREFIX_ONLY:
            tail.sign = tail.sign or tokens[at].currency
            at += 1
        elif tokens[at].text in ("～", "〜") and not _amount_follows(tokens, at):
            tail.plus = True
            at += 1
        elif roles & PLUS and at + 1 < count and tokens[at + 1].text.casefold() in ("vat", "iva", "mwst", "tva"):
            at += 2
        elif (roles & PLUS and not roles & WORD and _is_open_plus(tokens, at, place)) or (
            roles & AFTER_FROM and not roles & (PLUS | UPTO)
        ):
            tail.plus = True
            at += 1
        elif roles & AFTER_UPTO and not roles & FROM and not _amount_follows(tokens, at):
            tail.upto = True
            at += 1
        elif roles & TIMES or (tokens[at].text in ("x", "X") and at + 1 < count and tokens[at + 1].roles & NUM):
            if at + 1 < count and tokens[at + 1].roles & NUM and (tokens[at + 1].value or 0) <= 18:
                tail.period = tail.period or "month"
                at += 2
            else:
                break
        elif tokens[at].text == "·" and at + 2 < count and tokens[at + 2].roles & PAYMENTS:
            tail.period = tail.period or "month"
            at += 3
        elif roles & OPEN and depth == 0 and _short_aside(tokens, at):
            depth, at = 1, at + 1
        elif roles & CLOSE and depth:
            depth, at = 0, at + 1
        elif (roles & FILL and not roles & (FROM | UPTO)) or (depth and roles & (COMMA | MIN | MAX | PLUS | NUM)):
            at += 1
        elif roles & BIT["and"] and tokens[at].text == "&":
            break
        else:
            break
    tail.after = _without_trailing(tokens, place, at)
    return tail


def _without_trailing(tokens: list[Token], place: int, at: int) -> int:
    """Words such as "base" stay outside when nothing of use follows them: they tell the context what this is."""
    while at > place and tokens[at - 1].roles & FILL and tokens[at - 1].roles & (BIT["base"] | BIT["pay"]):
        at -= 1
    return at


def _repeats(tokens: list[Token], at: int) -> bool:
    before = tokens[at - 1]
    return bool(before.roles & (PER | SLASH | ADV | NOUN))


def _short_aside(tokens: list[Token], at: int) -> bool:
    """A bracket that holds only words of period, currency or "gross"."""
    for token in tokens[at + 1 : at + 7]:
        if token.roles & CLOSE:
            return True
        if token.roles & NUM and len(token.text) == 1 and at + 1 < len(tokens) and tokens[at + 1].roles & FILL:
            continue  # "(Gross 1, monthly)"
        if token.roles & NUM or not token.roles & (
            PLUS | MIN | MAX | FILL | ADV | NOUN | PER | CUR | COMMA | SLASH | APPROX | BIT["link"]
        ):
            return False
    return False


def _is_open_plus(tokens: list[Token], at: int, place: int) -> bool:
    """ "80k+" leaves the top open; "80k + bonus" does not."""
    token = tokens[at]
    if token.text != "+" or token.start != tokens[at - 1].end:
        return False
    if at + 1 < len(tokens) and tokens[at + 1].start == token.end and tokens[at + 1].roles & (_EXTRAS | WORD):
        return False  # "280,000+bonus"
    return at == place or bool(tokens[at - 1].roles & (NOUN | ADV | CUR | PLUS))


def _amount_follows(tokens: list[Token], at: int) -> bool:
    return any(token.roles & (NUM | COLON) for token in tokens[at + 1 : at + 4])


def _period_at(tokens: list[Token], at: int, signed: bool) -> tuple[str, int] | None:
    """The period said at this place, and the place after it."""
    token = tokens[at]
    roles = token.roles
    if roles & (PER | SLASH | BIT["and"]) and at + 1 < len(tokens):
        ahead = at + 1
        if roles & PER and roles & TO and tokens[ahead].roles & NUM:
            return None
        while ahead < len(tokens) - 1 and tokens[ahead].text in _BEFORE_TIME:
            ahead += 1
        following = tokens[ahead]
        if following.roles & (NOUN | ADV | PLURAL) and following.period and not following.roles & NUM:
            return following.period, ahead + 1
    if roles & ADV and token.period and not roles & CUR:
        return token.period, at + 1
    glued = signed or token.start == tokens[at - 1].end
    if roles & NOUN and token.period and glued and fold(token.text) in _SHORT_NOUNS and not _duration(tokens, at):
        return token.period, at + 1
    return None


def _duration(tokens: list[Token], at: int) -> bool:
    """ "$5,000 month one" is rare, "12 month contract" is not: a noun after a bare number names a span of time."""
    return at + 1 < len(tokens) and tokens[at + 1].text.casefold() in ("contract", "old", "one", "1", "two", "end")


def _connector(tokens: list[Token], place: int, between: bool) -> int | None:
    """The place after "-", "to" or, after "between", "and"; None where no range goes on."""
    if place >= len(tokens):
        return None
    at = place
    if (
        tokens[at].roles & COMMA
        and at + 1 < len(tokens)
        and tokens[at + 1].roles & TO
        and not tokens[at + 1].roles & DASH
    ):
        at += 1
    if tokens[at].roles & OPEN:
        at = _past_label(tokens, at)
    roles = tokens[at].roles
    if roles & SLASH and at and is_slashed_range(tokens, at - 1):
        return at + 1
    if roles & NEWLINE:
        at = _over_lines(tokens, at)
        roles = tokens[at].roles
    if roles & PLUS and tokens[at].text == "plus" and at + 2 < len(tokens) and tokens[at + 2].roles & TO:
        # "7.46 plus enhancements to 9.25 per hour"
        return at + 3 if tokens[at + 1].roles & (WORD | BIT["extra"]) else None
    if roles & TO:
        while at + 1 < len(tokens) and tokens[at + 1].roles & (TO | UPTO) and not tokens[at + 1].roles & (NUM | FROM):
            at += 1
        if tokens[at].roles & DASH and at + 2 < len(tokens) and tokens[at + 1].roles & NEWLINE:
            at += 1 + (tokens[at + 2].roles & NEWLINE > 0)
        return at + 1
    if between and roles & AND:
        return at + 1
    return None


def _past_label(tokens: list[Token], at: int) -> int:
    """The place of the "to" or dash behind a bracket that only labels an end ("$72k (P1) to $95k"); else the same."""
    for close in range(at + 1, min(at + 5, len(tokens) - 1)):
        token = tokens[close]
        if token.roles & CLOSE:
            return close + 1 if tokens[close + 1].roles & TO else at
        if token.roles & (_NAMING | NEWLINE) or (token.value or 0) >= 100:
            return at
    return at


def _over_lines(tokens: list[Token], at: int) -> int:
    """The place of a dash that stands on a line of its own below an amount; else the same place."""
    ahead = at
    while ahead < len(tokens) and ahead - at < 2 and tokens[ahead].roles & NEWLINE:
        ahead += 1
    alone = ahead + 1 < len(tokens) and tokens[ahead].roles & DASH and tokens[ahead + 1].roles & NEWLINE
    return ahead if ahead > at and alone else at


def _opening(tokens: list[Token], first: int, floor: int, *, alone: bool = False) -> str | None:
    """ "from", "upto" or "between" when said right before an amount; an amount `alone` is between nothing."""
    at = first - 1
    for _ in range(4):
        if at < floor:
            return None
        roles = tokens[at].roles
        if roles & BETWEEN and not roles & FROM:
            if alone:
                at -= 1
                continue
            return "between"
        if roles & UPTO and not roles & FROM:
            return "upto"
        if roles & FROM and not roles & UPTO:
            return "from" if not roles & BETWEEN else "between"
        if roles & FROM and roles & UPTO:
            return "from"
        if not roles & (APPROX | FILL | COLON | BIT["link"] | CUR) or roles & (STOP | NEWLINE):
            return None
        at -= 1
    return None


def _assemble(tokens: list[Token], amounts: list[Amount], tails: list[_Tail], floor: int) -> Statement | None:
    first, last, tail = amounts[0], amounts[-1], tails[0]
    notes: list[str] = []
    sign, open_ = more_telling(first.sign, tail.sign), None
    period = tail.period
    is_range = len(amounts) > 1
    if is_range:
        share_scale(amounts)
        mend_lost_digit(amounts, notes)
        for amount, other in zip(amounts[1:], tails[1:], strict=True):
            sign = more_telling(sign, more_telling(amount.sign, other.sign))
            period = period or other.period
    else:
        opening = _opening(tokens, first.first, floor, alone=True)
        open_ = "from" if tail.plus else "upto" if tail.upto else opening if opening != "between" else None
    low, high = first.value, last.value
    if low > high:
        notes.append(f"inverted:{low:f}>{high:f}")
        low, high = high, low
    return Statement(
        low,
        high,
        sign,
        period,
        open_,
        first.first,
        tails[-1].after,
        first.scale is not None or last.scale is not None,
        is_range,
        not (first.written.isdecimal() and last.written.isdecimal()),
        notes,
        fielded=len(amounts) == 2 and _is_published_range(tokens, amounts, tails),
        thousands=last.scale is None or last.scale <= 1000,
    )


def _is_published_range(tokens: list[Token], amounts: list[Amount], tails: list[_Tail]) -> bool:
    """ "$157,000—$185,000 USD": how the pay fields of a common applicant system are printed into its descriptions."""
    first, last = amounts
    dash = tokens[last.first - 1]
    code = tails[1].sign or last.sign
    glued = dash.text == "—" and dash.start == tokens[last.first - 2].end and dash.end == tokens[last.first].start
    return glued and tokens[first.first].roles & CUR > 0 and tokens[last.after - 1].text == code
