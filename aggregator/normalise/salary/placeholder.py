"""Amounts that nobody pays: filled in because a form demanded a figure."""

from decimal import Decimal

_ASCENDING = "12345678901234567890"
_DESCENDING = "98765432109876543210"


def is_placeholder(low: Decimal | None, high: Decimal | None, *, hourly: bool = False) -> bool:
    """Whether a pair of amounts is a filler: 1111111, 123456, 999999, 0 - 2000000, 1 - 2.

    One end of 99,999 is a band's honest top; two such ends, or six equal digits, are not.

    >>> is_placeholder(Decimal(1111111000), Decimal(1111111000)), is_placeholder(Decimal(80000), Decimal(99999))
    (True, False)
    """
    ends = [end for end in (low, high) if end is not None]
    if low == high:
        ends = ends[:1]
    if not ends or (top := max(ends)) <= 0:
        return False
    if top <= 3 and not (hourly and top != int(top)):
        return True
    if min(ends) <= 0 and top >= 1_000_000:
        return True
    if min(ends) == 1 and top >= 1000:
        return True
    fillers = [filler_digits(end) for end in ends]
    return max(fillers) >= 6 or (min(fillers) >= 4 and max(fillers) >= 5)


def filler_digits(amount: Decimal) -> int:
    """How many digits a filler amount has: all equal, or counting up or down from its first; 0 for an honest one.

    >>> filler_digits(Decimal(1111111000)), filler_digits(Decimal(123456)), filler_digits(Decimal(120000))
    (7, 6, 0)
    """
    written = str(amount)  # twice as fast as by way of int, where it is written out
    digits = str(abs(int(amount))) if "E" in written else written.partition(".")[0].lstrip("-")
    if len(digits) < 4 or not (digits[0] == digits[1] == digits[2] or abs(int(digits[1]) - int(digits[0])) in (1, 9)):
        return 0
    if len(set(digits)) == 1 and digits[0] != "0":
        return len(digits)
    if len(digits) >= 5 and digits in _ASCENDING:
        return len(digits)
    core = digits.rstrip("0")
    if len(core) >= 5 and (len(set(core)) == 1 or core in _ASCENDING or core in _DESCENDING):
        return len(core)
    return 0
