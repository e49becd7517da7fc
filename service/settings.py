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
    tokens: Mapping[str, str] | None = None
    """Name -> scrypt hash of the tokens that may change data through the service."""
    verbose: bool = False
    debug: bool = False


FROM_FILE = ("database_url", "sources", "log_format", "alerts", "tokens")


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
        if isinstance(value, list) and "tuple" in str(kind):
            found[name] = tuple(str(part) for part in value)
        elif name == "sources":
            found[name] = (path.parent / str(value)).resolve()
    if found.get("log_format", "text") not in {"text", "json"}:
        raise UsageError(f"--config {path}: log_format {found['log_format']!r}; choose from: text, json")
    return found
