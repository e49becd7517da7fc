"""The first address of a run that failed, and why: what a person needs to look at when a run was not healthy."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from scrapy.exceptions import IgnoreRequest
from scrapy.statscollectors import StatsCollector

from db.text import one_line

FIRST_ADDRESS: Final = "jobledger/first_address"
"""Stats key: the address that the run began with."""
FIRST_FAILURE: Final = "jobledger/first_failure"
"""Stats key: the first address that failed, and why, in words."""
LONGEST_ADDRESS: Final = 300
LONGEST_REASON: Final = 200
NO_SUCH_HOST: Final = frozenset({"DNSLookupError", "CannotResolveHostError"})


def note_failure(stats: StatsCollector | None, url: str, why: str) -> None:
    """Keeps the first failure of a run; later ones are counted elsewhere."""
    if stats is not None and stats.get_value(FIRST_FAILURE) is None:
        stats.set_value(FIRST_FAILURE, f"{_short(url, LONGEST_ADDRESS)}: {_short(why, LONGEST_REASON)}")


def status_words(status: int) -> str:
    """What an answer's status code says.

    >>> status_words(404), status_words(999)
    ('answered 404 Not Found', 'answered 999')
    """
    known = next((code.phrase for code in HTTPStatus if code == status), "")
    return f"answered {status} {known}".rstrip()


def exception_words(error: BaseException) -> str:
    """Why a request brought no answer.

    >>> exception_words(IgnoreRequest("Forbidden by robots.txt")), exception_words(TimeoutError())
    ('forbidden by robots.txt', 'no answer in time (TimeoutError)')
    """
    kind = type(error).__name__
    if isinstance(error, IgnoreRequest):
        return "forbidden by robots.txt" if str(error) == "Forbidden by robots.txt" else str(error) or kind
    if kind in NO_SUCH_HOST:
        return f"the host name cannot be looked up in the DNS ({kind})"
    if "Timeout" in kind:
        return f"no answer in time ({kind})"
    if "Refused" in kind:
        return f"the connection was refused ({kind})"
    return f"{kind}: {error}" if str(error) else kind


def _short(text: str, most: int) -> str:
    line = one_line(text) or "-"
    return line if len(line) <= most else f"{line[: most - 1]}…"
