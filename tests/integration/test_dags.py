"""Results that feed other tasks: ``.output``, ``expand()``, ``.map()`` and mapped task groups, run by Airflow."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.sdk import DAG, task, task_group
from integration.worlds import AGENT, CREDENTIALS, writes

from airflow_provider_phonelink.operators.callingbox import (
    CallingBoxAttachNumberOperator,
    CallingBoxDetachNumberOperator,
)
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaListPhoneNumbersOperator,
    DashaUnlinkPhoneNumberOperator,
)
from airflow_provider_phonelink.sensors.dasha import DashaRegistrationSensor

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
PHONES = ["+15550101", "+15550102", "+15550103"]


def inbound(sandbox) -> dict[str, str | None]:
    numbers = sandbox.world.dasha.numbers.values()
    return {number.settings.phone_number: number.inbound_agent for number in numbers}


def test_mapped_from_end_to_end(sandbox, connections, run_dag):
    sandbox.set(dasha_registration_seconds=0.1)
    with DAG("mapped", schedule=None, start_date=START) as dag:

        @task
        def wanted() -> list[str]:
            return PHONES

        create = DashaCreatePhoneNumberOperator.partial(
            task_id="create", credentials_id=CREDENTIALS, registration=True
        ).expand(phone_number=wanted())
        ids = create.output.map(lambda number: number["id"])
        wait = DashaRegistrationSensor(task_id="wait", phone_number_ids=ids, poke_interval=0.1, timeout=30)  # type: ignore[arg-type]
        each = DashaRegistrationSensor.partial(
            task_id="each", poke_interval=0.1, timeout=30, deferrable=True
        ).expand(phone_number_ids=ids)
        link = DashaLinkPhoneNumberOperator.partial(task_id="link", agent_id=AGENT).expand(
            phone_number_id=ids
        )
        listed = DashaListPhoneNumbersOperator(task_id="list", linked_agent_id=AGENT)
        unlink = DashaUnlinkPhoneNumberOperator.partial(task_id="unlink", agent_id=AGENT).expand(
            phone_number_id=listed.output.map(lambda number: number["id"])
        )
        wait >> each >> link >> listed >> unlink
    first = run_dag(dag, connections=connections)

    assert first.succeeded, first.explain()
    assert inbound(sandbox) == dict.fromkeys(PHONES)
    assert writes(sandbox).count("POST sip-phone-numbers") == 3
    assert len(writes(sandbox)) == 9
    assert len(first.xcom("wait")) == 3
    assert sorted(number["phone_number"] for number in first.xcom("list")) == PHONES
    assert all(number["incoming_calls_agent_id"] == AGENT for number in first.xcom("list"))
    assert first.xcom("unlink", 0)["previous_agent_id"] == AGENT

    again = run_dag(dag, connections=connections)
    assert again.succeeded, again.explain()
    assert writes(sandbox).count("POST sip-phone-numbers") == 3


def test_single_results_by_key_and_a_mapped_group(sandbox, connections, run_dag):
    box = sandbox.world.callingbox
    box.add_agent("inbound", id=AGENT)
    ids = [box.add_number(f"+1555030{n}", id=f"pn_{n}") for n in range(2)]
    with DAG("grouped", schedule=None, start_date=START) as dag:
        create = DashaCreatePhoneNumberOperator(
            task_id="create", phone_number=PHONES[0], credentials_id=CREDENTIALS
        )
        DashaLinkPhoneNumberOperator(
            task_id="link",
            phone_number_id=create.output["id"],  # type: ignore[index]
            agent_id="{{ params.agent }}",
        )

        @task_group
        def swap(number_id: str):
            attach = CallingBoxAttachNumberOperator(task_id="attach", agent_id=AGENT, number_id=number_id)
            CallingBoxDetachNumberOperator(
                task_id="detach",
                agent_id=attach.output["id"],  # type: ignore[index]
                number_id=number_id,
            )

        swap.expand(number_id=ids)
        dag.params["agent"] = AGENT
    run = run_dag(dag, connections=connections)

    assert run.succeeded, run.explain()
    assert inbound(sandbox) == {PHONES[0]: AGENT}
    assert box.links() == dict.fromkeys(ids, (None, []))
    assert [run.xcom("swap.detach", n)["changed"] for n in range(2)] == [True, True]
