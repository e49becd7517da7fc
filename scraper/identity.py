"""Which ad a page is: the one that was asked for, another one, a list, an ad that is gone, or one that nobody can tell.

A page is believed to be the ad that was asked for only if its final address, the address that it declares or its
identifier says so. A page that ends at another address, or declares another one, is not this ad, however much it looks
like a job: a dead ad often redirects to a page with other jobs.

    what the posting says of itself     goes before     what the page says     goes before     the final address
    url, @id, mainEntityOfPage,                         canonical, og:url
    identifier, the id of a JSON answer
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from db.keys import folded
from scraper.pages.adaddress import Leads, anatomy, kind_of_id, leads_to, same_ad, same_id, says_other

GONE_STATUS = (404, 410)


class Which(StrEnum):
    """What a page turns out to be."""

    ASKED = "the ad that was asked for"
    OTHER = "another ad"
    LISTING = "a list of ads"
    GONE = "an ad that is gone"
    UNKNOWN = "cannot be told"


class Word(StrEnum):
    """What one statement says about the ad that was asked for."""

    YES = "it is this ad"
    NO = "it is another ad"
    SILENT = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The ad that was asked for."""

    addresses: tuple[str, ...]
    """Where it was asked for, and where it is published; the first is the request's."""
    ids: tuple[str, ...] = ()
    """What its source calls it."""
    siblings: Set[str] = frozenset()
    """What the source calls its other ads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one posting in an answer says about which ad it is."""

    addresses: tuple[str, ...] = ()
    """`url`, `@id`, `mainEntityOfPage`, absolute."""
    identifiers: tuple[str, ...] = ()
    """Published identifiers: numbers of the site, of the employer, or names; only equality says something."""
    own_id: str | None = None
    """The id in a platform's own answer: of the same kind as the id that was asked for."""
    title: str = ""
    is_bare: bool = False
    """It has no description: what is left of an ad when it is closed."""


@dataclass(frozen=True, slots=True)
class Says:
    """What an answer says about itself."""

    postings: tuple[Said, ...] = ()
    page: tuple[str, ...] = ()
    """`canonical` and `og:url`, absolute."""
    headings: str = ""
    """Title and headings as a reader sees them, a line each."""
    text: str = ""
    """The start of what a reader sees."""


@dataclass(frozen=True, slots=True)
class Found:
    """The verdict on an answer, which posting of it is the ad, and why, in words."""

    which: Which
    why: str = ""
    postings: tuple[int, ...] = ()
    """The ad first, then what the answer says of it again, once for each place."""
    moved: bool = False
    """The request ended at another address."""

    @property
    def is_gone(self) -> bool:
        """Whether the ad is no longer where it was: then it counts as missing, as if taken off the list."""
        return self.which is Which.GONE or (self.moved and self.which in (Which.OTHER, Which.LISTING))


def judge(asked: Asked, says: Says, *, final: str, status: int = 200) -> Found:
    """Which ad an answer is. `final` is the address that answered, after all redirects.

    >>> asked = Asked(addresses=("https://acme.com/jobs/1",))
    >>> nurse = Said(title="Nurse")
    >>> judge(asked, Says(postings=(nurse,)), final="https://acme.com/jobs/1/").which.name
    'ASKED'
    >>> judge(asked, Says(postings=(nurse,)), final="https://acme.com/careers").which.name
    'LISTING'
    >>> cook = Said(title="Cook", addresses=("https://acme.com/jobs/2",))
    >>> judge(asked, Says(postings=(cook,)), final="https://acme.com/jobs/1").which.name
    'OTHER'
    """
    if status in GONE_STATUS:
        return Found(Which.GONE, f"answered {status}")
    leads = leads_to(asked.addresses[0], final)
    words = [_word_of(said, asked) for said in says.postings]
    if sure := _alike([at for at, word in enumerate(words) if word is Word.YES], says):
        if says.postings[sure[0]].is_bare and (why := closed_words(says.headings)):
            return Found(Which.GONE, f"the page says {why!r}")
        return Found(Which.ASKED, postings=sure)
    if why := closed_words(says.headings) or ("" if says.postings else closed_words(says.text)):
        return Found(Which.GONE, f"the page says {why!r}")
    if leads is Leads.DOOR:
        return Found(Which.UNKNOWN, f"the address leads to {leads}", moved=True)
    page = _first_word(_word_of_address(address, asked) for address in says.page)
    if leads is Leads.SAME or page is Word.YES:
        return _at_its_address(says, words, page)
    if leads is Leads.STRANGE and not words:
        return Found(Which.UNKNOWN, f"the address leads to {leads}", moved=True)
    return Found(_MOVED[leads], f"the address leads to {leads}", moved=True)


_MOVED: Mapping[Leads, Which] = {
    Leads.AD: Which.OTHER,
    Leads.LIST: Which.LISTING,
    Leads.END: Which.GONE,
    Leads.STRANGE: Which.OTHER,
}


def _at_its_address(says: Says, words: list[Word], page: Word) -> Found:
    """The verdict where the address, or the page as a whole, says that it is the ad, and no posting does."""
    silent = [at for at, word in enumerate(words) if word is Word.SILENT]
    if not words:
        return Found(Which.UNKNOWN, "the page declares no posting")
    if not silent:
        return Found(Which.OTHER, "the posting on the page declares another address or identifier")
    if page is Word.NO:
        return Found(Which.OTHER, "the page declares another address")
    if len(same := _alike(silent, says)) < len(silent):
        return Found(Which.UNKNOWN, f"{len(silent)} postings, and none says that it is this ad")
    return Found(Which.ASKED, postings=same)


def _alike(which: Sequence[int], says: Says) -> tuple[int, ...]:
    """The first of these postings, and those with its title: some sites declare an ad once for each place."""
    titles = [folded(says.postings[at].title) for at in which]
    return tuple(at for at, title in zip(which, titles, strict=True) if title == titles[0])


def _word_of(said: Said, asked: Asked) -> Word:
    """What a posting says. One statement that it is this ad weighs more than a wrong address beside it."""
    own = Word.SILENT if said.own_id is None else _word_of_id(said.own_id, asked)
    if own is not Word.SILENT:
        return own
    words = [_word_of_address(address, asked) for address in said.addresses]
    words += [_word_of_identifier(identifier, asked) for identifier in said.identifiers]
    return _first_word(words)


def _first_word(words: Iterable[Word]) -> Word:
    heard = set(words)
    return next((word for word in (Word.YES, Word.NO) if word in heard), Word.SILENT)


def _word_of_id(own: str, asked: Asked) -> Word:
    """What the id of a platform's own answer says; ids of different kinds cannot be compared."""
    if any(same_id(own, one) for one in asked.ids):
        return Word.YES
    return Word.NO if any(kind_of_id(own) == kind_of_id(one) for one in asked.ids) else Word.SILENT


def _word_of_address(address: str, asked: Asked) -> Word:
    if any(same_ad(one, address) for one in asked.addresses):
        return Word.YES
    if any(says_other(one, address) for one in asked.addresses):
        return Word.NO
    return Word.SILENT


def _word_of_identifier(identifier: str, asked: Asked) -> Word:
    """What a published identifier says: equality only, because it may count something else than the address does."""
    if identifier.startswith(("https://", "http://")):
        return _word_of_address(identifier, asked)
    if any(same_id(identifier, one) for one in (*asked.ids, *ids_in(asked.addresses))):
        return Word.YES
    return Word.NO if any(same_id(identifier, one) for one in asked.siblings) else Word.SILENT


def ids_in(addresses: Iterable[str]) -> tuple[str, ...]:
    """The number or code of the ad in each address that has one.

    >>> ids_in(["https://acme.com/jobs/4711-nurse", "https://acme.com/jobs/cook"])
    ('4711',)
    """
    places = (anatomy(address) for address in addresses)
    return tuple(dict.fromkeys(place.own for place in places if place is not None and place.own is not None))


_THING = r"""(?:job|position|posting|vacancy|role|opening|opportunity|requisition|listing|offer|ad|advert|advertisement
    |career\ opportunity)"""
_CLOSED = re.compile(
    rf"""
      \b{_THING}s?\b [^.!?\n]{{0,60}}? \b(?:
          (?:is|are)\ (?:no\ longer|not\ (?:currently\ )?available|not\ found|unavailable|closed|expired|inactive)
        | (?:isn['’]t|isnt)\ (?:available|active|open)(?:\ any\ ?more)?
        | (?:has|have|was)\ (?:now\ |already\ |since\ |either\ )*(?:been\ )?(?:closed|expired|filled|removed|withdrawn
            |deleted|unpublished|archived|taken\ down)
        | (?:might|may|could)\ have\ (?:been\ )?(?:closed|expired|filled|removed)
        | (?:was|were|could)\ not\ (?:be\ )?found | no\ longer\ (?:available|open|active|exists?|accepting|online|live)
        | not\ found | doesn['’]t\ exist | does\ not\ exist | (?:closed|expired)(?:\s*(?:$|[.!|–])|\s+-\s) )
    | \b(?:no\ longer|not)\ accepting\ (?:new\ )?applications
    | \bwe\ (?:couldn['’]t|could\ not|can['’]t|cannot)\ find\ (?:that|the|this)\ (?:page|{_THING})
    | \bpage\ (?:you\ are|you['’]re)\ looking\ for\ (?:doesn['’]t|does\ not|no\ longer|can|could)
    | \bcouldn['’]t\ find\ anything\ here
    | \b(?:stelle|stellenanzeige|stellenangebot|stellenausschreibung|anzeige|position|jobangebot|job)\b
        [^.!?\n]{{0,60}}? \b(?:nicht\ mehr\ (?:verf[üu]gbar|aktuell|online|ausgeschrieben|aktiv|offen|vakant)
        |abgelaufen|bereits\ besetzt|wurde\ (?:bereits\ )?(?:besetzt|geschlossen|entfernt|deaktiviert))
    | \b(?:offre|annonce|poste)\b [^.!?\n]{{0,60}}? (?:n['’]est\ plus\ (?:disponible|en\ ligne|active|d['’]actualit[ée])
        |(?:a\ été|est)\ (?:pourvue?|supprimée|expirée|clôturée|fermée)|a\ expiré)
    | \b(?:oferta|vacante|puesto|empleo)\b [^.!?\n]{{0,60}}? (?:ya\ no\ (?:está\ )?(?:disponible|activ[ao]|existe)
        |ha\ (?:caducado|expirado|finalizado|sido\ (?:eliminad|cerrad|cubiert)[ao])|no\ está\ disponible)
    | \b(?:vaga|emprego|oferta)\b [^.!?\n]{{0,60}}? (?:(?:já\ )?não\ (?:está|se\ encontra)\ (?:mais\ )?dispon[íi]vel
        |foi\ (?:encerrada|preenchida|removida)|encerrada|expirou)
    | \b(?:offerta|annuncio|posizione)\b [^.!?\n]{{0,60}}? (?:non\ è\ più\ (?:disponibile|attiv[ao])|è\ scadut[ao]
        |è\ stat[ao]\ (?:chius[ao]|rimoss[ao]))
    | \b(?:vacature|functie|baan)\b [^.!?\n]{{0,60}}? (?:niet\ (?:meer|langer)\ (?:beschikbaar|online|actief|open)
        |(?:is|werd)\ (?:helaas\ )?(?:gesloten|verlopen|vervuld|verwijderd|ingevuld))
    | \b(?:oferta|ogłoszenie)\b [^.!?\n]{{0,60}}? (?:nieaktualn[ae]|nieaktywn[ae]|wygasł[ao]|nie\ jest\ już)
    | \b(?:tjänsten|annonsen|jobbet|stillingen|jobbet|stilling)\b [^.!?\n]{{0,60}}? (?:inte\ längre|ikke\ længere
        |ikke\ lenger|tillsatt|besat|utløpt|utgått)
    | (?:求人|募集|掲載)[^。\n]{{0,20}}(?:終了|見つかりません|公開されていません)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
"""How sites and platforms say that an ad is gone, in the languages that our sources write."""


def closed_words(text: str) -> str:
    """The words by which a page says that its ad is gone; empty where it says nothing of the kind.

    >>> closed_words("Sorry!\\nThis job is no longer available.")
    'job is no longer'
    >>> closed_words("Apply until the position is filled."), closed_words("Die Stelle ist leider nicht mehr verfügbar.")
    ('', 'Stelle ist leider nicht mehr verfügbar')
    """
    found = _CLOSED.search(text)
    return " ".join(found.group().split()) if found else ""
