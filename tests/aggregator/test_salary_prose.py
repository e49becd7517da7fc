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
