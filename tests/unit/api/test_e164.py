"""Phone numbers in different notations: which are the same, and which cannot be compared."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.e164 import e164
from airflow_provider_phonelink.api.errors import NotNamedError
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import ListedNumber

ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
SEPARATORS = st.text(
    st.sampled_from(" -.()/\u00a0\u2011\u2013\u200b\u200e\u202d\u202c\ufeff"), min_size=0, max_size=3
)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("+15550100001", "+15550100001"),
        ("0015550100001", "+15550100001"),
        ("15550100001", "+15550100001"),
        (" +1 (555) 010-0001\u00a0", "+15550100001"),
        ("+1.555.010.0001", "+15550100001"),
        ("+1/555/0100001", "+15550100001"),
        ("\uff0b\uff11\uff15\uff15\uff15\uff10\uff11\uff10\uff10\uff10\uff10\uff11", "+15550100001"),
        ("\u202a+1 555\u2011010\u20110001\u202c", "+15550100001"),
        ("+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660\u0660\u0660\u0661", "+15550100001"),
        ("tel:+1-555-010-0001", "+15550100001"),
        ("TEL:%2B15550100001", "+15550100001"),
        ("sip:+15550100001@trunk.example;transport=tls", "+15550100001"),
        ("sips:0015550100001@trunk.example", "+15550100001"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+44(0)2079460018", "+442079460018"),
        ("(+44)(0)20 7946 0018", "+442079460018"),
        ("0044 (0)20 7946 0018", "+442079460018"),
        ("44 (0)20 7946 0018", "+442079460018"),
        ("0044 20 7946 0018", "+442079460018"),
        ("+32 475/12/34/56", "+32475123456"),
        ("+32 2/555/12/34", "+3225551234"),
        ("+6834000", "+6834000"),
    ],
)
def test_the_same_number(text, form) -> None:
    assert e164(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "+1",
        "1001",
        "reception",
        "+1800FLOWERS",
        "+999999999999999999999",
        "+0 555 010 0001",
        "011 44 20 7946 0018",
        "020 7946 0018",
        "++15550100001",
        "15550100001+",
        "+39 (0)6 1234567",  # is dialled with the zero
        "0039 (0)6 1234567",
        "030 (0)1234567",
        "+44 20 (0)7946 0018",
        "+15550100003/4",  # two numbers
        "+1 555 010 0003 ~ 04",
        "*31#15550100001",
        "sip:+15550100001:password@trunk",
        "\ud800",
    ],
)
def test_what_does_not_say_which_number_it_is(text) -> None:
    assert e164(text) is None


EXTENSIONS = [
    "tel:+15550100001;ext=102",
    "tel:+1-555-010-0001;ext=5",
    "TEL:+15550100001;EXT=5",
    "+15550100001;ext=5",
    "+15550100001 ext. 5",
    "+15550100001x5",
    "+15550100001 #5",
    "+15550100001,5",
    "+15550100001,,5#",
    "+15550100001p5",
    "+15550100001;ext=",
    "tel:+15550100001;isub=5",
    "tel:+15550100001;postd=5",
    "tel:+15550100001%3Bext=5",
    "sip:+15550100001;ext=5@trunk",
    "tel:5550100001;phone-context=+1;ext=5",
    "tel:5550100001;ext=5;phone-context=+1",
]


@pytest.mark.parametrize("text", EXTENSIONS)
def test_an_extension_is_not_the_main_number(text) -> None:
    assert e164(text) is None
    for held, name in (("+15550100001", text), (text, "+15550100001"), (text, "+1 555 010 0001")):
        with pytest.raises(NotNamedError):
            Directory([ListedNumber(ID, held)]).find(name)
    assert Directory([ListedNumber(ID, text)]).find(text) == ID  # as it is written


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("tel:5550100001;phone-context=+1", "+15550100001"),
        ("tel:0100001;phone-context=+1-555", None),  # a trunk prefix, or not
        ("tel:550-100-001;Phone-Context=+1-5", "+15550100001"),
        ("tel:5550100001;phone-context=example.com", None),
        ("tel:5550100001;phone-context=1", None),
        ("tel:5550100001;phone-context=", None),
        ("tel:5550100001;phone-context", None),
        ("tel:+5550100001;phone-context=+1", None),
        ("tel:5550100001;phone-context=+1;phone-context=+44", None),
        ("tel:;phone-context=+15550100001", None),
    ],
)
def test_a_phone_context(text, form) -> None:
    assert e164(text) == form


def test_a_local_number_is_not_taken_for_a_global_one() -> None:
    directory = Directory([ListedNumber(ID, "+5550100001")])
    with pytest.raises(NotNamedError):
        directory.find("tel:5550100001;phone-context=+1")


def test_other_digits_are_another_number() -> None:
    """As no edition of a table of countries says otherwise: Mexico's mobile prefix was taken away in 2019."""
    directory = Directory([ListedNumber(ID, "+525512345678")])
    assert directory.find("+52 55 1234 5678") == ID
    with pytest.raises(NotNamedError):
        directory.find("+5215512345678")


@given(NUMBERS, st.data())
def test_separators_say_nothing(number, data) -> None:
    spread = number[:2] + "".join(digit + data.draw(SEPARATORS) for digit in number[2:])
    if re.search(r"\(\s*0\s*\)|[/~]\s*[0-9]{1,2}\s*$", spread) is None:
        assert e164(spread) == number


@given(st.text(max_size=40))
def test_any_text_is_comparable_or_not(text) -> None:
    form = e164(text)
    assert form is None or (re.fullmatch(r"\+[1-9][0-9]{6,14}", form) and e164(form) == form)
