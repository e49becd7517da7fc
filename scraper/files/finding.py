"""The files that paths name: folders are walked in sorted order, and what is passed over is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that is not read, and why."""

    path: str
    reason: str
    failed: bool = False
    """Whether it should have been read."""


def files_below(folder: Path, passed_over: Callable[[Path], str | None]) -> Iterator[Path | Skipped]:
    """Everything in a folder and the folders in it that is no folder itself, of whatever kind.

    `passed_over` says why an entry is not looked at, None for one that is. Links to folders are passed over, because
    one to a folder above would never end.
    """
    waiting = [iter(_entries(folder))]
    while waiting:
        one = next(waiting[-1], None)
        if one is None:
            waiting.pop()
        elif isinstance(one, Path) and (why := passed_over(one)) is not None:
            yield Skipped(str(one), why)
        elif isinstance(one, Path) and is_folder(one):
            if one.is_symlink():
                yield Skipped(str(one), "a link to a folder; name that folder to read it")
            else:
                waiting.append(iter(_entries(one)))
        else:
            yield one


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False for what cannot be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def real_path(path: Path) -> str:
    """The path without links, the same for every way to a file; links in a circle stay as they are."""
    return os.path.realpath(path)


def _entries(folder: Path) -> Sequence[Path | Skipped]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        return [Skipped(str(folder), f"the folder cannot be read: {error.strerror or error}", failed=True)]
