"""The clean title: what an employer calls the job, without pay, place, numbers and noise around it.

Rank words stay ("Senior"), and so does every word that may belong to the job; a piece of a title is dropped only when
all of it is recognised as something else.
"""

import csv
import html
import re
from functools import cache, lru_cache
from pathlib import Path

from aggregator.normalise.title_noise import (
    EMPTY,
    GENDER,
    INCLUSIVE,
    INVISIBLE,
    LEADING_REMOTE,
    LOOSE_DASH,
    LOST,
    NOISE,
    NUMBERED,
    PAREN,
    PAY,
    PERCENT,
    PICTURES,
    PIECES,
    REMOTE_HINT,
    STUCK,
    STUCK_OF,
    STUCK_WORD,
    TRAILING_REMOTE,
)
from aggregator.normalise.title_tokens import canonical, fold, grammar
from aggregator.normalise.title_vocabulary import trie

VOCABULARY = Path(__file__).resolve().parent.parent / "vocabulary" / "titles"
MAX_LENGTH = 400
"""Characters of a title that are read; the rest of a longer text is no title."""

_EDGES = " \t\n\r-–—,|;:•·@/\\!.*&+_"
_FRONT_EDGES = _EDGES.replace(".", "") + ")]}"
_BACK_EDGES = _EDGES.replace("+", "") + "([{"
_MAY_BE_STUCK = re.compile("[eaosmr][A-ZÀ-Þ]")  # the last letter of "de", "da", "do", "dos", "em", "-or"
_HAS_DIGIT = re.compile(r"\d")
_DECORATED = re.compile(r"[*~=_^]")
_LETTERS = re.compile(r"[^\W\d_]{4,}")  # shorter ones are hours: "20 hr", "PT"
_VAGUE_HEADS = frozenset(("intern", "member", "lead"))  # "great opportunity for graduates", "join our team members"
_BRACKETS = re.compile(r"[(\[{]")
_BESIDE_PLACES = grammar("beside_places")
_PLACE_WORDS = re.compile(r"[^\s,/.&-]+")
# Whether a slower pattern can match at all: each begins with a set of signs, which is found fastest.
_MAY_BE_GENDER = re.compile(r"[(\[/]")
_MAY_BE_INCLUSIVE = re.compile(r"[:*_·•/(.⋅-](?<=\w.)(?=-?[a-zà-ÿ]|[AO])")
_MAY_SPLIT = re.compile(r"[-–—,|;•·@/!:](?:(?<=[,|;•·@!])|(?<=\s[-–—])|(?<=[-–—])(?=\s)|(?<=\s/)(?=/*\s)|(?<=:)(?=\s))")
_MAY_BE_LOOSE = re.compile(r"[-–—](?:(?<=[^\s–—-].)(?=\s)|(?<=\s.)(?=[^\s–—-]))")
_UNPLAIN = re.compile(r"[^A-Za-z .&'+]")
_SUSPICIOUS = re.compile("remote|hybrid|full|part|shift|home|urgent|hiring|onsite")


@cache
def _places() -> frozenset[str]:
    """Names and codes of places, folded, from places.txt."""
    text = (VOCABULARY / "places.txt").read_text(encoding="utf-8")
    return frozenset(fold(line.strip()) for line in text.splitlines() if line.strip() and not line.startswith("#"))


@cache
def _place_starts() -> frozenset[str]:
    return frozenset(name.split()[0] for name in _places()) | _BESIDE_PLACES


def _is_place(piece: str) -> bool:
    """True where every word of a piece belongs to a place name, a state code or a direction."""
    words = _PLACE_WORDS.findall(fold(piece))
    if not words or len(words) > 8 or not (words[0] in _place_starts() or words[0].isdigit()):
        return False
    places = _places()
    at = 0
    named = False
    while at < len(words):
        for size in (4, 3, 2, 1):
            if at + size <= len(words) and " ".join(words[at : at + size]) in places:
                named, at = True, at + size
                break
        else:
            if words[at] not in _BESIDE_PLACES and not words[at].isdigit():
                return False
            at += 1
    return named


def _names_job(piece: str) -> bool:
    """True where a word says who is wanted: "Remote Pharmacist", "Benefits Specialist"."""
    starts = trie().next
    for word in _LETTERS.findall(piece):
        node = starts.get(canonical(word)[-1])
        if node is not None and (node.title or (node.head and node.head not in _VAGUE_HEADS)):
            return True
    return False


@lru_cache(maxsize=1 << 14)
def _is_noise(piece: str) -> bool:
    """True where a piece holds only a place, a way of working, hours, a number or marketing."""
    piece = piece.strip(_EDGES + "()[]{}#")
    if not piece or (len(piece) >= 4 and piece.isdigit()):
        return True
    match = NOISE.match(piece)
    if match is not None:
        if _names_job(piece):
            return False
        where = match["where"]
        return not where or len(where.split()) <= 1 or _is_place(where)
    return _is_place(piece)


def _without_brackets(text: str) -> str:
    """Text without brackets that hold only noise; other brackets stay."""

    def decide(match: re.Match[str]) -> str:
        return " " if _is_noise(match[1]) else match[0]

    return PAREN.sub(decide, text)


def _without_pieces(text: str) -> str:
    """Text without the pieces between dashes, commas and bars that are only noise; the first telling piece stays."""
    if not _MAY_SPLIT.search(text):
        return text
    parts = PIECES.split(text)
    if len(parts) == 1:
        return text
    kept: list[str] = []
    pending = ""
    for at in range(0, len(parts), 2):
        piece = parts[at]
        if piece.strip() and not _is_noise(piece):
            kept.append((pending if kept else "") + piece)
        pending = parts[at + 1] if at + 1 < len(parts) else ""
    return "".join(kept) if kept else text


@cache
def _written_words() -> dict[int, list[str]]:
    """The folded words of words.csv and levels.csv by their length."""
    found: set[str] = set()
    for name, column in (("words.csv", "text"), ("levels.csv", "words")):
        with (VOCABULARY / name).open(encoding="utf-8", newline="") as file:
            found.update(word for row in csv.DictReader(file) for word in _LETTERS.findall(fold(row[column])))
    by_length: dict[int, list[str]] = {}
    for word in sorted(found):
        by_length.setdefault(len(word), []).append(word)
    return by_length


def _regained(match: re.Match[str]) -> str:
    """A word whose accented letters were lost, where one known word alone has that shape; else as it is."""
    shape = re.compile(re.escape(fold(match[0])).replace("\ufffd", "."))
    found = [word for word in _written_words().get(len(match[0]), ()) if shape.fullmatch(word)]
    if len(found) != 1:
        return match[0]
    return found[0].capitalize() if match[0][0].isupper() else found[0]


def _unstuck(match: re.Match[str]) -> str:
    return STUCK_WORD.sub(" ", STUCK_OF.sub(r" \1 ", match[0]))


def clean_title(text: str) -> str:
    """The title without pay, place, remote words, job numbers, gender marks, percentages, emojis, marketing, shift.

    Total, linear, and stable: cleaning twice is cleaning once. Never empty where the text has a word that is no noise.

    >>> clean_title("[Job-12345] Senior Data Engineer (m/f/d) - Remote, Berlin 🚀")
    'Senior Data Engineer'
    >>> clean_title("Store Manager - Tucson, AZ - $22/hr")
    'Store Manager'
    >>> clean_title("Lead Developer (AI)")
    'Lead Developer (AI)'
    """
    title = " ".join(text[:MAX_LENGTH].split())
    for _ in range(MAX_LENGTH):  # a pass takes something off or is the last
        again = _once(title)[:MAX_LENGTH].rstrip()
        if again == title:
            break
        title = again
    return title


def _once(text: str) -> str:
    if "&" in text and ";" in text:
        text = html.unescape(html.unescape(text))
    title = text if text.isprintable() else INVISIBLE.sub("", text)
    if _MAY_BE_STUCK.search(title):
        title = STUCK.sub(_unstuck, title)
    if "\ufffd" in title:
        title = LOST.sub(_regained, title)
    if not _UNPLAIN.search(title) and not _SUSPICIOUS.search(title.lower()):
        return title.lstrip(_FRONT_EDGES).rstrip(_BACK_EDGES) or title
    if not title.isascii() or _DECORATED.search(title):
        title = PICTURES.sub(" ", title)
    if _HAS_DIGIT.search(title):
        title = PERCENT.sub(" ", NUMBERED.sub(" ", PAY.sub(" ", title)))
    if _MAY_BE_GENDER.search(title):
        title = GENDER.sub(" ", title)
    if _MAY_BE_INCLUSIVE.search(title):
        title = INCLUSIVE.sub("", title)
    if _BRACKETS.search(title):
        title = _without_brackets(title)
    title = _without_pieces(title).lstrip(_FRONT_EDGES).rstrip(_BACK_EDGES)
    if REMOTE_HINT.search(title):
        title = TRAILING_REMOTE.sub("", LEADING_REMOTE.sub("", title))
    title = _tidied(title)
    return title or " ".join(text.split())


def _tidied(title: str) -> str:
    """One space between words and around a dash, none before a comma, no empty brackets, no sign at the ends."""
    if _BRACKETS.search(title):
        title = EMPTY.sub(" ", title)
    if _MAY_BE_LOOSE.search(title):
        title = LOOSE_DASH.sub(lambda m: f" {m[1] or m[2]} ", title)
    title = " ".join(title.split()).replace(" ,", ",").replace("( ", "(").replace(" )", ")")
    title = title.strip().lstrip(_FRONT_EDGES).rstrip(_BACK_EDGES)
    if title.count("(") == 1 and ")" not in title:
        title = title.replace("(", "- ").replace("- -", "-").strip(" -")
    return " ".join(title.split())
