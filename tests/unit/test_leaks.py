"""The watch over API keys has to see one."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from airflow_harness.leaks import leaks, log_everything_to

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a-key-that-must-not-show"


def test_a_key_in_a_log_is_seen(tmp_path: Path) -> None:
    handler = log_everything_to(tmp_path / "log.txt")
    try:
        logging.getLogger("somewhere").warning("calling with %s", KEY)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert leaks([tmp_path], [KEY]) == [f"log.txt: ...somewhere calling with {KEY}"]


def test_a_key_in_a_database_is_seen(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as database:
        database.execute("create table xcom (value text)")
        database.execute("insert into xcom values (?)", [f'{{"password": "{KEY}"}}'])
        database.commit()
    assert len(leaks([tmp_path], [KEY])) == 1


def test_nothing_is_seen_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("all is well")
    assert leaks([tmp_path], [KEY]) == []
