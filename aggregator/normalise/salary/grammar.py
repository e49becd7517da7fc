"""From tokens to pay statements.

    statement := [from | upto | between] amount [tail] [connector amount [tail]]*
    amount    := [sign] number [scale] [sign]
    connector := dash | "to" | "and" after "between"
    tail      := { "gross" | "(" | per noun | "/" noun | "hourly" | "+" | sign }

A statement says nothing yet about what it is (base pay, a bonus, revenue): `context` decides that.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from aggregator.normalise.salary.lexicon import BIT
from aggregator.normalise.salary.numbers import lost_digit
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
    PERCENT,
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
_GLUED_ONLY = frozenset("mMbBlLtT")
_SHORT_NOUNS = frozenset("h hr ph std h. mo month mth yr year annum wk week day hour heure mois mes monat mies uur".split())
_BEFORE_TIME = frozenset(["one", "1", "full", "calendar", "working", "work", "(", "brutto", "gross", "-", "single"])
_ONES = Decimal(1)
_THOUSAND = Decimal(1000)


@dataclass(slots=True)
class Amount:
    """One written amount: `value` is scaled, `mantissa` is the number as written."""

    value: Decimal
    mantissa: Decimal
    scale: Decimal | None
    sign: str | None
    written: str
    first: int
    after: int
    negative: bool = False


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
    """Every pay-shaped statement, left to right; none overlaps another. Bare small figures beside signed amounts (a zone's
    number, a rating) are none."""
    found: list[Statement] = []
    place, count = 0, len(tokens)
    while place < count:
        if tokens[place].roles & NUM:
            statement = _statement(tokens, place, found[-1].after if found else 0)
            if statement:
                found.append(statement)
                place = max(statement.after, place + 1)
                continue
        place += 1
    if any(s.signed or s.scaled for s in found):
        return [s for s in found if s.signed or s.scaled or s.period or s.high >= 1000]
    return found


def _statement(tokens: list[Token], place: int, floor: int) -> Statement | None:
    first = _amount(tokens, place, floor)
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
        following = _amount(tokens, number, start, in_range=True) if number is not None else None
        if following is None or len(amounts) == 3:
            break
        said = tokens[start - 1].text.casefold()
        if (" " in said or said == "upto") and tokens[start - 1].roles & UPTO and (tails[-1].plus or following.value < amounts[-1].value):
            break
        if len(amounts) == 2 and (any(t.period for t in tails) or not _continues(amounts, following)):
            break
        amounts.append(following)
        tails.append(_tail(tokens, following.after, signed=bool(following.sign or first.sign)))
    return _assemble(tokens, amounts, tails, floor)


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


def _amount(tokens: list[Token], place: int, floor: int, *, in_range: bool = False) -> Amount | None:
    number = tokens[place]
    value = number.value
    if value is None or _is_name_part(tokens, place) or _is_measure(tokens, place):
        return None
    first, sign, negative = _prefix(tokens, place, floor, value)
    after, written = place + 1, number.text
    joined = _stray_space(tokens, place, sign, in_range)
    if joined is not None:
        value, after, written = joined, place + 3, f"{joined:,}"
    scale, after = _scale(tokens, after, sign)
    mantissa = value
    if scale is None and sign and first > floor and tokens[first - 1].text in ("T", "k", "K") and tokens[first - 1].end == tokens[first].start:
        scale, first = _THOUSAND, first - 1  # "T€ 80"
    if scale is not None:
        value = value * scale
        value, after = _added(tokens, after, value, scale)
    if after > place + 1 and tokens[after - 1].roles & CUR and tokens[after - 1].currency:
        sign = tokens[after - 1].currency
    elif after < len(tokens) and tokens[after].roles & CUR:
        suffix = _suffix(tokens, after, sign)
        if suffix:
            sign, after = suffix, after + 1
            if after < len(tokens) and tokens[after].roles & CUR and tokens[after].end - tokens[after - 1].start < 6:
                sign, after = _specific(sign, tokens[after].currency), after + 1
    if first == place and value == 0 and scale is None and sign is None and len(number.text) > 4:
        return None
    return Amount(-value if negative else value, mantissa, scale, sign, written, first, after, negative)


def _is_name_part(tokens: list[Token], place: int) -> bool:
    """Digits glued to letters before them name something: B2B, IR35, E13, C++17."""
    if not place:
        return False
    before, number = tokens[place - 1], tokens[place]
    if before.end != number.start or not before.text[-1:].isalpha():
        return False
    if before.roles & (CUR | APPROX | BIT["pay"] | BIT["base"] | FROM | UPTO | ADV | TO):
        return False
    return before.text.isascii() or not before.roles & (BIT["cjk"] if "cjk" in BIT else ADV | BIT["pay"] | TO)


def _is_measure(tokens: list[Token], place: int) -> bool:
    """Percentages, ratios, dates and counted units are no amounts: 80 %, 70/30, 25日, 10人."""
    if place + 1 >= len(tokens):
        return False
    number, after = tokens[place], tokens[place + 1]
    if after.roles & (PERCENT | PAYMENTS) or (after.roles & TIMES and after.end == after.start):
        return True
    if after.roles & ADV and after.start == number.end and not after.text.isascii() and len(after.text) == 1:
        return True
    if after.roles & (NOUN | PLURAL) and not after.roles & (CUR | SCALE | ADV | PER | FILL | AND):
        if after.text in ("T", "t") and place + 2 < len(tokens) and tokens[place + 2].currency == "EUR":
            return False
        signed = place and tokens[place - 1].roles & CUR
        return not signed and number.text[-3:-2] not in (".", ",")
    if after.roles & SLASH and place + 2 < len(tokens) and tokens[place + 2].roles & NUM:
        return not (place and tokens[place - 1].roles & CUR) and after.end == tokens[place + 2].start
    before = tokens[place - 1] if place else None
    if before and before.roles & SLASH and place > 1 and tokens[place - 2].roles & NUM:
        return before.end == number.start
    return False


def _prefix(tokens: list[Token], place: int, floor: int, value: Decimal) -> tuple[int, str | None, bool]:
    """(first token, sign, negative) of an amount whose number stands at `place`."""
    first, sign = place, None
    negative = _is_minus(tokens, first, floor)
    first -= negative
    while first > floor:
        token = tokens[first - 1]
        if not token.roles & CUR or token.roles & SUFFIX_ONLY or tokens[first].start - token.end > 2:
            break
        if token.roles & PREFIX_ONLY and value < 1000 and not _scaled(tokens, place + 1):
            break
        sign = _specific(token.currency, sign)
        first -= 1
    if sign and not negative and _is_minus(tokens, first, floor):
        negative, first = True, first - 1
    return first, sign, negative


def _scaled(tokens: list[Token], place: int) -> bool:
    return place < len(tokens) and bool(tokens[place].roles & SCALE)


def _is_minus(tokens: list[Token], place: int, floor: int) -> bool:
    """Whether a hyphen glued to what follows is a minus: nothing that could open a range stands before it."""
    if place <= floor or tokens[place - 1].text not in ("-", "−") or tokens[place - 1].end != tokens[place].start:
        return False
    before = tokens[place - 2] if place - 1 > floor else None
    return before is None or bool(before.roles & (CUR | COLON | PLUS | OPEN))


def _specific(one: str | None, other: str | None) -> str | None:
    """The more telling of two signs of one amount: CAD beats $."""
    if one is None or other is None:
        return one or other
    return one if len(one) == 3 and one.isupper() else other


def _stray_space(tokens: list[Token], place: int, sign: str | None, in_range: bool) -> Decimal | None:
    """"131, 651": a space after the comma of a grouped amount that carries a currency sign."""
    if place + 2 >= len(tokens) or not (sign and in_range):
        return None
    head, comma, rest = tokens[place : place + 3]
    if comma.roles & COMMA and comma.start == head.end and rest.start == comma.end + 1 and rest.roles & NUM:
        if len(rest.text) == 3 and rest.text.isdecimal() and head.text.isdecimal() and len(head.text) <= 3:
            return Decimal(head.text + rest.text)
    return None


def _scale(tokens: list[Token], place: int, sign: str | None) -> tuple[Decimal | None, int]:
    if place >= len(tokens):
        return None, place
    if tokens[place].text in ("T", "t") and place + 1 < len(tokens) and tokens[place + 1].currency == "EUR":
        return _THOUSAND, place + 1  # "95 T€"
    if not tokens[place].roles & SCALE:
        return None, place
    token, number = tokens[place], tokens[place - 1]
    glued = token.start == number.end
    word = token.text
    if word in _GLUED_ONLY and not glued:
        if not (word in "Ll" and sign == "INR"):
            return None, place
    if word in "lLtT" and sign != "INR" and not any(t.currency == "INR" for t in tokens[place + 1 : place + 7]):
        return None, place
    if word in "wW" and (not glued or all(t.text.isascii() for t in tokens[max(0, place - 6) : place + 4])):
        return None, place  # Chinese boards write w for 万
    scale = token.scale
    if word.casefold() == "mil" and glued and sign in ("$", "USD", "GBP", "£"):
        scale = Decimal(1_000_000)
    if word.casefold() == "tr" and not word.isascii():
        scale = Decimal(1000)
    after = place + 1
    if after < len(tokens) and tokens[after].roles & SCALE and scale is not None:
        # 百万, "mil millones"
        following = tokens[after].scale
        if following and following >= scale and following > 1 and not tokens[after].text.isascii():
            return scale * following, after + 1
    return scale, after


def _added(tokens: list[Token], place: int, value: Decimal, scale: Decimal) -> tuple[Decimal, int]:
    """1億2000万 and 25万5千 name one amount in two parts."""
    if scale < 10_000 or place + 1 >= len(tokens) or not tokens[place].roles & NUM or tokens[place - 1].text.isascii():
        return value, place
    part, after = tokens[place].value or Decimal(0), place + 1
    if tokens[after].roles & SCALE and not tokens[after].text.isascii():
        part *= tokens[after].scale or _ONES
        after += 1
    return (value + part, after) if part < scale else (value, place)


def _suffix(tokens: list[Token], place: int, sign: str | None) -> str | None:
    """The currency after an amount, unless it is the sign of the next amount."""
    token = tokens[place]
    if token.roles & PREFIX_ONLY and not token.roles & SUFFIX_ONLY:
        return None
    following = tokens[place + 1] if place + 1 < len(tokens) else None
    if following and following.roles & NUM and not token.roles & SUFFIX_ONLY:
        glued_before = tokens[place - 1].end == token.start
        if sign is not None or (following.start - token.end <= 1 and not glued_before):
            return None
    if sign and token.currency and sign != token.currency and len(sign) == 3 and len(token.currency) == 3:
        return None
    return _specific(token.currency, sign)


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
        elif roles & PLUS and at + 1 < count and tokens[at + 1].text.casefold() in ("vat", "iva", "mwst", "tva"):
            at += 2
        elif roles & PLUS and not roles & WORD and _is_open_plus(tokens, at, place):
            tail.plus = True
            at += 1
        elif roles & AFTER_FROM and not roles & (PLUS | UPTO):
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
        elif (roles & FILL and not roles & (FROM | UPTO)) or (depth and roles & (COMMA | MIN | MAX)):
            at += 1
        elif roles & BIT["and"] and tokens[at].text == "&":
            break
        else:
            break
    tail.after = _without_trailing(tokens, place, at, tail)
    return tail


def _without_trailing(tokens: list[Token], place: int, at: int, tail: _Tail) -> int:
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
        if token.roles & NUM or not token.roles & (MIN | MAX | FILL | ADV | NOUN | PER | CUR | COMMA | SLASH | APPROX | BIT["link"]):
            return False
    return False


def _is_open_plus(tokens: list[Token], at: int, place: int) -> bool:
    """"80k+" leaves the top open; "80k + bonus" does not."""
    token = tokens[at]
    if token.text != "+" or token.start != tokens[at - 1].end:
        return False
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
    if roles & NOUN and token.period and (signed or token.start == tokens[at - 1].end):
        if token.text.casefold() in _SHORT_NOUNS and not _duration(tokens, at):
            return token.period, at + 1
    return None


def _duration(tokens: list[Token], at: int) -> bool:
    """"$5,000 month one" is rare, "12 month contract" is not: a noun after a bare number names a span of time."""
    return at + 1 < len(tokens) and tokens[at + 1].text.casefold() in ("contract", "old", "one", "1", "two", "end")


def _connector(tokens: list[Token], place: int, between: bool) -> int | None:
    """The place after "-", "to" or, after "between", "and"; None where no range goes on."""
    if place >= len(tokens):
        return None
    at = place
    if tokens[at].roles & COMMA and at + 1 < len(tokens) and tokens[at + 1].roles & TO and not tokens[at + 1].roles & DASH:
        at += 1
    roles = tokens[at].roles
    if roles & PLUS and tokens[at].text == "plus" and at + 2 < len(tokens):
        # "7.46 plus enhancements to 9.25 per hour"
        if tokens[at + 1].roles & (WORD | BIT["extra"]) and tokens[at + 2].roles & TO:
            return at + 3
    if roles & TO and (not roles & UPTO or not roles & STOP):
        while at + 1 < len(tokens) and tokens[at + 1].roles & (TO | UPTO) and not tokens[at + 1].roles & (NUM | FROM):
            at += 1
        return at + 1
    if between and roles & AND:
        return at + 1
    return None


def _opening(tokens: list[Token], first: int, floor: int, *, alone: bool = False) -> str | None:
    """"from", "upto" or "between" when said right before an amount; an amount `alone` is between nothing."""
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
    _share_scale(amounts)
    notes: list[str] = []
    _mend_lost_digit(amounts, notes)
    sign = None
    for amount, tail in zip(amounts, tails, strict=True):
        sign = _specific(sign, _specific(amount.sign, tail.sign))
    periods = [tail.period for tail in tails if tail.period]
    values = [amount.value for amount in amounts]
    low, high = values[0], values[-1]
    opening = _opening(tokens, amounts[0].first, floor, alone=len(amounts) == 1)
    open_ = None
    if len(amounts) == 1:
        open_ = opening if opening in ("from", "upto") else None
        if tails[0].plus:
            open_ = "from"
        elif tails[0].upto:
            open_ = "upto"
    fielded = len(amounts) == 2 and _is_published_range(tokens, amounts, tails)
    if low > high:
        notes.append(f"inverted:{low:f}>{high:f}")
        low, high = high, low
    return Statement(
        low,
        high,
        sign,
        periods[0] if periods else None,
        open_,
        amounts[0].first,
        tails[-1].after,
        any(amount.scale is not None for amount in amounts),
        len(amounts) > 1,
        any("," in a.written or "." in a.written or " " in a.written for a in amounts),
        notes,
        fielded=fielded,
        thousands=amounts[-1].scale is None or amounts[-1].scale <= 1000,
    )


def _is_published_range(tokens: list[Token], amounts: list[Amount], tails: list[_Tail]) -> bool:
    """"$157,000—$185,000 USD": how the pay fields of a common applicant system are printed into its descriptions."""
    first, last = amounts
    dash = tokens[last.first - 1]
    code = tails[1].sign or last.sign
    glued = dash.text == "—" and dash.start == tokens[last.first - 2].end and dash.end == tokens[last.first].start
    return glued and tokens[first.first].roles & CUR > 0 and tokens[last.after - 1].text == code


def _share_scale(amounts: list[Amount]) -> None:
    """"120-150k" and "50K - 70": the scale said once holds for both ends, when that makes a range."""
    if len(amounts) < 2:
        return
    first, last = amounts[0], amounts[-1]
    if last.scale is not None and first.scale is None and first.mantissa < 1000 and first.mantissa <= last.mantissa:
        first.value = first.mantissa * last.scale
        first.scale = last.scale
    elif last.scale == 1000 and first.scale is None and 1000 <= first.mantissa <= last.mantissa <= first.mantissa * 5:
        last.value, last.scale = last.mantissa, None  # "135,000-165,000k": thousands said twice
    elif first.scale is not None and last.scale is None and first.mantissa <= last.mantissa < 1000:
        last.value = last.mantissa * first.scale
        last.scale = first.scale


def _mend_lost_digit(amounts: list[Amount], notes: list[str]) -> None:
    """"25,000 to 28,00": reads the end that lost a digit as its partner's grouping demands, and notes it."""
    if len(amounts) != 2 or any(a.scale for a in amounts):
        return
    for one, other in (amounts, amounts[::-1]):
        if one.value >= 1000 and "," in one.written and other.value < 1000 and "." not in one.written[-3:]:
            mended = lost_digit(other.written)
            if mended is not None and one.value / 4 <= mended <= one.value * 4:
                notes.append(f"lost_digit:{other.written}")
                other.value = mended
