"""Tables as spreadsheets of all countries write them, and what is refused in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.files.reading import COLUMNS, rows

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.files.columns import Columns
from airflow_provider_phonelink.files.reading import read_rows
from airflow_provider_phonelink.files.tables import read_table

A = {"number": "+15550100001", "agent_id": "a", "mode": "inbound"}
B = {"number": "+15550100002", "agent_id": "b"}
PLAIN = "number,agent_id,mode\n+15550100001,a,inbound\n+15550100002,b,\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        ("\ufeff" + PLAIN).encode("utf-16-be"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "sep=,\r\n" + PLAIN,
        "sep=;\n" + PLAIN.replace(",", ";"),
        "\ufeffSEP=\t\n" + PLAIN.replace(",", "\t"),
        '"sep=;"\n' + PLAIN.replace(",", ";"),
        "sep=|\n" + PLAIN.replace(",", "|"),
        "\n \r\n;;\nsep=;\n" + PLAIN.replace(",", ";"),
        "sep=;;;\n" + PLAIN.replace(",", ";"),
        '"sep=;";; \r\n' + PLAIN.replace(",", ";"),
        "sep=|||\n" + PLAIN.replace(",", "|"),
        "sep=\t\t\t\n" + PLAIN.replace(",", "\t"),
        "sep=;,,\n" + PLAIN,
        "sep=;\n\n" + PLAIN.replace(",", ";"),
        PLAIN + ",,\n,,\n",
        PLAIN + "  \n\u00a0,\u200b,\t\n\n",
        "\n \n,,\n" + PLAIN,
        PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("\n", ",,\n"),
        PLAIN.replace("\n", ",\u00a0,\n"),
        PLAIN.replace("number,agent_id,mode", " number\u00a0,\u200bagent_id, mode\ufeff"),
        PLAIN.replace("number,agent_id,mode", '"number", "agent_id", "mode"'),
        PLAIN.replace("+15550100001", "\u202a+15550100001\u202c ").replace(",a,", ", a\u00a0,"),
        PLAIN.replace("+1555", "'+1555"),
        PLAIN.replace("+15550100001", '"+15550100001"'),
        "agent_id,mode,number\na,inbound,+15550100001\nb,,+15550100002\n",
        "number;agent_id;mode;comment\n+15550100001;a;inbound;\n+15550100002;b\n",
    ],
)
@pytest.mark.parametrize("name", ["r.csv", "r.CSV", "r.tsv", "r.txt"])
def test_what_is_read(tmp_path, name, text) -> None:
    assert rows(tmp_path, name, text) == [A, B]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PLAIN + PLAIN, "line 4: repeats the names of the columns"),
        (PLAIN + "\ufeff" + PLAIN, "line 4: repeats the names of the columns"),
        ("number,agent_id\n+15550100001;a\n", "line 2: is separated otherwise than the names of the columns"),
        ("number,agent_id\n+15550100001|a\n", "line 2: is separated otherwise"),
        ('number,agent_id\n+15550100001,a\n"+15550100002,b"\n', "line 3: is separated otherwise"),
        (
            'number,agent_id,comment\n+15550100001,a,"see\n+15550100002,b,\n+15550100003,c,done"\n+15550100004,d,\n',
            "lines 2 to 4: a quotation mark opens in the first and closes in the last of them",
        ),
        (
            "number,agent_id\n+15550100001,a\n" + '+15550100002,"b\n' + "+15550100003,c\n" * 9000,
            "line 3: a quotation mark in it is never closed",
        ),
        (
            'number,agent_id\n+15550100001,a\n+15550100002,"b\n',
            "line 3: a quotation mark in it is never closed",
        ),
    ],
)
def test_what_people_make_by_putting_tables_together_is_refused_with_its_line(
    tmp_path, text, problem
) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        rows(tmp_path, "r.csv", text)


@pytest.mark.parametrize(
    "comment",
    [
        "for Anna,\nor, in May, Bert",
        "Support line\nsince 2024-03-01, see OPS-12",
        "Main line\nzip 10115, Berlin",
        "Tel\nBerlin, Mitte, 10115",
    ],
)
def test_a_text_of_several_lines_is_one_cell(tmp_path, comment) -> None:
    text = f'number,agent_id,comment\n+15550100002,b,"{comment}"\n'
    assert rows(tmp_path, "r.csv", text) == [{**B, "comment": comment}]
    columns = Columns("route", required=(("number",),), optional=("comment",))
    text = f'number,comment\n+15550100002,"{comment}"\n'
    assert rows(tmp_path, "r.csv", text, columns) == [{"number": B["number"], "comment": comment}]


def test_commas_in_text_are_not_between_columns(tmp_path) -> None:
    text = "number;agent_id;comment\n+15550100002;b;one, two, three\n"
    assert rows(tmp_path, "r.csv", text) == [{**B, "comment": "one, two, three"}]


@pytest.mark.parametrize(("before", "line"), [("sep=,\n", 4), ("\r\n,,\r\nsep=,,,\r\n", 6), ("\n\n", 5)])
def test_a_line_has_its_number_in_the_file(tmp_path, before, line) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"route 2 \(line {line}\), number: is missing"):
        rows(tmp_path, "r.csv", f"{before}number,agent_id\n1,a\n,b\n")


def test_extra_columns_are_handed_on(tmp_path) -> None:
    text = "number,agent_id,team,x_shift,x_none\n+15550100002,b,night,2,\n"
    assert rows(tmp_path, "r.csv", text) == [{**B, "team": "night", "x_shift": "2"}]


REFUSED = {
    "unknown": ("nummer,number,agent_id\n", ["column 1, 'nummer' is not known"]),
    "unknown, with what cannot be seen": ("num\u200bber,agent_id\n", [r"'num\u200bber' is not known"]),
    "missing": ("number,mode\n", ["there is no column agent_id"]),
    "all missing": ("mode\n", ["no column number or phone_number", "no column agent_id"]),
    "doubled": ("number,agent_id,number\n", ["columns 1 and 3 are both called number"]),
    "doubled, seen as one": ("number,agent_id,number\u00a0\n", ["columns 1 and 3 are both called number"]),
    "no header": (
        "+15550100001,a,inbound\n",
        ["'+15550100001' is not known", "no column number", "no column agent_id"],
    ),
    "HTML": (
        "<html><body>Sign in, please</body></html>\n",
        ["'<html><body>Sign in' is not known", "no column number"],
    ),
    "several problems": (
        "number,agnet,number,,mode\n1,a,2,x,inbound\n",
        ["column 2, 'agnet'", "columns 1 and 3", "column 4 has no name", "no column agent_id"],
    ),
    "a column without a name": ("number,agent_id,mode,,\n1,a,,,\n2,b,,x,\n", ["column 4 has no name"]),
    "too many cells": ("number,agent_id\n1,a\n2,b,c\n", ["line 3: has more cells"]),
    "an open quote": ('number,agent_id\n"1,a\n', ["line 2"]),
    "nothing": ("", ["names of the columns is missing"]),
    "blanks": (" \n,,\n", ["names of the columns is missing"]),
    "a value missing": (
        "number,agent_id\n1,a\n2,\n,c\n",
        ["route 2 (line 3), agent_id: is missing", "route 3 (line 4), number"],
    ),
    "named twice": ("number,phone_number,agent_id\n1,1,a\n", ["route 1 (line 2), number: is named twice"]),
    "another encoding": (
        "number,agent_id\n1,Zürich\n".encode("cp1252"),
        ["not text in UTF-8, from line 2 on"],
    ),
    "half a character": (b"\xff\xfen\x00\x00\xd8", ["not text in UTF-16"]),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(tmp_path, text, said) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        rows(tmp_path, "r.csv", text)
    told = str(caught.value)
    assert [words for words in said if words not in told] == []
    assert "r.csv" in told
    assert told.isprintable()


def test_each_problem_is_said_once(tmp_path) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        rows(tmp_path, "r.csv", "number,agnet\n" + "1,a,,x\n" * 50)
    told = str(caught.value)
    assert told.count("agnet") == told.count("there is no column") == told.count("more cells") == 1
    assert "agent_id: is missing" not in told
    assert "line 2, line 3, line 4 and 47 more: has more cells" in told


EMPTIED = ["number,agent_id,mode\n", "number;agent_id;mode", "\ufeffnumber,agent_id\r\n,\r\n"]


@pytest.mark.parametrize("text", EMPTIED)
def test_a_table_that_lost_its_rows_removes_nothing(tmp_path, text) -> None:
    assert rows(tmp_path, "r.csv", text) == []
    read = read_rows("r.csv", COLUMNS, argument="routes", folder=tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"r.csv: has no routes in it.*write \[\]"):
        read.each(lambda row: row, removing=True)


def test_none_is_said_by_a_list(tmp_path) -> None:
    for name, text in (("r.json", "[]"), ("r.yaml", "routes: []")):
        (tmp_path / name).write_text(text)
        read = read_rows(name, COLUMNS, argument="routes", folder=tmp_path)
        assert read.each(lambda row: row, removing=True) == []
    assert read_rows([], COLUMNS, argument="routes").each(lambda row: row, removing=True) == []


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_a_value_error(text) -> None:
    told = ""
    try:
        read_table(text, COLUMNS, argument="routes", where="r.csv").each(lambda row: row)
    except ValueError as error:
        told = str(error)
    assert told == "" or told.isprintable()
