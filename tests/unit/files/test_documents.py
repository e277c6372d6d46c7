"""YAML and JSON: what is read, and what those formats let pass and the reader does not."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date, datetime, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.files.reading import COLUMNS, rows

from airflow_provider_phonelink.api import arguments
from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean
from airflow_provider_phonelink.files.documents import read_json, read_python, read_yaml
from airflow_provider_phonelink.files.reading import read_rows

B = {"number": "+15550100002", "agent_id": "b"}
ROUTE = "- {number: '+15550100002', agent_id: b}\n"


@pytest.mark.parametrize(
    "text",
    [
        ROUTE,
        "- number: +15550100002\n  agent_id: b\n",
        "\ufeffroutes:\n" + ROUTE,
        ("routes:\n" + ROUTE).encode("utf-16"),
        "version: 1\nroutes:\n" + ROUTE,
        "x-team: {name: night}\nroutes:\n" + ROUTE + "x-more: [1]\n",
        "- {number: '+15550100002', agent_id: b, mode: ~}\n",
        "- {number: '+15550100002', agent_id: b, mode: null, comment: }\n",
        "- {number: '+15550100002', agent_id: b, mode: Null, comment: ''}\n",
        "%YAML 1.2\n---\n" + ROUTE + "...\n",
        "!!seq\n- !!map {number: !!str +15550100002, agent_id: ! b}\n",
        "# comment\n\n" + ROUTE,
        "- {'number\u00a0': '+15550100002', agent_id: b}\n",
        "x-d: &d {agent_id: b}\nroutes:\n- {<<: *d, number: '+15550100002'}\n",
        "x-d: &d {agent_id: a}\nroutes:\n- {<<: *d, number: '+15550100002', agent_id: b}\n",
        "x-d: &d {agent_id: b}\nx-e: &e {agent_id: a, number: '+15550100002'}\nroutes:\n- <<: [*d, *e]\n",
        '[{"number": "+15550100002", "agent_id": "b"}]',
    ],
)
def test_what_is_read_in_yaml(tmp_path, text) -> None:
    assert rows(tmp_path, "r.yaml", text) == [B]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([B]),
        json.dumps(
            {"version": 1, "x-a": {"b": [None]}, "routes": [{**B, "mode": None, "comment": ""}]}, indent=2
        ),
        "\ufeff" + json.dumps({"routes": [B]}),
        json.dumps([B]).encode("utf-16"),
        '[\t{"number": "\\u002b15550100002",\r\n"agent_id": "b" } ]',
    ],
)
def test_what_is_read_in_json(tmp_path, text) -> None:
    assert rows(tmp_path, "r.json", text) == [B]


def test_all_scalars_of_yaml_are_text(tmp_path) -> None:
    text = (
        "- {number: 0155, agent_id: no, comment: 2024-01-01, team: 1e3}\n- {number: +1_555, agent_id: 0x1f}\n"
    )
    assert rows(tmp_path, "r.yml", text) == [
        {"number": "0155", "agent_id": "no", "comment": "2024-01-01", "team": "1e3"},
        {"number": "+1_555", "agent_id": "0x1f"},
    ]


def test_a_quoted_null_is_text(tmp_path) -> None:
    assert rows(tmp_path, "r.yaml", "- {number: '1', agent_id: 'null', comment: \"~\"}") == [
        {"number": "1", "agent_id": "null", "comment": "~"}
    ]


def test_a_merge_of_the_row_above(tmp_path) -> None:
    text = "- &d {number: '+1', agent_id: a}\n- {<<: *d, number: '+2'}\n"
    assert rows(tmp_path, "r.yaml", text) == [
        {"number": "+1", "agent_id": "a"},
        {"number": "+2", "agent_id": "a"},
    ]


YAML = {
    "a doubled key": (
        "- number: '1'\n  agent_id: a\n  agent_id: b\n",
        ["line 3: the key 'agent_id' is there twice"],
    ),
    "a forgotten dash": (
        "- number: '1'\n  agent_id: a\n  number: '2'\n  agent_id: b\n",
        ["line 3: the key 'number'", "line 4: the key 'agent_id'"],
    ),
    "two blocks": (f"routes:\n{ROUTE}routes:\n{ROUTE}", ["line 3: the key 'routes' is there twice"]),
    "a doubled key in another notation": (
        "- {agent_id: a, 'agent_id ': b, number: '1'}",
        ["line 1: the key 'agent_id'"],
    ),
    "a doubled merge": ("- &d {number: '1'}\n- {<<: *d, <<: *d, agent_id: a}", ["line 2: the key '<<'"]),
    "a doubled key deep down": ("x-a: {b: {c: 1,\n c: 2}}\nroutes: []\n", ["line 2: the key 'c'"]),
    "a missing agent": ("- number: '1'\n  agent_id: ~\n", ["route 1 (line 1), agent_id: is missing"]),
    "a missing number": (
        "\n\n- agent_id: a\n",
        ["route 1 (line 3), number: is missing; give one of number, phone_number"],
    ),
    "an unknown key": (
        "- {number: '1', agnet: b, agent_id: a}\n",
        ["route 1 (line 1): 'agnet' is not known"],
    ),
    "an unknown key on top": (f"route: []\nroutes:\n{ROUTE}", ["'route' beside routes is not known"]),
    "no routes": ("version: 1\n", ["no list of routes in it; write []"]),
    "emptied routes": ("routes:\n", ["no list of routes in it; write []"]),
    "nothing": ("", ["no list of routes in it; write []"]),
    "only comments": ("# gone\n", ["no list of routes in it"]),
    "a text": ("routes", ["no list of routes in it"]),
    "a mapping": ("number: '1'\nagent_id: a\n", ["'number' beside routes", "no list of routes"]),
    "two documents": (f"{ROUTE}---\n{ROUTE}", ["several documents"]),
    "rows of other kinds": (
        "- a\n- [b]\n- ~\n",
        ["route 1: is str", "route 2: is list", "route 3: is NoneType"],
    ),
    "a list as a value": ("- {number: ['1'], agent_id: a, x_a: [1]}\n", ["'x_a' is list"]),
    "no YAML": ("a: [", ["line "]),
    "a tab": ("- number: '1'\n\tagent_id: a\n", ["line 2"]),
    "an unknown alias": ("- *nobody\n", ["line 1: there is nothing that the alias 'nobody'"]),
    "an alias in itself": ("- &a [*a]\n", ["line 1: there is nothing that the alias"]),
    "a merge of no mapping": ("- {<<: 7}\n", ["line 1: only mappings can be merged"]),
    "too deep": ("[" * 21, ["line 1: it is nested too deeply"]),
    "too deep for some parsers": ("[" * 10_000, ["line 1", "nest"]),
    "a key that is a list": ("- {? [a] : b, number: '1', agent_id: a}\n", ["line 1: a key is list"]),
}


@pytest.mark.parametrize(("text", "said"), YAML.values(), ids=YAML)
def test_what_is_refused_in_yaml(tmp_path, text, said) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        rows(tmp_path, "r.yaml", text)
    told = str(caught.value)
    assert [words for words in said if words not in told] == []
    assert "r.yaml" in told
    assert told.isprintable()


JSON = {
    "a doubled key": (
        '[\n{"number": "1",\n"agent_id": "a",\n"agent_id": "b"}]',
        ["line 4: the key 'agent_id' is there twice"],
    ),
    "doubled routes": ('{"routes": [],\n"routes": []}', ["line 2: the key 'routes'"]),
    "a doubled key by an escape": (
        '[{"number": "1", "agent_id": "a", "agent\\u005fid": "b"}]',
        ["line 1: the key 'agent_id'"],
    ),
    "an unknown key": ('[\n {"number": "1", "agent_id": "a", "agnet": "b"}]', ["route 1 (line 2): 'agnet'"]),
    "a merge": ('[{"<<": {"agent_id": "a"}, "number": "1"}]', ["'<<' is not known"]),
    "no JSON": ("[\n{]", ["line 2, column 2"]),
    "null": ("null", ["no list of routes"]),
    "one": ('{"routes": 1}', ["no list of routes"]),
    "too deep": ("[" * 100_000, ["nested too deeply"]),
    "deep": ("[" * 100 + "]" * 100, ["nested too deeply"]),
}


@pytest.mark.parametrize(("text", "said"), JSON.values(), ids=JSON)
def test_what_is_refused_in_json(tmp_path, text, said) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        rows(tmp_path, "r.json", text)
    told = str(caught.value)
    assert [words for words in said if words not in told] == []
    assert told.isprintable()


def test_messages_do_not_quote_the_file(tmp_path) -> None:
    for name, text in {
        "a.yaml": "password: hunter2\nkeys: [hunter2\n",
        "b.yaml": "- hunter2\n- {hunter2\n",
        "c.json": '{"password": "hunter2"',
        "d.json": '["hunter2", "hunter2"]',
        "e.yaml": "x-a: hunter2\npassword: hunter2\n",
        "f.csv": 'number,agent_id\n1,"hunter2"x\n',
    }.items():
        with pytest.raises(InvalidArgumentError) as caught:
            rows(tmp_path, name, text)
        assert "hunter2" not in str(caught.value)


BOMBS = {
    "aliases": "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))
    + "routes: *a8\n",
    "aliases in a list": "- &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n"
    + "".join(f"- &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
    "aliases in a row": "- &a0 {number: [lol,lol,lol,lol]}\n"
    + "".join(
        f"- &a{i} {{number: [{','.join([f'*a{i - 1}'] * 9)}], agent_id: *a{i - 1}}}\n" for i in range(1, 9)
    ),
    "merges": f"x-d: &d {{{','.join(f'k{i}: v' for i in range(1000))}}}\nroutes:\n" + "- {<<: *d}\n" * 2000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_aliases_cost_no_more_than_what_is_written(text) -> None:
    read_yaml("[]", COLUMNS, argument="routes", where="r.yaml")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r".") as caught:
            read_yaml(text, COLUMNS, argument="routes", where="r.yaml").each(
                lambda row: arguments.phone_number("number", row["number"])
            )
        assert len(str(caught.value)) < 4000
        assert tracemalloc.get_traced_memory()[1] < 2**20 + 2000 * len(text)
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200), st.sampled_from(["r.yaml", "r.json", "r.csv"]))
def test_any_bytes_are_rows_or_an_error_of_ours(tmp_path_factory, content, name) -> None:
    told = ""
    try:
        rows(tmp_path_factory.getbasetemp(), name, content)
    except InvalidArgumentError as error:
        told = str(error)
    assert told == "" or told.isprintable()


@pytest.mark.parametrize("read", [read_yaml, read_json, read_python])
@given(text=st.text(st.sampled_from("[]{},:\"'&*<-?|>!%@~# \n\tab1\\\u2028"), max_size=60))
def test_any_markup_is_rows_or_a_value_error(read, text) -> None:
    told = ""
    try:
        read(text, COLUMNS, argument="routes", where="r").each(lambda row: row)
    except ValueError as error:
        told = clean(error)
    assert told == "" or told.isprintable()


VALUES = st.booleans() | st.floats(allow_nan=False) | st.text()


@given(st.lists(st.lists(VALUES, max_size=4), max_size=4))
def test_json_is_taken_as_it_is(rows) -> None:
    known = [{f"x_{i}": value for i, value in enumerate(row)} for row in rows]
    free = type(COLUMNS)("route", required=(), optional=())
    read = read_json(json.dumps(known, indent=1), free, argument="routes", where="r")
    assert read.each(lambda row: row.extra) == [
        {k: v for k, v in item.items() if v not in (None, "")} for item in known
    ]


DATA = st.lists(
    st.dictionaries(
        st.sampled_from(["number", "agent_id", "mode", "comment", "team"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.text("'\"\\\\\n,]}: \u00a0a"),
        min_size=1,
    ),
    min_size=1,
)


def handed_over(rows) -> list[object]:
    return [dict(row) | row.extra for row in rows.rows]


@given(DATA)
def test_a_list_that_a_template_renders_is_what_it_is_as_data(items) -> None:
    as_data = repr(handed_over(read_rows(items, COLUMNS, argument="routes")))
    for text in (str(items), json.dumps(items), f"\ufeff{items}"):
        assert repr(handed_over(read_rows(text, COLUMNS, argument="routes"))) == as_data


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (r"[{'number': '+1', 'comment': 'a\nb \xa0c'}]", {"number": "+1", "comment": "a\nb \u00a0c"}),
        ("[{'number': 15550100009}]", {"number": 15550100009}),
        ("[{'number': '+1', 'mode': None}]", {"number": "+1"}),
        ("[{'number': '+1', 'team': True,},]", {"number": "+1", "team": True}),
        ("""[{'number': "it's", 'comment': 'says "no"'}]""", {"number": "it's", "comment": 'says "no"'}),
        (r"""[{'number': 'both \' and "'}]""", {"number": "both ' and \""}),
        ("[{number: +1, mode: ~}]", {"number": "+1"}),
        (r"[{'number': 'C:\d', agent_id: 'it''s'}]", {"number": r"C:\d", "agent_id": "it's"}),
    ],
)
def test_what_a_text_says(text, row) -> None:
    assert handed_over(read_rows(text, COLUMNS, argument="routes")) == [row]


@pytest.mark.parametrize(
    "text", ["[,]", "[{'number': nan, 'agent_id': 'a'}]", "[{'number': '1', 'number': '2'}]"]
)
def test_what_no_list_of_rows_says(text) -> None:
    with pytest.raises(InvalidArgumentError):
        read_rows(text, COLUMNS, argument="routes").each(
            lambda row: arguments.phone_number("number", row["number"])
        )


@pytest.mark.parametrize(
    "value",
    [
        UUID(int=1),
        Decimal("1.5"),
        date(2024, 5, 5),
        datetime(2024, 5, 5, tzinfo=timezone.utc),
        b"x",
        b"'",
        object(),
    ],
)
def test_an_object_that_is_described_is_not_taken_for_text(value) -> None:
    with pytest.raises(InvalidArgumentError, match="begins the description of an object"):
        read_rows(str([{"number": "1", "agent_id": value}]), COLUMNS, argument="routes")
    told = [{"number": "': UUID('1')", "agent_id": "a"}]
    assert read_rows(str(told), COLUMNS, argument="routes").each(dict) == told


def test_a_list_as_text() -> None:
    for text in (
        "[{'number': '1', 'agent_id': 'a'}]",
        ' [{"number": "1", "agent_id": "a"}]',
        "[{number: 1, agent_id: a}]",
    ):
        assert read_rows(text, COLUMNS, argument="routes").each(dict) == [{"number": "1", "agent_id": "a"}]
    with pytest.raises(InvalidArgumentError, match="the text cannot be read"):
        read_rows("[{", COLUMNS, argument="routes")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {number: '+15550100002', agent_id: !ENV '${A}'}\n", "line 1: the tag '!ENV' is not known"),
        ("- number: '+15550100002'\n  agent_id: !secret b\n", "line 2: the tag '!secret' is not known"),
        ("- {number: '+15550100002', agent_id: !!binary Yg==}\n", "line 1: the tag '!!binary' is not known"),
        ("- {number: '+15550100002', agent_id: b, mode: !!null inbound}\n", "the tag '!!null' is not known"),
        ("routes: !reset []\n", "line 1: the tag '!reset' is not known"),
        ("!include []\n", "line 1: the tag '!include' is not known"),
        ("!!python/tuple []\n", "line 1: the tag '!!python/tuple' is not known"),
        ("a: 1\nb: c\0d\n", r"line 2: (special|control) characters"),
    ],
)
def test_what_another_program_would_make_of_yaml_is_refused(tmp_path, text, problem) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        rows(tmp_path, "r.yaml", text)


def test_a_number_without_end_in_json(tmp_path) -> None:
    with pytest.raises(InvalidArgumentError, match="a number in it has thousands of digits"):
        rows(tmp_path, "r.json", f'[{{"number": {"1" * 5000}, "agent_id": "b"}}]')


@pytest.mark.parametrize(
    "source",
    [
        ROUTE,
        "\n" + ROUTE,
        "- number: '+15550100002'\n  agent_id: b\n",
        "routes:\n" + ROUTE,
        "# ours\nroutes:\n" + ROUTE,
        "---\n" + ROUTE,
        json.dumps({"routes": [B]}),
        json.dumps({"routes": [B]}, indent=1),
        str({"routes": [B]}),
        {"routes": [B], "version": 1, "x-note": "ours"},
        {"routes": (B,)},
    ],
)
def test_a_document_may_be_handed_over_as_it_is(source) -> None:
    assert read_rows(source, COLUMNS, argument="routes").each(dict) == [B]


@pytest.mark.parametrize(
    "source", [{"route": [B]}, {"routes": [B], "more": 1}, {"routes": None}, {"routes": {}}, {}]
)
def test_a_mapping_without_a_list_of_rows_is_refused(source) -> None:
    for form in (source, json.dumps(source)):
        with pytest.raises(InvalidArgumentError):
            read_rows(form, COLUMNS, argument="routes").each(dict)


@pytest.mark.parametrize(
    ("empty", "says_so"), [([], True), ((), True), ({"routes": []}, True), (set(), False)]
)
def test_only_a_list_says_that_none_are_meant(empty, says_so) -> None:
    found = read_rows(empty, COLUMNS, argument="routes")
    if says_so:
        assert found.each(dict, removing=True) == []
        return
    with pytest.raises(InvalidArgumentError, match=r"write \[\] in YAML or JSON"):
        found.each(dict, removing=True)
