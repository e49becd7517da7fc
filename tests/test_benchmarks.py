"""The page of measurements: what is measured anew changes, everything else stays as it stands."""

from __future__ import annotations

from benchmarks.__main__ import BENCHMARKS, PAGE, page, standing


def test_the_page_says_the_same_when_it_is_written_again() -> None:
    written = PAGE.read_text("utf-8")
    again = page(standing(written))
    # Which machine and versions are at hand is no matter of what was measured.
    assert again.splitlines()[8:] == written.splitlines()[8:]


def test_one_measured_anew_leaves_the_others() -> None:
    first, second = BENCHMARKS[0].title, BENCHMARKS[1].title
    before = standing(page({first: "9 rows/s\n\n2 of the peer\n", second: "7 pages/s"}))
    after = standing(page({**before, first: "10 rows/s"}))
    assert (before[first], after) == ("9 rows/s\n\n2 of the peer", {first: "10 rows/s", second: "7 pages/s"})
