"""Links to the vendor's console: known when the connection says where it is, and asking nobody."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG
from airflow_harness.tasks import run_task
from integration.hooks import hook_of
from integration.worlds import ABSENT, AGENT, CREDENTIALS

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.operators.callingbox import CallingBoxAttachNumberOperator
from airflow_provider_phonelink.operators.dasha import (
    DashaCreatePhoneNumberOperator,
    DashaLinkPhoneNumberOperator,
    DashaRotatePhoneNumberOperator,
)

NUMBER_LINK, AGENT_LINK = "_link_NumberInConsoleLink", "_link_AgentInConsoleLink"
CONSOLE = "https://console.example"


@pytest.fixture
def console(connections):
    for connection in connections.values():
        connection["extra"]["console_url"] = CONSOLE
    return connections


def test_of_a_link(sandbox, number, console):
    task = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id="agent 7")
    outcome = run_task(task, connections=console)
    asked = len(sandbox.journal)
    assert outcome.state == "success", outcome.log
    assert outcome.xcoms[NUMBER_LINK] == f"{CONSOLE}/phone-numbers/{number}"
    assert outcome.xcoms[AGENT_LINK] == f"{CONSOLE}/agents/agent%207"
    assert asked == 3


def test_of_a_task_that_failed(sandbox, console):
    task = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=ABSENT, agent_id=AGENT)
    outcome = run_task(task, connections=console)

    assert outcome.state == "failed"
    assert outcome.xcoms[NUMBER_LINK] == f"{CONSOLE}/phone-numbers/{ABSENT}"


def test_of_numbers_that_only_the_task_knows(sandbox, number, console):
    create = DashaCreatePhoneNumberOperator(
        task_id="create", phone_number="+15550300", credentials_id=CREDENTIALS
    )
    outcome = run_task(create, connections=console)
    assert outcome.xcoms[NUMBER_LINK] == f"{CONSOLE}/phone-numbers/{outcome.value['id']}"
    assert AGENT_LINK not in outcome.xcoms

    with DAG("rotation", schedule=None):
        rotate = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, pool=[number])
    outcome = run_task(rotate, connections=console)
    assert outcome.xcoms[NUMBER_LINK] == f"{CONSOLE}/phone-numbers/{number}"


def test_of_callingbox(sandbox, console):
    sandbox.world.callingbox.add_agent("inbound", id="agt_1")
    sandbox.world.callingbox.add_number("+15550200", id="pn_1")
    task = CallingBoxAttachNumberOperator(task_id="attach", agent_id="agt_1", number_id="pn_1")
    outcome = run_task(task, connections=console)

    assert outcome.xcoms[NUMBER_LINK] == f"{CONSOLE}/numbers/pn_1"
    assert outcome.xcoms[AGENT_LINK] == f"{CONSOLE}/agents/agt_1"


def test_without_an_address_there_is_no_link(sandbox, number, connections):
    task = DashaLinkPhoneNumberOperator(task_id="link", phone_number_id=number, agent_id=AGENT)
    outcome = run_task(task, connections=connections)

    assert (outcome.xcoms[NUMBER_LINK], outcome.xcoms[AGENT_LINK]) == ("", "")


def test_of_a_mapped_task_in_airflow(sandbox, number, console, run_dag):
    with DAG("maps_a_link", schedule=None) as dag:
        DashaLinkPhoneNumberOperator.partial(task_id="link", phone_number_id=number).expand(agent_id=[AGENT])
    run = run_dag(dag, connections=console)

    assert run.succeeded, run.explain()
    assert run.xcom("link", 0, NUMBER_LINK) == f"{CONSOLE}/phone-numbers/{number}"


@pytest.mark.parametrize(
    ("console_url", "address"),
    [
        (f"{CONSOLE}/", f"{CONSOLE}/agents/a"),
        (f"{CONSOLE}/app#/{{kind}}/{{id}}/overview", f"{CONSOLE}/app#/agents/a/overview"),
        (f"{CONSOLE}/show?what={{kind}}&id={{id}}", f"{CONSOLE}/show?what=agents&id=a"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_console_may_be_anywhere(connections, console_url, address):
    connection = connections["dasha_default"]
    with hook_of("dasha", {**connection, "extra": {"console_url": console_url}}) as hook:
        assert hook.settings.agent_in_console("a") == address


@pytest.mark.parametrize(
    "console_url",
    [
        "console.example",
        "javascript:alert(1)",
        "https://",
        f"{CONSOLE}/{{agent}}",
        f"{CONSOLE}/{{",
        "https://u:p@c.example",
    ],
)
def test_what_is_no_address(connections, console_url):
    connection = connections["dasha_default"]
    with (
        hook_of("dasha", {**connection, "extra": {"console_url": console_url}}) as hook,
        pytest.raises(PhonelinkFailException, match="console_url"),
    ):
        _ = hook.settings
