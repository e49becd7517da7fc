"""Files of the user's: whatever they hold, they are read or refused in one line, and nothing else happens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.user_files import (
    LARGEST_TOML,
    UserFileError,
    parse_user_toml,
    read_user_bytes,
    read_user_table,
    read_user_toml,
)
from scraper.sources import CHECKS, Source, SourceError, decoded_sources
from service.settings import FROM_FILE, Settings, UsageError, load_settings

PATH = Path("given.toml")
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
"""Nothing here depends on the speed of the machine."""

REFUSED = {
    "nested lists": (b"a = 1\nx = " + b"[" * 100_000, "line 2: is nested too deeply"),
    "nested tables": (b"x = " + b"{a = " * 100_000, "line 1: is nested too deeply"),
    "nested a little": (b"x = " + b"[" * 30 + b"]" * 30, "'x' is nested too deeply"),
    "dotted key": (b"a = 1\n" + b".".join([b"b"] * 100_000) + b" = 1", "line 2: a key has more than 20 dotted parts"),
    "dotted header": (b"[" + b" . ".join([b'"b"'] * 100_000) + b"]", "line 1: a key has more than 20 dotted parts"),
    "dotted key inside": (b"x = [{" + b".".join([b"b"] * 100_000) + b" = 1}]", "more than 20 dotted parts"),
    "long number": (b"\n\nx = " + b"9" * 5000, "line 3: holds a number of more than 4,000 digits"),
    "long number in hex": (b"x = 0x" + b"f" * 5000, "'x' is a number of more than 64 bits"),
    "number of 65 bits": (b"x = 18446744073709551616", "'x' is a number of more than 64 bits"),
    "NUL in a text": (b'x = ["a\\u0000"]', "'x' holds a NUL character"),
    "NUL byte": (b"x = 1\n\x00", "is no TOML"),
    "another encoding": (b"x = 1\ny = 'caf\xe9'", "line 2: is no text in UTF-8"),
    "UTF-16": ("x = 1".encode("utf-16"), "is no text in UTF-8"),
    "half written": (b'[[source]]\nname = "ac', "is no TOML"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text in UTF-8"),
    "a date that is none": (b"x = 2026-02-30", "is no TOML"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_one_line_with_file_and_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "given.toml"
    file.write_bytes(content)
    with pytest.raises(UserFileError) as caught:
        read_user_toml(file)
    message = str(caught.value)
    assert str(file) in message
    assert reason in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_byte_order_mark_is_no_content() -> None:
    assert parse_user_toml(b"\xef\xbb\xbfx = 1", PATH) == {"x": 1}


def test_a_path_that_is_no_file_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "circle", tmp_path / "sparse", Path("/dev/zero")):
        with pytest.raises(UserFileError, match=str(path)):
            read_user_bytes(path, largest=LARGEST_TOML)
    with pytest.raises(UserFileError, match="there is no such file"):
        read_user_bytes(tmp_path / "absent")
    with pytest.raises(UserFileError, match="null byte"):
        read_user_bytes(Path("a\0b"))


@CALM
@given(st.binary(max_size=300) | st.text("[]{}=.,\"'\n\\u01a #-:", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for read in (lambda: parse_user_toml(content, PATH), lambda: decoded_sources(content, PATH)):
        try:
            read()
        except (UserFileError, SourceError) as error:
            assert "\n" not in str(error)  # noqa: PT017 - an error is one of two good ends


plain: st.SearchStrategy[Any] = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b.c", ""]), inner),
    max_leaves=8,
)


def as_toml(value: Any) -> str:
    """A value as TOML writes it; JSON's texts, numbers and lists are TOML's too, but for a bare exponent."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {as_toml(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@CALM
@given(st.lists(st.dictionaries(st.sampled_from([*CHECKS, "colour"]), plain, max_size=5), max_size=3))
def test_any_values_in_entries_are_sources_or_a_source_error(entries: list[dict[str, Any]]) -> None:
    named = [{"name": f"s{n}", "spider": "captures"} | entry for n, entry in enumerate(entries)]
    content = "\n".join("[[source]]\n" + "\n".join(f"{k} = {as_toml(v)}" for k, v in e.items()) for e in named)
    try:
        found = decoded_sources(content.encode(), PATH)
    except SourceError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 1000  # noqa: PT017
    else:
        assert all(isinstance(source, Source) for source in found)
        json.dumps([[dict(source.options), source.allow_hosts] for source in found])


@CALM
@given(given=st.dictionaries(st.sampled_from([*FROM_FILE, "colour"]), plain, max_size=4))
def test_any_values_in_a_configuration_are_settings_or_a_usage_error(tmp_path: Path, given: dict[str, Any]) -> None:
    file = tmp_path / "config.toml"
    file.write_text("\n".join(f"{name} = {as_toml(value)}" for name, value in given.items()), "utf-8")
    try:
        found = load_settings(database_url=None, config=file, verbose=False, debug=False, environment={})
    except UsageError as error:
        assert str(file) in str(error)  # noqa: PT017
    else:
        assert isinstance(found, Settings)


@CALM
@given(st.binary(max_size=200) | st.text('ab,"\n\r;', max_size=100).map(lambda text: b"a,b\n" + text.encode()))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    try:
        rows = list(read_user_table(file, ("a", "b")))
    except UserFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert all(isinstance(value, str) for _, row in rows for value in row.values())


def test_a_short_row_of_a_table_has_empty_values(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"\xef\xbb\xbfa,b,c\n1\n2,3,4,5\n")
    assert list(read_user_table(file, ("a", "b"))) == [(2, {"a": "1", "b": ""}), (3, {"a": "2", "b": "3"})]
