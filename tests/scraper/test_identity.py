"""Which ad a page is: the rule as a table, and the addresses that it compares."""

# ruff: noqa: E501 - tables, a case a line

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.identity import Asked, Said, Says, Which, closed_words, judge
from scraper.pages.adaddress import anatomy, leads_to, names_an_ad, same_ad, says_other
from scraper.pages.declared import own_address, page_addresses, with_text

UUID, UUID2 = "0f3a2b1c-1111-4222-8333-444455556666", "0f3a2b1c-1111-4222-8333-444455556667"
AD = "https://acme.example/jobs/nurse"

SAME = [
    # moves and spellings that stay the same ad
    ("http://acme.example/jobs/nurse", AD),
    ("https://www.acme.example/jobs/nurse/", AD),
    ("https://ACME.example/jobs/nurse", AD),
    ("https://acme.example/Jobs/Nurse", AD),
    ("https://acme.example/jobs/nurse?utm_source=x&gh_src=y#apply", AD),
    ("https://acme.example/jobs/nurse?lang=de", AD),
    ("https://acme.example/en/jobs/nurse", AD),
    ("https://acme.example/en-US/jobs/nurse", "https://acme.example/de/jobs/nurse"),
    ("https://acme.example/jobs/nurse/apply", AD),
    ("https://acme.example/jobs/nurse/index.html", AD),
    ("https://acme.example/jobs/nurse.html", AD),
    ("https://acme.example/jobs/nurse?from=feed", AD),
    ("https://careers.acme.example/jobs/nurse", AD),
    ("https://acme.example/jobs/krankenpfleger-m%C3%BCnchen", "https://acme.example/jobs/krankenpfleger-münchen"),
    # the number stays, the rest changes
    ("https://acme.example/jobs/51200-nurse", "https://acme.example/jobs/51200-head-nurse"),
    ("https://acme.example/job/nurse-51200/", "https://acme.example/jobs/51200"),
    ("https://acme.example/jobs/12", "https://acme.example/careers/12"),
    ("https://boards.greenhouse.io/acme/jobs/4711001", "https://job-boards.greenhouse.io/acme/jobs/4711001"),
    ("https://boards.greenhouse.io/acme/jobs/4711001", "https://boards.greenhouse.io/embed/job_app?for=acme&token=4711001"),
    ("https://boards.greenhouse.io/acme/jobs/4711001", "https://acme.example/careers/open?gh_jid=4711001"),
    (f"https://jobs.lever.co/acme/{UUID}", f"https://jobs.lever.co/acme/{UUID}/apply"),
    (f"https://jobs.lever.co/acme/{UUID.upper()}", f"https://jobs.eu.lever.co/acme/{UUID}?lever-source=x"),
    (f"https://jobs.ashbyhq.com/Acme/{UUID}", f"https://jobs.ashbyhq.com/acme/{UUID}/application"),
    ("https://jobs.smartrecruiters.com/Acme/744000012345678", "https://jobs.smartrecruiters.com/Acme/744000012345678-data-engineer"),
    ("https://acme.wd5.myworkdayjobs.com/Careers/job/Berlin/Nurse_JR12345", "https://acme.wd5.myworkdayjobs.com/en-US/Careers/job/Berlin/Nurse_JR12345-1"),
    ("https://apply.workable.com/acme/j/A1B2C3D4E5/", "https://apply.workable.com/j/a1b2c3d4e5"),
    ("https://acme.breezy.hr/p/1a2b3c4d5e6f-nurse", "https://acme.breezy.hr/p/1a2b3c4d5e6f-head-nurse"),
    ("https://acme.teamtailor.com/jobs/800123-nurse", "https://jobs.acme.example/jobs/800123-nurse/applications/new"),
    ("https://acme.bamboohr.com/careers/12", "https://acme.bamboohr.com/careers/12/detail"),
    ("https://acme.pinpointhq.com/postings/4711", "https://acme.pinpointhq.com/en/postings/4711"),
    ("https://acme.example/job?id=5&utm_medium=x", "https://acme.example/job?id=5"),
    ("https://acme.example/job/51200?ref=a", "https://acme.example/job/51200?ref=b"),
]  # fmt: skip
DIFFERENT = [
    (AD, "https://acme.example/jobs/cook"),
    (AD, "https://acme.example/careers"),
    (AD, "https://acme.example/"),
    (AD, "https://other.example/jobs/nurse"),
    ("https://a.recruitee.com/o/nurse", "https://b.recruitee.com/o/nurse"),
    ("https://acme.example/jobs/nurse", "https://acme.example/jobs/nurse-2"),
    ("https://acme.example/jobs/51200-nurse", "https://acme.example/jobs/51201-nurse"),
    ("https://acme.example/jobs/12", "https://acme.example/jobs/13"),
    ("https://acme.example/jobs/12", "https://other.example/jobs/12"),
    ("https://acme.example/jobs/12", "https://acme.example/news/12"),
    ("https://acme.example/company/500/jobs/12", "https://acme.example/company/500/jobs/13"),
    ("https://acme.example/company/50012/jobs/12", "https://acme.example/company/50012"),
    ("https://acme.example/jobs/2024-graduate", "https://acme.example/jobs/2024-intern"),
    ("https://acme.example/jobs/office365-admin", "https://acme.example/jobs/office365-trainer"),
    ("https://acme.example/jobs/hr-lead", "https://acme.example/jobs"),
    ("https://acme.example/job?id=5", "https://acme.example/job?id=6"),
    ("https://acme.example/job?id=5", "https://acme.example/job"),
    ("https://acme.example/careers?gh_jid=4711001", "https://acme.example/careers"),
    (f"https://jobs.lever.co/acme/{UUID}", f"https://jobs.lever.co/acme/{UUID2}"),
    (f"https://jobs.lever.co/acme/{UUID}", "https://jobs.lever.co/acme"),
    ("https://acme.wd5.myworkdayjobs.com/Careers/job/Berlin/Nurse_JR12345", "https://acme.wd5.myworkdayjobs.com/Careers/job/Berlin/Nurse_JR12346"),
    ("javascript:alert(1)", "javascript:alert(1)"),
    ("http://[broken", "http://[broken"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_addresses_of_one_ad(one: str, other: str) -> None:
    assert same_ad(one, other)
    assert same_ad(other, one) or "?" in one
    assert not says_other(one, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_addresses_of_two_pages(one: str, other: str) -> None:
    assert not same_ad(one, other)


OTHERS = [
    (AD, "https://acme.example/jobs/cook"),
    (AD, "https://acme.example/en/jobs/cook/"),
    ("https://acme.example/jobs/1", "https://acme.example/jobs/2"),
    ("https://acme.example/jobs/nurse-51200", "https://acme.example/job/cook-51201"),
    ("https://boards.greenhouse.io/acme/jobs/4711001", "https://job-boards.greenhouse.io/acme/jobs/4711002"),
    ("https://acme.example/job?id=5", "https://acme.example/job?id=6"),
]
SAYS_NOTHING = [
    (AD, "https://acme.example/"),
    (AD, "https://acme.example/careers/"),
    (AD, "https://acme.example/company/acme"),
    (AD, "https://boards.greenhouse.io/acme/jobs/4711001"),
    ("https://acme.example/jobs/5521-nurse", "https://boards.greenhouse.io/acme/jobs/4711001"),
    ("https://acme.example/jobs/12", "https://acme.example/jobs/nurse"),
    ("https://acme.example/jobs/nurse-51200", "https://acme.example/jobs/nurse"),
    ("https://acme.example/jobs/51200", "https://acme.example/company/90001"),
]


@pytest.mark.parametrize(("asked", "declared"), OTHERS)
def test_an_address_that_says_another_ad(asked: str, declared: str) -> None:
    assert says_other(asked, declared)


@pytest.mark.parametrize(("asked", "declared"), SAYS_NOTHING)
def test_an_address_that_says_nothing_about_the_ad(asked: str, declared: str) -> None:
    assert not says_other(asked, declared)
    assert not same_ad(asked, declared)


LEADS = [
    ("https://acme.example/careers", "LIST"),
    ("https://acme.example/", "LIST"),
    ("https://acme.example/de/", "LIST"),
    ("https://acme.example/jobs?error=true", "LIST"),
    ("https://acme.example/jobs/nurse?not_found=true", "LIST"),
    ("https://acme.example/jobs", "LIST"),
    ("https://boards.greenhouse.io/acme/jobs?error=true", "LIST"),
    ("https://acme.example/jobs/cook", "AD"),
    ("https://acme.example/why-acme", "AD"),
    ("https://acme.example/404", "END"),
    ("https://acme.example/jobs/expired", "END"),
    ("https://acme.example/login?next=/jobs/nurse", "DOOR"),
    ("https://acme.example/users/sign_in", "DOOR"),
    ("https://consent.acme.example/collect?return=x", "DOOR"),
    ("https://accounts.google.com/v3/x", "DOOR"),
    ("https://elsewhere.example/hello", "STRANGE"),
    ("https://www.acme.example/en/jobs/nurse/", "SAME"),
]


@pytest.mark.parametrize(("final", "leads"), LEADS)
def test_where_a_redirect_leads(final: str, leads: str) -> None:
    assert leads_to(AD, final).name == leads


@pytest.mark.parametrize(
    "address", [AD, "https://acme.example/kiln", "https://acme.example/jobs?gh_jid=1", "https://acme.example/p/7"]
)
def test_addresses_that_may_name_an_ad(address: str) -> None:
    assert names_an_ad(address)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://acme.example",
        "https://acme.example/en/jobs/",
        "https://acme.example/karriere.html",
        "mailto:x@y.example",
    ],
)
def test_addresses_that_name_none(address: str | None) -> None:
    assert not names_an_ad(address)


NURSE = Says((Said(title="Nurse"),))
ASKED = Asked(addresses=("https://acme.example/jobs/4711",))


@dataclass(frozen=True)
class Case:
    which: str
    says: Says = NURSE
    final: str = "https://acme.example/jobs/4711"
    status: int = 200
    asked: Asked = ASKED
    postings: tuple[int, ...] = (0,)
    gone: bool = False


def posting(*addresses: str, title: str = "Nurse", **values: object) -> Said:
    return Said(addresses=addresses, title=title, **values)  # type: ignore[arg-type]


LIST, HOME, OTHER = "https://acme.example/careers", "https://acme.example/", "https://acme.example/jobs/4712"
MINE = "https://acme.example/jobs/4711"
API = Asked(addresses=("https://api.acme.example/v1/postings/744001",), ids=("744001",))
WORKDAY = Asked(addresses=("https://acme.wd5.myworkdayjobs.com/wday/cxs/acme/x/job/B/Nurse_JR123-1",), ids=("JR123-1",))

CASES = {
    # the final address says it
    "as asked": Case("ASKED"),
    "https and www": Case("ASKED", final="https://www.acme.example/jobs/4711/"),
    "locale": Case("ASKED", final="https://acme.example/en/jobs/4711"),
    "renamed": Case("ASKED", final="https://acme.example/jobs/4711-nurse-berlin"),
    # the posting says it
    "declares itself": Case("ASKED", Says((posting(MINE),))),
    "declares itself behind a redirect": Case("ASKED", Says((posting(MINE),)), final="https://acme.example/opportunities/nurse"),
    "apply address elsewhere, same number": Case("ASKED", Says((posting("https://boards.greenhouse.io/acme/jobs/47110011"),)), asked=Asked(addresses=("https://acme.example/jobs/47110011",)), final="https://acme.example/jobs/nurse"),
    "apply address elsewhere, its own number": Case("ASKED", Says((posting("https://boards.greenhouse.io/acme/jobs/9000001"),))),
    "identifier behind a redirect": Case("ASKED", Says((posting(identifiers=("Acme", "4711")),)), final="https://acme.example/opportunities/nurse"),
    "identifier names the employer": Case("ASKED", Says((posting(identifiers=("Acme",)),))),
    "identifier counts something else": Case("ASKED", Says((posting(identifiers=("REQ-99",)),))),
    "address wrong, identifier right": Case("ASKED", Says((posting(OTHER, identifiers=("4711",)),))),
    "address is the list": Case("ASKED", Says((posting(LIST),))),
    "address is the home page": Case("ASKED", Says((posting(HOME),), (HOME,))),
    # the page says it
    "canonical is the list": Case("ASKED", Says((posting(),), (LIST,))),
    "canonical is the home page": Case("ASKED", Says((posting(),), (HOME,))),
    "canonical behind a redirect": Case("ASKED", Says((posting(),), (MINE,)), final="https://acme.example/opportunities/nurse"),
    "canonical wrong, og:url right": Case("ASKED", Says((posting(),), (OTHER, MINE))),
    "canonical wrong, posting right": Case("ASKED", Says((posting(MINE),), (OTHER,))),
    # several postings
    "the one that says so": Case("ASKED", Says((posting(OTHER, title="Cook"), posting(MINE))), postings=(1,)),
    "the one on a list that says so": Case("ASKED", Says((posting(OTHER, title="Cook"), posting(MINE))), final=LIST, postings=(1,)),
    "the one that does not say otherwise": Case("ASKED", Says((posting(OTHER, title="Cook"), posting())), postings=(1,)),
    "one a place": Case("ASKED", Says((posting(MINE), posting(MINE))), postings=(0, 1)),
    "one a place, silent": Case("ASKED", Says((posting(), posting(title="NURSE "))), postings=(0, 1)),
    "two, neither says so": Case("UNKNOWN", Says((posting(), posting(title="Cook"))), postings=()),
    # another ad
    "redirect to another ad": Case("OTHER", Says((posting(),)), final=OTHER, postings=(), gone=True),
    "redirect to another ad that declares itself": Case("OTHER", Says((posting(OTHER),), (OTHER,)), final=OTHER, postings=(), gone=True),
    "another ad at the address": Case("OTHER", Says((posting(OTHER),)), postings=()),
    "@id of another ad": Case("OTHER", Says((posting(LIST, OTHER),)), postings=()),
    "canonical of another ad": Case("OTHER", Says((posting(),), (OTHER,)), postings=()),
    "identifier of another ad of the list": Case("OTHER", Says((posting(identifiers=("4712",)),)), asked=Asked(addresses=(MINE,), siblings=frozenset({"4711", "4712"})), postings=()),
    "several, all others": Case("OTHER", Says((posting(OTHER), posting("https://acme.example/jobs/4713"))), postings=()),
    # a list
    "redirect to the list": Case("LISTING", final=LIST, postings=(), gone=True),
    "redirect to the list with other ads": Case("LISTING", Says((posting(OTHER),)), final=LIST, postings=(), gone=True),
    "redirect home": Case("LISTING", Says(), final=HOME, postings=(), gone=True),
    "redirect with an error": Case("LISTING", final="https://acme.example/jobs/4711?error=true", postings=(), gone=True),
    "redirect to a careers page elsewhere": Case("LISTING", final="https://other.example/careers", postings=(), gone=True),
    # gone
    "404": Case("GONE", Says(), status=404, postings=(), gone=True),
    "410 with a page of other ads": Case("GONE", Says((posting(MINE),)), status=410, postings=(), gone=True),
    "soft 404": Case("GONE", Says(headings="Sorry\nThis job is no longer available"), postings=(), gone=True),
    "soft 404 in the text": Case("GONE", Says(text="The position you are looking for has been filled."), postings=(), gone=True),
    "soft 404 that offers another job": Case("GONE", Says((posting(),), headings="This position has been filled"), postings=(), gone=True),
    "what is left of the ad": Case("GONE", Says((posting(MINE, is_bare=True),), headings="This job has expired"), postings=(), gone=True),
    "the whole ad, whatever a heading says": Case("ASKED", Says((posting(MINE),), headings="This job has expired")),
    "an end": Case("GONE", Says(), final="https://acme.example/404", postings=(), gone=True),
    "JSON without the job": Case("GONE", Says(text='{"status":404,"error":"Job not found"}'), asked=API, final=API.addresses[0], postings=(), gone=True),
    # cannot be told
    "login": Case("UNKNOWN", Says(), final="https://acme.example/login?next=/jobs/4711", postings=()),
    "consent": Case("UNKNOWN", Says(), final="https://consent.example/x", postings=()),
    "elsewhere without any posting": Case("UNKNOWN", Says(), final="https://parked.example/x", postings=()),
    "no posting": Case("UNKNOWN", Says(headings="Nurse"), postings=()),
    # answers of platforms
    "JSON of the job": Case("ASKED", Says((posting(own_id="744001"),)), asked=API, final=API.addresses[0]),
    "JSON of another job": Case("OTHER", Says((posting(own_id="744002"),)), asked=API, final=API.addresses[0], postings=()),
    "JSON of the job at another address": Case("ASKED", Says((posting(own_id="744001"),)), asked=API, final="https://api.acme.example/v2/x"),
    "JSON without an id": Case("ASKED", Says((posting(),)), asked=API, final=API.addresses[0]),
    "Workday's requisition": Case("ASKED", Says((posting(own_id="JR123"),)), asked=WORKDAY, final=WORKDAY.addresses[0]),
    "another requisition": Case("OTHER", Says((posting(own_id="JR124"),)), asked=WORKDAY, final=WORKDAY.addresses[0], postings=()),
    "an id of another kind": Case("ASKED", Says((posting(own_id="R-77"),)), asked=Asked(addresses=(WORKDAY.addresses[0],), ids=("/job/B/Nurse",)), final=WORKDAY.addresses[0]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_which_ad_a_page_is(case: Case) -> None:
    found = judge(case.asked, case.says, final=case.final, status=case.status)
    assert (found.which.name, found.postings, found.is_gone) == (case.which, case.postings, case.gone), found.why
    assert found.why or found.which is Which.ASKED


CLOSED = [
    "This job is no longer available",
    "The job you are looking for is no longer open.",
    "Sorry, but we can't find that page",
    "The job posting you're looking for might have closed, or it has been removed. (404 error).",
    "Job not found",
    "The job you requested was not found.",
    "The page you are looking for doesn't exist.",
    "Oh, no! This job has already been filled.",
    "This position is no longer accepting applications",
    "We are no longer accepting applications for this role.",
    "This vacancy has now closed",
    "Position closed",
    "This job isn’t available anymore",
    "Job posting expired!",
    "Diese Stelle ist leider nicht mehr verfügbar.",
    "Das Stellenangebot ist abgelaufen",
    "Cette offre n’est plus disponible",
    "L'offre a été pourvue",
    "Esta oferta ya no está disponible",
    "La vacante ha caducado",
    "Esta vaga não está mais disponível",
    "L'annuncio è scaduto",
    "Deze vacature is helaas gesloten",
    "Ta oferta pracy jest już nieaktualna",
    "Tjänsten är inte längre tillgänglig",
    "この求人は終了しました",
]
OPEN = [
    "Nurse (m/f/d)",
    "Applications are open until the position is filled.",
    "You close deals and open doors",
    "Job security: closed-loop control engineer",
    "We hire people who are not available elsewhere",
    "Accepting applications on a rolling basis",
    "Stelle als Pflegekraft",
    "Our offer: no longer commuting",
    "Data Engineer, Expired Domains Team",
]


@pytest.mark.parametrize("text", CLOSED)
def test_words_that_say_an_ad_is_gone(text: str) -> None:
    assert closed_words(text)


@pytest.mark.parametrize("text", OPEN)
def test_words_that_say_nothing_of_the_kind(text: str) -> None:
    assert closed_words(text) == ""


def test_what_a_page_declares() -> None:
    page = '<LINK REL=canonical HREF="/jobs/1?utm_source=x"><meta content="https://a.example/?a=1&amp;b=2" property="og:url">'
    assert page_addresses(page, "https://a.example/x") == ("https://a.example/jobs/1", "https://a.example/?a=1&b=2")
    assert (
        own_address(
            '<link rel="canonical" href="https://a.example/"><link rel="canonical" href="https://a.example/jobs/1">'
        )
        is None
    )
    assert (
        own_address(
            '<link rel="canonical" href="https://a.example/"><meta property="og:url" content="https://a.example/o/1">'
        )
        == "https://a.example/o/1"
    )


def test_only_what_a_reader_sees_is_a_heading() -> None:
    page = """<?xml version="1.0" encoding="utf-8"?><html><head><title>Nurse</title></head><body><h1>Nurse</h1>
      <div style="display: none"><h2>This job is closed</h2></div><h2 hidden>This job has expired</h2>
      <template><h1>Job not found</h1></template><script>"<h1>Job not found</h1>"</script>
      <!-- <h1>Job not found</h1> --><p>We care.</p></body></html>"""
    says = with_text(Says(), page)
    assert says.headings == "Nurse\nNurse"
    assert "We care." in says.text
    assert with_text(Says(), '{"error": "Job not found"}').text


def test_work_grows_with_the_page() -> None:
    for sign in ("<h1>", "<script>", "<link ", '<meta property="og:url"', "job is ", "job " * 3 + "x", "<!--", " "):
        says = with_text(Says(), "<" + sign * 60_000)
        assert len(says.text) <= 2_000
        page_addresses(sign * 60_000)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_address_breaks_the_rule(one: str, other: str) -> None:
    for address in (one, f"https://a.example/{one}", f"https://{one}"):
        anatomy(address)
        leads_to(address, other)
        says_other(address, f"https://a.example/{other}")
        if anatomy(address) is not None:
            assert same_ad(address, address)
