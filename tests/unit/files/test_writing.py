"""What is written is opened in a spreadsheet, shown on a terminal and read again without a change of meaning."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api.text import is_unsafe, visible
from airflow_provider_phonelink.files.cells import cell_of, text_of
from airflow_provider_phonelink.files.columns import Columns
from airflow_provider_phonelink.files.documents import read_json, read_yaml
from airflow_provider_phonelink.files.tables import read_table
from airflow_provider_phonelink.files.writing import as_csv, as_json, as_yaml

COLUMNS = Columns("number", required=(), optional=("number", "display_name"))
ANY_TEXT = st.text(st.characters(exclude_categories=()))
SEEN = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")) | st.sampled_from("\n\t'=+-@\"; ,"))
READERS = {"csv": read_table, "json": read_json, "yaml": read_yaml}


def written(rows, form):
    return as_csv(rows, COLUMNS.names) if form == "csv" else (as_json if form == "json" else as_yaml)(rows)


def read(text, form):
    return READERS[form](text, COLUMNS, argument="numbers", where="f").each(dict)


def cells(text):
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("form", READERS)
@given(rows=st.lists(st.fixed_dictionaries({"number": SEEN, "display_name": SEEN}), max_size=4))
def test_what_is_written_is_read_again(form, rows) -> None:
    said = [{name: value for name, value in row.items() if value} for row in rows]
    wholly_empty = [row for row in said if row or form != "csv"]
    assert read(written(rows, form), form) == wholly_empty


@given(ANY_TEXT)
def test_a_cell_stands_for_the_text(text) -> None:
    cell = cell_of(text)
    assert text_of(cell) == "".join(c if c in "\n\t" else visible(c) for c in text)
    assert text_of(f" \u00a0{cell}\u200b") == text_of(cell)


@given(ANY_TEXT)
def test_no_cell_is_a_formula_a_number_or_a_date(text) -> None:
    cell = cell_of(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", " ", "\uff1d", "\uff0b"))
    assert not cell[:1].isdigit() or len(cell) == 36
    assert not [character for character in cell if is_unsafe(character) and character not in "\n\t"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+15550100001", "'+15550100001"),
        ("15550100001", "'15550100001"),
        ("0015550100001", "'0015550100001"),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("MAR1", "'MAR1"),
        ("true", "'true"),
        ("May 5, 2024", "'May 5, 2024"),
        ("January 2, 24", "'January 2, 24"),
        ("Monday, June 1, 2025", "'Monday, June 1, 2025"),
        ("mai 2024", "'mai 2024"),
        ("Jan-05-2024", "'Jan-05-2024"),
        ("R6.5.5", "'R6.5.5"),
        ("二〇二四年五月五日", "'二〇二四年五月五日"),
        ("Floor 5, desk 2", "'Floor 5, desk 2"),
        ("WAHR", "'WAHR"),
        ("VRAI", "'VRAI"),
        ("ИСТИНА", "'ИСТИНА"),
        ("ΑΛΗΘΕΣ", "'ΑΛΗΘΕΣ"),
        ("yanl\u0131ş", "'yanl\u0131ş"),
        ("YANLIŞ", "'YANLIŞ"),
        ("mailto:a@b.example?x=5", "mailto:a@b.example?x=5"),
        ("True North", "True North"),
        ("agent-v2", "agent-v2"),
        ("pn_xyz789", "pn_xyz789"),
        ("replaceOutbound", "replaceOutbound"),
        ("3c90c3cc-0d44-4b50-8888-8dd25736052a", "3c90c3cc-0d44-4b50-8888-8dd25736052a"),
        ("inbound", "inbound"),
        ("agent-support", "agent-support"),
        ("Reception, Zürich", "Reception, Zürich"),
        ("'quoted'", "''quoted''"),
        (" blanks ", "' blanks '"),
        ("", ""),
        ("\x1b]8;;http://x\x07", "'\\x1b]8;;http://x\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_cells(text, cell) -> None:
    assert cell_of(text) == cell


def as_a_spreadsheet_saves(text, delimiter):
    """What is left of a table that a spreadsheet opened and saved: it keeps text, and writes it in its own way."""
    saved = io.StringIO()
    csv.writer(saved, delimiter=delimiter, lineterminator="\r\n").writerows(cells(text))
    return "\ufeff" + saved.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_opened_and_saved(delimiter) -> None:
    rows = [
        {"number": "+4915112345678", "display_name": '=HYPERLINK("http://x")'},
        {"number": "0049 151, ext", "display_name": " '; "},
    ]
    saved = as_a_spreadsheet_saves(as_csv(rows, COLUMNS.names), delimiter)
    assert read(saved, "csv") == rows


@given(ANY_TEXT)
def test_nothing_written_can_steer_a_terminal(text) -> None:
    for form in ("csv", "json", "yaml"):
        shown = written([{"number": text, "display_name": None}], form)
        assert not [c for c in shown if is_unsafe(c) and c not in "\n\t"]
        shown.encode()


@given(ANY_TEXT)
def test_json_and_yaml_say_the_same_to_others(text) -> None:
    assert json.loads(as_json([text])) == [text]
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert yaml.safe_load(as_yaml([text])) == [text]
