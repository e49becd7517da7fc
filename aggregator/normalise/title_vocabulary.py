"""The vocabulary of roles as data structures: blocks of names, and a trie of their phrases.

Read once from `vocabulary/roles.csv` (the taxonomy) and `vocabulary/titles/*.toml` (how employers name each role).
`docs/titles-and-levels.md` explains the keys of the TOML files.
"""

import csv
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache

from aggregator.normalise.title_tokens import FOLDER, tokens_of, turned

FAMILIES = (
    "machine_learning",
    "data",
    "software",
    "infrastructure",
    "product",
    "sales_marketing",
    "finance_legal",
    "operations",
    "healthcare_education",
    "trades_media",
)
BOSSES = frozenset(("manager", "supervisor", "director", "head", "vp", "md", "chief"))
WEAK_HEADS = frozenset(("lead", "intern", "associate", "assistant", "member", "fellow", "professional", "expert"))
# A phrase is looked up as it is typed in the files, so two spellings of one head share a name here.
HEAD_ALIASES = {"programmer": "developer", "technologist": "technician"}


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One row of the taxonomy."""

    role: str
    family: str
    soc: str


@dataclass(frozen=True, slots=True)
class Block:
    """One table of a TOML file: a role, the fields that lead to it and what other heads make of them."""

    role: str
    heads: frozenset[str]
    without: frozenset[str]
    other: dict[str, str]
    refines: dict[str, str]
    only: bool
    tool: bool


@dataclass(slots=True)
class Node:
    """One step of the phrase trie, and what the phrase that ends here means."""

    next: dict[str, "Node"] = field(default_factory=dict)
    title: Block | None = None
    field: Block | None = None
    weak: Block | None = None
    head: str | None = None
    noun: str | None = None
    ends: bool = False


@cache
def taxonomy() -> dict[str, RoleRow]:
    """Every role of roles.csv by its name, in file order."""
    with (FOLDER.parent / "roles.csv").open(encoding="utf-8", newline="") as file:
        return {r["role"]: RoleRow(r["role"], r["family"], r["soc_2018"]) for r in csv.DictReader(file)}


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in re.split(r"[,\n]", text) if phrase.strip()]


def _head(name: str) -> str:
    return HEAD_ALIASES.get(name, name)


def _block(name: str, table: dict[str, object]) -> Block:
    def words(key: str) -> frozenset[str]:
        return frozenset(_head(w) for w in str(table.get(key, "")).split())

    def pairs(key: str) -> dict[str, str]:
        value = table.get(key, {})
        assert isinstance(value, dict), f"{name}.{key} is a table"
        return {str(k): str(v) for k, v in value.items()}

    role = str(table.get("role", "")) if name.startswith("+") else name
    other = {_head(k): v for k, v in pairs("other").items()}
    return Block(
        role,
        words("heads"),
        words("without"),
        other,
        pairs("refines"),
        bool(table.get("only")),
        bool(table.get("tool")),
    )


@cache
def _tables() -> tuple[tuple[Block, dict[str, object]], ...]:
    tables: list[tuple[Block, dict[str, object]]] = []
    for family in FAMILIES:
        path = FOLDER / f"{family}.toml"
        if path.exists():
            for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
                tables.append((_block(name, table), table))
    return tuple(tables)


@cache
def _head_words() -> tuple[tuple[str, str, str], ...]:
    """(kind, head, phrase) of heads.toml."""
    data = tomllib.loads((FOLDER / "heads.toml").read_text(encoding="utf-8"))
    return tuple(
        (kind, head, p) for kind, heads in data.items() for head, text in heads.items() for p in _phrases(text)
    )


def blocks() -> tuple[Block, ...]:
    """Every block of the vocabulary in file order."""
    return tuple(block for block, _ in _tables())


@cache
def heads() -> frozenset[str]:
    """Names of all heads."""
    return frozenset(head for _, head, _ in _head_words())


@cache
def narrow_heads() -> frozenset[str]:
    """Heads that need a block which names them."""
    return frozenset(head for kind, head, _ in _head_words() if kind == "narrow")


@cache
def known_words() -> frozenset[str]:
    """Every single English word of the vocabulary, as written there; used to tell words from unknown compounds."""
    texts = [p for _, _, p in _head_words()]
    for _, table in _tables():
        texts += [p for key in ("titles", "fields", "weak") for p in _phrases(str(table.get(key, "")))]
    return frozenset(re.findall(r"[^\W_]+[+#]*", " ".join(texts).lower()))


def _insert(root: Node, phrase: str) -> Node:
    node = root
    segments = turned(tokens_of(phrase))
    for token in (token for segment in segments for token in segment):
        node = node.next.setdefault(token, Node())
    node.ends = True
    return node


@cache
def trie() -> Node:
    """The phrases of all blocks and heads. Of two blocks that claim a phrase the first in file order keeps it."""
    root = Node()
    for block, table in _tables():
        for phrase in _phrases(str(table.get("titles", ""))):
            node = _insert(root, phrase)
            node.title = node.title or block
        for phrase in _phrases(str(table.get("fields", ""))):
            node = _insert(root, phrase)
            node.field = node.field or block
        for phrase in _phrases(str(table.get("weak", ""))):
            node = _insert(root, phrase)
            node.weak = node.weak or block
    for kind, head, phrase in _head_words():
        node = _insert(root, phrase)
        if kind == "noun":
            node.noun = head
        else:
            node.head = head
    return root


@cache
def blocks_by_role() -> dict[str, Block]:
    """The first block of each role."""
    found: dict[str, Block] = {}
    for block, _ in _tables():
        found.setdefault(block.role, block)
    return found


def role_for(block: Block, head: str) -> str | None:
    """Role that a field's block names together with a head, None where they do not go together."""
    if head in block.other:
        return block.other[head] or None
    if head in block.without:
        return None
    if (block.only or head in narrow_heads()) and head not in block.heads:
        return None
    return block.role or None
