"""What stands beside a rank word decides whether it is a rank: "Staff Engineer" but not "Staff Nurse".

Each rule takes a segment (its words) and the place of the rank word in it, from `start` to `stop`, and answers a
level or "". The words it compares with stand in `vocabulary/titles/level_neighbours.toml`.
"""

import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from aggregator.normalise.title_tokens import FOLDER

_ROMAN = {"I": "entry", "II": "mid", "III": "senior", "IV": "lead", "V": "lead", "VI": "lead"}
_DIGIT = {"1": "entry", "2": "mid", "3": "senior", "4": "lead", "5": "lead", "6": "lead", "7": "lead"}
NUMBERS = frozenset(word.lower() for word in (*_ROMAN, *_DIGIT))
"""Folded words that may be the number of a rank."""
_MANAGER_PAIRS = frozenset(
    (
        ("partner", "development"),
        ("business", "development"),
        ("social", "media"),
        ("product", "marketing"),
        ("asset", "management"),
        ("development", "real"),
        ("client", "solutions"),
        ("customer", "solutions"),
        ("clinical", "data"),
    )
)
# "Care Manager" is a role, but a customer care manager leads a function.
_FUNCTION_PAIRS = frozenset(
    (
        *(
            (whose, "care")
            for whose in ("customer", "client", "member", "patient", "child", "home", "health", "social")
        ),
        *((kind, "care") for kind in ("residential", "day", "critical", "domiciliary")),
        ("front", "office"),
        ("back", "office"),
    )
)


class Word(NamedTuple):
    """One word of a title, folded and as written."""

    folded: str
    written: str


Segment = Sequence[Word]


@cache
def _neighbours() -> dict[str, frozenset[str]]:
    data = tomllib.loads((FOLDER / "level_neighbours.toml").read_text(encoding="utf-8"))
    return {name: frozenset(str(words).split()) for name, words in data.items()}


def near(name: str) -> frozenset[str]:
    """One set of neighbours by its name in the file."""
    return _neighbours()[name]


def _after(segment: Segment, at: int) -> str:
    return segment[at].folded if at < len(segment) else ""


def _staff(segment: Segment, start: int, stop: int) -> str:
    """Staff Engineer is a rank, Staff Nurse and Support Staff are not."""
    following = [w.folded for w in segment[stop:]]
    if following and (following[0] in near("no_staff") or following[-1] in near("no_staff")):
        return ""
    if any(w in near("staff_heads") for w in following):
        return "lead"
    before = _after(segment, start - 1) if start else ""
    alone = not following or following[0] in ("level", "/", "or", "ii")
    return "lead" if alone and before in ("", "or", "/", "senior", "and", "sr") else ""


def _principal(segment: Segment, _start: int, stop: int) -> str:
    words = {w.folded for w in segment}
    if words & near("school") or _after(segment, stop) == "investigator":
        return ""
    return "lead"


def _associate(segment: Segment, start: int, stop: int) -> str:
    """In front of an engineer, analyst and the like it is the first rank; elsewhere it is an occupation."""
    following = [w.folded for w in segment[stop:]]
    if not following or any(w in near("associate_other") for w in following):
        return ""
    if start and segment[start - 1].folded not in ("/", "senior", "sr"):
        return ""
    for at, word in enumerate(following):
        if word in ("/", "and", "of", "for", "in", "to"):
            return ""
        if word in near("associate_heads"):
            return "entry"
        if word == "manager":
            return "entry" if at and following[at - 1] in ("product", "project", "program") else ""
    return ""


def _senior(segment: Segment, start: int, stop: int) -> str:
    """Senior Management Accountant is a rank; "Manager, Senior Housing" and "Senior Leadership" are none."""
    return "senior" if start == 0 and stop < len(segment) and segment[-1].folded in near("heads") else ""


def _graduate(segment: Segment, _start: int, stop: int) -> str:
    return "" if _after(segment, stop) in near("graduate_of") else "entry"


def _mid(segment: Segment, start: int, stop: int) -> str:
    return (
        "mid"
        if start == 0 or segment[start - 1].folded in ("/", "or", "to", "and", "junior") or stop == len(segment)
        else ""
    )


def _regular(segment: Segment, start: int, stop: int) -> str:
    """Polish boards call the middle rank regular; `Regular Full Time` is none."""
    following = [w.folded for w in segment[stop:]]
    beside = segment[start - 1].folded if start else ""
    named = (
        bool(following) and following[-1] in near("heads") and following[0] not in ("full", "part", "time", "business")
    )
    return "mid" if beside in ("/", "or") or _after(segment, stop) == "/" or (start == 0 and named) else ""


def _stage(segment: Segment, start: int, stop: int) -> str:
    """French and Italian for internship where it opens the title; `Stage Manager` and `Key Stage 2` are none."""
    following = _after(segment, stop)
    if start or following in near("stage_of"):
        return ""
    return "internship"


def _manager(segment: Segment, start: int, stop: int) -> str:
    if start and _occupation_before(segment, start):
        return ""
    return "" if overruled(segment, start, stop) else "manager"


def _occupation_before(segment: Segment, start: int) -> bool:
    before = [w.folded for w in segment[max(0, start - 3) : start] if w.folded not in ("and", "&")]
    if tuple(before[-2:]) in _FUNCTION_PAIRS:
        return False
    if before[-1] in near("manager_roles"):
        return True
    return tuple(before[-2:]) in _MANAGER_PAIRS or tuple(before[:2]) in _MANAGER_PAIRS


def overruled(segment: Segment, start: int, stop: int) -> bool:
    """True where a boss word serves another occupation: "CEO Assistant", "assistant to the Director", "VP Engineer"."""
    if start and segment[start - 1].folded in near("incidental"):
        return True
    before = [word.folded for word in segment[:start]]
    if "to" in before and not near("on_board").isdisjoint(before[: before.index("to")]):
        return True  # "Assistant to CFO & COO"
    for at in range(stop, len(segment)):
        word = segment[at].folded
        if word in near("of") or word in ("/", "and"):
            return False
        if (word in near("heads") and word != "manager" and word != "partner") or word in near("on_board"):
            return True
    return False


def _director(segment: Segment, start: int, stop: int) -> str:
    return "" if overruled(segment, start, stop) else "director"


def _head(segment: Segment, _start: int, stop: int) -> str:
    """Head of a function is a director; in front of an occupation ("Head Data Scientist") it is a lead."""
    if segment[stop - 1].folded == "of" or stop == len(segment) or _after(segment, stop) == "/":
        return "director"
    return "lead" if any(w.folded in near("heads") for w in segment[stop:]) else "director"


def _chief(segment: Segment, start: int, stop: int) -> str:
    for at in range(stop, min(len(segment), stop + 5)):
        if segment[at].folded == "officer":
            return "" if overruled(segment, start, stop) and segment[-1].folded != "officer" else "executive"
    return ""


def _vp(segment: Segment, start: int, stop: int) -> str:
    """An executive, but the ordinary grade of a bank: `parse_level` looks at the company and the words."""
    return "" if overruled(segment, start, stop) else "executive"


RULES: dict[str, Callable[[Segment, int, int], str]] = {
    "?staff": _staff,
    "?principal": _principal,
    "?associate": _associate,
    "?senior": _senior,
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


def number_level(segment: Segment, at: int) -> str:
    """Rank of "Engineer II", "Analyst 3", "Level 2"; none of "Phase II", "IV Nurse", "Grade 5"."""
    word = segment[at].written
    level = _ROMAN.get(word) or _DIGIT.get(word, "")
    if not level or at == 0:
        return ""
    before = segment[at - 1].folded
    if before in near("not_counted"):
        return ""
    if before == "level":
        return "" if {w.folded for w in segment} & near("unranked_levels") else level
    if before == "/":
        return level if at > 1 and (segment[at - 2].written in _ROMAN or segment[at - 2].written in _DIGIT) else ""
    follows = _after(segment, at + 1)
    if word.isdigit():
        occupation = before in near("heads") or before in near("abbreviated") or before.endswith(_OCCUPATION_ENDS)
        return level if occupation and follows in ("", "/", "or") else ""
    if word in ("I", "V") and follows and follows not in ("/", "or"):
        return level if before in near("heads") else ""
    return "" if word == "IV" and follows in _INTRAVENOUS else level


_INTRAVENOUS = ("nurse", "therapy", "infusion", "team", "certified", "rn", "pharmacy", "room")
_OCCUPATION_ENDS = ("er", "or", "ist", "ant", "ian", "yst", "ive", "ect", "aide", "nurse", "clerk", "worker", "manager")
