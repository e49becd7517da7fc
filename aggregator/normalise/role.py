"""Canonical role of a job title.

The rule: read the first segment that names an occupation; in it the last head noun decides ("Sales Data Analyst" is
an analyst), with the field next to it ("data"). A head without a field takes one from the segments behind it
("Director, Engineering"). A head alone ("Engineer") names no role. The vocabulary is data, see `title_vocabulary`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aggregator.normalise.title_tokens import AND, WITH, grammar, segments_of
from aggregator.normalise.title_vocabulary import (
    BOSSES,
    WEAK_HEADS,
    Block,
    Node,
    blocks_by_role,
    narrow_heads,
    role_for,
    taxonomy,
    trie,
)

RANKS = grammar("ranks")
PEOPLE = grammar("people")
LEADERSHIP = "Leadership"


@dataclass(frozen=True, slots=True)
class Role:
    """A canonical role, its family and SOC 2018 code.

    `confidence` is 0..1: 0.95 a whole title of the vocabulary, 0.85 a head noun with a strong field beside it, 0.8 a
    general title made narrower by a later segment, 0.75 a head with the field of another segment, 0.7 a head with a
    weak field, 0.6 a single word ("Nurse"), 0.5 a field without any head, 0.0 no role. `evidence` holds the words.
    """

    role: str | None
    family: str | None = None
    soc: str | None = None
    confidence: float = 0.0
    evidence: str | None = None


class Match(NamedTuple):
    """A role found: by which block, how sure, from which words.

    `weak_head`: a head such as "lead" that a later head may overrule. `bare_head`: the noun that is all of the title.
    """

    role: str
    block: Block
    confidence: float
    words: str
    weak_head: bool = False
    bare_head: str | None = None


Item = tuple[str, Node | None]
"""Words of a phrase and its node; the node is None for a sign ("and", "/")."""

_NOTHING = Node()
_BY_WEAK_FIELD = 0.7
_SIGNS = AND | {"/"}


class _Reading:
    """State while a segment is read from left to right: role so far, head without one, fields not yet used."""

    __slots__ = ("activity", "aside", "before", "gap", "head", "joined", "match", "noun", "strong", "tail", "weak")

    def __init__(self) -> None:
        self.match: Match | None = None
        self.head: tuple[str, Node] | None = None
        self.strong: list[list[tuple[str, Block]]] = []
        self.weak: list[tuple[str, Block]] = []
        self.before: list[list[tuple[str, Block]]] = []
        self.joined = False
        self.tail = False
        self.aside = False
        self.activity = False
        self.noun: str | None = None
        self.gap = False

    def use_fields(self) -> None:
        """The fields read so far now belong to a role: they do not include what "and" joins behind it."""
        self.before, self.strong, self.weak, self.tail = self.strong or self.before, [], [], False


def _longest(tokens: Sequence[str], at: int) -> tuple[Node | None, int]:
    """The longest phrase that begins here and where it stops; rank words inside it are stepped over."""
    node = trie().next.get(tokens[at])
    if node is None:
        return None, at + 1
    best: Node | None = None
    stop, ahead, end = at + 1, at + 1, len(tokens)
    while True:
        if node.ends:
            best, stop = node, ahead
        if ahead >= end:
            return best, stop
        step = node.next.get(tokens[ahead])
        if step is not None:
            node = step
        elif tokens[ahead] not in RANKS:
            return best, stop
        ahead += 1


def _field_end(tokens: Sequence[str]) -> int:
    """Where the field that begins a row ends; 0 where none begins there or "and" joins it to the rest."""
    node, stop = _longest(tokens, 0) if tokens else (None, 0)
    if node is None or node.head or (tokens[stop : stop + 1] and tokens[stop] in _SIGNS):
        return 0
    return stop


def _shortened(tokens: Sequence[str], at: int, stop: int) -> int:
    """Where a phrase must stop because a title begins inside it and reaches further: product [data analyst]."""
    for inside in range(at + 1, stop):
        start = trie().next.get(tokens[inside])
        if start is None or start.head in BOSSES:
            continue
        node, further = _longest(tokens, inside)
        if node is not None and node.title is not None and further > stop and further - inside > 1:
            return inside
    return stop


def _scan(tokens: Sequence[str], give_way: bool = False) -> list[Item]:
    """The phrases of the vocabulary in a row of tokens, longest first from the left.

    Titles give way to a title that begins inside them and reaches further; with `give_way` fields do so too.
    """
    items: list[Item] = []
    at, end = 0, len(tokens)
    while at < end:
        node, stop = _longest(tokens, at)
        if (
            node is not None
            and node.title
            and stop - at > 1
            and stop < end
            and (limit := _shortened(tokens, at, stop)) < stop
        ):
            items += _scan(tokens[at:limit], give_way)
            at = limit
            continue
        word = tokens[at]
        if node is not None:
            items.append((word if stop == at + 1 else " ".join(tokens[at:stop]), node))
        elif word in _SIGNS:
            items.append((word, None))
        elif word not in RANKS:
            items.append((word, _NOTHING))
        at = stop
    return items


def _parts(items: list[Item]) -> Iterator[list[Item]]:
    """Alternatives of a segment: cut at "/" or "and" where a whole title or head stands before and another follows."""
    start = 0
    for at in range(1, len(items)):
        before = items[at - 1][1]
        if items[at][1] is not None or before is None or not (before.title or before.head):
            continue
        if before.field and not _stands_alone(items, at):
            continue
        if any(n is not None and (n.title or n.head) for _, n in items[at + 1 :]):
            yield items[start:at]
            start = at + 1
    yield items[start:] if start else items


def _stands_alone(items: list[Item], at: int) -> bool:
    """True where what stands before a sign is a job though it may be a field: "Server/Bartender", not "RN/LPN Lead"."""
    if items[at - 1][0].rpartition(" ")[2] not in PEOPLE or at + 1 >= len(items):
        return False
    return at + 2 == len(items) or items[at + 1][0].rpartition(" ")[2] not in PEOPLE


def _pick(groups: list[list[tuple[str, Block]]], weak: list[tuple[str, Block]], head: str) -> Match | None:
    """Role of the nearest strong field that goes with the head, else of the nearest weak one."""
    for group in reversed(groups):
        for words, block in group:
            if role := role_for(block, head):
                return Match(role, block, 0.85, f"{words} {head}", head in WEAK_HEADS)
    for words, block in reversed(weak):
        if role := role_for(block, head):
            return Match(role, block, _BY_WEAK_FIELD, f"{words} {head}", head in WEAK_HEADS)
    return None


def _take_head(reading: _Reading, words: str, node: Node, head: str) -> None:
    match = reading.match
    found = None
    if reading.strong or (reading.weak and match is None):
        found = _pick(reading.strong, reading.weak if match is None else [], head)
    if found is None and match and not match.weak_head and not reading.joined and head in match.block.heads:
        # "Java Full Stack" + "Developer", "LPN" + "Nurse": the head only completes the title before it.
        reading.match = match._replace(words=f"{match.words} {words}")
        return
    if found is None and node.title is not None:
        _take_title(reading, words, node.title)
        if reading.match is not None:
            reading.match = reading.match._replace(confidence=0.6, bare_head=head)
        return
    if found is None and match is not None:
        found = _raised(match, head)
        if found is None and reading.before and head in narrow_heads():
            found = _pick(reading.before, [], head)
    if found is not None:
        reading.match = found
        reading.use_fields()
    elif match is None:
        reading.head = (words, node)
    elif match.bare_head and reading.gap and head not in WEAK_HEADS:
        # "Developer Engagement Representative" is no developer.
        reading.match, reading.head = None, (words, node)


def _raised(match: Match, head: str) -> Match | None:
    """What a head makes of a role already read: "Nurse" + "Manager"; None where it changes nothing."""
    if match.weak_head:
        role = role_for(match.block, head)
        return match._replace(role=role, weak_head=head in WEAK_HEADS) if role else None
    if head in BOSSES:
        block = blocks_by_role().get(match.role, match.block)
        own = match.block.other.get(head) if match.block.heads else None
        role = own if match.block is not block and own else block.other.get(head, own)
        return match._replace(role=role) if role else None
    return None


def _take_title(reading: _Reading, words: str, block: Block) -> None:
    role = block.role
    if reading.strong:
        first, *others = words.split(" ")
        rest = " ".join(word for word in others if word not in RANKS)
        if first in ("engineering", "engineer") and rest in BOSSES and (made := _pick(reading.strong, [], "engineer")):
            # "Structural Engineering Manager": the field makes the engineer, the boss comes on top.
            raised = _raised(made, rest)
            leads = raised is not None and taxonomy()[raised.role].family == LEADERSHIP
            reading.match = raised if leads else made
            return
        if reading.tail and reading.joined and (joint := _pick(reading.strong[-1:], [], words.rsplit(" ", 1)[-1])):
            reading.match = joint
            return
        for group in reversed(reading.strong):
            for _, fields in group:
                role = fields.refines.get(role, role)
    reading.match, reading.head = Match(role, block, 0.95, words), None
    reading.before = []
    reading.use_fields()


def _take_field(reading: _Reading, words: str, node: Node) -> None:
    if node.field:
        if reading.joined and reading.tail:
            reading.strong[-1].append((words, node.field))
        else:
            reading.strong.append([(words, node.field)])
        reading.tail = True
    elif node.weak:
        reading.weak.append((words, node.weak))
        reading.tail = False
    else:
        reading.tail = False


def _read(items: list[Item]) -> _Reading:
    """Role, head and fields of one alternative of a segment."""
    reading = _Reading()
    last = -1
    for at, (_, node) in enumerate(items):
        if node is not None and (node.head or node.title):
            last = at
    for at, (words, node) in enumerate(items):
        if node is None:
            reading.joined = True
            continue
        if node is _NOTHING:
            reading.gap = reading.match is not None
            reading.tail = False
        elif node.head:
            _take_head(reading, words, node, node.head)
        elif node.title and at == last and reading.match is None and _is_rank(reading.head):
            _take_title(reading, words, node.title)
        elif node.field and (reading.match or reading.head):
            # Behind a head or a title an activity is its field: "Director Sales", "Nurse Practitioner Family Medicine".
            _take_field(reading, words, node)
        elif node.title and not ((node.field or node.weak) and at < last):
            _take_title(reading, words, node.title)
            if node.field:
                # "Sales" alone is a title, but behind "Vice President," it is the field of that.
                reading.activity = True
                _take_field(reading, words, node)
        elif node.noun and not (at < last and not (reading.strong or reading.weak)):
            _take_head(reading, words, node, node.noun)
            reading.activity = reading.match is not None
            reading.noun = node.noun
            if reading.match is None and node.weak:
                _take_field(reading, words, node)
        else:
            _take_field(reading, words, node)
        reading.joined = False
    if reading.match is None and reading.head is not None:
        reading.match = _pick(reading.strong, reading.weak, _head_of(reading.head))
    return reading


def _is_rank(head: tuple[str, Node] | None) -> bool:
    """True for a head that may be the rank of the title behind it: "Lead Server"."""
    return head is not None and head[1].head in ("lead", "intern")


def _head_of(head: tuple[str, Node]) -> str:
    return head[1].head or head[1].noun or ""


def _borrowed(readings: Sequence[_Reading]) -> Match | None:
    """A head of one segment with a field of another: "Director, Engineering", "Operations - Manager"."""
    for at, reading in enumerate(readings):
        if reading.head is None:
            continue
        for other in (*readings[at + 1 :], *reversed(readings[:at])):
            head = _head_of(reading.head)
            if other.activity and other.match is not None and not other.strong and head in BOSSES:
                # "Manager, Data Engineering": who does the activity, with the boss on top.
                return (_raised(other.match, head) or other.match)._replace(confidence=0.75)
            if other.noun == head and other.match is not None:
                # "Lead Engineer, Release Engineering": the same head as an activity.
                return other.match._replace(confidence=0.75)
            if found := _pick(other.strong or other.before, other.weak, head):
                return found._replace(confidence=found.confidence - 0.1)
    return None


def _left_over(readings: Sequence[_Reading]) -> Match | None:
    """An activity behind a head that goes with any field: "Trainee - Sales"; none behind "Engineer, Sales"."""
    if any(reading.head is not None and _head_of(reading.head) in narrow_heads() for reading in readings):
        return None
    return next((reading.match for reading in readings if reading.match), None)


def _bare_field(readings: Sequence[_Reading]) -> Match | None:
    """A strong field of several words without any head: "Data Governance"."""
    for reading in readings:
        if reading.tail and reading.match is None and reading.head is None and reading.strong:
            words, block = reading.strong[-1][-1]
            if " " in words and block.role:
                return Match(block.role, block, 0.5, words)
    return None


def _belongs_to_earlier(readings: Sequence[_Reading]) -> bool:
    """True where the last reading is only the field of a head before it: "Manager, Engineering (Developer Tools)"."""
    last, head = readings[-1], next((r.head for r in readings[:-1] if r.head), None)
    if head is None or last.match is None:
        return False
    return last.activity or (last.match.bare_head is not None and _head_of(head) in BOSSES)


def _refined(match: Match, readings: Sequence[_Reading]) -> Match:
    """A general role made narrower by the fields of later segments: "Software Engineer, Backend", "Developer, ETL"."""
    for reading in readings:
        for group in () if reading.aside else reading.strong:
            for words, block in group:
                if block.tool and match.confidence == _BY_WEAK_FIELD:
                    continue  # ".NET Developer - C#, Angular": the language says more than the tool beside it
                if role := block.refines.get(match.role):
                    return match._replace(role=role, confidence=0.8, words=f"{match.words}, {words}")
                if match.bare_head and (role := role_for(block, match.bare_head)):
                    return Match(role, block, 0.75, f"{match.words}, {words}")
    return match


def parse_role(title: str) -> Role:
    """Role of a raw or cleaned title; every field None and confidence 0.0 where the title does not say it.

    >>> parse_role("Senior Data Engineer, Payments").role
    'Data Engineer'
    >>> parse_role("Director of Engineering").role, parse_role("Director, Engineering").role
    ('Director of Engineering', 'Director of Engineering')
    >>> parse_role("Engineer").role is None
    True
    """
    readings: list[_Reading] = []
    match: Match | None = None
    first = 0
    for segment in _with_ranks_behind(segments_of(title[:400], _field_end)):
        items = _scan(segment)
        for part in _parts(items):
            reading = _read(part)
            if reading.head is not None and reading.match is None and reading.strong and len(part) == len(items):
                again = _read(_scan(segment, give_way=True))
                reading = again if again.match is not None else reading
            reading.aside = segment[0] == WITH
            readings.append(reading)
            if match is None and not _belongs_to_earlier(readings):
                match, first = reading.match, len(readings) - 1
    if match is None:
        match, first = _borrowed(readings) or _left_over(readings) or _bare_field(readings), 0
    if match is None:
        return _NO_ROLE
    match = _refined(match, readings[first:])
    row = taxonomy()[match.role]
    return Role(row.role, row.family, row.soc, round(match.confidence, 2), match.words)


def _with_ranks_behind(segments: list[list[str]]) -> list[list[str]]:
    """A lone rank in front of the job goes behind it: "Principal - Elementary School"."""
    if len(segments) > 1 and segments[1][0] != WITH and RANKS.issuperset(segments[0]):
        return [segments[1] + segments[0], *segments[2:]]
    return segments


_NO_ROLE = Role(None)
