"""How often the rules are right, on rows that people labelled, with the peers beside us on the same rows.

    python -m benchmarks.accuracy        (or: make accuracy)

Prints one table a set and writes `docs/accuracy.md`; every miss goes into `.benchmarks/accuracy-misses.csv`. The
labelled rows are read from the optional folder of shared data; without it there is nothing to measure, and the command
says so.

What counts as right: a range when both ends are within 0.5 % of the label (an open end may repeat the other one), the
currency when it is the labelled one, the period when it is the labelled one (a label without a period accepts any).
"""

from __future__ import annotations

import csv
import io
import platform
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aggregator.rules import RULES_VERSION
from benchmarks import accuracy_pairs, peers
from service.normalise_place import normalise_location
from service.normalise_salary import normalise_salary
from service.normalise_title import normalise_title

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"
MISSES = REPOSITORY / ".benchmarks" / "accuracy-misses.csv"
PAGE = REPOSITORY / "docs" / "accuracy.md"

Row = Mapping[str, Any]
Table = tuple[str, Sequence[str], list[Sequence[str]]]
US = "jobledger"


def labelled(name: str) -> list[dict[str, str]]:
    with (SHARED / "data" / "labelled" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: Any) -> float | None:
    return None if text in (None, "") else float(text)


def near(said: float | None, label: float | None) -> bool:
    if said is None or label is None:
        return said is label
    return abs(said - label) <= max(0.005 * abs(label), 0.011)


def range_right(row: Row, said: Row) -> bool:
    low, high, side = number(row["min"]), number(row["max"]), row.get("open", "")
    got_low, got_high = number(said.get("min")), number(said.get("max"))
    low_right = near(got_low, low) or (low is None and near(got_low, high)) or (side == "upto" and got_low is None)
    high_right = near(got_high, high) or (high is None and near(got_high, low)) or (side == "from" and got_high is None)
    return low_right and high_right


def pay_right(row: Row, said: Row) -> bool:
    currency = (said.get("currency") or "") == row["currency"]
    return range_right(row, said) and currency and row["period"] in ("", said.get("period") or "")


def precision_recall(rows: Sequence[Row], answers: Sequence[Row]) -> tuple[int, int, int]:
    """(right, said, stated): precision is right / said, recall right / stated."""
    said = [(row, answer) for row, answer in zip(rows, answers, strict=True) if answer.get("ok")]
    right = sum(row["ok"] == "1" and pay_right(row, answer) for row, answer in said)
    return right, len(said), sum(row["ok"] == "1" for row in rows)


def share(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part}/{whole})" if whole else "–"


misses: list[tuple[str, str, str, str]] = []


def note(kind: str, text: str, label: object, said: object) -> None:
    misses.append((kind, text, str(label), str(said)))


def usable(answer: Row) -> dict[str, Any]:
    """A peer's answer in our shape: it says something when it gives an amount."""
    return dict(answer) | {"ok": answer["min"] is not None or answer["max"] is not None}


def salary_table(kind: str, rows: list[dict[str, str]], texts: Sequence[str]) -> list[Table]:
    given = [
        {"text": text} | ({"country": row["context_country"]} if row.get("context_country") else {})
        for row, text in zip(rows, texts, strict=True)
    ]
    ours = [normalise_salary(one) for one in given]
    for row, text, answer in zip(rows, texts, ours, strict=True):
        if bool(answer["ok"]) != (row["ok"] == "1") or (answer["ok"] and not pay_right(row, answer)):
            note(kind, text[:300], {k: row[k] for k in ("min", "max", "currency", "period", "ok")}, answer)
    everybody = {US: ours} | {n: [usable(a) for a in answers] for n, (answers, _) in peers.ask(texts).items()}
    overall = []
    for name, answers in everybody.items():
        right, said, stated = precision_recall(rows, answers)
        amounts = sum(
            row["ok"] == "1" and bool(a.get("ok")) and range_right(row, a) for row, a in zip(rows, answers, strict=True)
        )
        overall.append((name, share(right, said), share(right, stated), share(amounts, stated)))
    tables: list[Table] = [
        (f"{kind}: {len(rows)} rows", ("parser", "precision", "recall", "amounts alone, recall"), overall)
    ]
    parts: list[tuple[str, Callable[[Row, str], str]]] = [
        ("currency", lambda row, _: row["currency"] or "none stated"),
        ("language", lambda _, text: language_of(text)),
    ]
    for what, part_of in parts:
        groups: dict[str, list[int]] = defaultdict(list)
        for index, (row, text) in enumerate(zip(rows, texts, strict=True)):
            groups[part_of(row, text)].append(index)
        listed = []
        for name, indexes in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            right, said, stated = precision_recall([rows[i] for i in indexes], [ours[i] for i in indexes])
            listed.append((name, str(len(indexes)), share(right, said), share(right, stated)))
        tables.append((f"{kind}, ours by {what}", (what, "rows", "precision", "recall"), listed))
    return tables


SCRIPTS = {"ja": r"[\u3040-\u30ff]", "zh": r"[\u4e00-\u9fff]", "ko": r"[\uac00-\ud7af]", "th": r"[\u0e00-\u0e7f]"}
SCRIPTS |= {
    "cyrillic": r"[\u0400-\u04ff]",
    "he": r"[\u0590-\u05ff]",
    "ar": r"[\u0600-\u06ff]",
    "greek": r"[\u0370-\u03ff]",
}
LATIN = {
    "de": r"\b(?:euro|brutto|jahr|monat|stunde|gehalt|bis|und|für|wir)\b",
    "fr": r"\b(?:brut|salaire|mois|heure|selon|entre|par an|nous|annuel)\b",
    "es": r"\b(?:bruto|salario|mes|hora|anual|año|entre|mensual|según)\b",
    "nl": r"\b(?:bruto|maand|uur|jaar|salaris|tot|wij)\b",
    "pl": r"\b(?:brutto|netto|miesi\w+|godz\w*|zł|rok|od|na)\b",
    "pt": r"\b(?:salário|mês|por hora|ano|até|bruto)\b",
    "it": r"\b(?:lordo|stipendio|mese|ora|anno|ral|fino)\b",
    "sv/no/da": r"\b(?:kr|månad|måned|timme|time|lön|år|lønn|løn)\b",
    "cs/sk": r"\b(?:kč|měsíc\w*|mesiac\w*|hrub\w+|mzda|hod)\b",
}


def language_of(text: str) -> str:
    """A rough language of a text, for grouping only: by script, else by telling words, else English or none."""
    sample = text[:1_000].casefold()
    for name, script in SCRIPTS.items():
        if re.search(script, sample):
            return name
    hits = {name: len(re.findall(words, sample)) for name, words in LATIN.items()}
    name, most = max(hits.items(), key=lambda item: item[1])
    return name if most >= (2 if len(sample) > 200 else 1) else "en or no words"


def flag_table(rows: list[dict[str, str]]) -> Table:
    def bad(answer: Row) -> bool:
        return not answer["ok"] or any(flag["severity"] == "exclude" for flag in answer["flags"])

    def given(row: Row) -> dict[str, Any]:
        kept = {name: row[name] for name in ("currency", "period", "country", "title", "text") if row[name]}
        return kept | {name: number(row[name]) for name in ("min", "max") if row[name]}

    answers = [normalise_salary(given(row)) for row in rows]
    caught = [bad(answer) for answer in answers]
    for row, answer, is_bad in zip(rows, answers, caught, strict=True):
        if is_bad != (row["bad"] == "1"):
            note("flags", str(given(row)), (row["bad"], row["reason"]), answer["flags"])
    doubtful = [index for index, row in enumerate(rows) if row["bad"] == "1"]
    fine = [index for index, row in enumerate(rows) if row["bad"] != "1"]
    named = sum(
        bool({flag["code"] for flag in answers[i]["flags"]} & {rows[i]["reason"], *rows[i]["also"].split(";")})
        for i in doubtful
    )
    figures = (
        share(sum(caught[i] for i in doubtful), len(doubtful)),
        share(sum(caught[i] for i in fine), len(fine)),
        share(named, len(doubtful)),
    )
    return f"Bad pay: {len(rows)} rows", ("", "caught", "false alarms", "for a right reason"), [(US, *figures)]


def title_tables(rows: list[dict[str, str]]) -> list[Table]:
    answers = [normalise_title({"text": row["title"]}) for row in rows]
    labelled_role = [(row, a) for row, a in zip(rows, answers, strict=True) if row["role"] and not row["note"]]
    bare = [a for row, a in zip(rows, answers, strict=True) if not row["role"] and not row["note"]]
    given = [(row, a) for row, a in labelled_role if a["role"]]
    for row, answer in zip(rows, answers, strict=True):
        if (answer["role"] or "") != row["role"] or (answer["level"] or "") != row["level"]:
            note("title", row["title"], (row["role"], row["level"]), (answer["role"], answer["level"]))
    roles: Table = (
        f"Role: {len(rows)} titles, {len({r['role'] for r in rows} - {''})} roles labelled",
        ("", "coverage", "right where given", "no role left empty"),
        [
            (
                US,
                share(len(given), len(labelled_role)),
                share(sum(a["role"] == row["role"] for row, a in given), len(given)),
                share(sum(not a["role"] for a in bare), len(bare)),
            )
        ],
    )
    levels = {US: [a["level"] or "" for a in answers]}
    for name, (said, _) in peers.ask([row["title"] for row in rows], "level").items():
        levels[name] = [a["level"] or "" for a in said]
    wanted = [row["level"] for row in rows]
    listed = [(name, f"{macro_f1(wanted, said):.3f}", asserted(wanted, said)) for name, said in levels.items()]
    return [roles, (f"Level: {len(rows)} titles", ("", "macro-F1", "right where given"), listed)]


def macro_f1(wanted: Sequence[str], said: Sequence[str]) -> float:
    """The mean over the labelled levels, "none" among them, of the harmonic mean of precision and recall."""
    scores = []
    for level in set(wanted):
        hits = sum(w == s == level for w, s in zip(wanted, said, strict=True))
        scores.append(2 * hits / max(1, sum(w == level for w in wanted) + sum(s == level for s in said)))
    return sum(scores) / len(scores)


def asserted(wanted: Sequence[str], said: Sequence[str]) -> str:
    given = [(w, s) for w, s in zip(wanted, said, strict=True) if s]
    return share(sum(w == s for w, s in given), len(given))


def location_table(rows: list[dict[str, str]]) -> Table:
    answers = [normalise_location({"text": row["text"]}) for row in rows]
    stated = [(row, a) for row, a in zip(rows, answers, strict=True) if row["country"]]
    silent = [a for row, a in zip(rows, answers, strict=True) if not row["country"]]
    for row, answer in zip(rows, answers, strict=True):
        if (answer["country"] or "") != row["country"] or (answer["remote"] or "") != row["remote"]:
            note("location", row["text"], (row["country"], row["remote"]), (answer["country"], answer["remote"]))
    cities = [(row, a) for row, a in zip(rows, answers, strict=True) if row["city"]]
    figures = (
        share(sum(a["country"] == row["country"] for row, a in stated), len(stated)),
        share(sum(a["country"] is not None for a in silent), len(silent)),
        share(sum((a["remote"] or "") == row["remote"] for row, a in zip(rows, answers, strict=True)), len(rows)),
        share(sum((a["city"] or "").casefold() == row["city"].casefold() for row, a in cities), len(cities)),
    )
    return (
        f"Place: {len(rows)} texts",
        ("", "country", "guessed where none is said", "remote", "city"),
        [(US, *figures)],
    )


APPENDIX = re.compile(r"^- `(?P<group>\w+)` `(?P<text>.+?)` → (?P<label>.+)$", re.MULTILINE)


def appendix_table() -> Table:
    """The 81 strings on which the peers were compared: valid pay, traps that are no pay, anomalies to flag."""
    corpus = (SHARED / "reference" / "peers.md").read_text(encoding="utf-8")
    rows = [found.groupdict() for found in APPENDIX.finditer(corpus)]
    texts = [row["text"] for row in rows]
    ours = [normalise_salary({"text": text}) for text in texts]
    everybody: dict[str, list[Any]] = {US: ours}
    everybody |= {n: [usable(a) for a in answers] for n, (answers, _) in peers.ask(texts).items()}
    listed = []
    for name, answers in everybody.items():
        full = wrong = traps = anomalies = 0
        for row, answer in zip(rows, answers, strict=True):
            flagged = any(flag["severity"] == "exclude" for flag in answer.get("flags", ()))
            silent = not answer["ok"]
            if row["label"] == "NONE":
                traps += silent
            elif row["label"] == "FLAG":
                anomalies += flagged if name == US else silent
            else:
                low, high, currency, period = (part.strip() for part in row["label"].split(","))
                ends = {"min": low.strip("–"), "max": high.strip("–"), "currency": currency, "period": period}
                right = not silent and pay_right(ends | {"open": "" if "–" not in (low, high) else "from"}, answer)
                right = right or (not silent and low == "–" and pay_right(ends | {"open": "upto"}, answer))
                full, wrong = full + right, wrong + (not silent and not right)
                if name == US and not right:
                    note("appendix", row["text"], row["label"], answer)
        counts = {kind: sum(row["group"] == kind for row in rows) for kind in ("trap", "anomaly")}
        valid = len(rows) - sum(counts.values())
        caught = f"{anomalies}/{counts['anomaly']}" + (" flagged" if name == US else " no answer")
        listed.append((name, f"{full}/{valid}", str(wrong), f"{traps}/{counts['trap']}", caught))
    return f"The peers' {len(rows)} strings", ("parser", "all right", "wrong", "traps left alone", "anomalies"), listed


def markdown(tables: Iterable[Table]) -> str:
    lines = [
        "# Accuracy",
        "",
        "Generated by `make accuracy`; figures are right / all. The labelled rows are the developers' half of sets",
        "labelled by hand; the rows are no part of this repository. The peers are asked on the same rows in the same",
        "run, each as its own callers use it; several were built for one site or for US dollars only, so their figures",
        "say what they would do on these rows, not that they fail their own purpose.",
        "",
        f"Rules version {RULES_VERSION}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}; peers:",
        f"{', '.join(peers.PACKAGES)}.",
        "",
    ]
    for title, heads, rows in tables:
        lines += [f"## {title}", "", "| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
        lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    return "\n".join(lines)


def show(tables: Iterable[Table]) -> None:
    from rich.console import Console
    from rich.table import Table as Shown
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 140)
    for title, heads, rows in tables:
        table = Shown(title=Text(title), title_justify="left")
        for head in heads:
            table.add_column(Text(head))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)


def main() -> int:
    if not (SHARED / "data" / "labelled").is_dir():
        print(f"no labelled rows at {SHARED}/data/labelled: there is nothing to measure", file=sys.stderr)
        return 1
    texts, prose = labelled("salary_text.csv"), labelled("pay_in_prose.csv")
    folder = SHARED / "data" / "labelled" / "pay_in_prose"
    descriptions = [(folder / f"{row['id']}.txt").read_text(encoding="utf-8") for row in prose]
    prose = [row | {"ok": row["has_pay"]} for row in prose]
    tables = salary_table("Pay texts", texts, [row["text"] for row in texts])
    tables += salary_table("Pay in prose", prose, descriptions)
    tables += [appendix_table(), flag_table(labelled("salary_flags.csv"))]
    tables += [*title_tables(labelled("titles.csv")), location_table(labelled("locations.csv"))]
    show(tables)
    pairs = io.StringIO()
    with redirect_stdout(pairs):
        accuracy_pairs.main(SHARED / "data" / "boards")
    print(pairs.getvalue())
    matching = f"## Same job, one posting\n\n`python -m benchmarks.accuracy_pairs`\n\n```text\n{pairs.getvalue()}```\n"
    PAGE.write_text(markdown(tables) + matching, encoding="utf-8")
    MISSES.parent.mkdir(exist_ok=True)
    with MISSES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("set", "text", "label", "answer"))
        writer.writerows(misses)
    print(f"{len(misses)} misses in {MISSES.relative_to(REPOSITORY)}; figures in {PAGE.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
