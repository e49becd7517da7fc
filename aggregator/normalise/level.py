"""Level (rank) of a job, from its title or from a board's own level field, with the words that say so.

Only evidence counts: a title without a rank word has no level. Words are matched whole ("Internal Auditor" is no intern) and in their place
("Lead Generation", "Senior Living", "Staff Nurse" and "Office of the Chief" are no ranks). The words stand in
`vocabulary/titles/levels.csv`; a mark such as `?staff` there names a rule below that looks at the neighbours.
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from aggregator.normalise.title_tokens import FOLDER, fold, split_brackets

LEVELS = ("internship", "entry", "mid", "senior", "lead", "manager", "director", "executive")
_RANK = {level: rank for rank, level in enumerate(LEVELS)}

_SPLIT = re.compile(r"\s+[-–—]+\s*|[-–—]+\s+|[–—|,;:•·@]+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*[+#]*|/")
_ROMAN = {"I": "entry", "II": "mid", "III": "senior", "IV": "lead", "V": "lead", "VI": "lead"}
_DIGIT = {"1": "entry", "2": "mid", "3": "senior", "4": "lead", "5": "lead", "6": "lead", "7": "lead"}
# Before a number these make it the number of a phase or class, not of a rank.
_NOT_COUNTED = frozenset(
    "phase tier type title part class category series version zone trauma stage year grade band shift line area region group team unit key"
    " chapter schedule war act world section route district gate generation gen wave room floor building plant site lot".split()
)
_HEADS = frozenset(
    "engineer developer analyst scientist consultant designer architect programmer researcher specialist administrator technician assistant recruiter"
    " coordinator accountant auditor representative associate officer writer editor producer trader advisor adviser secretary strategist nurse clerk"
    " tester planner buyer underwriter controller operator attorney counsel modeler advocate evangelist statistician economist sre dba therapist"
    " pharmacist teacher driver worker chef paralegal agent partner actuary estimator inspector biologist chemist entwickler ingenieur berater"
    " developpeur analista desenvolvedor ingeniero desarrollador inzynier specjalista quant manager".split()
)
_STAFF_HEADS = frozenset(
    "engineer engineering developer scientist designer architect programmer researcher sre swe analyst advocate manager writer devops technologist"
    " software data product machine technical research applied backend frontend ios android security".split()
)
_NO_STAFF = frozenset(
    "nurse accountant assistant attorney pharmacist physician development support therapist auditor chaplain sergeant".split()
)
_ASSOCIATE_HEADS = frozenset(
    "engineer developer analyst scientist consultant designer architect programmer researcher statistician modeler sre actuary".split()
)
_ASSOCIATE_OTHER = frozenset(
    "professor director principal dean partner attorney counsel dentist veterinarian vice editor producer creative pastor broker".split()
)
# "Product Manager" is an occupation: the manager of it manages no people by its name.
_MANAGER_ROLES = frozenset(
    "product project projects program programme programs account accounts community case care office property success client clients partner partners partnership partnerships"
    " alliance alliances relationship relationships territory portfolio fund stage engagement bid bids proposal proposals release change wealth asset".split()
)
_MANAGER_PAIRS = frozenset(
    (
        ("business", "development"),
        ("social", "media"),
        ("product", "marketing"),
        ("asset", "management"),
        ("development", "real"),
        ("client", "solutions"),
        ("customer", "solutions"),
    )
)
_OF = frozenset("of de du des do da di del von for fur para pour der".split())
_INCIDENTAL = frozenset("to for of the under with by by's s supporting reporting support der du des del della".split())
_ON_BOARD = frozenset(
    "assistant secretary office recruiter search community communications suite pa ea liaison aide".split()
)
_SCHOOL = frozenset(
    "school academy elementary primary secondary kindergarten college nursery assistant vice deputy high campus district education career schools grade".split()
)
_SCHOOLS = frozenset("school academy elementary kindergarten".split())
_GRADUATE_OF = frozenset(
    "assistant school admissions medical recruiter recruitment recruiting research teaching studies faculty education assistantship student students fellow fellowship"
    " advisor enrollment adviser placement outcomes division college nursing".split()
)
_BANK_WORDS = frozenset(
    "bank banking banker credit lending loan loans mortgage wealth trading trader equity equities fixed derivatives treasury underwriter underwriting aml kyc"
    " markets audit auditor compliance risk investment investments securities securitized custody fiduciary trust quant quantitative fx rates hedge fund funds structuring"
    " syndicated syndications actuarial portfolio private".split()
)
_BANK_NAMES = re.compile(
    r"\b(?:bank|banco|banca|banque|bancorp|bankers?|citi|citigroup|jp ?morgan\w*|j\.p\. morgan|goldman|morgan stanley|barclays|hsbc|ubs|credit suisse|deutsche bank"
    r"|wells fargo|bny|bny mellon|state street|blackrock|nomura|bnp|societe generale|capital one|santander|mufg|mizuho|rbc|scotiabank|bmo|cibc|jefferies|lazard|evercore"
    r"|macquarie|standard chartered|northern trust|pnc|truist|fifth third|keybank|credit union|natixis|ing|rabobank|unicredit|intesa|commerzbank|lloyds|natwest|rothschild"
    r"|moelis|houlihan|piper sandler|raymond james|stifel|cowen|smbc|dbs|ocbc|capital markets|brown brothers|ameriprise|synchrony|financial group|bancshares|savings)\b"
)


@dataclass(frozen=True, slots=True)
class Level:
    """One of LEVELS or None, and the words of the title that say so."""

    level: str | None
    evidence: str | None = None


class _Word(NamedTuple):
    folded: str
    written: str


class _Found(NamedTuple):
    level: str
    words: str
    last: bool


_Segment = Sequence[_Word]
_Phrases = dict[str, list[tuple[tuple[str, ...], str]]]


@cache
def _phrases() -> _Phrases:
    """(rest of phrase, level or mark) by first word of the phrase, longest first."""
    table: _Phrases = {}
    with (FOLDER / "levels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for phrase in row["words"].split("|"):
                first, *rest = fold(phrase).replace("-", " ").split()
                table.setdefault(first, []).append((tuple(rest), row["level"]))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


def _segments(title: str) -> list[list[_Word]]:
    outside, inside = split_brackets(title)
    found = []
    for text in (outside, *inside):
        for piece in _SPLIT.split(text):
            words = [_Word(fold(w).replace("’", "'"), w) for w in _WORD.findall(piece)]
            if words:
                found.append(words)
    return found


def _after(segment: _Segment, at: int) -> str:
    return segment[at].folded if at < len(segment) else ""


def _staff(segment: _Segment, start: int, stop: int) -> str:
    """Staff Engineer is a rank, Staff Nurse and Support Staff are not."""
    following = [w.folded for w in segment[stop:]]
    if following and (following[0] in _NO_STAFF or following[-1] in _NO_STAFF):
        return ""
    if any(w in _STAFF_HEADS for w in following):
        return "lead"
    before = _after(segment, start - 1) if start else ""
    alone = not following or following[0] in ("level", "/", "or", "ii")
    return "lead" if alone and before in ("", "or", "/", "senior", "and", "sr") else ""


def _principal(segment: _Segment, start: int, stop: int) -> str:
    words = {w.folded for w in segment}
    if words & _SCHOOL or _after(segment, stop) == "investigator":
        return ""
    return "lead"


def _associate(segment: _Segment, start: int, stop: int) -> str:
    """In front of an engineer, analyst and the like it is the first rank; elsewhere it is an occupation."""
    following = [w.folded for w in segment[stop:]]
    if not following or any(w in _ASSOCIATE_OTHER for w in following):
        return ""
    if start and segment[start - 1].folded not in ("/", "senior", "sr"):
        return ""
    for at, word in enumerate(following):
        if word in ("/", "and", "of", "for", "in", "to"):
            return ""
        if word in _ASSOCIATE_HEADS:
            return "entry"
        if word == "manager":
            return "entry" if at and following[at - 1] in ("product", "project", "program") else ""
    return ""


def _graduate(segment: _Segment, start: int, stop: int) -> str:
    return "" if _after(segment, stop) in _GRADUATE_OF else "entry"


def _mid(segment: _Segment, start: int, stop: int) -> str:
    return (
        "mid"
        if start == 0 or segment[start - 1].folded in ("/", "or", "to", "and", "junior") or stop == len(segment)
        else ""
    )


def _regular(segment: _Segment, start: int, stop: int) -> str:
    """Polish boards call the middle rank regular; `Regular Full Time` is none."""
    following = [w.folded for w in segment[stop:]]
    beside = segment[start - 1].folded if start else ""
    named = bool(following) and following[-1] in _HEADS and following[0] not in ("full", "part", "time", "business")
    return "mid" if beside in ("/", "or") or _after(segment, stop) == "/" or (start == 0 and named) else ""


def _stage(segment: _Segment, start: int, stop: int) -> str:
    """French and Italian for internship where it opens the title; `Stage Manager` and `Key Stage 2` are none."""
    following = _after(segment, stop)
    if start or following in (
        "manager", "hand", "hands", "technician", "director", "lighting", "crew", "carpenter", "door", "producer", "gate", "designer", "two", "1", "2", "3", "4",
    ):  # fmt: skip
        return ""
    return "internship"


def _manager(segment: _Segment, start: int, stop: int) -> str:
    if start and _occupation_before(segment, start):
        return ""
    return "" if _overruled(segment, start, stop) else "manager"


def _occupation_before(segment: _Segment, start: int) -> bool:
    before = [w.folded for w in segment[max(0, start - 3) : start] if w.folded not in ("and", "&")]
    if before[-1] in _MANAGER_ROLES:
        return True
    return tuple(before[-2:]) in _MANAGER_PAIRS or tuple(before[:2]) in _MANAGER_PAIRS


def _overruled(segment: _Segment, start: int, stop: int) -> bool:
    """True where a boss word serves another occupation: "CEO Assistant", "assistant to the Director", "VP Software Engineer"."""
    if start and segment[start - 1].folded in _INCIDENTAL:
        return True
    for at in range(stop, len(segment)):
        word = segment[at].folded
        if word in _OF or word == "/" or word == "and":
            return False
        if (word in _HEADS and word != "manager" and word != "partner") or word in _ON_BOARD:
            return True
    return False


def _director(segment: _Segment, start: int, stop: int) -> str:
    return "" if _overruled(segment, start, stop) else "director"


def _head(segment: _Segment, start: int, stop: int) -> str:
    """Head of a function is a director; in front of an occupation ("Head Data Scientist") it is a lead."""
    if segment[stop - 1].folded == "of" or stop == len(segment) or _after(segment, stop) == "/":
        return "director"
    return "lead" if any(w.folded in _HEADS for w in segment[stop:]) else "director"


def _chief(segment: _Segment, start: int, stop: int) -> str:
    for at in range(stop, min(len(segment), stop + 5)):
        if segment[at].folded == "officer":
            return "" if _overruled(segment, start, stop) and segment[-1].folded != "officer" else "executive"
    return ""


def _vp(segment: _Segment, start: int, stop: int) -> str:
    """An executive, but the ordinary grade of a bank: `parse_level` looks at the company and the words."""
    return "" if _overruled(segment, start, stop) else "executive"


_RULES: dict[str, Callable[[_Segment, int, int], str]] = {
    "?staff": _staff,
    "?principal": _principal,
    "?associate": _associate,
    "?graduate": _graduate,
    "?mid": _mid,
    "?regular": _regular,
    "?stage": _stage,
    "?manager": _manager,
    "?director": _director,
    "?head": _head,
    "?chief": _chief,
    "?vp": _vp,
}


def _in_segment(segment: _Segment, bank: bool) -> list[_Found]:
    """Every rank of a segment, in order."""
    table = _phrases()
    found: list[_Found] = []
    at = 0
    while at < len(segment):
        stop = at + 1
        for rest, code in table.get(segment[at].folded, ()):
            end = at + 1 + len(rest)
            if end <= len(segment) and all(segment[at + 1 + i].folded == w for i, w in enumerate(rest)):
                stop = end
                level = _RULES[code](segment, at, stop) if code in _RULES else code
                if code == "executive" and _overruled(segment, at, stop):
                    level = ""
                words = " ".join(w.written for w in segment[at:stop])
                if code == "?vp" and (bank or words.lower() in ("avp", "assistant vice president")):
                    level = ""
                if level:
                    found.append(_Found(level, words, stop == len(segment)))
                break
        else:
            if level := _number(segment, at):
                found.append(_Found(level, segment[at].written, at + 1 == len(segment)))
        at = stop
    return found


def _number(segment: _Segment, at: int) -> str:
    """Rank of "Engineer II", "Analyst 3", "Level 2"; none of "Phase II", "IV Nurse", "Grade 5"."""
    word = segment[at].written
    level = _ROMAN.get(word) or _DIGIT.get(word, "")
    if not level or at == 0:
        return ""
    before = segment[at - 1].folded
    if before in _NOT_COUNTED:
        return ""
    if before == "level":
        return "" if {w.folded for w in segment} & _UNRANKED_LEVELS else level
    if before == "/":
        return level if at > 1 and (segment[at - 2].written in _ROMAN or segment[at - 2].written in _DIGIT) else ""
    follows = _after(segment, at + 1)
    if word.isdigit():
        occupation = before in _HEADS or before in _ABBREVIATED or before.endswith(_OCCUPATION_ENDS)
        return level if occupation and follows in ("", "/", "or") else ""
    if word in ("I", "V") and follows and follows not in ("/", "or"):
        return level if before in _HEADS else ""
    return (
        ""
        if word == "IV" and follows in ("nurse", "therapy", "infusion", "team", "certified", "rn", "pharmacy", "room")
        else level
    )


_ABBREVIATED = frozenset("sde swe dba sre pm csr tech rep sdet".split())
_OCCUPATION_ENDS = ("er", "or", "ist", "ant", "ian", "yst", "ive", "ect", "aide", "nurse", "clerk", "worker", "manager")
_UNRANKED_LEVELS = frozenset(
    "nursery teaching teacher childcare early years nvq qualified ta apprentice practitioner care trauma".split()
)


def _counts_later(segment: _Segment, found: list[_Found]) -> list[_Found]:
    """Ranks of a segment behind the first ranked one: "- Tech Lead" counts, "- Senior Platform Group" does not."""
    if segment[-1].folded in _HEADS:
        return found
    return [f for f in found if f.last and len(segment) <= 4]


_VP_WORDS = frozenset(("vp", "vice", "svp", "avp", "rvp", "vps"))


def _is_bank_grade(segments: Sequence[_Segment], company: str | None) -> bool:
    """A VP title is a bank's grade where the company or another word of the title belongs to banking."""
    if company and _BANK_NAMES.search(fold(company)):
        return True
    if any(w.folded in _BANK_WORDS for segment in segments for w in segment):
        return True
    # "Vice President, Software Engineer": the occupation stands in the next segment.
    return len(segments) > 1 and segments[1][-1].folded in _HEADS - {"manager", "partner"}


def parse_level(title: str, *, role: str | None = None, company: str | None = None) -> Level:
    """Level stated by a title.

    `role` (a canonical role) tells a school principal from a rank; `company` a bank's vice president from an executive.
    Two ranks: the higher one; an internship stays one whatever else is named.

    >>> parse_level("Senior Data Engineer II")
    Level(level='senior', evidence='Senior')
    >>> parse_level("Internal Auditor").level is None
    True
    >>> parse_level("Vice President, Credit Risk").level is None
    True
    >>> parse_level("Intern - Office of the Chief Technology Officer").level
    'internship'
    """
    segments = _segments(title[:400])
    bank = any(w.folded in _VP_WORDS for segment in segments for w in segment) and _is_bank_grade(segments, company)
    found: list[_Found] = []
    for segment in segments:
        here = _in_segment(segment, bank)
        found += _counts_later(segment, here) if found else here
    if role == "Education Administrator" or any(w.folded in _SCHOOLS for segment in segments for w in segment):
        found = [f for f in found if f.words.lower() not in ("principal", "head")]
    if not found or (len(segments) == len(segments[0]) == 1 and found[0].words.lower() == "principal"):
        return Level(None)  # "Principal" alone is as often a school's
    interns = [f for f in found if f.level == "internship"]
    best = interns[0] if interns else max(found, key=lambda f: _RANK[f.level])
    return Level(best.level, best.words)


@cache
def _board_levels() -> dict[str, str]:
    with (FOLDER / "board_levels.csv").open(encoding="utf-8", newline="") as file:
        return {fold(name): row["level"] for row in csv.DictReader(file) for name in row["names"].split("|")}


_BOARD_SIGNS = re.compile(r"[\s\-_/,.()&+]+")


def parse_board_level(text: str | None) -> str | None:
    """Level from a board's own level field; None for "not applicable", for several levels at once and for unknown words.

    >>> parse_board_level("Senior-level / Expert"), parse_board_level("EN"), parse_board_level("Not Applicable")
    ('senior', 'entry', None)
    """
    if not text:
        return None
    return _board_levels().get(_BOARD_SIGNS.sub(" ", fold(text[:100])).strip()) or None
