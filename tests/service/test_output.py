"""What is written out, and what a terminal or a spreadsheet is spared."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.output import csv_cell, shown, visible, write_rows
from service.settings import FROM_FILE, Settings, UsageError, WorkFailed, load_settings

FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "=10+20+cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert csv_cell(text) == "'" + text
    assert csv_cell(text, raw=True) == text


@pytest.mark.parametrize(("value", "cell"), [(-5, "-5"), (Decimal("-1.50"), "-1.5"), (None, ""), (True, "true")])
def test_a_number_stays_a_number(value: Any, cell: str) -> None:
    assert csv_cell(value) == cell


def test_control_characters_never_reach_a_terminal() -> None:
    hostile = "\x1b[2Jclear\x07\x9b31m\u202eevil"
    assert not set(visible(hostile)) & set("\x1b\x07\x9b\u202e")
    assert shown(hostile) == visible(hostile)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    def broken() -> Any:
        yield {"id": "a"}
        raise RuntimeError("the ledger went away")

    target = tmp_path / "out.jsonl"
    with pytest.raises(RuntimeError):
        write_rows(broken(), "jsonl", columns=["id"], output=target)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"cannot write .*nowhere"):
        write_rows([], "json", columns=["id"], output=tmp_path / "nowhere" / "out.json")


class TestSettings:
    def test_the_command_line_beats_the_environment_beats_the_file(self, tmp_path: Path) -> None:
        config = tmp_path / "jobledger.toml"
        config.write_text('database_url = "sqlite:///file.db"\n', encoding="utf-8")

        def url(given: str | None, environment: dict[str, str]) -> str:
            made = load_settings(database_url=given, config=config, verbose=False, debug=False, environment=environment)
            return made.database_url

        assert url(None, {}) == "sqlite:///file.db"
        assert url(None, {"JOBLEDGER_DATABASE_URL": "sqlite:///env.db"}) == "sqlite:///env.db"
        assert url("sqlite:///line.db", {"JOBLEDGER_DATABASE_URL": "sqlite:///env.db"}) == "sqlite:///line.db"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("colour = 1", "unknown key 'colour'"),
            ("= =", "is no TOML"),
            ('log_format = "xml"', "log_format = 'xml'; choose from: text, json"),
            ("database_url = 5", "database_url; write a text in quotes"),
            ('rates_url = "ftp://bank.example/"', "rates_url = 'ftp://bank.example/'; write an address"),
            ("report_weeks = 0", "report_weeks = 0; write a whole number from 1 on"),
            ("report_options = [1]", "report_options = .*write a list of texts"),
            ("tokens = 1", "tokens; write a table of texts"),
        ],
    )
    def test_a_wrong_file_says_what_is_right(self, tmp_path: Path, text: str, said: str) -> None:
        config = tmp_path / "jobledger.toml"
        config.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=said):
            load_settings(database_url=None, config=config, verbose=False, debug=False, environment={})

    def test_a_message_about_an_alert_address_holds_no_password(self, tmp_path: Path) -> None:
        config = tmp_path / "jobledger.toml"
        config.write_text('alerts = "mailtos://ops:hunter2@mail.example"\n', encoding="utf-8")
        with pytest.raises(UsageError, match="alerts; write a list of texts") as caught:
            load_settings(database_url=None, config=config, verbose=False, debug=False, environment={})
        assert "hunter2" not in str(caught.value)

    def test_every_key_of_the_file_is_a_setting(self) -> None:
        assert FROM_FILE.keys() <= {f.name for f in fields(Settings)}
