"""A web page asked with CSS selectors: what a spider of one's own needs, where a page declares nothing itself."""

from __future__ import annotations

from scrapy import Selector

from db.text import one_line
from scraper.pages.addresses import canonical
from scraper.pages.jobposting import decoded_page
from scraper.pages.plain import plain_text


class Markup:
    """One page.

    >>> page = Markup(b"<h1> Data <b>Engineer</b></h1> <a href='/jobs/7#apply'>Apply</a>", "https://acme.example/jobs")
    >>> page.text("h1"), page.text(".pay"), page.links("a")
    ('Data Engineer', None, ['https://acme.example/jobs/7'])
    """

    def __init__(self, body: bytes, url: str) -> None:
        self.url = url
        self._page = Selector(text=decoded_page(body) or "<html></html>")

    def text(self, css: str) -> str | None:
        """The words of the first match on one line, or the value of an attribute (`time::attr(datetime)`)."""
        for found in self._page.css(css):
            value = found.get()
            words = one_line(value if isinstance(found.root, str) else plain_text(value))
            if words:
                return words
        return None

    def block(self, css: str) -> str | None:
        """The text of all matches, with its paragraphs and list items."""
        return plain_text("\n".join(self._page.css(css).getall()))

    def links(self, css: str) -> list[str]:
        """The web addresses that the matching links lead to, each once, in order."""
        found = (canonical(link, self.url) for link in self._page.css(css).xpath("@href").getall())
        return list(dict.fromkeys(address for address in found if address))
