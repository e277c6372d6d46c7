"""
Every operation x every request it makes x every fault x before/after the effect x once or until Airflow retries.

After it, and after a retry where the error says that one helps, the promise is kept, with one write per change and
with nothing else touched. Of an operation that writes several times, what must be true on the way is so, too: see
`longer_operations.py`.

One row for each operation and sort of fault proves that the simulation, which has the breadth, and the wire agree.
`make matrix-tests` runs the others.
"""

from __future__ import annotations

import pytest
from integration import matrix
from integration.cells import cell as counted
from integration.cells import tried
from integration.longer_operations import CALLER
from integration.matrix import OPERATIONS
from integration.operations import Scene

from airflow_provider_phonelink.api.dasha import endpoints
from airflow_provider_phonelink.exceptions import PhonelinkFailException, PhonelinkRetryableException
from airflow_provider_phonelink.sandbox import Fault

pytestmark = pytest.mark.matrix

PROMISES = "fault matrix, promises"
AIRFLOW = "fault matrix, run by Airflow"
#: Changes only when somebody changes an axis or leaves something out, and then on purpose.
CELLS_DECLARED = 3018
FLOWS = [operation for operation in OPERATIONS if operation.promise]


def in_rows(cells):
    """Return the cells that differ only in when and how often, together."""
    rows: dict[tuple[str, str, str], list[matrix.Cell]] = {}
    for cell in cells:
        rows.setdefault((cell.operation.name, cell.request.role, cell.kind.name), []).append(cell)
    return {" - ".join(row): cells for row, cells in rows.items()}


ROWS = in_rows(cell for cell in matrix.CELLS if cell.operation in FLOWS)
#: Of each operation and fault the last cell: it persists, and comes after the effect if it can. All cells of an
#: operation that only Airflow can run.
BY_AIRFLOW = in_rows(
    [
        *{(c.operation.name, c.kind.name): c for c in matrix.CELLS if c.operation in FLOWS}.values(),
        *(c for c in matrix.CELLS if c.operation not in FLOWS),
    ]
)


def representatives(rows, kinds):
    """Of each operation and each of these kinds, the row whose request writes, if one does: it has the most to lose."""
    chosen: dict[tuple[str, str], str] = {}
    for name, (cell, *_) in rows.items():
        sort = (cell.operation.name, cell.kind.name)
        if cell.kind.name in kinds(cell.operation) and (cell.writes or sort not in chosen):
            chosen[sort] = name
    return {*chosen.values()}


#: Every kind once for each vendor, and one of each sort for each operation.
REPRESENTATIVES = representatives(
    ROWS,
    lambda operation: (
        [kind.name for kind in matrix.KINDS]
        if operation.name in ("link inbound", "attach")
        else matrix.ONE_OF_EACH_SORT
    ),
)
#: Where the flow is tried without Airflow, too, one of each way in which a try of a task ends.
REPRESENTATIVES_BY_AIRFLOW = representatives(
    BY_AIRFLOW,
    lambda operation: (
        ("status 503", "ignored", "status 409") if operation in FLOWS else matrix.ONE_OF_EACH_SORT
    ),
)


def params(rows, chosen):
    return [
        pytest.param(row, id=name, marks=() if name in chosen else pytest.mark.breadth)
        for name, row in rows.items()
    ]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(endpoints, "LARGEST_PAGE", 2)


def patience(cells) -> dict[str, float]:
    return {"timeout": matrix.IMPATIENT} if cells[0].kind.name == "hang" else {}


@pytest.mark.parametrize("row", params(ROWS, REPRESENTATIVES))
def test_cell(sandbox, hooks, row):
    with getattr(hooks(**patience(row)), row[0].operation.vendor) as hook:
        each(row, PROMISES, sandbox, lambda scene: lambda try_number: try_promise(scene, hook))


@pytest.mark.parametrize("row", params(BY_AIRFLOW, REPRESENTATIVES_BY_AIRFLOW))
def test_cell_run_by_airflow(sandbox, connections, row):
    connections[f"{row[0].operation.vendor}_default"]["extra"].update(patience(row))
    each(row, AIRFLOW, sandbox, lambda scene: lambda try_number: scene.run(connections, try_number).state)


def each(row, name, sandbox, tries):
    failures = []
    for cell in row:
        try:
            with counted(name, cell.name):
                sandbox.reset()
                scene = Scene(cell.operation, sandbox)
                survive(cell, scene, tries(scene))
        except Exception as error:  # the other cells of the row shall be tried, too
            failures.append(f"{cell.name}: {type(error).__name__}: {error}")
    assert not failures, "\n".join(failures)


def survive(cell, scene, attempt):
    strike = scene.sandbox.faults.add(cell.fault(scene.numbers))
    state = attempt(1)
    assert state == cell.end
    assert scene.left
    if state != "success":
        # The cause is removed; Airflow retries, or somebody clears the task.
        scene.sandbox.faults.remove(strike)
        assert attempt(2) == "success"

    assert strike.fired >= 1
    assert scene.kept, scene.broken
    undone = cell.request.undone if state != "success" else 0
    assert len(scene.sandbox.journal.writes()) == cell.operation.writes + undone
    assert not scene.disturbed()


def try_promise(scene, hook) -> str:
    """Run the promise, and return the state in which Airflow would see the task."""
    try:
        check_result(scene, hook.run(scene.promise()))
    except PhonelinkRetryableException:
        return "up_for_retry"
    except PhonelinkFailException:
        return "failed"
    return "success"


def check_result(scene, result):
    if scene.operation.name == "list":
        assert sorted(n.phone_number for n in result) == ["+15550121", "+15550122", "+15550123"]
    elif scene.operation.name == "create":
        assert result.number.id in scene.sandbox.world.dasha.numbers
    elif scene.operation.vendor == "dasha":
        [number] = scene.numbers
        assert result.subject.incoming_calls_agent_id == scene.sandbox.world.dasha.links()[number][0]


class TestNoCellVanishes:
    def test_each_point_is_a_cell_or_left_out_with_a_reason(self):
        left_out = [c for c in matrix.ALL if matrix.reason_to_leave_out(c)]

        assert len(matrix.CELLS) + len(left_out) == len(matrix.ALL)
        assert len({c.name for c in matrix.ALL}) == len(matrix.ALL)
        assert len(matrix.CELLS) == CELLS_DECLARED

    @pytest.mark.parametrize("reason", matrix.LEFT_OUT)
    def test_each_reason_leaves_something_out(self, reason):
        assert any(matrix.reason_to_leave_out(cell) == reason for cell in matrix.ALL)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_the_requests_are_those_that_are_made(self, sandbox, connections, operation):
        scene = Scene(operation, sandbox)
        assert scene.run(connections).state == "success"
        meant = [request.which(scene.numbers) for request in operation.requests]
        found = [sandbox.journal.requests(w["method"], w["path"])[w["nth"] - 1].n for w in meant]

        assert sorted(found) == [entry.n for entry in sandbox.journal]
        assert scene.kept
        assert len(sandbox.journal.writes()) == operation.writes

    def test_a_moment_without_what_is_always_true_is_noticed(self, sandbox, connections):
        [rotate] = [operation for operation in OPERATIONS if operation.name == "rotate"]
        scene = Scene(rotate, sandbox)
        number, agent = scene.numbers[0], CALLER
        sandbox.faults.meanwhile(
            lambda world: world.dasha.unlink(number, "replaceOutbound", agent), method="GET"
        )

        assert scene.run(connections).state == "success"
        assert scene.broken
        assert not scene.kept

    def test_what_is_tried_instead_of_a_request_is_tried(self):
        for operation in OPERATIONS:
            tried_too = {request.role for request in operation.requests if not request.like}
            assert {request.like for request in operation.requests} <= {*tried_too, None}

    def test_each_kind_of_fault_is_known_to_the_sandbox(self):
        for cell in matrix.CELLS:
            assert isinstance(cell.fault(("a", "b", "c", "d")), Fault)

    def test_each_cell_was_tried(self, request):
        here = [item.originalname for item in request.session.items if item.path == request.path]
        if here.count("test_cell") < len(ROWS) or here.count("test_cell_run_by_airflow") < len(BY_AIRFLOW):
            pytest.skip("only a part of the matrix was selected")
        assert tried[PROMISES] == {cell.name for row in ROWS.values() for cell in row}
        assert tried[PROMISES] | tried[AIRFLOW] == {cell.name for cell in matrix.CELLS}
        assert tried[AIRFLOW] == {cell.name for row in BY_AIRFLOW.values() for cell in row}

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_each_sort_of_fault_is_represented(self, operation):
        rows = ROWS if operation in FLOWS else BY_AIRFLOW
        chosen = REPRESENTATIVES if operation in FLOWS else REPRESENTATIVES_BY_AIRFLOW
        cells = [rows[name][0] for name in chosen if rows[name][0].operation is operation]
        possible = {c.kind.name for c in matrix.CELLS if c.operation is operation}

        assert {cell.kind.name for cell in cells} >= possible & {*matrix.ONE_OF_EACH_SORT}
        assert any(cell.writes for cell in cells) == any(request.writes for request in operation.requests)

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_airflow_runs_each_operation_with_each_fault(self, operation):
        cells = [cell for row in BY_AIRFLOW.values() for cell in row if cell.operation is operation]
        faults = {cell.kind.name for cell in cells}

        assert faults == {cell.kind.name for cell in matrix.CELLS if cell.operation is operation}
