"""Words of a title: tokens in canonical English spelling, cut into segments.

A title is read as a row of segments ("Software Engineer", "Platform", "Berlin"), the first being the most telling.
Words of other languages are replaced by English ones from `vocabulary/titles/words.csv`, so that the rules for
roles are written once. Every function is pure and linear in the length of its text.
"""

import csv
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "vocabulary" / "titles"


@cache
def _grammar() -> dict[str, frozenset[str]]:
    data = tomllib.loads((FOLDER / "grammar.toml").read_text(encoding="utf-8"))
    return {name: frozenset(str(words).split()) for name, words in data.items()}


def grammar(name: str) -> frozenset[str]:
    """A set of small words of grammar.toml by its name."""
    return _grammar()[name]


OF = grammar("of")
ROMANCE_OF = grammar("romance_of")
APART = grammar("apart")
USING = grammar("using")
WITH = "with"
"""First token of a segment behind one of USING."""
AND = grammar("and")
ARTICLES = grammar("articles")
_STEERING = OF | APART | USING | ARTICLES | {WITH}

_BRACKET = re.compile(r"([(\[{)\]}])")
# Every separator is one sign and what stands around it: a pattern that begins with a set of signs is found fastest.
_SEPARATORS = re.compile(
    r"""[-–—−‒―|,;:•·@.>](?:
        (?<=[–—―|,;:•·@])                   # always
      | (?<=\s[-−‒]) | (?<=[-−‒])(?=\s)     # a hyphen with a space beside it
      | (?<=\sI-)(?=\w{3}) | (?<=\sII-)(?=\w{3}) | (?<=\sIII-)(?=\w{3})   # Case Manager II-Therapist
      | (?<=\.)(?=\s+\w{3}) | (?<=\s\.)(?=\s)
      | (?<=->) | (?<=>>)
    )""",
    re.VERBOSE,
)
_APOSTROPHE = re.compile(r"(?<=\b[dlDL])['’]")  # l'informatique, d'affaires
_TOKEN = re.compile(r"[^\W_]+(?:['’&.][^\W_]+)*[+#]*|[/&+]")
_FOLD = str.maketrans({"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "đ": "d", "’": "'", "ı": "i"})


def fold(text: str) -> str:
    """Lower case without accents.

    >>> fold("Ingénieur Qualité"), fold("Główny Księgowy")
    ('ingenieur qualite', 'glowny ksiegowy')
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.translate(_FOLD))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


@cache
def _words() -> tuple[dict[str, tuple[str, ...]], dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]]:
    """Single words and phrases of words.csv with their English tokens; phrases by first word, longest first."""
    single: dict[str, tuple[str, ...]] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    with (FOLDER / "words.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            english = tuple(row["english"].split())
            source = tuple(fold(row["text"]).replace("-", " ").split())
            if len(source) == 1:
                single[source[0]] = english
            else:
                phrases.setdefault(source[0], []).append((source[1:], english))
    for rest in phrases.values():
        rest.sort(key=lambda pair: -len(pair[0]))
    return single, phrases


@cache
def _endings() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Heads at the end of German and Dutch compounds ("-entwickler"), longest first."""
    with (FOLDER / "compound_heads.csv").open(encoding="utf-8", newline="") as file:
        rows = [(fold(row["ending"]), tuple(row["english"].split())) for row in csv.DictReader(file)]
    return tuple(sorted(rows, key=lambda row: -len(row[0])))


@cache
def _known() -> frozenset[str]:
    from aggregator.normalise.title_vocabulary import known_words

    return known_words()


def _compound(word: str) -> tuple[str, ...] | None:
    """English tokens of a German or Dutch compound, None where no known head ends it."""
    single, _ = _words()
    for ending, english in _endings():
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: -len(ending)]
            for first in (stem, stem[:-1], stem[:-2]):
                if first in single:
                    return single[first] + english
                if first in _known():
                    return (first, *english)
            return (stem, *english)
    return None


# The other words for "and" are too short to be one for sure ("e", "i", "o").
_PLAIN_AND = frozenset(("&", "+", "und", "et", "y", "oraz"))


@lru_cache(maxsize=1 << 16)
def canonical(token: str) -> tuple[str, ...]:
    """English canonical tokens of one token as written.

    >>> canonical("Engineers"), canonical("Node.js"), canonical("R&D"), canonical("Softwareentwicklerin")
    (('engineer',), ('node', 'js'), ('rd',), ('software', 'developer'))
    """
    word = fold(token)
    if word in _PLAIN_AND:
        return ("and",)
    single, _ = _words()
    known = _known()
    if word in single:
        return single[word]
    if word in known:
        return (word,)
    if not word.isalnum():
        return _punctuated(word)
    if word.endswith("s") and len(word) > 3:
        for shorter in (word[:-1], word[:-2], word[:-3] + "y" if word.endswith("ies") else word):
            if shorter in single:
                return single[shorter]
            if shorter in known:
                return (shorter,)
    for ending in ("innen", "in"):
        if word.endswith(ending) and len(word) > len(ending) + 4:
            shorter = word[: -len(ending)]
            if shorter in single:
                return single[shorter]
            if (parts := _compound(shorter)) is not None:
                return parts
    if len(word) > 7 and (parts := _compound(word)) is not None:
        return parts
    return (word,)


def _punctuated(word: str) -> tuple[str, ...]:
    """Tokens of a word with signs inside: "r&d" -> rd, "node.js" -> node js, "l'it" -> l it."""
    if "&" in word and len(word) > 1:
        left, _, right = word.partition("&")
        if len(left) <= 3 and len(right) <= 3:
            return canonical(left + right)
        return (*canonical(left), "and", *canonical(right))
    if word.endswith("n't"):
        return (word,)  # "don't" is no DON
    for sign in ".'":
        if sign in word:
            return tuple(t for part in word.split(sign) if part for t in canonical(part))
    return (word,)


def tokens_of(text: str) -> list[str]:
    """Canonical tokens of one segment; "/" and "and" are kept as signs. Phrases of words.csv go before single words.

    >>> tokens_of("UX/UI Designers"), tokens_of("Ingénieur R&D"), tokens_of("Chef de projet")
    (['ux', '/', 'ui', 'designer'], ['engineer', 'rd'], ['project', 'manager'])
    """
    text = fold(text)
    written = _TOKEN.findall(_APOSTROPHE.sub(" ", text) if "'" in text else text)
    _, phrases = _words()
    out: list[str] = []
    at, end = 0, len(written)
    while at < end:
        word = written[at]
        if word in phrases:
            for rest, english in phrases[word]:
                stop = at + 1 + len(rest)
                if stop <= end and _is_phrase(written[at + 1 : stop], rest):
                    out += english
                    at = stop
                    break
            else:
                out += canonical(word)
                at += 1
        else:
            out += canonical(word)
            at += 1
    return out


def _is_phrase(words: list[str], rest: tuple[str, ...]) -> bool:
    """True where words are the rest of a phrase, its last word perhaps in the plural."""
    return words[-1].startswith(rest[-1]) and words[:-1] == list(rest[:-1]) and words[-1] in (rest[-1], rest[-1] + "s")


def turned(tokens: Sequence[str], field_end: Callable[[Sequence[str]], int] | None = None) -> list[list[str]]:
    """Segments of a row of tokens: "X of Y" becomes "Y X", "X for Y" becomes two segments.

    In Romance languages what qualifies the job stands behind its field: "Engenheiro de Dados AWS" is a data engineer.
    `field_end` says where the field ends in such a row; the rest becomes a segment of its own.

    >>> turned(["director", "of", "sales"]), turned(["intern", "for", "marketing"])
    ([['sales', 'director']], [['intern'], ['marketing']])
    >>> turned(["engineer", "de", "data", "aws"], lambda field: 1)
    [['data', 'engineer'], ['aws']]
    """
    if _STEERING.isdisjoint(tokens):
        return [list(tokens)] if tokens else []
    segments: list[list[str]] = [[]]
    parts: list[list[str]] = [[]]
    romance = False

    def close() -> None:
        behind: list[str] = []
        if romance and field_end and len(parts) > 1 and (stop := field_end(parts[-1])):
            parts[-1], behind = parts[-1][:stop], parts[-1][stop:]
        segments[-1] = [token for part in reversed(parts) for token in part]
        if WITH in segments[-1]:
            segments[-1].remove(WITH)
            segments[-1].insert(0, WITH)
        if behind:
            segments.append(behind)

    for token in tokens:
        if token in OF:
            romance = token in ROMANCE_OF
            parts.append([])
        elif token in APART:
            close()
            segments.append([])
            parts = [[]]
        elif token in USING:
            close()
            segments.append([WITH])
            parts = [[WITH]]
        elif token not in ARTICLES:
            parts[-1].append(token)
    close()
    return [segment for segment in segments if segment and segment != [WITH]]


def split_brackets(text: str) -> tuple[str, list[str]]:
    """Text outside round, square and curly brackets, and what stands in them; unbalanced ones read to the end.

    >>> split_brackets("Machine Learning (ML) Engineer [Remote]")
    ('Machine Learning   Engineer  ', ['ML', 'Remote'])
    """
    pieces = _BRACKET.split(text)
    if len(pieces) == 1:
        return text, []
    outside: list[str] = []
    inside: list[str] = []
    depth = 0
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            (inside if depth else outside).append(piece)
        else:
            depth = depth + 1 if piece in "([{" else max(0, depth - 1)
    return " ".join(outside), [part for part in inside if part.strip()]


def segments_of(text: str, field_end: Callable[[Sequence[str]], int] | None = None) -> list[list[str]]:
    """All segments of a title in order of weight: those outside brackets, then those inside; `field_end`: see `turned`.

    >>> segments_of("Director of Sales - Retail (EMEA)")
    [['sales', 'director'], ['retail'], ['emea']]
    """
    outside, inside = split_brackets(text)
    parts = (part for part in _pieces([outside, *inside]) if part.strip())
    return [segment for part in parts for segment in turned(tokens_of(part), field_end)]


def _pieces(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield from _SEPARATORS.split(text)
