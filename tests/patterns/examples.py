"""Ordinary texts for the rules whose patterns are built on first use, or from what a text says."""

from __future__ import annotations

from datetime import UTC, datetime

from aggregator.normalise.employment import parse_employment
from aggregator.normalise.level import parse_level
from aggregator.normalise.salary import parse_salary
from aggregator.normalise.salary.prose import windows
from aggregator.normalise.title import clean_title
from aggregator.plausibility import is_reduced, occupation_class
from db.fulltext import words_of
from db.text import repair
from scraper.answers import Ask, Seen
from scraper.pages.featured import pay_end
from scraper.pages.jsonld import repaired
from scraper.pages.xml import safe_xml
from scraper.platforms import recognise
from scraper.sources import Source
from scraper.spiders.articles import ArticlesSpider
from scraper.spiders.jobpages import JobPagesSpider


def run() -> None:
    """Reads each once."""
    clean_title("Ingeni\ufffdro de Software")
    parse_employment("Full Time")
    parse_salary("USD 120K - 180K")
    windows("The salary is $120,000 - $150,000 a year.")
    words_of("Zürich देवनागरी 北京 C++")
    repair("Featured Job ๐Ÿ‘€ – Β·")
    for text in ("USD 100K - 130KiOS Developer", "USD 100 - 130 per hour", "USD 100K"):
        pay_end(text)
    safe_xml(b"<jobs><job>Nurse</job></jobs>")
    recognise("https://acme.example/no-platform")
    repaired("{'a': \"b\" /* c")
    repaired("{'a': \"b\" /* c", quotes_inside=True)
    parse_level("Vice President", company="Goldman Sachs")
    is_reduced("Praktikant (m/w/d)")
    occupation_class("Corporate Finance Partner")
    ArticlesSpider(Source(name="x", spider="articles", url="https://x.example/"))
    pages = Source(name="x", spider="jobpages", url="https://x.example/", options={"pattern": "/job/"})
    seen = Seen(source="x", url="https://x.example/", at=datetime(2026, 1, 1, tzinfo=UTC))
    JobPagesSpider(pages).read(b"<html><a href='/job/1'>Nurse</a></html>", Ask(url="https://x.example/"), seen)
