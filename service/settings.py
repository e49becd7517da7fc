"""What holds for every command: where the ledger is, which sources, how much to say.

The command line beats the environment, the environment beats the configuration file, the file beats the defaults.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from db.user_files import UserFileError, read_user_toml

DEFAULT_DATABASE_URL = "sqlite:///jobledger.db"
MOST = 10_000
"""The largest count that a setting may have."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 120


class UsageError(Exception):
    """The command was used wrongly: one line that says what is allowed; exit code 2."""


class WorkFailed(Exception):
    """The work could not be done: one line that says what, why and what to do; exit code 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    database_url: str = DEFAULT_DATABASE_URL
    sources: Path | None = None
    """The file of sources; None for the one that comes with the program."""
    log_format: str = "text"
    """text or json."""
    spiders: Path | None = None
    """The folder of the user's own spiders; None for none."""
    base_url: str | None = None
    """Where people reach `jobledger serve`: alerts link to its pages. None where they cannot."""
    alerts: tuple[str, ...] = ()
    """Who is told when a source breaks or recovers: file:PATH, webhook:URL, or addresses of Apprise."""
    rates_url: str | None = None
    """The folder of the exchange rates' files; None for the European Central Bank's, empty for none."""
    report_folder: Path | None = None
    """Where the scheduler writes weekly reports; None for nowhere."""
    report_weeks: int = 1
    report_options: tuple[str, ...] = ()
    reports_kept: int = 26
    tokens: Mapping[str, str] | None = None
    """Name -> scrypt hash of the tokens that may change data through the service."""
    config: Path | None = None
    """The configuration file that these came from."""
    verbose: bool = False
    debug: bool = False


def _text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("write a text in quotes")
    return value


def _file(value: Any, folder: Path) -> Path:
    """A relative path is meant from the configuration file's own folder."""
    try:
        return (folder / Path(_text(value, folder)).expanduser()).resolve()
    except (OSError, RuntimeError) as error:  # a home that nobody has, links that lead in a circle
        raise ValueError(f"that leads nowhere: {error}") from error


def _channels(value: Any, folder: Path) -> tuple[str, ...]:
    """Where alerts go; the relative path of a `file:` is meant from the configuration file's own folder too."""
    named = [text.partition(":") for text in _texts(value, folder)]
    return tuple(f"file:{_file(rest, folder)}" if kind == "file" else kind + sep + rest for kind, sep, rest in named)


def _texts(value: Any, _folder: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError('write a list of texts: ["…"]')
    return tuple(value)


def _count(value: Any, _folder: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST:
        raise ValueError(f"write a whole number from 1 on, {MOST:,} at most")
    return value


def _log_format(value: Any, _folder: Path) -> str:
    if value not in ("text", "json"):
        raise ValueError("choose from: text, json")
    return str(value)


def _address(value: Any, _folder: Path) -> str:
    from scraper.sources import CHECKS  # only where an address is given: it is slow to import

    if value != "" and CHECKS["url"](value) is not None:
        raise ValueError("write an address that begins with https://, or an empty text for none")
    return str(value)


def _base_url(value: Any, folder: Path) -> str:
    return _address(_text(value, folder), folder).rstrip("/")


def _names(value: Any, _folder: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        raise ValueError("write a table of texts: `jobledger token NAME` prints its lines")
    return value


FROM_FILE: Mapping[str, Callable[[Any, Path], Any]] = {
    "database_url": _text,
    "sources": _file,
    "log_format": _log_format,
    "spiders": _file,
    "base_url": _base_url,
    "alerts": _channels,
    "rates_url": _address,
    "report_folder": _file,
    "report_weeks": _count,
    "report_options": _texts,
    "reports_kept": _count,
    "tokens": _names,
}
"""How each key of the configuration file is read; a reader raises `ValueError` with what to write instead."""
SECRET = frozenset({"database_url", "alerts", "tokens"})
"""Keys whose values no message repeats."""


def load_settings(
    *,
    database_url: str | None,
    config: Path | None,
    verbose: bool,
    debug: bool,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of this call. Raises `UsageError` for a file that cannot be read or holds an unknown key."""
    settings = Settings(config=config, verbose=verbose, debug=debug)
    if config is not None:
        settings = replace(settings, **_from_file(config))
    url = database_url or environment.get("JOBLEDGER_DATABASE_URL") or settings.database_url
    return replace(settings, database_url=url)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        found = read_user_toml(path)
    except UserFileError as error:
        raise UsageError(f"--config {error}") from error
    settings = {}
    for name, value in found.items():
        if name not in FROM_FILE:
            raise UsageError(f"--config {path}: unknown key {_SHORT.repr(name)}; the keys are: {', '.join(FROM_FILE)}")
        try:
            settings[name] = FROM_FILE[name](value, path.parent)
        except ValueError as remedy:
            said = name if name in SECRET else f"{name} = {_SHORT.repr(value)}"
            raise UsageError(f"--config {path}: {said}; {remedy}") from remedy
    return settings
