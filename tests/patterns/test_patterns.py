"""Every regular expression of the program takes work in proportion to its text: counted, not timed.

A new pattern is found and swept without a line here. One that is built on first use needs an example in `examples.py`.
"""

from __future__ import annotations

import re

import pytest

from tests.patterns.collecting import Found, collect
from tests.patterns.steps import Steps
from tests.patterns.sweep import slow


@pytest.fixture(scope="module")
def collected() -> tuple[list[Found], list[str]]:
    return collect()


def test_every_pattern_is_found(collected: tuple[list[Found], list[str]]) -> None:
    found, unreached = collected
    assert not unreached, f"no example of tests/patterns/examples.py builds the patterns of {', '.join(unreached)}"
    named = {one.where.split(":")[0] for one in found}
    assert {"db/text.py", "db/mojibake.py", "scraper/pages/jsonld.py", "aggregator/plausibility.py"} <= named


def test_every_pattern_is_linear(collected: tuple[list[Found], list[str]]) -> None:
    hard = {one.where: found for one in collected[0] if (found := slow(one.source, one.flags, one.ways)) is not None}
    assert not hard, "\n".join(["patterns whose work outgrows their text:", *(f"{w}: {s}" for w, s in hard.items())])


SLOW = {
    "nested": (r"(?:a+)+\Z", "match"),
    "nested blanks": (r"(?:\s+|\s*<!\[CDATA\[\s*)+\{", "match"),
    "nested, lazy": (r"(?:\s*,?\s*)*?\{", "match"),
    "alternatives that overlap": (r"(?:a|a)*b", "match"),
    "alternatives of which one begins another": (r"(?:a|ab|b)*c", "match"),
    "inside a look-ahead": (r"x(?=(?:\w+\s?)+!)", "search"),
    "begins everywhere": (r"[ \t]+\n", "search"),
    "begins everywhere, lazy": (r"<.*?>", "search"),
    "begins everywhere, in words": (r"<a [^>]*href", "search"),
    "begins everywhere, up to a high bound": (r"<[^>]{0,2000}>", "search"),
    "beside each other": (r"\s*:?\s*x", "match"),
    "beside each other, far apart": (r"(.*)and(.*)!", "match"),
    "beside each other, behind a word": (r"from\s*~?\s*\d", "search"),
    "must reach the end": (r"-?[\d.,]*\d[\d.,]*\Z", "match"),
    "only as a whole": (r"\w+?\s*\w*", "fullmatch"),
    "bounds on bounds": (r"(?:(?:a{1,9}-?){1,9}b?){1,9}!", "match"),
    "without case": (r"(?i)(?:Kx|kx)+!", "match"),
    "bytes": (rb"(?:\s+|\xa0)*x", "match"),
    "repeats a group": (r"(a+)-\1+\Z|(?:a|aa)+!", "match"),
}


@pytest.mark.parametrize(("pattern", "way"), SLOW.values(), ids=SLOW)
def test_a_slow_pattern_is_found_with_a_text_that_shows_it(pattern: str | bytes, way: str) -> None:
    found = slow(pattern, 0, (way,))
    assert found is not None
    assert "n =" in str(found)


LINEAR = {
    "possessive": (r"\s*+:?+\s*+x", "match"),
    "atomic": (r"(?>a+)+!", "match"),
    "begins where a run begins": (r"(?<!\s)\s+x", "search"),
    "begins where a run begins, after its first sign": (r"[ \t](?<![ \t][ \t])[ \t]*\n", "search"),
    "parts that exclude each other": (r"[^<>]*<[^<>]*>", "match"),
    "words": (r"\w+(?:['’]\w+)*", "search"),
    "string": (r'"(?:[^"\\]|\\.)*"', "match"),
    "low bound": (r"<[^>]{0,60}>", "search"),
    "cannot fail": (r".*", "search"),
}


@pytest.mark.parametrize(("pattern", "way"), LINEAR.values(), ids=LINEAR)
def test_a_linear_pattern_is_left_alone(pattern: str, way: str) -> None:
    assert slow(pattern, re.DOTALL, (way,)) is None


TEXTS = (
    "",
    "aab",
    "ab ab",
    "a1-a1",
    "  x\n",
    "<a <b>>",
    'say "a\\"b" "c',
    "ÄÖ äö ß",
    "Kk K",
    "aXbXc",
    "12,345.67",
    "\n\n",
)
PATTERNS = (
    r"a*b", r"(a|ab)(c|bc)?", r"(\w)(\d)-\1\2", r"a+?b??", r"(?:ab? ?)+", r"(?:ab? ?){2,3}?", r"\b\w", r"(?<=a)b",
    r"(?=a)\w+(?! )", r"^\s*|\s*$", r"(?m)^", r"[^a-c]+", r".", r"(?s).+", r"(?i)k+", r"(?i:Ä)ö",
    r"\d{1,3}(?:,\d{3})*+", r"(?>a*)ab", r"(?<!a)b",
    r'"(?:[^"\\]|\\.)*"', r"(?:)", r"(?:|a)+", r"x*", r"a*?", r"(a)?b", r"<[^<>]*>", r"\W{2,}",
    r"(?a:ß|\w)+", r"(?:a*)*b",
)  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_counting_matcher_matches_as_re_does(pattern: str) -> None:
    compiled, counting = re.compile(pattern), Steps(pattern)
    for text in TEXTS:
        assert counting.spans(text) == [found.span() for found in compiled.finditer(text)], text
        for way, found in (("match", compiled.match(text)), ("fullmatch", compiled.fullmatch(text))):
            assert counting.spans(text, way) == ([found.span()] if found else []), (way, text)
