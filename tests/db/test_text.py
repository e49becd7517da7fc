"""Text at the door: mojibake, invisible characters, entities, personal data."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.text import one_line, repair, without_personal_data

GENUINE = {
    "german": "Zürich – Müller & Söhne",
    "polish": "Kraków, Łódź i Gdańsk",
    "french": "« L’École d’été » à Orléans",
    "portuguese": "São Paulo, Brasília",
    "quotes": "“Smart” people’s jobs…",
    "japanese": "東京都の正社員",
    "chinese": "北京市 工程师",
    "korean": "서울 개발자",
    "emoji": "👀 Featured 🚀",
    "russian": "Привет, мир! Её работа",
    "ukrainian": "Її робота у Києві",
    "greek": "Ελληνικά: Αθήνα",
    "greek school class": "ΤΑΞΗ Β» Γ’ Λυκείου",
    "thai": "ขับรถ โลก แผน งาน",
    "thai beside english": "รถ Toyota รถ 4x4 งาน",
    "hebrew": "שלום עולם",
    "arabic": "مرحبا بالعالم",
    "persian with a joiner": "می\u200cخواهم",
    "turkish": "İstanbul Şişli",
    "vietnamese": "Việt Nam, Hà Nội",
    "signs": "£20 · 5 µm ® ½",
}
# How much each code page can tell: cp1257, for one, has no character for many bytes.
PAGES = ["cp874", "cp1253", "cp1251", "cp1255", "koi8-r", "cp1252", "latin-1", "cp1254"]


def broken(text: str, page: str) -> str:
    """The text as UTF-8 read in a code page, holes filled from cp1252 and latin-1."""
    return "".join(
        next(read for codec in (page, "cp1252", "latin-1") if (read := bytes([byte]).decode(codec, "ignore")))
        for byte in text.encode()
    )


@pytest.mark.parametrize("text", GENUINE.values(), ids=GENUINE.keys())
def test_genuine_text_stays(text: str) -> None:
    assert repair(text) == text.replace("\u200c", "")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("text", GENUINE.values(), ids=GENUINE.keys())
def test_text_read_in_another_page_is_repaired(text: str, page: str) -> None:
    assert repair(broken(text, page)) == text.replace("\u200c", "")


@pytest.mark.parametrize("page", ["cp437", "cp1250", "mac-roman", "cp1258"])
@pytest.mark.parametrize("name", ["german", "polish", "portuguese", "japanese", "russian"])
def test_rarer_pages_are_repaired(name: str, page: str) -> None:
    assert repair(broken(GENUINE[name], page)) == GENUINE[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("5 min read ยท Dec. 6, 2023", "5 min read · Dec. 6, 2023", id="middle dot, thai page"),
        pytest.param("5 min read Β· Oct. 30, 2024", "5 min read · Oct. 30, 2024", id="middle dot, greek page"),
        pytest.param("Featured Job ๐Ÿ‘€", "Featured Job 👀", id="emoji, thai page"),
        pytest.param("Featured Job πŸ‘€", "Featured Job 👀", id="emoji, greek page"),
        pytest.param("Data Science โ€“ Chemistry Expert", "Data Science – Chemistry Expert", id="en dash, thai page"),
        pytest.param("cafรฉ", "café", id="letter in a latin word, thai page"),
        pytest.param("• genuine bullet and โ€“ broken dash", "• genuine bullet and – broken dash", id="both in a line"),
        pytest.param("งาน โ€“ สวัสดี", "งาน – สวัสดี", id="a broken sign among genuine thai"),
        pytest.param("Ã¢â‚¬â„¢tis twice", "’tis twice", id="broken twice"),
        pytest.param("10 \x96 20", "10 – 20", id="c1 control is the cp1252 dash"),
        pytest.param("so\u00adft\u200b \ufeffhyphen\u202e", "soft hyphen", id="invisible characters"),
        pytest.param("a\u00a0b\u2009c\u3000d", "a b c d", id="spaces"),
        pytest.param("a\r\nb\rc\u2028d", "a\nb\nc\nd", id="line ends"),
        pytest.param("nul\x00 bell\x07\ttab\n", "nul bell\ttab\n", id="controls"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("lone \ud800 surrogate", "lone  surrogate", id="lone surrogate"),
    ],
)
def test_repair(text: str, expected: str) -> None:
    assert repair(text) == expected


def test_each_line_is_repaired_for_itself() -> None:
    assert repair("งาน\nread ยท now\nรถ") == "งาน\nread · now\nรถ"


def test_captures_come_out_right(shared_data: Path) -> None:
    for file in sorted((shared_data / "seeds").glob("*.txt")):
        text = repair(file.read_text(encoding="utf-8"))
        assert {character for character in text if not character.isascii()} <= set("👀·–•’"), file.name
    expected = json.loads((shared_data / "seeds" / "expected.json").read_text(encoding="utf-8"))
    everything = "\n".join(repair(file.read_text(encoding="utf-8")) for file in (shared_data / "seeds").glob("*.txt"))
    for article in expected["articles"]:
        for posting in article["postings"]:
            assert posting["title"] in everything


pieces = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from([*GENUINE.values()]),
        st.sampled_from(["ยท", "Β·", "๐Ÿ‘€", "\x96", "\u200d"]),
    )
)


@given(pieces.map("".join), st.sampled_from(["", "cp874", "cp1253", "cp1252"]))
def test_repairing_twice_is_repairing_once(text: str, page: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    once = repair(broken(text, page) if page else text)
    assert repair(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in once)


@given(
    st.sampled_from(PAGES),
    st.lists(st.sampled_from(["Müller", "Straße", "–", "’", "€", "café", "hello", "20"]), min_size=2),
)
def test_western_words_survive_any_page(page: str, words: list[str]) -> None:
    text = "x " + " ".join(words)
    assert repair(broken(text, page)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("", None, id="empty"),
        pytest.param(" \u200b\n", None, id="only invisible"),
        pytest.param("R&amp;D", "R&D", id="escaped"),
        pytest.param("R&amp;amp;D &nbsp; team", "R&D team", id="escaped twice"),
        pytest.param("AT&T &copy", "AT&T &copy", id="no entity"),
        pytest.param("caf&eacute; &#8211; bar", "café – bar", id="named and numbered"),
        pytest.param("a\n b\t c", "a b c", id="white space"),
    ],
)
def test_one_line(text: str | None, expected: str | None) -> None:
    assert one_line(text) == expected


E, P = "[e-mail removed]", "[phone removed]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Write to jane.doe+jobs@mail.example.co.uk.", f"Write to {E}.", id="e-mail"),
        pytest.param(
            '<a href="mailto:jo@x.example?subject=Job">jo@x.example</a>', f'<a href="{E}">{E}</a>', id="mailto"
        ),
        pytest.param("jane (at) example (dot) com", E, id="e-mail in words"),
        pytest.param("jane [at] example.com", E, id="e-mail half in words"),
        pytest.param("jane&#64;example.com", E, id="e-mail as entity"),
        pytest.param("Call +49 (0) 30 1234567 today", f"Call {P} today", id="country code"),
        pytest.param("0044 20 7946 0958", P, id="country code with zeros"),
        pytest.param('<a href="tel:+1-415-555-0100">', f'<a href="{P}">', id="tel link"),
        pytest.param("(415) 555-0100 or 415.555.0101", f"{P} or {P}", id="north america"),
        pytest.param("020 7946 0958", P, id="united kingdom"),
        pytest.param("01 23 45 67 89", P, id="france"),
        pytest.param("Tel.: 030/12345678", f"Tel.: {P}", id="germany, labelled"),
        pytest.param("Phone: 4155550100", f"Phone: {P}", id="labelled row of digits"),
        pytest.param("WhatsApp 98765 43210", f"WhatsApp {P}", id="india, labelled"),
        pytest.param("電話：03-1234-5678", f"電話：{P}", id="japan"),
        pytest.param("+48 600 700 800, +48 600 700 801", f"{P}, {P}", id="two"),
    ],
)
def test_personal_data_goes(text: str, expected: str) -> None:
    assert without_personal_data(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "USD 120,000 - 150,000",
        "120 000 - 150 000 PLN",
        "€50.000 - €60.000",
        "$0 - $2,000,000",
        "+10 000 000 JPY",
        "15,000,000 - 20,000,000 IDR",
        "7 000 - 9 000 zł",
        "60000-90000",
        "R-0012345678",
        "req 0712345678",
        "Job ID: 415-555-0100",
        "01.02.2024 - 03.04.2024",
        "2024-01-15 10:00",
        "2020-2024",
        "call 24/7",
        "401(k), 30 days",
        "IBAN DE00 0000 0000 0000 0000 00",
        "192.168.100.200",
        "@team at example",
        "phone allowance 50 000",
        "1111111K - 1111111K",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert without_personal_data(text) == text


@given(st.text(alphabet=st.sampled_from(list("0123456789 +-()./@aT,$€k:\n")), max_size=60))
def test_removing_twice_is_removing_once(text: str) -> None:
    once = without_personal_data(text)
    assert without_personal_data(once) == once


@given(
    st.integers(1_000, 99_999_999),
    st.integers(1_000, 99_999_999),
    st.sampled_from([",", ".", " ", "'"]),
    st.sampled_from(["$", "€", "USD "]),
)
def test_no_amount_is_taken_for_a_telephone(low: int, high: int, mark: str, sign: str) -> None:
    text = f"{sign}{low:,} - {sign}{high:,} a year".replace(",", mark)
    assert without_personal_data(text) == text
