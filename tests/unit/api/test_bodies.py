from __future__ import annotations

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink.api import bodies
from airflow_provider_phonelink.api.bodies import BodyCollector
from airflow_provider_phonelink.api.errors import BodyError

GZIP = {"content-encoding": "gzip"}


def test_a_body_is_collected_until_it_is_too_long(monkeypatch) -> None:
    monkeypatch.setattr(bodies, "LARGEST_BODY", 10)
    collector = BodyCollector(60, {})
    collector.add(b"12345")
    collector.add(b"67890")
    assert collector.body() == b"1234567890"
    with pytest.raises(BodyError, match="longer than 10 bytes"):
        collector.add(b"x")


def test_a_body_is_collected_until_it_is_too_late(clock) -> None:
    collector = BodyCollector(5, {})
    clock.now += 4
    collector.add(b"in time")
    clock.now += 2
    with pytest.raises(BodyError, match="did not end in time"):
        collector.add(b"late")


@given(body=st.binary(max_size=2000), size=st.integers(1, 50))
def test_a_packed_body_is_unpacked_however_it_is_cut(body: bytes, size: int) -> None:
    packed = gzip.compress(body)
    collector = BodyCollector(60, GZIP)
    for start in range(0, len(packed), size):
        collector.add(packed[start : start + size])
    assert collector.body() == body


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "zstd", "x", "gzip;q=1"])
def test_a_coding_that_was_not_asked_for_is_refused(encoding) -> None:
    with pytest.raises(BodyError, match="was not asked for"):
        BodyCollector(60, {"content-encoding": encoding})


@pytest.mark.parametrize("encoding", ["identity", "", " "])
def test_no_coding_is_none(encoding) -> None:
    collector = BodyCollector(60, {"content-encoding": encoding})
    collector.add(b"{}")
    assert collector.body() == b"{}"


def test_a_bomb_takes_no_more_than_the_largest_answer() -> None:
    bomb = gzip.compress(bytes(500 * 1024 * 1024), compresslevel=1)
    collector = BodyCollector(600, GZIP)
    tracemalloc.start()
    try:
        with pytest.raises(BodyError, match="longer than"):
            collector.add(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * bodies.LARGEST_BODY


def test_a_packed_body_that_is_cut_short_is_refused() -> None:
    collector = BodyCollector(60, GZIP)
    collector.add(gzip.compress(b"{}" * 1000)[:-9])
    with pytest.raises(BodyError, match="cut short"):
        collector.body()
