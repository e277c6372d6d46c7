from __future__ import annotations

from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import partial
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.arrays import Array, Missing, Scalar, Table

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.calls import path
from airflow_provider_phonelink.api.errors import InvalidArgumentError

ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
NOTHING = [None, "None", "none", " null ", "undefined", "", "   ", "\t\n"]


class Mode(str, Enum):
    INBOUND = "inbound"


@pytest.mark.parametrize(
    "check", [arguments.uuid, arguments.opaque_id, arguments.phone_number, arguments.text]
)
@pytest.mark.parametrize("value", [*NOTHING, 7, True, b"x", ["x"], {"id": "x"}, object()])
def test_refuses_what_is_no_text_or_nothing(check, value) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check("some_id", value)
    assert str(caught.value).startswith("some_id: ")
    assert str(caught.value).endswith("Nothing was sent.")
    assert caught.value.argument == "some_id"
    assert not caught.value.retry_helps


@pytest.mark.parametrize("value", [ID, ID.upper(), UUID(ID)])
def test_uuid_comes_back_in_canonical_form(value) -> None:
    assert arguments.uuid("id", value) == ID


@pytest.mark.parametrize(
    "value",
    [
        "../x",
        ID + "/",
        ID + "\n",
        " " + ID,
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID[:-1],
        ID + "0",
        "g" + ID[1:],
        ID.replace("3", "\u0663", 1),
    ],
)
def test_uuid_refuses_other_forms(value) -> None:
    with pytest.raises(InvalidArgumentError, match="is not a uuid"):
        arguments.uuid("id", value)


@given(st.uuids(), st.booleans())
def test_uuid_accepts_every_uuid(value, upper) -> None:
    text = str(value).upper() if upper else str(value)
    assert arguments.uuid("id", text) == str(value)


@pytest.mark.parametrize("value", [ID, UUID(ID), [ID], (ID, ID.upper()), {ID}, iter([ID, UUID(ID)])])
def test_uuids_come_back_once_each(value) -> None:
    assert arguments.uuids("ids", value) == [ID]


def test_uuids_keep_their_order() -> None:
    ids = [str(UUID(int=number)) for number in (3, 1, 2, 3)]
    assert arguments.uuids("ids", ids) == ids[:3]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "empty list"),
        ((), "empty list"),
        (7, "neither an id nor a list"),
        (None, "gave nothing"),
        ([ID, None], "gave nothing"),
        ([ID, "../x"], "not a uuid"),
        (f"['{ID}']", "not a uuid"),
        (b"abc", "not text"),
    ],
)
def test_uuids_refuse(value, problem) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        arguments.uuids("ids", value)


@pytest.mark.parametrize(
    "value", ["a", "x" * 255, "pn_xyz789", ID, "...", "a..b", "a b", "%2e%2e", "é", "?a#b"]
)
def test_opaque_id_leaves_the_form_to_the_vendor(value) -> None:
    assert arguments.opaque_id("agent_id", value) == value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("..", "change the request's path"),
        (".", "change the request's path"),
        ("../x", "change the request's path"),
        ("a/b", "change the request's path"),
        ("a\\b", "change the request's path"),
        (" a", "white space"),
        ("a\n", "white space"),
        ("a\x00b", "control characters"),
        ("a\u202eb", "control characters"),
        ("a\ud800", "control characters"),
        ("a\u034fb", "invisible"),
        ("a\ufe0fb", "invisible"),
        ("\u3164", "invisible"),
        ("x" * 256, "256 characters long"),
    ],
)
def test_opaque_id_refuses(value, problem) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        arguments.opaque_id("agent_id", value)


@given(st.text(max_size=300))
def test_no_accepted_id_changes_the_path(value) -> None:
    try:
        accepted = arguments.opaque_id("agent_id", value)
    except InvalidArgumentError:
        return
    plain = path("/v1/agents/{agent_id}/numbers", agent_id="x")
    built = path("/v1/agents/{agent_id}/numbers", agent_id=accepted)
    sent = httpx.Client(base_url="https://vendor.example").build_request("GET", built).url
    assert built.count("/") == plain.count("/")
    assert sent.raw_path.decode() == built
    assert (sent.host, sent.query, sent.fragment) == ("vendor.example", b"", "")
    assert httpx.URL(f"https://vendor.example{built}").path.split("/")[3:4] == accepted.split("/")


@pytest.mark.parametrize(
    "value", ["1", "+15551234567", "x" * 255, "sip:a@b;c=d", "1 555", "0", "+1.555.010.0001"]
)
def test_phone_number_may_have_any_format(value) -> None:
    assert arguments.phone_number("phone_number", value) == value


@pytest.mark.parametrize("value", ["x" * 256, "+1\n555", "+1\x7f", "\ud800"])
def test_phone_number_refuses(value) -> None:
    with pytest.raises(InvalidArgumentError, match="phone_number"):
        arguments.phone_number("phone_number", value)


@pytest.mark.parametrize(
    "around",
    [" {}", "{} ", "\u00a0{}", "{}\u00a0", "\u200b{}", "{}\ufeff", "\u202a{}\u202c", "{}\u3000", "{}\t"],
)
@pytest.mark.parametrize("check", [arguments.phone_number, arguments.opaque_id])
def test_what_is_around_a_number_or_an_id_is_refused_and_shown(check, around) -> None:
    value = around.format("+15550100001")
    with pytest.raises(InvalidArgumentError, match="invisible") as caught:
        check("phone_number", value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("1.5551E+10", "scientific"),
        ("1,5551E+10", "scientific"),
        ("+1.5551e10", "scientific"),
        ("15550100001.0", "decimal"),
        ("15550100001,00", "decimal"),
        ('="+15550100001"', "formula"),
        ("=15550100001", "formula"),
        ("'+15550100001", "apostrophe"),
        ("\u2019+15550100001", "apostrophe"),
        (" '+15550100001", "apostrophe"),
        ('"+15550100001"', "quotation marks"),
        ("########", "in place of a value"),
        ("#N/A", "in place of a value"),
        ("#VALUE!", "in place of a value"),
        ("nan", "not there"),
        ("15,550,100,001", "separators of thousands"),
        ("1,55,50,10,001", "separators of thousands"),
        ("15,550,100,001.00", "separators of thousands"),
        ("15.550.100.001,00", "separators of thousands"),
        ("15'550'100'001", "separators of thousands"),
        ("15550100001.5", "decimal"),
        ("-15550100001", "negative"),
        ("N/A", "not there"),
        ("NA", "not there"),
        ("<NA>", "not there"),
        ("-1.#IND", "not there"),
        ("-", "not there"),
        ("\u2014", "not there"),
        ("1e5", "scientific"),
        ("1.5551 E+10", "scientific"),
        ("1.5551E\u221210", "scientific"),
        ("1.5551\u00d710^10", "scientific"),
        ("1.5551 x 10^10", "scientific"),
        ("1,5551\u00b710\u00b9\u2070", "scientific"),
        ("\uff07+15550100001", "apostrophe"),
        ('\uff1d"+15550100001"', "formula"),
        ("\u201e+15550100001\u201c", "quotation marks"),
        ("\u00ab+15550100001\u00bb", "quotation marks"),
        ("\uff02+15550100001\uff02", "quotation marks"),
        ('"+15550100001', "quotation marks"),
        ("b'+15550100001'", "bytes"),
        ("#\u00a1REF!", "in place of a value"),
        ("#BEZUG!", "in place of a value"),
        ("#\u041d/\u0414", "in place of a value"),
        ("Err:502", "in place of a value"),
    ],
)
def test_what_a_spreadsheet_made_of_a_number_is_refused_and_named(value, made) -> None:
    with pytest.raises(InvalidArgumentError, match=made) as caught:
        arguments.phone_number("phone_number", value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "+1 (555) 010-0003",
        "tel:+1-555-010-0001;ext=5",
        "0800 123456",
        "0800.123.456",
        "555.123.456",
        "555.0100",
        "+1.5550100001",
        "15550100001,5",
        "15550100001,,123#",
        "15550100001x10",
        "+39 06 123-456",
        "(0)30-12",
        "110",
        "*21*5550100001#",
        "#31#5550100001",
        "anonymous",
        "reception-2",
        "nancy",
        "o'brien",
        "sip:alice@example.org;user=phone",
    ],
)
def test_every_notation_of_a_number_is_left_as_it_is(value) -> None:
    assert arguments.phone_number("phone_number", value) == value


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("nan", "not there"),
        ("NaN", "not there"),
        ("<NA>", "not there"),
        ("NaT", "not there"),
        ("NA", "not there"),
        ("N/A", "not there"),
        ("nil", "not there"),
        ("~", "not there"),
        ("-", "not there"),
        ("#REF!", "in place of a value"),
        ("#¡REF!", "in place of a value"),
        ("=A1", "formula"),
        ("'agent-1", "apostrophe"),
        ("“agent-1”", "quotation marks"),
        ("1.2E+05", "scientific"),
        ("12345.0", "decimal"),
        ("FALSE", "truth value"),
        ("12,345,678", "separators of thousands"),
        ("None", "gave nothing"),
        ("null", "gave nothing"),
        ("../x", "change the request's path"),
        (" a", "white space"),
    ],
)
def test_what_a_table_has_in_place_of_an_agent_is_refused_and_named(value, made) -> None:
    with pytest.raises(InvalidArgumentError, match=f"inbound_agent_id: .*{made}"):
        arguments.agent_id("inbound_agent_id", value)


@pytest.mark.parametrize("value", [ID, ID.upper(), UUID(ID)])
@pytest.mark.parametrize("check", [arguments.agent_id, arguments.opaque_id])
def test_an_id_that_is_a_uuid_is_in_lower_case(check, value) -> None:
    assert check("agent_id", value) == ID


@pytest.mark.parametrize(
    "value", [ID, "agt_reception", "agent-7", "12e4", "65f0c2", "Nancy", "nation", "007", "a b", "é"]
)
def test_agents_ids_are_opaque(value) -> None:
    assert arguments.agent_id("agent_id", value) == value


@given(st.uuids() | st.from_regex(r"[a-z]{2,5}[_-][A-Za-z0-9]{6,24}", fullmatch=True))
def test_no_id_that_a_vendor_makes_is_refused(value) -> None:
    assert arguments.agent_id("agent_id", str(value)) == str(value)


LISTS = [
    "['agent-a']",
    '["agent-a"]',
    "[15550100001]",
    "[]",
    "{'number': 'x'}",
    "{}",
    "('agent-a',)",
    "<agent>",
    "[object Object]",
]
TEMPLATES = [
    "{{ ti.xcom_pull('a') }}",
    "{% if x %}",
    "${AGENT}",
    "$(AGENT)",
    "$AGENT",
    "a-{{ ds }}",
    "<%= a %>",
]


@pytest.mark.parametrize("check", [arguments.phone_number, arguments.agent_id, arguments.opaque_id])
@pytest.mark.parametrize(
    ("value", "made"), [(one, "a list") for one in LISTS] + [(one, "nobody rendered") for one in TEMPLATES]
)
def test_a_list_or_a_template_as_text_is_nobodys_name(check, value, made) -> None:
    """Neither one that gets a number nor one that loses it."""
    with pytest.raises(InvalidArgumentError, match=f"argument: .*{made}"):
        check("argument", value)


@pytest.mark.parametrize(
    "value",
    [
        "+15550100001",
        "+1 (555) 010-0003",
        "0800 123456",
        "*21*5550100001#",
        "tel:+1-555-010-0001;ext=5",
        "+15550100001;ext=5",
        "+15550100001;npdi",
        "02/555/12/34",
        "user%40corp.example",
        "o'brien",
        "alice;phone-context=office",
        "1000@pbx.example.org",
        "alice@sip.example.org:5060",
        "reception-2",
        "anonymous",
        "trunk_7.a",
        "+1800FLOWERS",
    ],
)
def test_what_a_new_number_may_be_called(value) -> None:
    assert arguments.new_phone_number("phone_number", value) == value


@pytest.mark.parametrize("value", ["(" + "'" * 100_000, "(" + "," * 100_000, "[" * 100_000])
def test_a_text_without_end_is_told_by_its_length(value) -> None:
    """Before it is compared with anything: that may take as many steps as the square of its length."""
    for check in (arguments.phone_number, arguments.agent_id, arguments.opaque_id):
        with pytest.raises(InvalidArgumentError, match=r"argument: is 10000\d characters"):
            check("argument", value)


@pytest.mark.parametrize(
    "value",
    [
        "+15550100001;Sales",
        "+15550100001|Sales",
        "+15550100001, +15550100002",
        "+15550100001 / +15550100002",
        "+15550100001;+15550100002",
        "+15550100003/4",
        "# spare numbers",
        "// old",
        "(1 row)",
        "1 row selected.",
        "Total: 1",
        "$15,550,100,001.00",
        "15550100001%",
        "%2B15550100001",
        "&#43;15550100001",
        "15\u00a0550\u00a0100\u00a0001",
        "15\u202f550\u202f100\u202f001",
        "\uff0b15550100001",
        "+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660\u0660\u0660\u0661",
        "+1555\u20110100001",
        "+1555\ufe0f0100001",
    ],
)
def test_what_no_new_number_is_called(value) -> None:
    with pytest.raises(InvalidArgumentError, match="phone_number: "):
        arguments.new_phone_number("phone_number", value)


def test_a_new_number_in_other_digits_is_refused_with_what_to_write() -> None:
    with pytest.raises(InvalidArgumentError, match=r"Write it as \+15550100001\."):
        arguments.new_phone_number("phone_number", "\uff0b1 555 010\u00a00001")


@pytest.mark.parametrize("check", [arguments.phone_number, arguments.opaque_id, arguments.optional_text])
@pytest.mark.parametrize("value", [15550100001, 15550100001.0])
def test_a_number_where_text_should_be_says_how_it_came_there(check, value) -> None:
    with pytest.raises(InvalidArgumentError, match=r"render_template_as_native_obj.*quote it") as caught:
        check("phone_number", value)
    assert str(value) in str(caught.value)


@pytest.mark.parametrize("value", [None, "", "x" * 255, "é", "two\nlines"])
def test_optional_text(value) -> None:
    assert arguments.optional_text("description", value) == value


@pytest.mark.parametrize("value", ["x" * 256, 7, True, ["x"], "half \ud800 a character", "None", " null "])
def test_optional_text_refuses(value) -> None:
    with pytest.raises(InvalidArgumentError, match="description"):
        arguments.optional_text("description", value)


def test_choice_returns_the_choice_itself() -> None:
    assert arguments.choice("mode", "inbound", ("inbound", "outbound")) == "inbound"


def test_choice_of_a_string_enum_is_its_value() -> None:
    assert str(arguments.choice("mode", Mode.INBOUND, ("inbound", "outbound"))) == "inbound"


@pytest.mark.parametrize("value", ["Inbound", "", None, 1, [], ["inbound"], "inbound "])
def test_choice_names_the_choices(value) -> None:
    with pytest.raises(InvalidArgumentError, match=r"mode: .*use 'inbound' or 'outbound'"):
        arguments.choice("mode", value, ("inbound", "outbound"))


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (True, True),
        (False, False),
        ("True", True),
        (" false ", False),
        ("yes", True),
        ("No", False),
        ("on", True),
        ("ON", True),
        ("Off", False),
        (1, True),
        (0, False),
        ("1", True),
        ("0", False),
    ],
)
def test_boolean_in_its_usual_spellings(value, meaning) -> None:
    assert arguments.boolean("flag", value) is meaning


@pytest.mark.parametrize("value", [None, "None", "", "onoff", "2", 2, 1.5, [], ["true"], "tru"])
def test_boolean_refuses(value) -> None:
    with pytest.raises(InvalidArgumentError, match="neither true nor false"):
        arguments.boolean("flag", value)


@pytest.mark.parametrize(("value", "number"), [(0, 0), (10, 10), ("7", 7), (" 7 ", 7)])
def test_integer(value, number) -> None:
    assert arguments.integer("take", value, lowest=0, highest=10) == number


@pytest.mark.parametrize("value", [-1, 11, "11", None, "", True, 1.0, "1.0", "x", "9" * 5000, [1]])
def test_integer_refuses(value) -> None:
    with pytest.raises(InvalidArgumentError, match="not a whole number from 0 to 10"):
        arguments.integer("take", value, lowest=0, highest=10)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0),
        (7, 7.0),
        (0.5, 0.5),
        (arguments.LONGEST, arguments.LONGEST),
        (timedelta.max.total_seconds(), arguments.LONGEST),
        (1e300, arguments.LONGEST),
        (10**400, arguments.LONGEST),
    ],
)
def test_a_time_span_that_is_longer_than_100_years_counts_as_100_years(value, number) -> None:
    assert arguments.seconds("timeout", value) == number
    # What is computed of it overflows nowhere.
    assert datetime.now(timezone.utc) + timedelta(seconds=arguments.seconds("timeout", value))
    assert datetime.fromtimestamp(arguments.seconds("began", value, longest=arguments.LATEST), timezone.utc)


@pytest.mark.parametrize(
    "value", [-1, -(10**400), float("nan"), float("inf"), True, None, "7", timedelta(1), Array([1])]
)
def test_what_is_no_time_span(value) -> None:
    with pytest.raises(InvalidArgumentError, match="not a number of seconds from 0 up"):
        arguments.seconds("timeout", value)


@pytest.mark.parametrize("value", [Array("ab"), Array(["a"]), Array([]), Scalar(), Missing(), Table()])
def test_an_array_is_no_choice(value) -> None:
    with pytest.raises(InvalidArgumentError, match=r"mode: .* is not one of the choices"):
        arguments.choice("mode", value, ("a", "b"))


def test_an_array_is_a_list_of_names() -> None:
    assert arguments.uuids("ids", Array([ID, ID.upper()])) == [ID]
    assert arguments.number_names("ids", Array([ID]), uuids=True) == [ID]
    for empty in (Array([]), Scalar(), Missing()):
        for check in (arguments.uuids, partial(arguments.number_names, uuids=True)):
            with pytest.raises(InvalidArgumentError, match=r"is an empty list|list of"):
                check("ids", empty)


def test_what_has_no_items() -> None:
    assert all(map(arguments.is_empty, ([], {}, Array([]))))
    assert not any(map(arguments.is_empty, (Array([0]), Scalar(), Table(), Missing(), None, 0)))


@given(
    st.one_of(
        st.text(), st.binary(), st.integers(), st.floats(), st.none(), st.lists(st.text()), st.booleans()
    )
)
def test_every_check_accepts_or_refuses(value) -> None:
    refused = []
    for check in (
        arguments.uuid,
        arguments.uuids,
        arguments.opaque_id,
        arguments.agent_id,
        arguments.phone_number,
        arguments.optional_text,
        arguments.boolean,
    ):
        try:
            check("argument", value)
        except InvalidArgumentError as error:
            refused.append(str(error))
    assert all(message.isprintable() for message in refused)


def test_a_number_that_python_does_not_write_out_is_refused() -> None:
    with pytest.raises(
        InvalidArgumentError, match="take: a value of type int is not a whole number from 0 to 10"
    ):
        arguments.integer("take", 10**5000, lowest=0, highest=10)
    with pytest.raises(InvalidArgumentError, match="id: a value of type int is int, not text"):
        arguments.opaque_id("id", 10**5000)


def test_a_refused_value_cannot_forge_a_log_line() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        arguments.uuid("id", "x\nERROR forged \x1b[31m")
    assert str(caught.value).isprintable()
