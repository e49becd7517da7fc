"""Patterns of what stands in a title and is no part of the job's name.

Each pattern is linear or bounded by the length that `clean_title` reads. The ways of work, hours and marketing are
matched against whole pieces only ("- Remote", "(Nights)"), never inside a name ("Remote Sensing Analyst").
"""

import re

INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe0f\ufffc\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
PICTURES = re.compile(
    r"[\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff\U000e0000-\U000e007f]+"
    r"|(?<!\w)[*~=_^]+|[*~=_^]{2,}"
)

_AMOUNT = r"\d[\d.,'’ \u00a0\u202f]*\s?(?:[kKmM]\b)?"
_CURRENCY = (
    r"(?:(?:US|CA|AU|NZ|A|C|S|R)?[$£€¥₹]|Â£|â‚¬|\b(?:USD|EUR|GBP|CHF|CAD|AUD|INR|PLN|SEK|NOK|DKK|BRL|SGD|ZAR)\b)"
)
_PERIOD = r"""
    (?: \s?\+
      | \s*(?:/|\bper\b|\ban?\b|\bp\.?\s?|\bje\b|\bpro\b|\bpar\b|\bpor\b)\s*
        (?:hours?|hrs?|h|days?|d|weeks?|wks?|wk|months?|mo|m|ann?um|years?|yrs?|yr|a|pa
          |stunde|heure|hora|jahr|an|mois|monat)\b\.?
      | \s*(?:hourly|weekly|daily|monthly|yearly|annually|p\.?a\.?|ph|pd)\b\.?
    )*
"""
_AMOUNT_VERBOSE = _AMOUNT.replace(" ", r"\ ")
PAY = re.compile(
    rf"""
    (?:\b(?:up\s?to|upto|from|earn(?:ing)?|salary|pay(?:ing)?|ote|starting\ at|starts\ at|between|c\.|circa|bis\ zu|ab)
      \b[\s:]*+){{0,4}}
    (?:{_CURRENCY}\s?{_AMOUNT_VERBOSE}|\b\d[\d.,]{{0,20}}+\s?[kK]?\s?{_CURRENCY})
    {_PERIOD}
    (?:\s*(?:-|–|—|to|and|/|\+)\s*(?:{_CURRENCY})?\s?{_AMOUNT_VERBOSE}\s?(?:{_CURRENCY})?{_PERIOD})*
    (?:\s*(?:\+\s*)?\b(?:ote|doe|basic|base|bonus|benefits|commission|package|sign[\s-]on(?:\ bonus)?)\b)*
    """,
    re.VERBOSE | re.IGNORECASE,
)

NUMBERED = re.compile(
    r"""
      # [Job-123], (2184), (R-0012)
      [\[(]\s*+(?:job|req(?:uisition)?|ref(?:erence)?|id|jr|position|posting|r)?[\s.:#_-]*+
      (?:id|ref|no|number|code)?[\s.:#-]*+[A-Z]{0,4}-?\d[\w./-]++\s*+[\])]
      # Job Id: J0123
    | \b(?:job|req(?:uisition)?|ref(?:erence)?|vacancy|posting|position|announcement)\s*+
      (?:id|ref|no|number|code|nr)?\s*+[.:#-]*+\s*+\#?[A-Z]{0,4}\d[\w.-]*+
      # Ref: ab12x
    | \b(?:job|req|requisition|ref)\s*+(?:id|ref|no|number|code)?\s*+[.:#]++\s*+(?=\w*\d)[\w.-]++
      # #24-170
    | \#\s?[A-Z]{0,3}-?\d[\w-]*
      # JR-00123
    | \b(?:JR|REQ|R|ID|JOB|RITM|VN)[-_]?\d{4,}[\w-]*
      # - 11470
    | (?:(?<=\s-\s)|(?<=\s–\s)|(?<=^))\d{4,}(?=\s*(?:$|-\s|–\s))
    """,
    re.VERBOSE | re.IGNORECASE,
)
PERCENT = re.compile(
    r"(?:\b\d{1,3}\s?(?:-|–|bis|à)\s?)?\b\d{1,3}\s?%(?:\s*(?:remote|home\s?office|pensum|fte))?", re.IGNORECASE
)

GENDER = re.compile(
    r"""
      # (all genders)
      [\[(]\s*(?:all\ genders?|any\ gender|gn|m/?w/?gn|mensch|alle\ geschlechter|human|divers)\s*[\])]
      # (m/w/d)
    | [\[(]\s*[mwfdxhnkiav](?:\s?[/|,.*&;-]\s?(?:[mwfdxhnkiav]|gn|nb|div|divers|non[\s-]?binary|tous)\.?){1,4}\s*[\])]
      # m/f/d without brackets
    | (?<![\w/])(?:[mwfdxhk]/){1,3}(?:[mwfdxhk]|nb|divers)(?![\w/])
    | (?<![\w/])[mfh]/[fmh]/nb(?![\w/])
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Both genders in one word: Entwickler:in, Desenvolvedor(a), Développeur.euse, Chargé(e), specjalista/-tka
INCLUSIVE = re.compile(
    r"(?<=[a-zà-ÿąćęłńóśźż]{3})(?:[:*_·•]|/-?)(?:in|innen|r|e|frau)\b"
    r"|(?<=[a-zà-ÿ]{3})\((?:in|innen|a|e|as|os|es|ne|euse|trice|rice|o|m|f|ora|ère|ka|tka|er|frau|x)\)"
    r"|(?<=[A-ZÀ-Þ]{3}[ORE])/(?:A|AS|OS)\b"
    r"|(?<=[a-zà-ÿ]{2})[.·•/⋅-]-?(?:euse|trice|rice|ère|ne|se|tka|ka|a|ora|esse)s?(?![\w+#])"
)

_REMOTE = r"""
    (?:(?:fully|100%|partially|partly|full|permanently|primarily|temporarily|or|and|/|-|&|the)\s*+){0,6}
    (?: remote(?:ly)?
        (?:[\s-](?:first|only|work|working|position|role|job|friendly|ok|possible|available|eligible|opportunity|based))?
      | hybrid(?:[\s-](?:remote|work|working|role))? | híbrid[oa] | hibrido | on[\s-]?site | in[\s-]office
      | work(?:ing)?[\s-](?:from|at)[\s-]home | wfh | home[\s-]?(?:office|based)
      | telecommute | telework | t[ée]l[ée]travail | teletrabajo | remoto | remota | zdalnie | praca\ zdalna
      | mobiles\ arbeiten | thuiswerk(?:en)? | virtual
    )
    (?:\s*+(?:(?:fully|/|or|and|&|-)\s*+)?(?:remote|hybrid|on[\s-]?site|in[\s-]office|possible|optional)){0,6}
"""
# "Remote Sensing", "Remote Support", "Virtual Assistant": here the word belongs to the job.
_NOT_REMOTE = (
    "sens|monitor|support|hands|pilot|operat|assist|engineer\\b|event|care\\b|reality|machine|teller|cfo|sales"
)
LEADING_REMOTE = re.compile(rf"^{_REMOTE}[\s:,/-]+(?!{_NOT_REMOTE})(?=\w{{2}})", re.VERBOSE | re.IGNORECASE)
TRAILING_REMOTE = re.compile(rf"(?<=\w)[\s,/-]++{_REMOTE}$", re.VERBOSE | re.IGNORECASE)
REMOTE_HINT = re.compile(
    r"remot|hybrid|h[íi]brid|site|office|home|wfh|tele|t[ée]l[ée]|zdaln|virtual|mobiles|thuis", re.IGNORECASE
)

_HOURS = r"""
    (?: (?:1st|2nd|3rd|4th|first|second|third|day|night|evening|swing|weekend|graveyard|late|early|rotating|morning
          |afternoon|am|pm|\d{1,2}[\s-]?(?:hrs?|hours?))[\s-]?shifts?\b
      | \d{1,2}(?::\d\d)?\s?(?:am|pm|a|p)\s?-\s?\d{1,2}(?::\d\d)?\s?(?:am|pm|a|p)\b
      | \d{1,2}[\s-]?(?:hrs?|hours?)(?:\ (?:per|a)\ week)?\b
      | \d{1,2}[\s-]?months?(?:\s(?:contract|ftc|fixed\ term))?\b
      | (?: contract[\s-]to[\s-]hire|fixed[\s-]term(?:\ contract)?|(?:full|part)[\s-]?time|f/?t|p/?t|vollzeit|teilzeit
          | temps[\s-](?:plein|partiel)|tiempo\ completo|contract(?:or)?|temp(?:orary)?|permanent|perm|freelance
          | per[\s-]diem|prn|casual|seasonal|unbefristet|befristet|c2c|w2|1099|ftc|cdi|cdd|b2b|weekdays?|weekends?|days?
          | nights?|evenings?|mornings?|overnights?|rotating|shifts?|position|role|job|opportunity|hours?|schedule
          | flexible|flex|variable|or|and|to )\b
      | [\s&/,-]
    )++
"""
_MARKETING = r"""
    (?: urgent(?:ly)?|hiring|now|immediate(?:ly)?|start(?:er)?s?|apply|today|asap|new|needed|required|wanted
      | join\ (?:us|our\ team)|no\ experience.*|(?:great|excellent|exciting|amazing|growing|leading|competitive)\ .*
      | (?:industry\ leading|fast[\s-]growing|flexible)\ .*|up\ to|sign[\s-]?on\ bonus.*
      | (?:\$?[\d,k]++\s*+|\$\s*+)?(?:sign[\s-]?on|signing)\s*+bonus.*
      | bonus.*|benefits?.*|ote.*|visa\ sponsor.*|relocation.*
      | paid\ training.*|weekly\ pay.*|equal\ opportunity.*|multiple\ (?:roles|positions|locations|openings).*
      | (?:several|various)\ locations|all\ levels|easy\ apply|entry\ level\ ok
      | secret\ clearance.*|ts/sci.*|active\ .*clearance.*|clearance\ required.*|must\ .*|with\ benefits.*|\s
    )++
"""
_DATES = r"""
      (?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?
      (?:\s*(?:-|–|to|/)\s*[a-z]{3,9}\.?)?\s*20\d\d(?:\s*start)?
    | (?:19|20)\d\d(?:\s?[-/–]\s?(?:20)?\d\d)?(?:\s*start)?
    | (?:start|starting|ab|from)\s.{0,20}20\d\d
"""
NOISE = re.compile(
    rf"""^(?:
      {_REMOTE}(?:\s*+(?:(?:in|from|within|across|-|,|:|/|\()\s*+)?(?P<where>.{{0,60}}))?
    | {_HOURS}
    | {_MARKETING}
    | (?:location|place|standort|ort)\b\s*:?.*
    | {_DATES}
    )$""",
    re.VERBOSE | re.IGNORECASE,
)

PAREN = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
PIECES = re.compile(
    r"""
    ( (?<!\s)\s++ (?: [-–—]++\s*+ | [,|;•·@]++\s*+ | /++\s++ | [|!]++\s*+ | :\s++ )
    | (?<![-–—])[-–—]++\s++ | [,|;•·@]++\s*+ | [|!]++\s*+ | :\s++ )
    """,
    re.VERBOSE,
)
EMPTY = re.compile(r"[(\[{][\s,;:/|.&+–—-]*[)\]}]")
LOOSE_DASH = re.compile(r"(?<=[^\s\-–—])([-–—])\s+(?=\S)|(?<=\S)\s+([-–—])(?=[^\s\-–—])")

# A feed that lost its spaces: "AnalistadeSuportePleno", "EngenheirodeDados", "DesenvolvedorPHPPleno".
STUCK = re.compile(
    r"\b(?=(?:anal|eng|geren|desenv|coord|l[íi\ufffd]der|arquit|t[ée\ufffd]cn|assist|consult|espec|program|admin|superv|gestor|cient"
    r"|diretor|auxil|estag))[\w\ufffd]{4,}?(?:de|da|do|das|dos|em)(?-i:[A-ZÀ-Þ])[\w\ufffd]+"
    r"|\b(?:analista|engenheir[oa]|desenvolvedora?|programadora?|consultora?|arquitet[oa]|especialista|coordenadora?"
    r"|administradora?|t[ée\ufffd]cnic[oa]|assistente|gerente)(?-i:[A-ZÀ-Þ])[\w\ufffd]+",
    re.IGNORECASE,
)
STUCK_OF = re.compile(r"(?<=[a-zà-ÿ\ufffd]{3})(de|da|do|das|dos|em)(?=[A-ZÀ-Þ])")  # the "dos" of "Dados" is no word
STUCK_WORD = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])(?!Ops)|(?<=[A-ZÀ-Þ]{2})(?=[A-ZÀ-Þ][a-zà-ÿ])")
# A feed that lost its accents: "J\ufffdnior", "Seguran\ufffda".
LOST = re.compile(r"(?<!\w)\w*+\ufffd[\w\ufffd]*+")
