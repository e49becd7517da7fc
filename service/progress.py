"""Progress bars on stderr; silent when stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


def _silent(*_counts: object) -> None:
    """What happens to progress when nobody watches."""


@contextmanager
def counting(what: str) -> Iterator[Callable[[Mapping[str, int]], None]]:
    """A line that counts while work of unknown length goes on: `show({"pages": 3, "postings": 12})`."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what)

        def show(counts: Mapping[str, int]) -> None:
            parts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items() if number)
            bar.update(task, description=f"{what}: {parts}" if parts else what)

        yield show


@contextmanager
def measured(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work of known length: `show(done, total)`."""
    if not sys.stderr.isatty():
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
