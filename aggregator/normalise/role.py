"""Canonical role of a job title.

The rule: read the first segment that names an occupation; in it the last head noun decides ("Sales Data Analyst" is an
analyst), with the field next to it ("data"). A head without a field takes one from the segments behind it ("Director,
Engineering"). A head alone ("Engineer") names no role. The vocabulary is data, see `title_vocabulary`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aggregator.normalise.title_tokens import AND, segments_of
from aggregator.normalise.title_vocabulary import (
    BOSSES,
    Block,
    Node,
    blocks_by_role,
    role_for,
    taxonomy,
    trie,
)

# Ranks say nothing of the role; they may stand inside a phrase ("Data Science Senior Analyst").
RANKS = frozenset(
    "senior sr snr junior jr mid middle principal staff ii iii iv v vi i 1 2 3 4 5 level entry experienced global regional"
    " deputy group interim acting intermediate distinguished ssr semi pleno certified licensed registered_ chartered"
    " qualified advanced full".split()
)
WEAK_HEADS = frozenset(("lead", "intern", "associate", "assistant", "member", "fellow", "professional", "expert"))


@dataclass(frozen=True, slots=True)
class Role:
    """A canonical role, its family and SOC 2018 code.

    `confidence` is 0..1: 0.95 a title of the vocabulary, 0.85 a head with a strong field beside it, 0.7 a field from another segment
    or a weak field, 0.5 a field without any head; 0.0 no role. `evidence` holds the words that decided.
    """

    role: str | None
    family: str | None = None
    soc: str | None = None
    confidence: float = 0.0
    evidence: str | None = None


class Item(NamedTuple):
    """A phrase of the vocabulary found in a segment, or a sign ("and", "/") with node None."""

    words: str
    node: Node | None


class Match(NamedTuple):
    """A role found, by which block, from a whole title or from field and head, how sure."""

    role: str
    block: Block
    whole: bool
    confidence: float
    words: str
    weak_head: bool = False


@dataclass(slots=True)
class _Reading:
    """State while a segment is read from left to right."""

    match: Match | None = None
    head: Item | None = None
    strong: list[list[tuple[str, Block]]] = field(default_factory=list)
    weak: list[tuple[str, Block]] = field(default_factory=list)
    joined: bool = False


def _scan(tokens: Sequence[str]) -> list[Item]:
    """Longest phrases of the vocabulary in a row of tokens; rank words inside a phrase are stepped over."""
    root = trie()
    items: list[Item] = []
    at, end = 0, len(tokens)
    while at < end:
        token = tokens[at]
        node = root.next.get(token)
        best: Node | None = None
        stop = at + 1
        if node is not None:
            ahead = at + 1
            while True:
                if node.ends:
                    best, stop = node, ahead
                if ahead >= end:
                    break
                step = node.next.get(tokens[ahead])
                if step is None:
                    if tokens[ahead] not in RANKS:
                        break
                else:
                    node = step
                ahead += 1
        if best is not None:
            items.append(Item(" ".join(tokens[at:stop]), best))
        elif token == "/" or token in AND:
            items.append(Item(token, None))
        elif token not in RANKS:
            items.append(Item(token, _NOTHING))
        at = stop
    return items


_NOTHING = Node()


def _parts(items: list[Item]) -> Iterator[list[Item]]:
    """Alternatives of a segment: cut at "/" or "and" where a whole title or head stands before."""
    part: list[Item] = []
    for at, item in enumerate(items):
        before = part[-1].node if part else None
        if item.node is None and before is not None and (before.title or before.head) and not before.field:
            follows = items[at + 1 :]
            if any(n.node and (n.node.title or n.node.head) for n in follows):
                yield part
                part = []
                continue
        part.append(item)
    if part:
        yield part


def _pick(reading: _Reading, head: str) -> Match | None:
    """Role of the nearest strong field that goes with the head, else of the nearest weak one."""
    for group in reversed(reading.strong):
        for words, block in group:
            if role := role_for(block, head):
                return Match(role, block, False, 0.85, f"{words} {head}", head in WEAK_HEADS)
    for words, block in reversed(reading.weak):
        if role := role_for(block, head):
            return Match(role, block, False, 0.7, f"{words} {head}", head in WEAK_HEADS)
    return None


def _take_head(reading: _Reading, item: Item, head: str) -> None:
    match = reading.match
    found = _pick(reading, head) if reading.strong or (reading.weak and match is None) else None
    if found is None and match is not None:
        found = _raised(match, head)
    if found is not None:
        reading.match, reading.strong, reading.weak = found, [], []
    elif match is None:
        reading.head = item


def _raised(match: Match, head: str) -> Match | None:
    """What a head makes of a role already read: "Nurse" + "Manager"; None where it changes nothing."""
    if match.weak_head:
        role = role_for(match.block, head)
        return match._replace(role=role, weak_head=head in WEAK_HEADS) if role else None
    if head in BOSSES:
        block = blocks_by_role().get(match.role, match.block)
        role = block.other.get(head, match.block.other.get(head))
        return match._replace(role=role) if role else None
    return None


def _take_title(reading: _Reading, item: Item, block: Block) -> None:
    role = block.role
    for group in reversed(reading.strong):
        for _, fields in group:
            role = fields.refines.get(role, role)
    reading.match = Match(role, block, True, 0.95, item.words)
    reading.strong, reading.weak, reading.head = [], [], None


def _take_field(reading: _Reading, item: Item, node: Node) -> None:
    if node.field:
        if reading.joined and reading.strong:
            reading.strong[-1].append((item.words, node.field))
        else:
            reading.strong.append([(item.words, node.field)])
    elif node.weak:
        reading.weak.append((item.words, node.weak))


def _read(items: list[Item]) -> _Reading:
    """Role, head and fields of one alternative of a segment."""
    reading = _Reading()
    last = max((at for at, i in enumerate(items) if i.node and (i.node.head or i.node.title)), default=-1)
    for at, item in enumerate(items):
        node = item.node
        if node is None:
            reading.joined = True
            continue
        if node.head:
            _take_head(reading, item, node.head)
        elif node.title and not ((node.field or node.weak) and at < last):
            _take_title(reading, item, node.title)
        elif node.noun:
            if at < last and not (reading.strong or reading.weak):
                _take_field(reading, item, node)
            else:
                _take_head(reading, Item(item.words, node), node.noun)
                if reading.match is None and node.weak:
                    _take_field(reading, item, node)
        else:
            _take_field(reading, item, node)
        reading.joined = False
    if reading.match is None and reading.head is not None:
        reading.match = _pick(reading, _head_of(reading.head))
    return reading


def _head_of(item: Item) -> str:
    assert item.node is not None, "only phrases are kept as heads"
    return item.node.head or item.node.noun or ""


def _borrowed(readings: Sequence[_Reading]) -> Match | None:
    """A head of one segment with a field of another: "Director, Engineering", "Operations - Manager"."""
    for at, reading in enumerate(readings):
        if reading.head is None:
            continue
        head = _head_of(reading.head)
        for other in (*readings[at + 1 :], *reversed(readings[:at])):
            if other is not reading and (found := _pick(other, head)):
                return found._replace(confidence=found.confidence - 0.1)
    return None


def _bare_field(readings: Sequence[_Reading]) -> Match | None:
    """A strong field without any head: "Data Governance"."""
    for reading in readings:
        for group in reading.strong:
            for words, block in group:
                if block.role:
                    return Match(block.role, block, False, 0.5, words)
    return None


def _refined(match: Match, readings: Sequence[_Reading]) -> Match:
    """A general role made narrower by the fields of later segments: "Software Engineer, Backend"."""
    for reading in readings:
        for group in reading.strong:
            for words, block in group:
                if role := block.refines.get(match.role):
                    return match._replace(role=role, confidence=0.8, words=f"{match.words}, {words}")
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
    readings = [_read(part) for segment in segments_of(title[:400]) for part in _parts(_scan(segment))]
    match: Match | None = None
    for at, reading in enumerate(readings):
        if reading.match is not None:
            match = _refined(reading.match, readings[at:])
            break
    if match is None or (match.weak_head and False):
        match = _borrowed(readings) or match or _bare_field(readings)
    if match is None:
        return Role(None)
    row = taxonomy()[match.role]
    return Role(row.role, row.family, row.soc, round(match.confidence, 2), match.words)
