"""One function of ours made to fail for marked rows only, to see what the rows beside them come to.

Every function of a module is found by walking it, so a rule or a parser that is new tomorrow is covered.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

MARK = "quxel"
"""A word of marked rows; no vocabulary knows it."""
AMOUNT = Decimal(77_777)
OTHER = "plainly"
"""A word of the rows beside them."""


RULES = (
    "aggregator.normalise",
    "aggregator.claims",
    "aggregator.composing",
    "aggregator.dedupe",
    "aggregator.lifecycle",
    "aggregator.plausibility",
    "aggregator.quality",
    "aggregator.reading",
    "db.text",
)
"""Every module of rules; a rule is a function of one of these."""
PARSERS = ("scraper.pages", "scraper.spiders", "scraper.answers", "scraper.captures", "scraper.captured_answers")


class InjectedError(Exception):
    pass


@dataclass
class Trap:
    """The function that fails, and what it met."""

    function: FunctionType
    original: FunctionType
    met: int = 0
    """Calls for a marked row."""
    whole: int = 0
    """Those of them that were for the rows beside it too: a page or an answer as a whole."""


_set: list[Trap] = []


def _hook(*args: Any, **kwargs: Any) -> Any:
    return __import__("tests.injected", fromlist=["sprung"]).sprung(args, kwargs)


def sprung(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    (trap,) = _set
    found = words_in([*args, *kwargs.values()])
    if MARK in found:
        trap.met += 1
        trap.whole += OTHER in found
        raise InjectedError("this rule fails on this row")
    return trap.original(*args, **kwargs)


@contextmanager
def failing(function: FunctionType) -> Iterator[Trap]:
    """Makes `function` raise whenever its arguments hold a marked row, whoever holds a reference to it."""
    original = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__
    kept = function.__code__, function.__defaults__, function.__kwdefaults__
    trap = Trap(function, original)
    _set.append(trap)
    function.__code__, function.__defaults__, function.__kwdefaults__ = _hook.__code__, None, None  # type: ignore[assignment]  # None says "no defaults"
    try:
        yield trap
    finally:
        _set.clear()
        function.__code__, function.__defaults__, function.__kwdefaults__ = kept  # type: ignore[assignment]


def words_in(values: Iterable[Any]) -> set[str]:
    """Which of the two marks stand in these values, as far as one row reaches."""
    found: set[str] = set()
    waiting = [(value, 5) for value in values]
    for _ in range(3_000):
        if not waiting:
            break
        value, depth = waiting.pop()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            lowered = value.lower()
            found |= {word for word in (MARK, OTHER) if word in lowered}
        elif isinstance(value, Decimal):
            found |= {MARK} if value == AMOUNT else set()
        elif depth:
            waiting += [(part, depth - 1) for part in _parts(value)]
    return found


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if hasattr(value, "itertext"):
        return [*value.itertext(), *value.attrib.values()]
    if hasattr(value, "_mapping"):
        return value._mapping.values()
    if is_dataclass(value):
        return [getattr(value, field.name, None) for field in fields(value)]
    names = [*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", ())]
    return [getattr(value, name, None) for name in names if isinstance(name, str)]


def functions_of(*names: str) -> dict[str, FunctionType]:
    """Every function that these modules and packages define: their own, of their classes and in their tables."""
    found: dict[str, FunctionType] = {}
    for module in _modules(names):
        for name, function in _defined(module):
            can_be_changed = function.__closure__ is None and not inspect.iscoroutinefunction(function)
            if function.__module__ == module.__name__ and can_be_changed:
                found.setdefault(f"{module.__name__}.{name}", function)
    return found


def _modules(names: Iterable[str]) -> Iterator[ModuleType]:
    for name in names:
        module = importlib.import_module(name)
        yield module
        if hasattr(module, "__path__"):
            for inner in pkgutil.walk_packages(module.__path__, f"{name}."):
                yield importlib.import_module(inner.name)


def _defined(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            for inner, member in vars(value).items():
                if not inner.startswith("__") and (function := _bare(member)) is not None:
                    yield f"{name}.{inner}", function
        elif (function := _bare(value)) is not None:
            yield name, function
        elif isinstance(value, list | tuple | dict):
            for function in _in_table(value):
                yield f"{name}.{function.__qualname__}:{function.__code__.co_firstlineno}", function


def _bare(value: Any) -> FunctionType | None:
    value = inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, cached_property):
        value = value.func
    elif isinstance(value, classmethod | staticmethod):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None


def _in_table(table: Any) -> Iterator[FunctionType]:
    for part in table.values() if isinstance(table, dict) else table:
        if isinstance(part, FunctionType):
            yield part
        elif isinstance(part, list | tuple | dict):
            yield from _in_table(part)


def lettered(number: int) -> str:
    """A number in letters, so that no remembered reading of another row is met."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


class FailingExecutor(Executor):
    """The workers of another executor, in each of which the function fails too."""

    def __init__(self, inner: Executor, name: str) -> None:
        self.inner, self.name = inner, name

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self.inner.submit(failing_there, self.name, fn, *args, **kwargs)


def failing_there(name: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A task of a worker process: the work with the named function failing."""
    with failing(functions_of(*RULES)[name]):
        return fn(*args, **kwargs)
