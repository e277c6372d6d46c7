"""
No argument that rendered to nothing widens what a task does: it is refused, and nothing is sent.

Goes through every templated argument of every operator and sensor, whole and in parts, as they are in the classes.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow_harness.tasks import run_task
from integration.test_bad_input import TASKS, task_of
from integration.worlds import ABSENT, AGENT

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.dasha import DashaUnlinkPhoneNumberOperator
from airflow_provider_phonelink.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOTHING = "{{ ti.xcom_pull('nothing') }}"
#: What templates give where there is nothing: natively, and as text.
AS_TEXT = {
    "None": "{{ ti.xcom_pull('nothing') }}",
    "null": "{{ params.null }}",
    "empty": "{{ params.empty }}",
}
PARAMS = {"null": "null", "empty": ""}
#: How messages call an argument that is kept under another name.
CALLED = {"number_pool": "pool", "plan_only": "dry_run"}
#: Empty text says something there: that there is no name or description.
SAYS_SOMETHING = {"display_name", "description"}
#: Rows that have results of their own: the message tells of each that cannot be used, and why.
WITH_RESULTS = {"numbers"}
#: Arguments with parts, beside those that a task always has.
IN_PARTS: dict[str, list[Any]] = {
    "scope": [{"agents": [AGENT], "pool": [ABSENT], "modes": ["inbound"]}],
    "number_pool": [{"display_name_prefix": "a", "description_tag": "b"}, [ABSENT, ABSENT]],
    "quarantine": [[ABSENT]],
    "weights": [{ABSENT: 2}],
    "fields": [["id", "phone_number"]],
    "active_states": [["Registered", "Active"]],
    "failed_states": [["Failed"]],
    "phone_number_ids": [[ABSENT, ABSENT]],
}


def fields_of(name: str) -> Sequence[str]:
    return TASKS[name][0].template_fields


def parameter_of(field: str) -> str:
    return "dry_run" if field == "plan_only" else field


def natively(task: Any) -> Any:
    DAG("native", schedule=None, render_template_as_native_obj=True, params=PARAMS).add_task(task)
    return task


def with_holes(value: Any) -> Iterator[Any]:
    """Return a value several times, each time with another part of it that renders to nothing."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {**value, key: NOTHING}
            yield from ({**value, key: hole} for hole in with_holes(part))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield [*value[:position], NOTHING, *value[position + 1 :]]
            yield from ([*value[:position], hole, *value[position + 1 :]] for hole in with_holes(part))


def assert_refused(outcome: Any, sandbox: Any, field: str) -> None:
    assert outcome.state == "failed", f"{outcome.state}\n{outcome.log}"
    assert isinstance(outcome.error, PhonelinkFailException)
    if field not in WITH_RESULTS:
        assert CALLED.get(field, field) in str(outcome.error)
        assert "Nothing was sent" in str(outcome.error)
    assert len(sandbox.journal) == 0


def classes() -> set[type]:
    """Return every operator and sensor of the package."""
    found = set()
    for vendor in VENDORS:
        for kind in ("operators", "sensors"):
            for module in map(import_module, vendor.modules.get(kind, ())):
                names = getattr(module, "__all__", None) or [
                    name for name, item in vars(module).items() if _is_of(module, item)
                ]
                found |= {getattr(module, name) for name in names}
    return found


def _is_of(module: Any, item: object) -> bool:
    return inspect.isclass(item) and item.__module__ == module.__name__ and hasattr(item, "template_fields")


def test_every_operator_and_sensor_is_gone_through():
    assert classes() == {operator for operator, _ in TASKS.values()}
    assert all(map(fields_of, TASKS))


@pytest.mark.parametrize("name", TASKS)
def test_natively(sandbox, connections, name):
    for field in fields_of(name):
        task = natively(task_of(name, {parameter_of(field): NOTHING}))
        assert_refused(run_task(task, connections=connections, xcoms={"nothing": None}), sandbox, field)


@pytest.mark.parametrize("name", TASKS)
def test_as_text(sandbox, connections, name):
    for field in fields_of(name):
        for made, template in AS_TEXT.items():
            if made == "empty" and field in SAYS_SOMETHING:
                continue
            task = task_of(name, {parameter_of(field): template}, params=PARAMS)
            assert_refused(run_task(task, connections=connections, xcoms={"nothing": None}), sandbox, field)


@pytest.mark.parametrize("name", TASKS)
def test_in_part(sandbox, connections, name):
    for field in fields_of(name):
        # A rotation's scope is a list of numbers.
        wholes = [[ABSENT]] if (name, field) == ("rotate", "scope") else IN_PARTS.get(field, [])
        for hole in (hole for whole in (TASKS[name][1].get(field), *wholes) for hole in with_holes(whole)):
            for task in (task_of(name, {field: hole}), natively(task_of(name, {field: hole}))):
                outcome = run_task(task, connections=connections, xcoms={"nothing": None})
                assert_refused(outcome, sandbox, field)


def test_a_scope_that_loses_its_agents_does_not_become_the_whole_provider(sandbox, connections):
    arguments = {"prune": True, "scope": {"provider_id": ABSENT, "agents": NOTHING}}
    task = natively(task_of("reconcile Dasha", arguments))

    assert_refused(run_task(task, connections=connections, xcoms={"nothing": None}), sandbox, "scope, agents")


def test_a_mapped_task_over_rows_in_which_nothing_is_given(sandbox, connections):
    """A row without an agent would take the number from whoever has it."""
    number = sandbox.world.dasha.add_number("+15550109901", inbound=AGENT)
    with DAG("mapped", schedule=None):
        task = DashaUnlinkPhoneNumberOperator.partial(task_id="unlink", retries=3).expand_kwargs(
            [{"phone_number_id": number, "agent_id": None}, {"phone_number_id": number}]
        )
    row_of_none = run_task(task, connections=connections, map_index=0)
    assert_refused(row_of_none, sandbox, "agent_id")

    assert run_task(task, connections=connections, map_index=1).state == "success"
