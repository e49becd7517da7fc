"""The clean title: what an employer calls the job, without pay, place, numbers and noise around it.

Rank words stay ("Senior"), and so does every word that may belong to the job; a piece of a title is dropped only when
all of it is recognised as something else.
"""

import html
import re
from functools import cache, lru_cache
from pathlib import Path

from aggregator.normalise.title_tokens import fold

VOCABULARY = Path(__file__).resolve().parent.parent / "vocabulary" / "titles"
MAX_LENGTH = 400
"""Characters of a title that are read; the rest of a longer text is no title."""

_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0f\ufffc\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_PICTURES = re.compile(
    r"[\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff\U000e0000-\U000e007f★☆✨]+|(?<!\w)[*~=_^]{1,}|[*~=_^]{2,}"
)
_NUMBER_TAIL = r"\d[\d.,'’ \u00a0\u202f]*\s?(?:[kKmM]\b)?"
_CURRENCY = (
    r"(?:(?:US|CA|AU|NZ|A|C|S|R)?[$£€¥₹]|Â£|â‚¬|\b(?:USD|EUR|GBP|CHF|CAD|AUD|INR|PLN|SEK|NOK|DKK|BRL|SGD|ZAR)\b)"
)
_PERIOD = (
    r"(?:\s?\+|\s*(?:/|\bper\b|\ban?\b|\bp\.?\s?|\bje\b|\bpro\b|\bpar\b|\bpor\b)\s*"
    r"(?:hours?|hrs?|h|days?|d|weeks?|wks?|wk|months?|mo|m|ann?um|years?|yrs?|yr|a|pa|stunde|heure|hora|jahr|an|mois|monat)\b\.?"
    r"|\s*(?:hourly|weekly|daily|monthly|yearly|annually|p\.?a\.?|ph|pd)\b\.?)*"
)
_PAY = re.compile(
    rf"""
    (?:\b(?:up\s?to|upto|from|earn(?:ing)?|salary|pay(?:ing)?|ote|starting\ at|starts\ at|between|c\.|circa|bis\ zu|ab)\b[\s:]*)*
    (?:{_CURRENCY}\s?{_NUMBER_TAIL}|\b\d[\d.,]*\s?[kK]?\s?{_CURRENCY})
    {_PERIOD}
    (?:\s*(?:-|–|—|to|and|/|\+)\s*(?:{_CURRENCY})?\s?{_NUMBER_TAIL}\s?(?:{_CURRENCY})?{_PERIOD})*
    (?:\s*(?:\+\s*)?\b(?:ote|doe|basic|base|bonus|benefits|commission|package|sign[\s-]on(?:\ bonus)?)\b)*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"""
      [\[(]\s*(?:job|req(?:uisition)?|ref(?:erence)?|id|jr|position|posting|r)?[\s.:#_-]*(?:id|ref|no|number|code)?[\s.:#-]*[A-Z]{0,4}-?\d[\w./-]{1,}\s*[\])]  # [Job-123], (2184), (R-0012)
    | \b(?:job|req(?:uisition)?|ref(?:erence)?|vacancy|posting|position|announcement)\s*(?:id|ref|no|number|code|nr)?\s*[.:#-]*\s*\#?(?=[A-Z-]*\d)[A-Z]{0,4}[\d][\w.-]*  # Job Id: J0123
    | \b(?:job|req|requisition|ref)\s*(?:id|ref|no|number|code)?\s*[.:#]+\s*(?=\w*\d)[\w.-]+     # Ref: ab12x
    | \#\s?[A-Z]{0,3}-?\d[\w-]*                                                                # #24-170
    | \b(?:JR|REQ|R|ID|JOB|RITM|VN)[-_]?\d{4,}[\w-]*                                            # JR-00123
    | (?:(?<=\s-\s)|(?<=\s–\s)|(?<=^))\d{4,}(?=\s*(?:$|-\s|–\s))                                # - 11470
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PERCENT = re.compile(
    r"(?:\b\d{1,3}\s?(?:-|–|bis|à)\s?)?\b\d{1,3}\s?%(?:\s*(?:remote|home\s?office|pensum|fte))?", re.IGNORECASE
)
_GENDER = re.compile(
    r"""
      [\[(]\s*(?:all\ genders?|any\ gender|gn|m/?w/?gn|mensch|alle\ geschlechter|human|divers)\s*[\])]
    | [\[(]\s*[mwfdxhnkiav](?:\s?[/|,.*&;-]\s?(?:[mwfdxhnkiav]|gn|nb|div|divers|non[\s-]?binary|tous)\.?){1,4}\s*[\])]  # (m/w/d)
    | (?<![\w/])(?:[mwfdxhk]/){1,3}(?:[mwfdxhk]|nb|divers)(?![\w/])                                            # m/f/d bare
    | (?<![\w/])[mfh]/[fmh]/nb(?![\w/])
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Both genders in one word: Entwickler:in, Desenvolvedor(a), Développeur.euse, Chargé(e), specjalista/-tka
_INCLUSIVE = re.compile(
    r"(?<=[a-zà-ÿąćęłńóśźż]{3})(?:[:*_·•]|/-?)(?:in|innen|r|e|frau)\b"
    r"|(?<=[a-zà-ÿ]{3})\((?:in|innen|a|e|as|os|es|ne|euse|trice|rice|o|m|f|ora|ère|ka|tka|er|frau|x)\)"
    r"|(?<=[a-zà-ÿ]{2})[.·•/⋅-]-?(?:euse|trice|rice|ère|ne|se|tka|ka|a|ora|esse)s?(?![\w+#])"
)
_PAREN = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_PIECES = re.compile(r"(\s+[-–—]+\s*|[-–—]+\s+|\s*[,|;•·@]+\s*|\s+/+\s+|\s*[|!]+\s*|\s*:\s+)")
_EDGES = " \t\n\r-–—,|;:•·@/\\!.*&+_"
_REMOTE = (
    r"(?:(?:fully|100%|partially|partly|full|permanently|primarily|temporarily|or|and|/|-|&|the)\s*)*"
    r"(?:remote(?:ly)?(?:[\s-](?:first|only|work|working|position|role|job|friendly|ok|possible|available|eligible|opportunity|based))?"
    r"|hybrid(?:[\s-](?:remote|work|working|role))?|híbrid[oa]|hibrido|on[\s-]?site|in[\s-]office|work(?:ing)?[\s-](?:from|at)[\s-]home|wfh|home[\s-]?(?:office|based)"
    r"|telecommute|telework|t[ée]l[ée]travail|remoto|remota|zdalnie|praca zdalna|teletrabajo|mobiles arbeiten|thuiswerk(?:en)?|virtual)"
    r"(?:\s*(?:fully|/|or|and|&|-)?\s*(?:remote|hybrid|on[\s-]?site|in[\s-]office|possible|optional))*"
)
_LEADING_REMOTE = re.compile(
    rf"^{_REMOTE}[\s:,/-]+(?!sens|monitor|support|hands|pilot|operat|assist|engineer\b|event|care\b|reality|machine|teller|cfo|sales)(?=\w{{2}})",
    re.IGNORECASE,
)
_TRAILING_REMOTE = re.compile(rf"(?<=\w)[\s,/-]+{_REMOTE}$", re.IGNORECASE)
_NOISE = re.compile(
    rf"""^(?:
      {_REMOTE}(?:\s*(?:in|from|within|across|-|,|:|/|\()?\s*(?P<where>.{{0,60}}))?
    | (?:(?:1st|2nd|3rd|4th|first|second|third|day|night|evening|swing|weekend|graveyard|late|early|rotating|morning|afternoon|am|pm|\d{{1,2}}[\s-]?(?:hrs?|hours?))[\s-]?shifts?\b
        |\d{{1,2}}(?::\d\d)?\s?(?:am|pm|a|p)\s?-\s?\d{{1,2}}(?::\d\d)?\s?(?:am|pm|a|p)\b|\d{{1,2}}[\s-]?(?:hrs?|hours?)(?:\ (?:per|a)\ week)?\b|\d{{1,2}}[\s-]?months?(?:\s(?:contract|ftc|fixed\ term))?\b
        |(?:contract[\s-]to[\s-]hire|fixed[\s-]term(?:\ contract)?|(?:full|part)[\s-]?time|f/?t|p/?t|vollzeit|teilzeit|temps[\s-](?:plein|partiel)|tiempo\ completo|contract(?:or)?|temp(?:orary)?|permanent|perm|freelance|per[\s-]diem|prn|casual|seasonal|unbefristet|befristet|c2c|w2|1099|ftc|cdi|cdd|b2b|weekdays?|weekends?|days?|nights?|evenings?|mornings?|overnights?|rotating|shifts?|position|role|job|opportunity|hours?|schedule|flexible|flex|variable|or|and|to)\b
        |[\s&/,-])++
    | (?:urgent(?:ly)?|hiring|now|immediate(?:ly)?|start(?:er)?s?|apply|today|asap|new|needed|required|wanted|join\ (?:us|our\ team)|no\ experience.*|great\ .*|excellent\ .*|exciting\ .*|amazing\ .*|growing\ .*|leading\ .*|industry\ leading\ .*|fast[\s-]growing\ .*|competitive\ .*|flexible\ .*|up\ to|sign[\s-]?on\ bonus.*|\$?[\d,k]*\s*(?:sign[\s-]?on|signing)\s*bonus.*|bonus.*|benefits?.*|ote.*|visa\ sponsor.*|relocation.*|paid\ training.*|weekly\ pay.*|equal\ opportunity.*|multiple\ (?:roles|positions|locations|openings).*|several\ locations|various\ locations|all\ levels|easy\ apply|entry\ level\ ok|secret\ clearance.*|ts/sci.*|active\ .*clearance.*|clearance\ required.*|must\ .*|with\ benefits.*|\s)++
    | (?:location|place|standort|ort)\s*:.*
    | (?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?(?:\s*(?:-|–|to|/)\s*[a-z]{{3,9}}\.?)?\s*20\d\d(?:\s*start)?
    | (?:19|20)\d\d(?:\s?[-/–]\s?(?:20)?\d\d)?(?:\s*start)?
    | (?:start|starting|ab|from)\s.{{0,20}}20\d\d
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_SUSPICIOUS = re.compile(
    r"[^A-Za-z .&'+]|remote|hybrid|[Ff]ull|[Pp]art|shift|[Hh]ome|[Uu]rgent|[Hh]iring|[Oo]n[Ss]ite", re.IGNORECASE
)


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


_PLACE_WORDS = re.compile(r"[^\s,/.&-]+")
_BESIDE_PLACES = frozenset(
    "and or the in near of area region metro greater north south east west northern southern eastern western central se sw ne nw office based anywhere within"
    " city county downtown state remote hybrid onsite only us".split()
)


@lru_cache(maxsize=1 << 14)
def _is_noise(piece: str) -> bool:
    """True where a piece holds only a place, a way of working, hours, a number or marketing."""
    piece = piece.strip(_EDGES + "()[]{}#")
    if not piece:
        return True
    match = _NOISE.match(piece)
    if match is not None:
        where = match["where"]
        return not where or len(where.split()) <= 1 or _is_place(where)
    return _is_place(piece)


def _without_brackets(text: str) -> str:
    """Text without brackets that hold only noise; other brackets stay."""

    def decide(match: re.Match[str]) -> str:
        return " " if _is_noise(match[1]) else match[0]

    return _PAREN.sub(decide, text)


def _without_pieces(text: str) -> str:
    """Text without the pieces between dashes, commas and bars that are only noise; the first telling piece stays."""
    parts = _PIECES.split(text)
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


# A feed that lost its spaces: "AnalistadeSuportePleno", "EngenheirodeDados".
_STUCK = re.compile(
    r"\b(?=(?:anal|eng|geren|desenv|coord|l[íi]der|arquit|t[ée]cn|assist|consult|espec|program|admin|superv|gestor|cient|diretor|auxil|estag))"
    r"\w{4,}?(?:de|da|do|das|dos|em)[A-ZÀ-Þ]\w+",
    re.IGNORECASE,
)
_STUCK_OF = re.compile(r"(?<=[a-zà-ÿ\ufffd])(de|da|do|das|dos|em)(?=[A-ZÀ-Þ])")
_STUCK_WORD = re.compile(r"(?<=[a-zà-ÿ\ufffd])(?=[A-ZÀ-Þ][a-zà-ÿ])")


def _unstuck(match: re.Match[str]) -> str:
    spaced = _STUCK_OF.sub(r" \1 ", match[0])
    return match[0] if spaced == match[0] else _STUCK_WORD.sub(" ", spaced)


def clean_title(text: str) -> str:
    """The title without pay, place, remote words, requisition numbers, gender marks, percentages, emojis, marketing, shift.

    Total, linear, and stable: cleaning twice is cleaning once. Never empty where the text has a word that is no noise.

    >>> clean_title("[Job-12345] Senior Data Engineer (m/f/d) - Remote, Berlin 🚀")
    'Senior Data Engineer'
    >>> clean_title("Store Manager - Tucson, AZ - $22/hr")
    'Store Manager'
    >>> clean_title("Lead Developer (AI)")
    'Lead Developer (AI)'
    """
    title = _SPACES.sub(" ", text[:MAX_LENGTH]).strip()
    for _ in range(4):
        again = _once(title)
        if again == title:
            break
        title = again
    return title


def _once(text: str) -> str:
    if "&" in text and ";" in text:
        text = html.unescape(html.unescape(text))
    title = text if text.isprintable() else _INVISIBLE.sub("", text)
    title = _STUCK.sub(_unstuck, title)
    if not _SUSPICIOUS.search(title):
        return title.strip(_EDGES) or title
    if not title.isascii() or _DECORATED.search(title):
        title = _PICTURES.sub(" ", title)
    if _HAS_DIGIT.search(title):
        title = _PERCENT.sub(" ", _NUMBERED.sub(" ", _PAY.sub(" ", title)))
    if _JOINED.search(title):
        title = _INCLUSIVE.sub("", _GENDER.sub(" ", title))
    if _BRACKETS.search(title):
        title = _without_brackets(title)
    title = _without_pieces(title).strip(_EDGES)
    if _REMOTE_HINT.search(title):
        title = _TRAILING_REMOTE.sub("", _LEADING_REMOTE.sub("", title))
    title = _tidied(title)
    return title or _SPACES.sub(" ", text).strip()


def _tidied(title: str) -> str:
    """One space between words and around a dash, none before a comma, no empty brackets, no sign at the ends."""
    title = _EMPTY.sub(" ", title)
    title = _LOOSE_DASH.sub(lambda m: f" {m[1] or m[2]} ", title)
    title = _SPACES.sub(" ", title).replace(" ,", ",").replace("( ", "(").replace(" )", ")")
    title = title.strip().lstrip(_FRONT_EDGES).rstrip(_BACK_EDGES)
    if title.count("(") == 1 and ")" not in title:
        title = title.replace("(", "- ").replace("- -", "-").strip(" -")
    return _SPACES.sub(" ", title).strip()


_FRONT_EDGES = _EDGES.replace(".", "") + ")]}"
_BACK_EDGES = _EDGES.replace("+", "") + "([{"
_HAS_DIGIT = re.compile(r"\d")
_DECORATED = re.compile(r"[*~=_^]")
_JOINED = re.compile(r"[:*_(\[/.·•⋅-]")
_BRACKETS = re.compile(r"[(\[{]")
_REMOTE_HINT = re.compile(r"remot|hybrid|h[íi]brid|site|office|home|wfh|tele|t[ée]l[ée]|zdaln|virtual|mobiles|thuis", re.IGNORECASE)
_EMPTY = re.compile(r"[(\[{][\s,;:/|.&+–—-]*[)\]}]")
_LOOSE_DASH = re.compile(r"(?<=[^\s\-–—])([-–—])\s+(?=\S)|(?<=\S)\s+([-–—])(?=[^\s\-–—])")
