"""What the salary normaliser answers: one frozen `Salary`, with its tiers and its notes."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PayTier:
    """One of several pay statements of a posting: a zone, a level or a city with its own range."""

    label: str | None
    min: Decimal | None
    max: Decimal | None
    currency: str | None
    period: str | None


@dataclass(frozen=True, slots=True)
class Salary:
    """Pay as stated.

    Amounts are in `currency` units per `period`, never converted, and `min <= max` wherever both are given.
    `open` is "from" (no top stated), "upto" (no floor stated) or None. `ok` is False when the text states no usable
    pay; a placeholder keeps its amounts all the same. `notes` carries evidence for the flags, as codes with an optional
    detail after a colon: "placeholder", "not_pay", "ote_only", "pro_rata", "inverted:150000>15000",
    "non_positive:-1", "ignored:<amount text>".
    """

    text: str | None
    ok: bool = False
    min: Decimal | None = None
    max: Decimal | None = None
    currency: str | None = None
    period: str | None = None
    open: str | None = None
    is_estimate: bool = False
    tiers: tuple[PayTier, ...] = ()
    notes: tuple[str, ...] = ()
    period_stated: bool = False
    currency_stated: bool = False
    from_structured: bool = False

    def note(self, code: str) -> str | None:
        """The first note with this code: its detail, "" when it has none, None when there is no such note.

        >>> Salary(text=None, notes=("inverted:9>5",)).note("inverted")
        '9>5'
        """
        for note in self.notes:
            head, _, detail = note.partition(":")
            if head == code:
                return detail
        return None
