"""What reading one page may cost. A page that costs more is left unread and named; the others are read.

Parsers limit what they know to be expensive: the size of a script, the elements of an item, the depth of a tree.
`page_limit` is for what nobody foresaw: it gives a page so many seconds of processor time. It counts the work of this
process, not the time on the clock, so a page does not become too costly because the machine is busy.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Final, ParamSpec, TypeVar

from db.files import LARGEST_PAGE
from scraper.pages.rows import AnswerError

SECONDS_A_PAGE = 30.0
"""Of processor time. The most expensive real page takes less than one."""
AGAIN: Final = 0.5
"""Seconds until a page that goes on all the same is cut again."""
LONGEST_ARTICLE: Final = LARGEST_PAGE
"""Bytes of a page that is read as an article."""
LONGEST_TREE: Final = 16_000_000
"""Characters of a page that is read as a tree of elements."""

T = TypeVar("T")
P = ParamSpec("P")


class TooCostlyError(AnswerError):
    """A page asks for more work than one page is given."""

    def __init__(self, detail: str) -> None:
        super().__init__("too_costly", detail)


class PageTooSlow(BaseException):
    """A page took longer than it may. No `Exception`, so that no parser catches it."""


_armed = False


@contextmanager
def cut_after(seconds: float) -> Iterator[None]:
    """Raises `PageTooSlow` inside the block once it has used so much processor time, in Python or in an expression.

    Only the main thread can be cut so; elsewhere, and inside another such block, this does nothing. Python loses an
    exception that is raised in a finaliser. So none runs for cycles inside the block, and the exception is raised again
    until the block is left.
    """
    global _armed
    if _armed or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _ring)
    _armed = True
    was_collecting = gc.isenabled()
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        _armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if was_collecting:
            gc.enable()


def _ring(_number: int, _frame: FrameType | None) -> None:
    if _armed:
        raise PageTooSlow


@contextmanager
def page_limit() -> Iterator[None]:
    """Raises `TooCostlyError` inside the block once reading a page has used too much processor time."""
    try:
        with cut_after(SECONDS_A_PAGE):
            yield
    except PageTooSlow:
        if _armed:
            raise  # of a block around this one
        raise TooCostlyError(f"reading it takes more than {SECONDS_A_PAGE:g} seconds of work") from None


def limited(read: Callable[P, Iterable[T]]) -> Callable[P, Iterator[T]]:
    """A function that reads one page, each of its steps within the limit of a page. It raises `TooCostlyError`."""

    @wraps(read)
    def steps(*arguments: P.args, **options: P.kwargs) -> Iterator[T]:
        records = iter(read(*arguments, **options))
        while True:
            with page_limit():
                try:
                    record = next(records)
                except StopIteration:
                    return
            yield record

    return steps


def too_large(size: int, most: int) -> str | None:
    """Why a page of so many characters is not read; None where it is."""
    return f"{size:,} characters; of more than {most:,} no page is read so" if size > most else None
