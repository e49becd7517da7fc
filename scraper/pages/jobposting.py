"""schema.org JobPosting wherever a page carries one: JSON-LD, microdata or RDFa, sound or broken.

`find_job_postings` finds them, `read_job_page` makes raw postings of them. What cannot be read is a `Problem`.
Vocabulary: schema.org/JobPosting; the mistakes met in the field are in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from db.contained import Failure, contained
from db.records import RawPostingRecord
from db.rejected import PARSER_FAILED
from db.text import one_line
from scraper.answers import Parsed, Seen, gathered, posting, read_each, rejection
from scraper.identity import Said, Says, closed_words
from scraper.limits import LONGEST_TREE, TooCostlyError, too_large
from scraper.pages.adaddress import names_an_ad, same_ad, says_other
from scraper.pages.addresses import absolute, canonical
from scraper.pages.basesalary import pay_of
from scraper.pages.declared import page_addresses, said_of, with_text
from scraper.pages.jsonld import MOST_OBJECTS, Problem, json_ld_objects
from scraper.pages.microdata import MOST_ITEMS, microdata_items
from scraper.pages.plain import plain_text
from scraper.pages.rows import Row, is_scalar, joined

TYPE = "JobPosting"
DEEPEST = 12
"""Objects inside objects."""
MOST_VALUES = 1_000_000
"""Values of all postings of one page, each counted as often as it is referred to."""
_MENTIONED = re.compile(rb"job\W{0,12}posting", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*+=\s*+(?:[\"']\s*+)?([\w.:-]{2,40})", re.IGNORECASE)

_NAMES = """
    title name description identifier url sameAs datePosted dateModified datePublished validThrough expires
    employmentType hiringOrganization jobLocation jobLocationType applicantLocationRequirements baseSalary
    estimatedSalary salaryCurrency inLanguage occupationalCategory industry employmentUnit directApply
    applicationContact image logo potentialAction mainEntityOfPage jobBenefits benefits incentiveCompensation
    qualifications responsibilities skills workHours experienceRequirements educationRequirements totalJobOpenings
    jobImmediateStart jobStartDate
"""
_INNER_NAMES = """
    @type name value address addressLocality addressRegion addressCountry postalCode streetAddress legalName
"""
PROPERTIES = {name.lower(): name for name in _NAMES.split()}
"""Properties that we name, in schema.org's spelling; other spellings of the case are read as these."""
INNER_PROPERTIES = {name.lower(): name for name in _INNER_NAMES.split()}
"""The same for the objects inside a posting."""

IGNORED = ("@context", "@type", "@id", "type", "image", "logo", "potentialAction", "mainEntityOfPage", "directApply")


@dataclass(frozen=True, slots=True)
class JobPosting:
    """The properties of one posting as published, with references inside the page resolved."""

    fields: Mapping[str, object]
    syntax: str
    """json-ld or microdata."""


def find_job_postings(html: bytes, url: str) -> tuple[list[JobPosting], list[Problem]]:
    """All job postings that a page declares, and what of them could not be read. A page without any costs one search.

    `url` is the page's address, against which relative addresses are read.

    >>> page = b'<script type="application/ld+json">{"@type": "JobPosting", "title": "Nurse", "url": "/o/1"}</script>'
    >>> find_job_postings(page, "https://example.com/jobs")[0][0].fields
    {'@type': 'JobPosting', 'title': 'Nurse', 'url': 'https://example.com/o/1'}
    """
    if _MENTIONED.search(html) is None:
        return [], []
    page = decoded_page(html)
    values, problems = json_ld_objects(page, only=TYPE)
    found: list[JobPosting] = []
    try:
        found += _declared_in(values, url, problems)
        if not found and (why := too_large(len(page), LONGEST_TREE)):
            problems.append(Problem("too_large", why))
        elif not found:
            items = microdata_items(page, TYPE)
            found += _declared(items[:MOST_ITEMS], lambda item: _posting(cleaned(item), url, "microdata"), problems)
            if len(items) > MOST_ITEMS:
                problems.append(Problem("too_costly", f"only the first {MOST_ITEMS} items are read"))
    except TooCostlyError as error:
        problems.append(Problem(error.reason, error.detail))
    if not found and not problems and b"ld+json" in html.lower() and values:
        problems.append(Problem("no_job_posting", "a script speaks of job postings but declares none"))
    return _distinct(found), problems


def _declared(
    nodes: Iterable[Mapping[str, object]],
    read: Callable[[Mapping[str, object]], JobPosting | None],
    problems: list[Problem],
) -> Iterator[JobPosting]:
    """The postings among these objects; one that cannot be read is added to `problems`.

    Raises `TooCostlyError` once they ask for more work than one page is given.
    """
    for number, node in enumerate(nodes, 1):
        job = contained(_read_or_costly, read, node)
        if isinstance(job, TooCostlyError):
            raise job
        if isinstance(job, Failure):
            problems.append(Problem(PARSER_FAILED, f"{job}; object {number}"))
        elif job is not None:
            yield job


def _read_or_costly(
    read: Callable[[Mapping[str, object]], JobPosting | None], node: Mapping[str, object]
) -> JobPosting | TooCostlyError | None:
    try:
        return read(node)
    except TooCostlyError as error:
        return error


def _posting(fields: dict[str, object], url: str, syntax: str = "json-ld") -> JobPosting:
    return _with_address(JobPosting(fields, syntax), url)


def _declared_in(values: Sequence[object], url: str, problems: list[Problem]) -> Iterator[JobPosting]:
    """The postings among the values of scripts. Raises `TooCostlyError` where their references repeat too much."""
    nodes: list[dict[str, object]] = []
    try:
        nodes.extend(nodes_of(values))
    except TooCostlyError as error:
        problems.append(Problem(error.reason, error.detail))
    cleaning = Cleaning({str(node["@id"]): node for node in nodes if "@id" in node and len(node) > 1})
    yield from _declared(
        nodes, lambda node: _posting(cleaning.cleaned(node), url) if is_posting(node) else None, problems
    )


def read_job_page(html: bytes, seen: Seen) -> Parsed:
    """The job postings of a page as raw postings, with what it says about which ads they are; its problems rejected.

    A posting is known by the address that it declares. One alone on its page, without an address, is known by the
    page's, unless the page says that its ad is gone: then it is some other job that the page offers instead. Some
    sites declare a list or their home page as the address of every ad: those addresses do not count.
    """
    base = seen.answered or seen.url
    found, problems = find_job_postings(html, base)
    page = decoded_page(html) if found else ""
    page_base = base if base.startswith("http") else None
    on_page = page_addresses(page, page_base)
    stated = [canonical(_text(job.fields.get("url")), page_base) for job in found]
    claimed = [own if names_an_ad(own) and stated.count(own) == 1 else None for own in stated]
    is_left_over = _says_gone(found, claimed, page)
    if claimed == [None] and not is_left_over:
        claimed = [address_of_only_posting(seen, on_page)]

    def declared(stated: tuple[JobPosting, str | None]) -> Parsed:
        job, own = stated
        part = posting_of(job, seen, url=own)
        if is_left_over:
            part = replace(part, postings=tuple(_left_over(record) for record in part.postings))
        return replace(part, says=Says(tuple(said_of(job.fields, page_base, record) for record in part.postings)))

    parts = read_each(list(zip(found, claimed, strict=True)), declared, seen)
    said = tuple(one for part in parts if part.says is not None for one in part.says.postings)
    rejected = tuple(replace(rejection(seen, p.reason, p.detail), excerpt=p.excerpt) for p in problems)
    return gathered([*parts, Parsed(rejected=rejected)], says=Says(said, on_page))


def _says_gone(found: Sequence[JobPosting], claimed: Sequence[str | None], page: str) -> bool:
    """Whether a page says that its ad is gone; asked only where its postings might be what is left of it."""
    if not found or (None not in claimed and all(job.fields.get("description") for job in found)):
        return False
    return bool(closed_words(with_text(Says((Said(),)), page).headings))


def _left_over(record: RawPostingRecord) -> RawPostingRecord:
    """What is left of an ad on a page that says that it is gone erases nothing that was read before."""
    return record if record.description_text else replace(record, partial=True)


def address_of_only_posting(seen: Seen, declared: Sequence[str]) -> str | None:
    """The address of the one posting on a page that states none itself."""
    if not seen.url.startswith("http"):
        return next((address for address in declared if names_an_ad(address)), None)
    answered = seen.answered or seen.url
    own = seen.url if same_ad(seen.url, answered) else answered
    for place in (seen.url, own):
        if any(same_ad(place, address) for address in declared):
            return place
    return next((address for address in declared if says_other(own, address)), own if names_an_ad(own) else None)


def posting_of(job: JobPosting, seen: Seen, *, url: str | None, source_id: str | None = None) -> Parsed:
    """One declared posting as a raw posting. Its id is its address: `identifier` often names the employer instead."""
    row = Row(job.fields)
    row.ignore(*IGNORED, "url", "sameAs")
    requisition = _identifier(row)
    organisation, place, country = (
        _organisation(row),
        _places(row.raw("jobLocation")),
        _countries(row.peek("jobLocation")),
    )
    scope = _areas(row.peek("applicantLocationRequirements"))
    base, estimate = row.raw("baseSalary"), row.raw("estimatedSalary")
    currency = row.text("salaryCurrency")
    pay = pay_of(base, currency)
    is_estimate = not pay.tiers and pay.text is None and bool((guess := pay_of(estimate, currency)).tiers)
    payload: dict[str, object] = {}
    if base is not None and not pay.tiers and pay.text is None:
        payload["baseSalary"] = base
    if estimate is not None and not is_estimate:
        payload["estimatedSalary"] = estimate
    if is_estimate:
        pay = guess
    if job.syntax != "json-ld":
        payload["syntax"] = job.syntax
    if url is None and (stated := _text(job.fields.get("url"))):
        payload["url"] = stated
    title, description = row.text("title"), row.html("description")
    return posting(
        seen,
        row,
        title=title or row.text("name"),
        source_id=source_id or url or (joined([organisation, requisition], "|") if requisition else None),
        url=url,
        company_text=organisation,
        location_text=place or scope,
        country_text=country or scope,
        workplace_text=joined(row.texts("jobLocationType")),
        employment_text=joined(_each_text(row.raw("employmentType"))),
        salary_text=pay.text,
        pay=pay.tiers,
        pay_is_estimate=is_estimate,
        department_text=_name(row.raw("employmentUnit")),
        requisition_text=requisition,
        language=_name(row.raw("inLanguage")),
        description_text=description,
        posted_on=row.day("datePosted") or row.day("datePublished"),
        updated_on=row.day("dateModified"),
        valid_through=row.day("validThrough") or row.day("expires"),
        payload=payload,
    )


def decoded_page(html: bytes) -> str:
    """The text of a page: UTF-8 where it is valid, else what the page declares, else Windows-1252."""
    try:
        return html.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = _CHARSET.search(html[:4_096])
    try:
        return html.decode(declared[1].decode("ascii") if declared else "cp1252", "replace")
    except (LookupError, ValueError):  # an encoding that nobody knows, or one that replaces nothing: "idna"
        return html.decode("cp1252", "replace")


def nodes_of(values: Sequence[object]) -> Iterator[dict[str, object]]:
    """Every object in decoded JSON-LD, outermost first, in page order. Raises `TooCostlyError` after the last that is
    looked at, where there are more."""
    stack = list(reversed(values))
    for _ in range(MOST_OBJECTS):
        if not stack:
            return
        value = stack.pop()
        if isinstance(value, dict):
            yield value
            stack.extend(reversed([item for item in value.values() if isinstance(item, dict | list)]))
        elif isinstance(value, list):
            stack.extend(reversed([item for item in value if isinstance(item, dict | list)]))
    if stack:
        raise TooCostlyError(f"only the first {MOST_OBJECTS:,} objects are looked at")


def is_posting(node: Mapping[str, object]) -> bool:
    for name in ("@type", "type", "@Type", "Type", "@TYPE"):
        types = node.get(name)
        if types is None:
            continue
        for type_ in types if isinstance(types, list) else [types]:
            if isinstance(type_, str) and re.split(r"[/#:]", type_.strip().rstrip("/"))[-1].lower() == TYPE.lower():
                return True
    return False


def cleaned(node: Mapping[str, object]) -> dict[str, object]:
    """The properties of one object that refers to no other. Raises `TooCostlyError` for an endless one."""
    return Cleaning({}).cleaned(node)


class Cleaning:
    """Properties in schema.org's spelling, references to other nodes replaced by these, typed values unwrapped.

    Nodes refer to each other, so a small page can stand for a huge one: all postings of a page together are given
    `MOST_VALUES` values.
    """

    def __init__(self, index: Mapping[str, object]) -> None:
        self._index = index
        self._left = MOST_VALUES

    def cleaned(self, node: Mapping[str, object]) -> dict[str, object]:
        fields: dict[str, object] = {}
        for key, value in node.items():
            name = re.split(r"[/:]", key)[-1] if ("/" in key or ":" in key) and not key.startswith("@") else key
            name = PROPERTIES.get(name.lower(), name)
            if name not in fields or fields[name] in (None, "", []):
                fields[name] = self._resolved(value, DEEPEST)
        return fields

    def _resolved(self, value: object, depth: int) -> object:
        self._left -= 1
        if self._left < 0:
            raise TooCostlyError(f"its references lead to more than {MOST_VALUES} values")
        if depth == 0:
            return None
        if isinstance(value, list):
            return [self._resolved(item, depth - 1) for item in value]
        if not isinstance(value, dict):
            return value
        if "@value" in value:
            return value["@value"]
        if set(value) <= {"@id", "@type"} and (target := self._index.get(str(value.get("@id")))) is not None:
            value = target if isinstance(target, dict) else value
        if "@list" in value or "@set" in value:
            return self._resolved(value.get("@list", value.get("@set")), depth - 1)
        spelt = {INNER_PROPERTIES.get(name.lower(), name): item for name, item in value.items()}
        return {name: self._resolved(item, depth - 1) for name, item in spelt.items()}


def _with_address(job: JobPosting, url: str) -> JobPosting:
    own = _text(job.fields.get("url"))
    if own is None or not url.startswith("http"):
        return job
    return JobPosting({**job.fields, "url": absolute(url, own) or own}, job.syntax)


def _distinct(found: list[JobPosting]) -> list[JobPosting]:
    """The same posting declared twice on a page counts once."""
    unique: list[JobPosting] = []
    for job in found:
        if job not in unique[-50:]:
            unique.append(job)
    return unique


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return next((text for item in value if (text := _text(item))), None)
    if isinstance(value, dict):
        return _text(value.get("name") or value.get("value") or value.get("@id"))
    return one_line(str(value)) if is_scalar(value) else None


def _name(value: object) -> str | None:
    """The name of a thing, or the words that stand for it."""
    if isinstance(value, dict):
        return next(
            (text for key in ("name", "legalName", "alternateName", "value") if (text := _text(value.get(key)))), None
        )
    return _text(value)


def _each_text(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(text for item in items if (text := _name(item))))


def _identifier(row: Row) -> str | None:
    value = row.raw("identifier")
    if isinstance(value, list):
        value = next((item for item in value if item), None)
    if isinstance(value, dict):
        return _text(value.get("value")) or _text(value.get("propertyID"))
    return _text(value)


def _organisation(row: Row) -> str | None:
    value = row.raw("hiringOrganization")
    for item in value if isinstance(value, list) else [value]:
        if name := _name(item):
            return name
    return None


def _places(value: object) -> str | None:
    """All places, each as locality, region, country; the words that stand there where there is no address."""
    places = [_place(item) for item in (value if isinstance(value, list) else [value])]
    return joined(places, "; ")


def _place(value: object) -> str | None:
    if not isinstance(value, dict):
        return plain_text(_text(value))
    address = value.get("address", value)
    if isinstance(address, list):
        return joined((_place({"address": item}) for item in address), "; ")
    if isinstance(address, dict):
        parts = [_name(address.get(key)) for key in ("addressLocality", "addressRegion", "addressCountry")]
        return joined(part for part in parts if part) or _name(address) or _name(value)
    return _text(address) or _name(value)


def _countries(value: object) -> str | None:
    countries = []
    for item in value if isinstance(value, list) else [value]:
        address = item.get("address", item) if isinstance(item, dict) else None
        for part in address if isinstance(address, list) else [address]:
            if isinstance(part, dict):
                countries.append(_name(part.get("addressCountry")))
    return joined(countries)


def _areas(value: object) -> str | None:
    """The areas where applicants may live."""
    items = value if isinstance(value, list) else [value]
    return joined(
        _name(item) if not isinstance(item, dict) or "address" not in item else _place(item) for item in items
    )
