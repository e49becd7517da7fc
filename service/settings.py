"""What holds for every command: where the ledger is, which sources, how much to say.

The command line beats the environment, the environment beats the configuration file, the file beats the defaults.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

DEFAULT_DATABASE_URL = "sqlite:///jobledger.db"


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
    alerts: tuple[str, ...] = ()
    """Apprise addresses that are told when a source sickens or heals."""
    rates_url: str | None = None
    """The folder of the exchange rates' files; None for the European Central Bank's, empty for none."""
    report_folder: Path | None = None
    """Where the scheduler writes weekly reports; None for nowhere."""
    report_weeks: int = 1
    report_options: tuple[str, ...] = ()
    reports_kept: int = 26
    tokens: Mapping[str, str] | None = None
    """Name -> scrypt hash of the tokens that may change data through the service."""
    verbose: bool = False
    debug: bool = False


FROM_FILE = (
    "database_url",
    "sources",
    "log_format",
    "alerts",
    "rates_url",
    "report_folder",
    "report_weeks",
    "report_options",
    "reports_kept",
    "tokens",
)
FILES = frozenset({"sources", "report_folder"})
"""A relative path in the file is meant from the file's own folder."""
COUNTS = frozenset({"report_weeks", "reports_kept"})


def load_settings(
    *,
    database_url: str | None,
    config: Path | None,
    verbose: bool,
    debug: bool,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of this call. Raises `UsageError` for a file that cannot be read or holds an unknown key."""
    settings = Settings(verbose=verbose, debug=debug)
    if config is not None:
        settings = replace(settings, **_from_file(config))
    url = database_url or environment.get("JOBLEDGER_DATABASE_URL") or settings.database_url
    return replace(settings, database_url=url)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path} is no TOML: {error}") from error
    for name, value in found.items():
        if name not in FROM_FILE:
            raise UsageError(f"--config {path}: unknown key {name!r}; the keys are: {', '.join(FROM_FILE)}")
        kind = {f.name: f.type for f in fields(Settings)}[name]
        if "tuple" in str(kind):
            if not isinstance(value, list):
                raise UsageError(f"--config {path}: {name} = {value!r}; write a list: [{value!r}]")
            found[name] = tuple(str(part) for part in value)
        elif name in FILES:
            found[name] = (path.parent / str(value)).resolve()
        elif name == "rates_url" and not isinstance(value, str):
            raise UsageError(f"--config {path}: rates_url = {value!r}; write an address, or an empty text for none")
        elif name in COUNTS and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise UsageError(f"--config {path}: {name} = {value!r}; write a whole number from 1 on")
    if found.get("log_format", "text") not in {"text", "json"}:
        raise UsageError(f"--config {path}: log_format {found['log_format']!r}; choose from: text, json")
    return found
