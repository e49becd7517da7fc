"""Reads one written number, whatever the country that grouped its digits.

The separators of the world reduce to one question: is the last separator a decimal point? The rules follow CLDR's
number patterns; nothing here knows money.
"""

import re
from decimal import Decimal
from functools import lru_cache

MAX_DIGITS = 15
_SPACES = re.compile("[ \u00a0\u2007\u2009\u202f'’‘ʼ´`_٬]")
_GROUPED_BY_THREE = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+$")
_GROUPED_BY_TWO = re.compile(r"[1-9]\d?(?:[.,]\d{2})+[.,]\d{3}$")


@lru_cache(maxsize=8192)
def read_number(written: str) -> Decimal | None:
    """The value of a written number without sign, or None where the separators make no number.

    >>> [str(read_number(n)) for n in ("1.234,56", "1 234,56", "1'234", "1,23,456", "12.5", "1.200.000,00", "1.2.3")]
    ['1234.56', '1234.56', '1234', '123456', '12.5', '1200000.00', 'None']
    """
    if written.isdecimal():
        return Decimal(written) if len(written) <= MAX_DIGITS else None
    digits = _SPACES.sub("", written).replace("٫", ",")
    if len(digits) > MAX_DIGITS + 3:
        return None
    whole, fraction = _split(digits)
    if whole is None:
        return None
    return Decimal(f"{whole}.{fraction}" if fraction else whole)


def _split(digits: str) -> tuple[str | None, str]:
    """(digits before, digits after the decimal point); (None, "") for no number."""
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot < 0 and comma < 0:
        return digits, ""
    if dot >= 0 and comma >= 0:
        return _split_by_last(digits, max(dot, comma))
    mark = max(dot, comma)
    if _GROUPED_BY_THREE.match(digits) or _GROUPED_BY_TWO.match(digits):
        return digits.replace(digits[mark], ""), ""
    if digits.count(digits[mark]) > 1:
        # 12.000.00 is what remains of 12.000,00 on some keyboards; 1.2.3 is a version
        return _split_by_last(digits, mark) if len(digits) - mark == 3 else (None, "")
    if digits[mark] == "," and len(digits) - mark > 4:
        return None, ""  # 35,0002 is no number anywhere
    return digits[:mark] or "0", digits[mark + 1 :]


def _split_by_last(digits: str, mark: int) -> tuple[str | None, str]:
    head, tail = digits[:mark], digits[mark + 1 :]
    if len(tail) == 3 and head.count(digits[mark]):
        return digits.replace(".", "").replace(",", ""), ""
    head_mark = "," if digits[mark] == "." else "."
    if head.isdecimal() or _GROUPED_BY_THREE.match(head) or _GROUPED_BY_TWO.match(head):
        return head.replace(head_mark, "").replace(digits[mark], ""), tail
    return None, ""


def lost_digit(written: str) -> Decimal | None:
    """What "28,00" or "108,00" means where its partner is "25,000": one digit of the last group is missing.

    >>> lost_digit("108,00"), lost_digit("12.50")
    (Decimal('108000'), None)
    """
    head, mark, tail = written.partition(",")
    return Decimal(head + tail + "0") if mark and len(tail) == 2 and 2 <= len(head) <= 3 and head.isdecimal() else None
