"""A matcher that counts its steps: what Python's `re` does, try by try, but slow and with a number at the end.

`re` cannot say how much work a match was. This reads the same parsed pattern and backtracks in the same order, so its
steps grow as the work of `re` grows. Every single character is tested by `re` itself; a test compares the spans of
both. A step is one test of a character or of a position.
"""

from __future__ import annotations

import re
import re._compiler as compiler  # type: ignore[import-not-found]  # typeshed does not know the parts of re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator
from typing import Any

Text = str | bytes
Ends = Iterator[int]
Matcher = Callable[[int], Ends]
"""From a start to the ends of all matches there, in the order in which `re` tries them."""
ENDLESS = int(op.MAXREPEAT)
CHARACTERS = (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY)


class TooManySteps(Exception):
    """The work went over its limit."""


class Steps:
    """One pattern, ready to be matched against many texts."""

    def __init__(self, pattern: Text, flags: int = 0, *, many: int = ENDLESS) -> None:
        """`many`: a repeat that may go on longer counts as one without end."""
        self._many = many
        self.tree = parser.parse(pattern, flags)
        self._state = self.tree.state
        self.is_bytes = isinstance(pattern, bytes)
        self._text: Text = b"" if self.is_bytes else ""
        self._groups: dict[int, tuple[int, int]] = {}
        self._limit = 0
        self.count = 0
        self._match = self._sequence(list(self.tree), (0, 0))

    def spans(self, text: Text, how: str = "search", limit: int = 10**9) -> list[tuple[int, int]]:
        """The spans that `finditer` (how="search"), `match` or `fullmatch` find. Raises `TooManySteps`."""
        self._text, self._limit, self.count = text, limit, 0
        found: list[tuple[int, int]] = []
        start = 0
        must_advance = False
        while start <= len(text):
            self._groups = {}
            ends = (e for e in self._match(start) if not (must_advance and e == start))
            if how == "fullmatch":
                ends = (end for end in ends if end == len(text))
            end = next(ends, None)
            if how != "search":
                return [] if end is None else [(start, end)]
            must_advance = end == start
            if end is None:
                start += 1
                continue
            found.append((start, end))
            start = end
        return found

    def _step(self) -> None:
        self.count += 1
        if self.count > self._limit:
            raise TooManySteps

    def _single(self, items: list[Any], scope: tuple[int, int]) -> re.Pattern[Any]:
        """A pattern of one part, compiled by `re` with the flags that hold there."""
        part = parser.SubPattern(self._state, [(op.SUBPATTERN, (None, *scope, parser.SubPattern(self._state, items)))])
        made: re.Pattern[Any] = compiler.compile(part, self._state.flags)
        return made

    def _sequence(self, items: list[Any], scope: tuple[int, int]) -> Matcher:
        parts = [self._part(item, scope) for item in items]
        if len(parts) == 1:
            return parts[0]

        def match(start: int) -> Ends:
            if not parts:
                yield start
                return
            open_: list[Ends] = [parts[0](start)]
            while open_:
                end = next(open_[-1], None)
                if end is None:
                    open_.pop()
                elif len(open_) == len(parts):
                    yield end
                else:
                    open_.append(parts[len(open_)](end))

        return match

    def _part(self, item: Any, scope: tuple[int, int]) -> Matcher:
        code, value = item
        if code in CHARACTERS:
            return self._character(item, scope)
        if code is op.AT:
            return self._position(item, scope)
        if code is op.BRANCH:
            return self._branch(value[1], scope)
        if code is op.SUBPATTERN:
            group, added, removed, inner = value
            return self._group(group, self._sequence(list(inner), ((scope[0] | added) & ~removed, scope[1] | removed)))
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return self._repeat(code, *value, scope)
        if code is op.ATOMIC_GROUP:
            return self._first_only(self._sequence(list(value), scope))
        if code in (op.ASSERT, op.ASSERT_NOT):
            return self._look(code is op.ASSERT, *value, scope)
        if code is op.GROUPREF:
            return self._reference(value)
        raise NotImplementedError(f"{code}: teach the counting matcher this part of a pattern")

    def _character(self, item: Any, scope: tuple[int, int]) -> Matcher:
        test = self._test(item, scope)

        def match(start: int) -> Ends:
            self._step()
            if start < len(self._text) and test(self._text[start : start + 1]):
                yield start + 1

        return match

    def _test(self, item: Any, scope: tuple[int, int]) -> Callable[[Any], bool]:
        """Whether a character fits, remembered for each."""
        single = self._single([item], scope)
        known: dict[Any, bool] = {}

        def test(character: Any) -> bool:
            if character not in known:
                known[character] = single.fullmatch(character) is not None
            return known[character]

        return test

    def _position(self, item: Any, scope: tuple[int, int]) -> Matcher:
        single = self._single([item], scope)

        def match(start: int) -> Ends:
            self._step()
            if single.match(self._text, start):
                yield start

        return match

    def _branch(self, branches: list[Any], scope: tuple[int, int]) -> Matcher:
        """Alternatives whose first character does not fit are not entered: `re` looks at that first, too."""
        entries = [
            (
                self._test(branch[0], scope) if len(branch) and branch[0][0] in CHARACTERS else None,
                self._sequence(list(branch), scope),
            )
            for branch in branches
        ]
        fitting: dict[Any, list[Matcher]] = {}

        def match(start: int) -> Ends:
            self._step()
            character = self._text[start : start + 1]
            if character not in fitting:
                fitting[character] = [
                    inner for test, inner in entries if test is None or (character and test(character))
                ]
            for inner in fitting[character]:
                yield from inner(start)

        return match

    def _group(self, number: int | None, inner: Matcher) -> Matcher:
        if number is None:
            return inner

        def match(start: int) -> Ends:
            before = self._groups.get(number)
            for end in inner(start):
                self._groups[number] = (start, end)
                yield end
            if before is None:
                self._groups.pop(number, None)
            else:
                self._groups[number] = before

        return match

    def _reference(self, number: int) -> Matcher:
        def match(start: int) -> Ends:
            self._step()
            if number in self._groups:
                said = self._text[slice(*self._groups[number])]
                if self._text[start : start + len(said)] == said:
                    yield start + len(said)

        return match

    def _first_only(self, inner: Matcher) -> Matcher:
        def match(start: int) -> Ends:
            end = next(inner(start), None)
            if end is not None:
                yield end

        return match

    def _look(self, wanted: bool, direction: int, inside: Any, scope: tuple[int, int]) -> Matcher:
        inner = self._sequence(list(inside), scope)
        back = inside.getwidth()[0] if direction < 0 else 0

        def match(start: int) -> Ends:
            self._step()
            begin = start - back
            if (begin >= 0 and next(inner(begin), None) is not None) is wanted:
                yield start

        return match

    def _repeat(self, code: Any, least: int, most: int, inside: Any, scope: tuple[int, int]) -> Matcher:
        most = most if most <= self._many else ENDLESS
        if len(inside) == 1 and inside[0][0] in CHARACTERS:
            return self._run(code, least, most, self._test(inside[0], scope))
        inner = self._sequence(list(inside), scope)
        if code is op.MIN_REPEAT:
            return self._lazy(least, most, inner)
        greedy = self._greedy(least, most, inner)
        return greedy if code is op.MAX_REPEAT else self._first_only(greedy)

    def _run(self, code: Any, least: int, most: int, test: Callable[[Any], bool]) -> Matcher:
        """A repeated single character: `re` runs over it in one loop."""

        def match(start: int) -> Ends:
            text, end = self._text, start
            while end - start < most and end < len(text):
                if code is op.MIN_REPEAT and end - start >= least:
                    yield end
                self._step()
                if not test(text[end : end + 1]):
                    break
                end += 1
            else:
                if code is op.MIN_REPEAT and end - start >= least:
                    yield end
            if code is op.MIN_REPEAT:
                return
            for shorter in range(end, start + least - 1, -1):
                self._step()
                yield shorter
                if code is op.POSSESSIVE_REPEAT:
                    return

        return match

    def _greedy(self, least: int, most: int, inner: Matcher) -> Matcher:
        def match(start: int) -> Ends:
            ends = [start]
            open_: list[Ends | None] = [inner(start) if most > 0 else None]
            while open_:
                tries = open_[-1]
                end = next(tries, None) if tries is not None else None
                if end is None:
                    open_.pop()
                    if len(ends) > least:
                        self._step()
                        yield ends[-1]
                    ends.pop()
                    continue
                is_last = end == ends[-1] and len(ends) > least  # a round that reads nothing is not repeated
                ends.append(end)
                open_.append(None if is_last or len(ends) > most else inner(end))

        return match

    def _lazy(self, least: int, most: int, inner: Matcher) -> Matcher:
        def match(start: int) -> Ends:
            if least == 0:
                self._step()
                yield start
            ends, open_ = [start], [inner(start)] if most > 0 else []
            while open_:
                end = next(open_[-1], None)
                if end is None:
                    open_.pop()
                    ends.pop()
                    continue
                if len(open_) >= least:
                    self._step()
                    yield end
                    if end == ends[-1]:
                        continue  # a round that reads nothing is not repeated
                if len(open_) < most:
                    ends.append(end)
                    open_.append(inner(end))

        return match
