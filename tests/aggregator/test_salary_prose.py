"""Whole descriptions: the pay statement is found among money that is no pay, or there is none."""

from decimal import Decimal

import pytest

from aggregator.normalise.salary import parse_salary
from aggregator.normalise.salary.prose import MAX_TEXT

ABOUT = (
    "Founded in 2016, we are 350 people serving 12,000 customers in 40 countries and raised $85 million in Series C "
    "funding. Last year we grew revenue from $20M to $45M and processed over $3 billion in payments.\n"
)
PERKS = (
    "Benefits\n401(k) match up to $6,000 per year\n$1,500 annual learning budget\n€50 monthly phone allowance\n"
    "Sign-on bonus of up to $10,000\n25 days of holiday and 16 weeks of parental leave\n"
)
FILLER = "You will design, build and run services together with a small team that owns what it ships. " * 6 + "\n"


@pytest.mark.parametrize(
    ("statement", "low", "high", "currency", "period"),
    [
        ("The base salary range for this role is $131,000 - $164,500.", 131_000, 164_500, "USD", "year"),
        ("Compensation\n$131,000—$164,500 USD\n", 131_000, 164_500, "USD", "year"),
        ("Pay range: $31.25 - $44.10 per hour, depending on experience.", "31.25", "44.10", "USD", "hour"),
        ("Wir bieten ein Jahresgehalt zwischen 58.000 und 71.000 Euro brutto.", 58_000, 71_000, "EUR", "year"),
        ("Die Vergütung beträgt 3.450 € brutto im Monat.", 3450, 3450, "EUR", "month"),
        ("Rémunération : 41 000 € à 47 500 € brut annuel selon expérience.", 41_000, 47_500, "EUR", "year"),
        ("Salario: 27.000 - 31.500 € brutos anuales.", 27_000, 31_500, "EUR", "year"),
        ("Retribuzione annua lorda: 33.000 - 38.500 €.", 33_000, 38_500, "EUR", "year"),
        ("Salaris: €3.150 tot €4.275 bruto per maand.", 3150, 4275, "EUR", "month"),
        ("Wynagrodzenie: 13 500 - 17 200 PLN brutto miesięcznie.", 13_500, 17_200, "PLN", "month"),
        ("Mzda 52 000 - 68 000 Kč měsíčně.", 52_000, 68_000, "CZK", "month"),
        ("Salário de R$ 6.200,00 a R$ 7.900,00 por mês.", 6200, 7900, "BRL", "month"),
        ("Lön: 41 000 - 47 500 SEK per månad.", 41_000, 47_500, "SEK", "month"),
        ("Зарплата: от 145 000 до 190 000 руб. в месяц.", 145_000, 190_000, "RUB", "month"),
        ("給与：月給 32万円～41万円", 320_000, 410_000, "JPY", "month"),
        ("薪资：每月 18000-26000 元", 18_000, 26_000, "CNY", "month"),
        ("급여: 연봉 5,200만원 ~ 6,800만원", 52_000_000, 68_000_000, "KRW", "year"),
        ("CTC: ₹18,00,000 - ₹26,00,000 per annum", 1_800_000, 2_600_000, "INR", "year"),
        (
            "Pay by location:\nZone 1 (Oakland, CA): $141,000 - $172,000\nZone 2 (Boise, ID): $118,000 - $149,000\n",
            118_000,
            172_000,
            "USD",
            "year",
        ),
        ("Minimum Pay\nUSD $21.00/Hr.\nMaximum Pay\nUSD $26.50/Hr.\n", 21, "26.50", "USD", "hour"),
        ("Base salary of $92,000 with on-target earnings of $155,000.", 92_000, 92_000, "USD", "year"),
        (
            "Salary Range or On Target Earnings:\n\nMinimum:\n$81,300.00\nMaximum:\n$187,700.00\n",
            81_300,
            187_700,
            "USD",
            "year",
        ),
        ("Minimum Salary: $69,400.00\nMaximum Salary: $112,900.00", 69_400, 112_900, "USD", "year"),
        (
            "Total range: $141,000 - $173,000 (base plus bonus). Base salary: $121,000 - $149,000.",
            121_000,
            149_000,
            "USD",
            "year",
        ),
        ("Budgeted Pay Range\n$29.10 - $35.40 Hourly", "29.10", "35.40", "USD", "hour"),
        ("The wage is $16.80/hr. plus tips averaging $7-$11/hr.", "16.80", "16.80", "USD", "hour"),
        ("The starting pay is $111,000 - $146,000 in Australian dollars plus super.", 111_000, 146_000, "AUD", "year"),
        ("Our Canadian pay range is $98,000 to $121,000 per year.", 98_000, 121_000, "CAD", "year"),
    ],
)
def test_finds_the_pay_among_other_money(
    statement: str, low: float | str, high: float | str, currency: str, period: str
) -> None:
    salary = parse_salary(f"{ABOUT}{FILLER}{statement}\n{FILLER}{PERKS}")
    assert (salary.min, salary.max) == (Decimal(str(low)), Decimal(str(high)))
    assert (salary.ok, salary.currency, salary.period) == (True, currency, period)


@pytest.mark.parametrize(
    "text",
    [
        ABOUT + FILLER + PERKS,
        ABOUT + "Helped recover $2.4 billion in compensation for customers.\n" + FILLER,
        FILLER + "The salary range is listed in the table above.\n" + PERKS,
        FILLER + "You own an advertising budget of $50,000 - $80,000 per month.\n",
        FILLER + "Trial tasks cost between $20 and $40 each and run for 30 days.\n",
        FILLER + "Wir zahlen 150 € Zuschuss im Monat und 2.000 € Weiterbildungsbudget.\n",
        FILLER + "Referral bonus: €4.000 for every friend you bring.\n",
        FILLER + "Call 555-123-4567 between 09:00 and 17:00, reference 2024-11-05, job 4400123.\n",
    ],
    ids=["company", "compensation", "promise", "budget", "trial", "zuschuss", "referral", "numbers"],
)
def test_money_alone_is_no_pay(text: str) -> None:
    assert not parse_salary(text).ok


def test_the_answer_quotes_only_the_lines_that_state_the_pay() -> None:
    salary = parse_salary(f"{ABOUT}{FILLER}Salary: $88,000 - $97,000 a year\n{PERKS}")
    assert salary.text == "Salary: $88,000 - $97,000 a year"


def test_a_page_far_longer_than_a_description_is_read_to_a_limit_only() -> None:
    assert parse_salary("x " * MAX_TEXT + "Salary: $88,000 a year").ok is False


OPENINGS_AND_LISTS: list[tuple[str, int | None, int | None, str | None, str]] = [
    (
        "Acme | Senior Engineer | Remote (EU) | Full-time | €80k-€110k + equity | https://acme.io/jobs/123",
        80000,
        110000,
        "EUR",
        "year",
    ),
    ("Acme | Backend | NYC | ONSITE | $170k - $220k\nWe raised $30M from a16z.", 170000, 220000, "USD", "year"),
    ("Acme (YC W21) | Multiple roles | REMOTE | 130-180k USD", 130000, 180000, "USD", "year"),
    (
        "Acme | SRE | London, UK | £90k–£120k DOE | Hybrid\nOur customers process £5bn a year.",
        90000,
        120000,
        "GBP",
        "year",
    ),
    ("Acme | Data Scientist | Toronto | CA$120k-150k", 120000, 150000, "CAD", "year"),
    (
        "Was wir bieten:\n- 30 Tage Urlaub\n- Bruttojahresgehalt zwischen 52.000 € und "
        "60.000 €\n- 50 € Sachbezug monatlich",
        52000,
        60000,
        "EUR",
        "year",
    ),
    (
        "Das Gehalt für diese Position liegt je nach Erfahrung bei EUR 3.500 bis EUR 4.200 brutto pro Monat (14x).",
        3500,
        4200,
        "EUR",
        "month",
    ),
    (
        "Für diese Position gilt ein kollektivvertragliches Mindestentgelt von EUR 45.318,- "
        "brutto pro Jahr. Bereitschaft zur Überzahlung.",
        45318,
        None,
        "EUR",
        "year",
    ),
    ("Wir sind gesetzlich verpflichtet, ein Jahresbruttogehalt ab € 50.000,- anzugeben.", 50000, None, "EUR", "year"),
    (
        "Rémunération\nEntre 42 et 50 k€ brut annuel selon profil + tickets restaurant (10 €/jour)",
        42000,
        50000,
        "EUR",
        "year",
    ),
    ("Oferecemos salário de R$ 8.000,00, vale refeição de R$ 900,00 e plano de saúde.", 8000, 8000, "BRL", "month"),
    ("Ofrecemos: sueldo de 2.000 a 2.400 USD mensuales. Bono anual de 500 USD.", 2000, 2400, "USD", "month"),
    (
        "Oferujemy wynagrodzenie 18 000 – 24 000 PLN netto + VAT (B2B). Budżet szkoleniowy 5000 zł.",
        18000,
        24000,
        "PLN",
        "month",
    ),
    ("Nabízíme mzdu 60 000 – 80 000 Kč, příspěvek na stravu 100 Kč/den.", 60000, 80000, "CZK", "month"),
    ("Salary: 5-10 LPA based on experience. Health cover of ₹5 lakhs.", 500000, 1000000, "INR", "year"),
    ("Compensation details: $28-$34 hourly. 401(k) with 4% match; $2,500 sign-on bonus.", 28, 34, "USD", "hour"),
    (
        "The hiring range for this position in Jersey City, NJ is $160,000.00 - $190,000.00.",
        160000,
        190000,
        "USD",
        "year",
    ),
    (
        "Pay Transparency: Tier A $150,000-$180,000; Tier B $135,000-$162,000; Tier C "
        "$120,000-$144,000. Equity may be offered.",
        120000,
        180000,
        "USD",
        "year",
    ),
    (
        "US Zone 1\n$152,000 - $205,000 USD\nUS Zone 2\n$137,000 - $185,000 USD\nCanada\n$120,000 - $150,000 CAD",
        137000,
        205000,
        "USD",
        "year",
    ),
    ("Range: £62,000 - £74,000 per annum, plus £5,000 car allowance and up to 15% bonus", 62000, 74000, "GBP", "year"),
    ("Salary - €47k to €55k\nBudget for training: €2k per year", 47000, 55000, "EUR", "year"),
    ("OTE: $180,000 - $220,000 (50/50 base/variable)", 180000, 220000, "USD", "year"),
    ("$90,000 - $110,000 base + commission, OTE $150,000 - $180,000", 90000, 110000, "USD", "year"),
    ("You will receive a monthly stipend of €1,200 during the internship.", 1200, 1200, "EUR", "month"),
    ("The pay for this position is $20/hr for the first 90 days, then $22/hr.", 20, 22, "USD", "hour"),
    ("This is a paid internship at $35 per hour.", 35, 35, "USD", "hour"),
    ("Compensation: 1,500 - 2,000 USD per month, paid in two instalments.", 1500, 2000, "USD", "month"),
    ("Salary up to 70,000 EUR gross/year depending on seniority.", None, 70000, "EUR", "year"),
    ("Sueldo bruto: Hasta 35.000€", None, 35000, "EUR", "year"),
    (
        "La retribuzione prevista è tra 30.000 e 36.000 euro lordi annui. Buoni pasto da 8 euro.",
        30000,
        36000,
        "EUR",
        "year",
    ),
    (
        "Maandsalaris tussen € 3.400 en € 4.600 bruto, 8% vakantiegeld en € 0,23 reiskosten per km.",
        3400,
        4600,
        "EUR",
        "month",
    ),
    ("Зарплата 200 000 – 280 000 ₽ на руки, ДМС, обучение до 50 000 ₽ в год.", 200000, 280000, "RUB", "month"),
    ("Maaş: 60.000 - 80.000 TL net, yemek kartı 300 TL/gün", 60000, 80000, "TRY", "month"),
    ("Lương: 25 - 40 triệu VND gross + thưởng tháng 13", 25000000, 40000000, "VND", "month"),
    (
        "Salary: $70,000 - $85,000 depending on experience.  Company size: 50-200 employees, $15M revenue.",
        70000,
        85000,
        "USD",
        "year",
    ),
    ("We pay between 65k and 80k.", 65000, 80000, None, "year"),
    ("Salary: 45,000 - 55,000", 45000, 55000, None, "year"),
]


@pytest.mark.parametrize(("statement", "low", "high", "currency", "period"), OPENINGS_AND_LISTS)
def test_finds_the_pay_of_openings_and_benefit_lists(
    statement: str, low: int | None, high: int | None, currency: str | None, period: str
) -> None:
    salary = parse_salary(f"{FILLER}{statement}\n{FILLER}")
    assert (salary.min, salary.max, salary.currency, salary.period) == (low, high, currency, period)


OTHER_MONEY = [
    "We manage $2 billion in assets and our clients save $5,000 - $10,000 per year on average.",
    "Products from $20,000 to $50,000 are sold in 30 countries.",
    "Deals from $50,000 - $150,000 ACV close within 90 days.",
    "Manage a P&L of $500,000 - $1,000,000.",
    "Close deals of $30k-$100k with mid-market buyers. Annual quota $800,000.",
    "Our average customer pays $12,000 per year.",
    "We donate $100,000 annually to charity.",
    "Reduce cloud costs by $40,000/month.",
    "Patients save an average of $3,500 per year. 20,000+ patients.",
    "Gestion d'un budget de 50 000 € à 80 000 € par an.",
    "Wir investieren jährlich 50.000 € in Weiterbildung.",
    "Budgetverantwortung von 1,5 Mio. €.",
    "Kredite von 10.000 € bis 50.000 €.",
    "You will get up to EUR 1,200 per year for training, 30 EUR per month for internet.",
    "Home office setup: $1,000. Coworking: $200/month. Wellness: $100/month.",
    "Mobile phone plan ($50/month), gym ($40/month).",
    "Subscription starts at $49/month per user.",
    "The trial costs $25/hour of machine time.",
    "Flight hours: 1,500 minimum; salary discussed at interview.",
    "Payroll for 3,000 employees in 12 states, $40,000,000 annually.",
    "We offer a competitive salary. Founded 2015, 120 employees, $45 million raised.",
    "Life insurance of 2x annual salary up to $500,000.",
    "Short-term disability covers 60% of salary up to $2,500 per week.",
    "Employees must complete 40 hours per week; overtime after 8 hours a day.",
    "Referral: earn up to $500 for each friend hired.",
    "Win up to €5,000 in our hackathon.",
    "Bis zu 2.000 € Prämie für die Empfehlung neuer Kollegen, Gehalt nach Vereinbarung.",
    "Salary is paid monthly on the 25th. 13 public holidays.",
    "The average basket grew from $40 to $55 and our sellers earn $15,000 per month on average.",
    "Per diem of $65 per day while travelling, relocation of up to $8,000.",
    "Households with incomes of $35,000 - $55,000 a year rely on us.",
    "The tuition assistance plan pays between $4,000 and $8,000 per year.",
    "Students pay $11,000 to $16,000 per year in tuition.",
    "You will help our hosts to earn $40-$90 per hour from their cars.",
    "A typical customer spends $2,000-$8,000 a month on our platform.",
    "Participants receive $40 - $75 per hour for interviews.",
    "Rents range between $1,500 and $2,500 per month in our buildings.",
    "Homes in the area sell for $400,000 - $600,000.",
    "The lease is $2,400 - $3,100 per month.",
    "You own accounts paying us $30,000 to $90,000 per year.",
    "Our program serves veterans making between $30,000 and $60,000 annually.",
    "Commission of 10% on sales of $200,000 - $400,000.",
]


@pytest.mark.parametrize("statement", OTHER_MONEY)
def test_other_peoples_money_is_no_pay(statement: str) -> None:
    assert not parse_salary(f"{FILLER}{statement}\n{FILLER}").ok
