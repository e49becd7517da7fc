"""From tokens to one amount: number, scale and currency sign, wherever a country writes them."""

from dataclasses import dataclass
from decimal import Decimal

from aggregator.normalise.salary.lexicon import BIT
from aggregator.normalise.salary.numbers import lost_digit
from aggregator.normalise.salary.tokens import (
    ADV,
    COLON,
    COMMA,
    CUR,
    NOUN,
    NUM,
    OPEN,
    PER,
    PERCENT,
    PLURAL,
    PLUS,
    SCALE,
    SLASH,
    TIMES,
    TO,
    Token,
)

AND, APPROX, FILL, FROM, UPTO = (BIT[r] for r in ("and", "approx", "fill", "from", "upto"))
PREFIX_ONLY, SUFFIX_ONLY, PAYMENTS = BIT["prefix_only"], BIT["suffix_only"], BIT["payments"]
_GLUED_ONLY = frozenset("mMbBlLtT")
_ORDINAL = frozenset({"st", "nd", "rd", "th", "º", "ª"})
_ONE = Decimal(1)
_THOUSAND = Decimal(1000)
_BEYOND_MONEY = Decimal(10) ** 15


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


def read_amount(tokens: list[Token], place: int, floor: int, *, in_range: bool = False) -> Amount | None:
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
    if scale is None and sign is None and after < len(tokens) and _cut_off(tokens[after], tokens[after - 1]):
        return None
    mantissa = value
    if (
        scale is None
        and sign
        and first > floor
        and tokens[first - 1].text in ("T", "k", "K")
        and tokens[first - 1].end == tokens[first].start
    ):
        scale, first = _THOUSAND, first - 1  # "T€ 80"
    if scale is not None:
        value = value * scale
        value, after = _added(tokens, after, value, scale)
    if value >= _BEYOND_MONEY:
        return None
    if after > place + 1 and tokens[after - 1].roles & CUR and tokens[after - 1].currency:
        sign = tokens[after - 1].currency
    elif after < len(tokens) and tokens[after].roles & CUR:
        suffix = _suffix(tokens, after, sign)
        if suffix:
            sign, after = suffix, after + 1
            if after < len(tokens) and tokens[after].roles & CUR and tokens[after].end - tokens[after - 1].start < 6:
                sign, after = more_telling(sign, tokens[after].currency), after + 1
    if first == place and value == 0 and scale is None and sign is None and len(number.text) > 4:
        return None
    return Amount(-value if negative else value, mantissa, scale, sign, written, first, after, negative)


def _cut_off(token: Token, number: Token) -> bool:
    """Whether a letter that could be a scale is glued to a number and is none here: "25L", "9b" are no 25 and 9."""
    return token.start == number.end and bool(token.roles & SCALE) and token.text in _GLUED_ONLY


def _is_name_part(tokens: list[Token], place: int) -> bool:
    """Digits glued to letters before them name something: B2B, IR35, E13, C++17; not where words are not spaced."""
    if not place:
        return False
    before, number = tokens[place - 1], tokens[place]
    if before.end != number.start or not before.text[-1:].isalpha() or before.text[-1] > "\u3040":
        return False
    return not before.roles & (CUR | APPROX | BIT["pay"] | BIT["base"] | FROM | UPTO | ADV | TO)


def _is_measure(tokens: list[Token], place: int) -> bool:
    """Percentages, ratios, ordinals, dates and counted units are no amounts: 80 %, 70/30, 2nd, 25日, 10人."""
    if place + 1 >= len(tokens):
        return False
    number, after = tokens[place], tokens[place + 1]
    if after.start == number.end and after.text in _ORDINAL:
        return True
    if after.roles & (PERCENT | PAYMENTS) or (after.roles & TIMES and after.end == after.start):
        return True
    if after.roles & ADV and after.start == number.end and not after.text.isascii() and len(after.text) == 1:
        return True
    if after.roles & (NOUN | PLURAL) and not after.roles & (CUR | SCALE | ADV | PER | FILL | AND):
        if after.text in ("T", "t") and place + 2 < len(tokens) and tokens[place + 2].currency == "EUR":
            return False
        signed = place and tokens[place - 1].roles & CUR
        return not signed and number.text[-3:-2] not in (".", ",")
    if after.roles & TO and not (place and tokens[place - 1].roles & CUR) and _counts_time(tokens, place + 2):
        return True  # "$16.75 - 15-20 hours a week"
    if after.roles & SLASH and place + 2 < len(tokens) and tokens[place + 2].roles & NUM:
        signed = place and tokens[place - 1].roles & CUR
        return not signed and after.end == tokens[place + 2].start and not is_slashed_range(tokens, place)
    before = tokens[place - 1] if place else None
    if before and before.roles & SLASH and place > 1 and tokens[place - 2].roles & NUM:
        return before.end == number.start and not is_slashed_range(tokens, place - 2)
    return False


def _counts_time(tokens: list[Token], place: int) -> bool:
    """Whether a number at `place` is followed by a plural of time: "20 hours", "7 years"."""
    if place + 1 >= len(tokens) or not tokens[place].roles & NUM:
        return False
    unit = tokens[place + 1]
    return bool(unit.roles & PLURAL) or unit.text.casefold().startswith(("hours ", "hrs "))


def is_slashed_range(tokens: list[Token], place: int) -> bool:
    """ "26/28k", "£30/35k": two whole numbers a little apart, with the thousands said at the end, are no ratio."""
    if place + 3 >= len(tokens):
        return False
    low, slash, high, scale = tokens[place : place + 4]
    glued = low.end == slash.start and slash.end == high.start and high.end == scale.start
    if not (glued and slash.roles & SLASH and low.text.isdecimal() and high.text.isdecimal() and scale.text in "kK"):
        return False
    return len(low.text) <= 3 and (low.value or 0) < (high.value or 0) <= (low.value or 0) * 2


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
        sign = more_telling(token.currency, sign)
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


def more_telling(one: str | None, other: str | None) -> str | None:
    """The more telling of two signs of one amount: CAD beats $."""
    if one is None or other is None:
        return one or other
    return one if len(one) == 3 and one.isupper() else other


def _stray_space(tokens: list[Token], place: int, sign: str | None, in_range: bool) -> Decimal | None:
    """ "131, 651": a space after the comma of a grouped amount that carries a currency sign."""
    if place + 2 >= len(tokens) or not (sign and in_range):
        return None
    head, comma, rest = tokens[place : place + 3]
    spaced = comma.roles & COMMA and comma.start == head.end and rest.start == comma.end + 1
    if not spaced or not (head.text + rest.text).isdecimal() or len(rest.text) != 3 or len(head.text) > 3:
        return None
    return Decimal(head.text + rest.text)


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
    if word in _GLUED_ONLY and not glued and not (word in "Ll" and sign == "INR"):
        return None, place
    if word in "bB" and sign is None:
        return None, place  # "E 9b" is a grade; billions without a currency are never pay
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
        part *= tokens[after].scale or _ONE
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
    return more_telling(token.currency, sign)


def share_scale(amounts: list[Amount]) -> None:
    """ "120-150k" and "50K - 70": the scale said once holds for both ends, when that makes a range."""
    if len(amounts) < 2:
        return
    first, last = amounts[0], amounts[-1]
    below = 1000 if last.scale is None or last.scale <= 1000 else 10_000  # 4,000~6,000만원
    if last.scale is not None and first.scale is None and first.mantissa < below and first.mantissa <= last.mantissa:
        first.value = first.mantissa * last.scale
        first.scale = last.scale
    elif last.scale == 1000 and first.scale is None and 1000 <= first.mantissa <= last.mantissa <= first.mantissa * 5:
        last.value, last.scale = last.mantissa, None  # "135,000-165,000k": thousands said twice
    elif first.scale is not None and last.scale is None and first.mantissa <= last.mantissa < 1000:
        last.value = last.mantissa * first.scale
        last.scale = first.scale
    elif first.scale is None and last.scale is None and drops_zeros(first, last):
        first.value = first.mantissa * _THOUSAND


def drops_zeros(first: Amount, last: Amount) -> bool:
    """ "£70-80,000", "40-45000": the thousands are written once, at the end; a sign of its own ("$120 - $150,000")
    makes each end a whole amount, and the range a doubtful one."""
    if first.sign and last.sign:
        return False
    if not (first.written.isdecimal() and 10 <= first.mantissa < 1000 and len(last.written) in (5, 6, 7)):
        return False
    rounded = last.written.endswith(("000", "500")) and (last.written[-4] in ",." or last.written.isdecimal())
    return rounded and first.mantissa * 1000 < last.mantissa <= first.mantissa * 3000


def mend_lost_digit(amounts: list[Amount], notes: list[str]) -> None:
    """ "25,000 to 28,00": reads the end that lost a digit as its partner's grouping demands, and notes it."""
    if len(amounts) != 2 or any(a.scale for a in amounts):
        return
    for one, other in (amounts, amounts[::-1]):
        if one.value >= 1000 and "," in one.written and other.value < 1000 and "." not in one.written[-3:]:
            mended = lost_digit(other.written)
            if mended is not None and one.value / 4 <= mended <= one.value * 4:
                notes.append(f"lost_digit:{other.written}")
                other.value = mended
