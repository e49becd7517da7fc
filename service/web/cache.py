"""Answers that are dear to make, kept for a while: the dearer, the longer, and never past a decision made here."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Made = TypeVar("Made")

WORTH = 20
"""An answer is kept for so many times the seconds that it took: reading it anew takes 5 % of the time at most."""
LONGEST_SECONDS = 60.0


@dataclass(slots=True)
class Cache:
    """At most `most` answers, the least used go first; one thread makes an answer while others wait for it."""

    most: int = 256
    kept: OrderedDict[Hashable, tuple[float, Any]] = field(default_factory=OrderedDict)
    making: dict[Hashable, threading.Lock] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` answers, or answered lately under this key."""
        with self.lock:
            turn = self.making.setdefault(key, threading.Lock())
        with turn:
            until, value = self.kept.get(key, (0.0, None))
            if until > time.monotonic():
                return value  # type: ignore[no-any-return]  # what `make` of this key gave before
            start = time.monotonic()
            value = make()
            end = time.monotonic()
            with self.lock:
                self.kept[key] = (end + min((end - start) * WORTH, LONGEST_SECONDS), value)
                self.kept.move_to_end(key)
                while len(self.kept) > self.most:
                    gone, _ = self.kept.popitem(last=False)
                    self.making.pop(gone, None)
            return value

    def clear(self) -> None:
        """Forgets everything: somebody decided something."""
        with self.lock:
            self.kept.clear()
