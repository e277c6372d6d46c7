"""
The sensor x every fault x which of its requests x once or until Airflow retries x poke or deferrable.

Every test run tries each fault once, and each sort of fault in each mode, at the second poll until Airflow retries;
`make matrix-tests` tries all.
"""

from __future__ import annotations

from itertools import product

import pytest
from airflow_harness.tasks import run_to_end
from airflow_harness.waiting import EVENTUALLY
from integration import matrix
from integration.cells import cell as counted
from integration.worlds import state_of

from airflow_provider_phonelink.decisions import waiting
from airflow_provider_phonelink.sandbox import Fault
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

pytestmark = pytest.mark.matrix

MATRIX = "fault matrix, sensor"
#: What it reads, and by which poll: the first is the sensor's own, later ones are the trigger's when it defers.
READS = {"one number": ("sip-phone-numbers/*$", 1), "two numbers": ("sip-phone-numbers$", 2)}
POLLS = (1, 2)
MODES = ("poke", "deferrable")
LEFT_OUT = {
    "it only reads, so there is no write to ignore": lambda read, kind: kind.outcome == "proved",
    "a page has no id": lambda read, kind: kind.name == "wrong id" and read == "two numbers",
    "a 404 is the answer that a number is gone, or that this is not the vendor": (
        lambda read, kind: kind.name == "status 404"
    ),
}
ALL = list(product(READS, matrix.KINDS, POLLS, matrix.PERSISTENCES, MODES))
CELLS = [c for c in ALL if not any(fits(c[0], c[1]) for fits in LEFT_OUT.values())]
CELLS_DECLARED = 440


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch):
    monkeypatch.setattr(waiting, "SHORTEST_INTERVAL", 0.01)


def name_of(cell) -> str:
    read, kind, poll, persistence, mode = cell
    return f"{read}, {kind.name}, poll {poll}, {persistence}, {mode}"


def sort_of(cell):
    """What one cell stands for."""
    read, kind, _, _, mode = cell
    return (read, kind.name, mode) if kind.name in matrix.ONE_OF_EACH_SORT else kind.name


REPRESENTATIVES = {sort_of(cell): cell for cell in CELLS}


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(
            cell,
            id=name_of(cell),
            marks=() if REPRESENTATIVES[sort_of(cell)] == cell else pytest.mark.breadth,
        )
        for cell in CELLS
    ],
)
def test_cell(sandbox, connections, cell):
    read, kind, poll, persistence, mode = cell
    path, count = READS[read]
    connections["dasha_default"]["extra"].update(max_failed_polls=2)
    if kind.name == "hang":
        connections["dasha_default"]["extra"].update(timeout=matrix.IMPATIENT)
    with counted(MATRIX, name_of(cell)):
        # Waiting at the first look, registered at the next one.
        steps = [(0, "Registering"), (1, "Registered")]
        sandbox.world.clock.freeze()
        sandbox.faults.meanwhile(lambda world: world.advance(2), when="after")
        ids = [sandbox.world.dasha.add_number(f"+155501{n}", steps=steps) for n in range(count)]
        before = state_of(sandbox)
        times = 1 if persistence == "once" else None
        strike = sandbox.faults.add(Fault(**kind.what, path=path, nth=poll, count=times))
        outcome = run_to_end(sensor(ids, mode), connections=connections)
        first_try = outcome.state
        if first_try != "success":
            sandbox.faults.clear()
            sandbox.world.advance(2)
            outcome = run_to_end(sensor(ids, mode), connections=connections, try_number=2)

        assert strike.fired >= 1
        assert first_try == expected(kind, persistence)
        assert outcome.state == "success", outcome.log
        assert outcome.value == dict.fromkeys(ids, "Registered")
        assert state_of(sandbox) == before
        assert not sandbox.journal.writes()


def sensor(ids, mode) -> DashaRegistrationSensor:
    return DashaRegistrationSensor(
        task_id="wait",
        phone_number_ids=ids,
        deferrable=mode == "deferrable",
        poke_interval=0.01,
        timeout=EVENTUALLY,
        retries=1,
    )


def expected(kind, persistence) -> str:
    if kind.outcome == "final":
        return "failed"
    return "up_for_retry" if persistence != "once" and kind.outcome == "retried" else "success"


class TestNoCellVanishes:
    def test_as_many_as_declared(self):
        assert len(CELLS) == CELLS_DECLARED

    @pytest.mark.parametrize("reason", LEFT_OUT)
    def test_each_reason_leaves_something_out(self, reason):
        assert any(LEFT_OUT[reason](read, kind) for read, kind, *_ in ALL)
