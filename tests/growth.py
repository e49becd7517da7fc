"""How the work of a function grows with its text: lines and calls are counted, never seconds.

A line of our own code is one step. A call of a method that goes through all of a string, bytes or list is a step more
for each 100 characters or entries, because such a loop in C is about a hundred times as fast. `find` is left out: it
goes from a place to the next. What regular expressions do is counted in `tests/patterns`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.conftest import REPOSITORY

OURS = tuple(f"{REPOSITORY}/{name}/" for name in ("db", "scraper", "aggregator"))
THROUGH_ALL = frozenset(
    {"casefold", "copy", "count", "decode", "encode", "expandtabs", "insert", "join", "lower", "remove", "replace"}
    | {"reverse", "rsplit", "sort", "split", "splitlines", "swapcase", "title", "translate", "upper"}
)
A_STEP = 100
TIMES = (100, 200, 400)
MOST = 3.0
"""The second doubling may cost so many times what the first cost: 2 is linear, 4 is quadratic."""
FEW = 5_000
"""Steps that say nothing: buffers and caches."""


def steps(function: Callable[[Any], object], text: Any) -> int:
    """The steps that a call takes."""
    count = 0

    def lines(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return lines

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        return lines if frame.f_code.co_filename.startswith(OURS) else None

    def profile(_frame: FrameType, event: str, called: Any) -> None:
        nonlocal count
        if event == "c_call" and called.__name__ in THROUGH_ALL:
            owner = getattr(called, "__self__", None)
            if isinstance(owner, str | bytes | bytearray | list):
                count += len(owner) // A_STEP

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        function(text)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


def superlinear(function: Callable[[Any], object], make: Callable[[int], Any]) -> str | None:
    """How the steps grow where they outgrow the text; None where they do not. `make` gives the text of n pieces."""
    function(make(1))  # vocabularies are read with the first text
    small, middle, large = (steps(function, make(times)) for times in TIMES)
    if large - middle <= MOST * max(0, middle - small) + FEW:
        return None
    return f"{small:,}, {middle:,}, {large:,} steps for {', '.join(map(str, TIMES))} pieces"
