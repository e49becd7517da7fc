"""One row's exception stays with that row; what is not the row's fault does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy.exc import OperationalError

from db.contained import Failure, contained, contained_together, each_contained
from db.session import LedgerError
from db.text import repair


def raises(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    "error", [IndexError("list index out of range"), MemoryError(), RecursionError("too deep"), AssertionError()]
)
def test_a_fault_of_the_row_is_a_failure(error: Exception) -> None:
    failure = contained(raises, error)
    assert isinstance(failure, Failure)
    assert failure.error.startswith(type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(1), OperationalError("SELECT 1", {}, Exception("away")), LedgerError("no disk")],
)
def test_what_is_not_the_fault_of_the_row_passes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        contained(raises, error)


def test_a_failure_names_our_function_that_was_running() -> None:
    failure = contained(repair, 7)  # type: ignore[arg-type]  # what a careless rule does
    assert isinstance(failure, Failure)
    assert failure.where == "db.text.repair"
    assert str(failure) == "AttributeError: 'int' object has no attribute 'isascii' in db.text.repair"


def test_a_message_is_one_short_line_without_personal_data() -> None:
    failure = contained(raises, ValueError("cannot read\njane.doe@example.com " + "x" * 1_000))
    assert isinstance(failure, Failure)
    assert failure.error.startswith("ValueError: cannot read [e-mail removed] x")
    assert len(failure.error) < 300


def test_an_exception_that_cannot_say_what_it_is_has_its_type() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    failure = contained(raises, Mute())
    assert isinstance(failure, Failure)
    assert failure.error == "Mute"


def test_an_iterator_gives_what_came_before_its_failure() -> None:
    def rows() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("three")

    *before, failure = each_contained(rows())
    assert before == [1, 2]
    assert isinstance(failure, Failure)
    assert list(each_contained([1, 2])) == [1, 2]


def total(numbers: Sequence[int]) -> int:
    if 7 in numbers:
        raise ValueError("seven")
    if {3, 5} <= set(numbers):
        raise ValueError("three and five do not go together")
    return sum(numbers)


@pytest.mark.parametrize(
    ("numbers", "made", "bad"),
    [
        ([1, 2], 3, []),
        ([7], 0, [7]),
        ([1, 7, 2], 3, [7]),
        ([7, 7, 1], 1, [7, 7]),
        ([1, 3, 4, 5, 6], 14, [5]),
        ([5, 7, 3, 1], 6, [7, 3]),
        ([3, 5, 5, 5, 1], 16, [3]),
        ([], 0, []),
    ],
)
def test_only_the_items_that_fail_are_left_out(numbers: list[int], made: int, bad: list[int]) -> None:
    result, failed = contained_together(total, numbers)
    assert (result, [item for item, _ in failed]) == (made, bad)


def test_one_bad_item_among_many_costs_few_calls() -> None:
    calls = 0

    def counted(numbers: Sequence[int]) -> int:
        nonlocal calls
        calls += 1
        return total([number for number in numbers if number == 7])

    _, failed = contained_together(counted, [0] * 1_000 + [7] + [0] * 1_000)
    assert len(failed) == 1
    assert calls <= 2 * 11 + 3


@pytest.mark.parametrize("place", range(6))
def test_an_item_that_fails_with_all_others_is_left_out_wherever_it_stands(place: int) -> None:
    numbers = [1, 2, 3, 4, 5]
    numbers.insert(place, 0)

    def ratios(some: Sequence[int]) -> list[float]:
        return [a / b for a in some for b in some if a != b]

    made, failed = contained_together(ratios, numbers)
    assert [item for item, _ in failed] == [0]
    assert made == ratios([1, 2, 3, 4, 5])


def test_work_that_always_fails_is_no_fault_of_a_row() -> None:
    with pytest.raises(ZeroDivisionError):
        contained_together(lambda items: 1 // 0, [1, 2])
