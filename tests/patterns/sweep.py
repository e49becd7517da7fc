"""Whether the work of a pattern grows no faster than its text, on all attacks that `attacks.py` finds."""

from __future__ import annotations

from dataclasses import dataclass

from tests.patterns.attacks import MANY, Attack, attacks
from tests.patterns.steps import Steps, TooManySteps

TIMES = (20, 64, 128, 256)
"""How often a piece is repeated. Runs of at most `attacks.MANY` characters no longer grow in the last ones."""
GROWTH = 3.0
"""The second doubling may cost so many times what the first cost: 2 is linear, 4 is quadratic."""
MOST_A_CHARACTER = 600
"""Steps a character, whatever the growth: bounds on bounds are slow as well."""
FEW_A_CHARACTER, STEADY = 6, 1.4
"""Fewer steps a character, or so little more at three times the length, need no closer look."""


@dataclass(frozen=True)
class Slow:
    """What makes a pattern slow, and how its steps grow."""

    attack: Attack
    way: str
    steps: tuple[int, ...]

    def __str__(self) -> str:
        said = ", ".join(f"n = {times}: {count:,}" for times, count in zip(TIMES, self.steps, strict=False))
        return f"{self.way} in {self.attack}; steps: {said}"


def slow(pattern: str | bytes, flags: int, ways: tuple[str, ...]) -> Slow | None:
    """The first attack that is slow; None for a pattern that is not."""
    matcher = Steps(pattern, flags, many=MANY)
    for attack in attacks(pattern, flags):
        for way in ways:
            if (steps := _steps(matcher, attack, way)) is not None:
                return Slow(attack, way, steps)
    return None


def _steps(matcher: Steps, attack: Attack, way: str) -> tuple[int, ...] | None:
    """The steps at each length where they grow too fast; else None."""
    counts: list[int] = []
    rates: list[float] = []
    for times in TIMES:
        text: str | bytes = attack.text(times)
        if matcher.is_bytes:
            text = text.encode("latin-1", "ignore")
        try:
            matcher.spans(text, way, limit=MOST_A_CHARACTER * (len(text) + 1))
        except TooManySteps:
            return (*counts, matcher.count)
        counts.append(matcher.count)
        rates.append(matcher.count / (len(text) + 1))
        if rates[-1] < FEW_A_CHARACTER or (len(rates) == 2 and rates[1] < STEADY * rates[0]):
            return None
    first, second, third = counts[-3:]
    return tuple(counts) if third - second > GROWTH * (second - first) else None
