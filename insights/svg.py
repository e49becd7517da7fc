"""Drawing: the few SVG elements that the charts are made of. Colours come by class, from the page or from `STYLE`."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from math import ceil, floor
from textwrap import wrap

from insights.distribution import round_width

CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(55296, 57344), 65534, 65535))
"""Characters that XML does not allow, whatever a page has sent."""

STYLE = """
.paper { fill: #ffffff }
.ink { fill: #1b2733 } .quiet { fill: #566573 } .grid { stroke: #dfe5ea } .axis { stroke: #8a97a3 }
.reach { stroke: #7fa6cf } .half { fill: #2f6fb3 } .middle { fill: #ffffff; stroke: #12355b }
.sure { stroke: #12355b } .bar { fill: #2f6fb3 } .open { fill: #7fa6cf }
.band { fill: #2f6fb3; opacity: .22 } .line { stroke: #2f6fb3 }
.dot { fill: #2f6fb3 } .other { fill: #b8521b; stroke: #ffffff }
text { font-family: 'Helvetica Neue', Arial, 'Liberation Sans', Helvetica, sans-serif }
"""


def clean(text: str) -> str:
    """Text that XML and HTML can hold, escaped.

    >>> clean('<b>"A & B"</b>' + chr(0))
    '&lt;b&gt;&quot;A &amp; B&quot;&lt;/b&gt;'
    """
    return escape(text.translate(CONTROL), quote=True)


def shortened(text: str, room: float, size: float = 12) -> str:
    """Text cut to fit `room` units at a font size, at about 0.55 of it a letter.

    >>> shortened("Machine Learning Engineer", 80)
    'Machine Lea…'
    """
    letters = max(int(room / (0.55 * size)), 2)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def wrapped(text: str, room: float, size: float) -> list[str]:
    """Text broken into lines that fit `room` units at a font size.

    >>> wrapped("half of the advertised pay", 100, 12)
    ['half of the', 'advertised pay']
    """
    return wrap(text, width=max(int(room / (0.56 * size)), 8)) or [""]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from amounts to positions."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, amount: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.start + (amount - self.low) / span * (self.end - self.start), 2)

    def ticks(self, wanted: int = 5) -> list[float]:
        width = round_width(self.low, self.high, wanted)
        return [i * width for i in range(ceil(self.low / width - 1e-9), floor(self.high / width + 1e-9) + 1)]


def scale_for(amounts: list[float], start: float, end: float, *, wanted: int = 5, from_zero: bool = False) -> Scale:
    """A scale whose ends are round and hold all `amounts`."""
    low, high = (0.0 if from_zero else min(amounts)), max(amounts)
    if high <= low:
        low, high = low - abs(low) * 0.1 - 1, high + abs(high) * 0.1 + 1
    width = round_width(low, high, wanted)
    return Scale(floor(low / width + 1e-9) * width, ceil(high / width - 1e-9) * width, start, end)


def short_amount(amount: float) -> str:
    """
    >>> short_amount(120_000), short_amount(2_500_000), short_amount(12.5), short_amount(0)
    ('120k', '2.5m', '12.5', '0')
    """
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if abs(amount) >= unit:
            return f"{amount / unit:,.10g}"[:6].rstrip(".") + letter
    return f"{amount:.10g}"


@dataclass(slots=True)
class Drawing:
    """An SVG being drawn: a title and a description for those who do not see it."""

    name: str
    """Unique on the page: the ids of title and description are made of it."""
    title: str
    description: str
    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, *, kind: str = "ink", anchor: str = "start", size: float = 12
    ) -> None:
        weight = ' font-weight="600"' if kind == "ink strong" else ""
        self.parts.append(
            f'<text class="{kind}" x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"{weight}>'
            f"{clean(words)}</text>"
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str, thick: float = 1) -> None:
        self.parts.append(
            f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke-width="{thick:g}"/>'
        )

    def rect(self, x: float, y: float, width: float, height: float, kind: str, *, round_by: float = 0) -> None:
        self.parts.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{max(width, 0.5):g}" height="{max(height, 0):g}"'
            f' rx="{round_by:g}"/>'
        )

    def path(self, points: list[tuple[float, float]], kind: str, *, closed: bool = False, thick: float = 2) -> None:
        steps = "L".join(f"{x:g} {y:g}" for x, y in points)
        style = f'class="{kind}"' if closed else f'class="{kind}" fill="none" stroke-width="{thick:g}"'
        self.parts.append(f'<path {style} d="M{steps}{"Z" if closed else ""}"/>')

    def circle(self, x: float, y: float, radius: float, kind: str) -> None:
        self.parts.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>')

    def diamond(self, x: float, y: float, reach: float, kind: str) -> None:
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
        self.path(corners, kind, closed=True)

    def begin(self, hint: str) -> None:
        """Begins a group that says `hint` to a pointer resting on it."""
        self.parts.append(f"<g><title>{clean(hint)}</title>")

    def end(self) -> None:
        self.parts.append("</g>")

    def begin_with_title(self, note: str) -> Drawing:
        """The same drawing below its title and a note, for a picture that stands alone."""
        lines = wrapped(self.title, self.width - 28, 15)
        room = 22 * len(lines) + 30
        made = Drawing(self.name, self.title, self.description, self.width, self.height + room)
        for i, line in enumerate(lines):
            made.text(14, 24 + 22 * i, line, kind="ink strong", size=15)
        made.text(14, 24 + 22 * len(lines), note, kind="quiet", size=11)
        made.parts += [f'<g transform="translate(0 {room})">', *self.parts, "</g>"]
        return made

    def svg(self, *, alone: bool = False, extra_class: str = "") -> str:
        """The element: for a page, or `alone` with its colours and a white ground."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img"'
            f' class="chart {extra_class}" aria-labelledby="{self.name}-t {self.name}-d"'
        )
        size = f' width="{self.width}" height="{self.height}"' if alone else ""
        ground = f'<style>{STYLE}</style><rect class="paper" width="100%" height="100%"/>' if alone else ""
        words = (
            f'<title id="{self.name}-t">{clean(self.title)}</title><desc id="{self.name}-d">'
            f"{clean(self.description)}</desc>"
        )
        return f"{head}{size}>{words}{ground}{''.join(self.parts)}</svg>"
