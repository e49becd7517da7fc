"""One row is one row: an exception that one row causes stays with that row, and the other rows are read.

A row is whatever is read by itself: a page, an entry of a list or a feed, a record of an archive, a raw posting, an
article, a pair of postings. `contained` runs pure code on one row and returns what it made, or a `Failure`; the caller
keeps the failure in the table `rejected`. No other code of the two halves catches `Exception`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from db.session import LedgerError
from db.text import without_personal_data

Given = ParamSpec("Given")
Made = TypeVar("Made")
Item = TypeVar("Item")

OF_THE_LEDGER = (SQLAlchemyError, LedgerError)
"""What the ledger raises is never the fault of one row: it passes through."""
PACKAGES = ("aggregator", "db", "scraper")
LONGEST_MESSAGE = 200
"""Characters of an exception's own words: they may quote the row, which is as long as it likes."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row could not be read."""

    error: str
    """Type and message: "IndexError: list index out of range"."""
    where: str
    """Our innermost function that was running: "aggregator.normalise.role._take_field"."""

    def __str__(self) -> str:
        return f"{self.error} in {self.where}"


def contained(work: Callable[Given, Made], /, *args: Given.args, **kwargs: Given.kwargs) -> Made | Failure:
    """What `work` makes of one row, or the failure that the row caused. `work` has no effects.

    Errors of the ledger pass through, and so do `KeyboardInterrupt`, `SystemExit` and other `BaseException`s.

    >>> contained(int, "7"), contained(int, "seven").error
    (7, "ValueError: invalid literal for int() with base 10: 'seven'")
    """
    try:
        return work(*args, **kwargs)
    except OF_THE_LEDGER:
        raise
    except Exception as error:  # noqa: BLE001 - the one broad except: any fault of our rules costs one row, not the run
        return failure_of(error)


def each_contained(items: Iterable[Item]) -> Iterator[Item | Failure]:
    """The items of an iterator; when it fails, the failure is the last of them."""
    iterator, end = iter(items), object()
    while (item := contained(next, iterator, end)) is not end:
        yield item  # type: ignore[misc]  # `end` is excluded above
        if isinstance(item, Failure):
            return


def contained_together(
    work: Callable[[Sequence[Item]], Made], items: Sequence[Item]
) -> tuple[Made, list[tuple[Item, Failure]]]:
    """What `work` makes of all items but those that make it fail, and these. `work` has no effects.

    Of items that fail only together as few as can be found are left out, the later ones first. An exception that even
    no item at all causes is raised. Without a failure `work` runs once, with one bad item among n about 2 log2 n times.

    >>> made, failed = contained_together(lambda texts: sum(int(text) for text in texts), ["1", "two", "3"])
    >>> made, [item for item, _ in failed]
    (4, ['two'])
    """
    made = contained(work, items)
    if not isinstance(made, Failure):
        return made, []
    places = range(len(items))
    failed = _failing(work, items, places)
    if len(failed) > 1:
        # One item that fails with each of many others is the fault, wherever it stands among them.
        failed = min(failed, _failing(work, items, places[::-1]), key=len)
    sound = [item for place, item in enumerate(items) if place not in failed]
    return work(sound), [(items[place], failed[place]) for place in sorted(failed)]


def _failing(
    work: Callable[[Sequence[Item]], object], items: Sequence[Item], places: Sequence[int]
) -> dict[int, Failure]:
    """The places of the items that fail, alone or together with those before them in the order of `places`."""
    failed: dict[int, Failure] = {}
    _add(work, items, [], places, failed)
    return failed


def _add(
    work: Callable[[Sequence[Item]], object],
    items: Sequence[Item],
    sound: list[int],
    more: Sequence[int],
    failed: dict[int, Failure],
) -> list[int]:
    """`sound` and those of `more` that work together with them; notes the others in `failed`."""
    if not more:
        return sound
    made = contained(work, [items[place] for place in sorted([*sound, *more])])
    if not isinstance(made, Failure):
        return [*sound, *more]
    if len(more) == 1:
        failed[more[0]] = made
        return sound
    middle = len(more) // 2
    return _add(work, items, _add(work, items, sound, more[:middle], failed), more[middle:], failed)


def failure_of(error: Exception) -> Failure:
    """An exception in words: one short line, safe for a terminal, without personal data that it quotes of the row."""
    name = type(error).__name__
    try:
        words = " ".join(str(error).split())[:LONGEST_MESSAGE]
        said = without_personal_data("".join(sign if sign.isprintable() else "\ufffd" for sign in words))
    except Exception:  # noqa: BLE001 - an exception that cannot say what it is: its type must do
        said = ""
    return Failure(f"{name}: {said}" if said else name, _place(error))


def _place(error: Exception) -> str:
    """The innermost of our functions in the traceback."""
    place = "code of a library"
    for frame, _line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in PACKAGES and module != __name__:
            place = f"{module}.{frame.f_code.co_qualname}"
    return place
