"""Ctrl-C and SIGTERM: one line, no traceback, no child left, in bounded time.

Exit code 130 after SIGINT; after SIGTERM the process dies of it, as it would without a handler. A second signal, or ten
seconds of winding up, end the process at once. Imports little: it is loaded before everything else.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
WIND_UP_SECONDS: Final = 10.0
"""How long commands may take to stop what they do once they are told to."""


class Interrupted(KeyboardInterrupt):
    """A signal told this process to end."""


_received: int | None = None
_depth = 0


@contextmanager
def handled(*, last: bool = False) -> Iterator[None]:
    """Turns a signal inside the block into one line and the end of the process. May be nested.

    `last`: nothing but the end of the process follows. A signal while Python waits for threads is answered in the same
    way; then the interpreter takes itself apart, the command is done, and signals are ignored.
    """
    global _depth
    if _depth or threading.current_thread() is not threading.main_thread():
        yield
        return
    # What the caller made us ignore, as a shell does for what runs in its background, stays ignored.
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _receive) for number in wanted}
    if last:
        atexit.register(_ignore, wanted)  # the first to be registered is the last to be called
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _received is not None:
            _end()
        for number, handler in before.items():
            signal.signal(number, _end_now if last else handler)


def _receive(number: int, _frame: FrameType | None) -> None:
    global _received
    if _received is not None:
        _end()
    _received = number
    # What the exception interrupts may be a finaliser, whose errors Python prints.
    sys.unraisablehook = lambda _unraisable: None
    threading.excepthook = lambda _raised: None
    late = threading.Timer(WIND_UP_SECONDS, _end)
    late.daemon = True
    late.start()
    raise Interrupted


def _ignore(numbers: Sequence[signal.Signals]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def _end_now(number: int, _frame: FrameType | None) -> None:
    """Python is winding up: an exception raised here would only be printed."""
    global _received
    _received = number
    _end()


def _end() -> NoReturn:
    """Ends the process with whatever it started."""
    number = _received or signal.SIGINT
    with suppress(OSError, ValueError, RuntimeError):
        sys.stdout.flush()
    os.write(2, f"jobledger: interrupted by {signal.Signals(number).name}\n".encode())
    child = sys.modules.get("processes.child")
    if child is not None:
        child.end_children(0)
    if number == signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(128 + number)
