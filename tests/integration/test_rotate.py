"""Rotate: the agent gets the number that it has not used for longest, however often a run is tried."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, task
from airflow_harness.runs import load_dag
from airflow_harness.tasks import run_task
from integration.worlds import CREDENTIALS, writes

from airflow_provider_phonelink.operators.dasha import DashaRotatePhoneNumberOperator
from airflow_provider_phonelink.operators.rotation_memory import _LONGEST_KEY, variable_of
from airflow_provider_phonelink.sandbox import Fault, Switches, seeds

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "nightly_rotation.py"
AGENT = "agent-campaign"
START = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
DAY = timedelta(days=1)
LINK = "PUT agent-link"
FAILED = [{"after": 0, "state": "Failed"}]
PROVIDER = "9b2d3f8e-0000-4000-8000-000000000001"


@pytest.fixture
def pool(sandbox) -> list[str]:
    dasha = sandbox.world.dasha
    return sorted(
        dasha.add_number(
            f"+1555020{i}",
            CREDENTIALS,
            display_name=f"Campaign {i}",
            provider_id=PROVIDER,
            steps=seeds.REGISTERED,
        )
        for i in range(4)
    )


def rotation(pool=None, schedule="@daily", dag_id="rotation", **arguments) -> DashaRotatePhoneNumberOperator:
    if pool is not None:
        arguments["pool"] = pool
    with DAG(dag_id, schedule=schedule, start_date=START - DAY, catchup=False):
        return DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=AGENT, **arguments)


def in_use(sandbox, agent=AGENT) -> str | None:
    return sandbox.world.dasha.outbound.number_of.get(agent)


class Runs:
    """Runs of a rotation, one a day, each with its tries."""

    def __init__(self, task, connections) -> None:
        self.task, self.connections = task, connections
        self.variables: dict[str, str] = {}
        self.stored: dict[float, dict] = {}

    def __call__(self, day: float = 0, try_number: int = 1, **options):
        return run_task(
            self.task,
            connections=self.connections,
            variables=self.variables,
            stored=self.stored.setdefault(day, {}),
            logical_date=START + day * DAY,
            run_id=f"scheduled__{day}",
            try_number=try_number,
            **options,
        )


def at(pool, day: int) -> str:
    """The number whose turn it is at a run, if all are healthy and the first run is that of day 0."""
    return pool[day % len(pool)]


def test_a_number_a_day(sandbox, pool, connections):
    run = Runs(rotation(pool), connections)
    outcomes = [run(day) for day in range(6)]

    assert {outcome.state for outcome in outcomes} == {"success"}, outcomes[0].log
    found = [outcome.value["current"]["id"] for outcome in outcomes]
    assert found == [at(pool, day) for day in range(6)]
    assert [outcome.value["previous"] for outcome in outcomes] == [None, *found[:-1]]
    assert in_use(sandbox) == found[-1]
    assert writes(sandbox) == [LINK] * 6
    last = outcomes[-1]
    assert last.value.keys() == {
        "agent_id", "current", "previous", "changed", "reason", "skipped", "pool_size", "last_uses",
    }  # fmt: skip
    assert last.value["agent_id"] == AGENT
    assert last.value["last_uses"][found[-1]]["run_id"] == "scheduled__5"
    assert "not used it since 2026-03-03 06:00 UTC" in last.value["reason"]
    assert (last.value["changed"], last.value["skipped"], last.value["pool_size"]) == (True, {}, 4)
    assert last.xcoms["previous"] == found[-2]  # multiple outputs


def test_requests_are_counted(sandbox, pool, connections):
    run_task(rotation(pool), connections=connections)

    paths = [(entry.method, entry.path.rpartition("/")[2]) for entry in sandbox.journal]
    assert paths.count(("GET", "affected-agents")) == 1 + 1  # one for their credentials, and the proof
    assert paths.count(("GET", "sip-phone-numbers")) == 1
    assert len(paths) == 4


@pytest.mark.parametrize("refused", [False, True])
def test_a_large_pool_costs_a_request_for_each_of_its_credentials(sandbox, connections, refused):
    dasha = sandbox.world.dasha
    pool = [
        dasha.add_number(
            f"+1555{i:07}", f"c{i % 3}000000-0000-4000-8000-000000000000", steps=seeds.REGISTERED
        )
        for i in range(200)
    ]
    dasha.link(pool[150], AGENT, "replaceOutbound")
    if refused:
        sandbox.faults.add(Fault("status", path="sip-credentials", status=403, count=None))
    outcome = run_task(rotation(pool), connections=connections)

    assert outcome.state == "success", outcome.log
    assert outcome.value["previous"] == pool[150] != in_use(sandbox)
    assert len(sandbox.journal) <= (204 if refused else 8)


def test_the_agents_number_is_found_also_where_it_is_in_neither_pool_nor_scope(sandbox, pool, connections):
    other = sandbox.world.dasha.add_number("+15559999", CREDENTIALS, steps=seeds.REGISTERED)
    sandbox.world.dasha.link(other, AGENT, "replaceOutbound")
    outcome = run_task(rotation(pool), connections=connections)

    assert outcome.value["previous"] == other


@pytest.mark.parametrize(
    "given",
    [
        {"pool": {"display_name_prefix": "Campaign"}},
        {"pool": {"provider_id": "{{ params.provider }}"}, "params": {"provider": PROVIDER}},
        {"number_pool": "{{ params.ids }}"},
        {"number_pool": "{{ params.ids | join(',') }}"},
        {"number_pool": "{{ params.ids | tojson }}"},
        {
            "pool": [
                "{{ params.ids[0] }}",
                "{{ params.ids[1] }}",
                "{{ params.ids[2] }}",
                "{{ params.ids[3] }}",
            ]
        },
        {"pool": "slots", "number_pool": {"display_name_prefix": "Campaign"}},
    ],
    ids=str,
)
def test_ways_to_name_a_pool(sandbox, pool, connections, given):
    given = {"params": {"ids": pool}, **given}
    task = rotation(**given)
    assert task.pool == ("slots" if given.get("pool") == "slots" else "default_pool")
    outcome = Runs(task, connections)()

    assert outcome.state == "success", outcome.log
    assert in_use(sandbox) == at(pool, 0)


@pytest.mark.parametrize("given", [{}, {"pool": []}, {"pool": {}}, {"number_pool": "{{ params.none }}"}])
def test_no_pool_fails_at_once(sandbox, connections, given):
    outcome = run_task(rotation(retries=3, params={"none": None}, **given), connections=connections)

    assert outcome.state == "failed"
    assert "pool" in str(outcome.error)
    assert len(sandbox.journal) == 0


def test_weighted(sandbox, pool, connections):
    run = Runs(rotation(pool, strategy="weighted", weights={pool[0].upper(): "3"}), connections)
    found = [run(day).value["current"]["id"] for day in range(12)]

    assert [found.count(number) for number in pool] == [6, 2, 2, 2]
    assert all(one != other for one, other in pairwise(found))


def test_weights_out_of_a_template(sandbox, pool, connections):
    task = rotation(
        pool, strategy="weighted", weights="{{ params.weights }}", params={"weights": {pool[0]: 3}}
    )
    assert Runs(task, connections)().state == "success"


@pytest.mark.parametrize("weights", ["three", ["x"], {"x": 1}, {PROVIDER: 0}, {PROVIDER: 1.5}])
def test_weights_that_are_none_fail_at_once(sandbox, pool, connections, weights):
    outcome = run_task(
        rotation(pool, strategy="weighted", weights=weights, retries=2), connections=connections
    )

    assert outcome.state == "failed"
    assert "weights" in str(outcome.error)
    assert not writes(sandbox)


def last_one(turn):
    assert (turn.agent_id, turn.run.run_id, turn.at) == (AGENT, "scheduled__0", START)
    return turn.candidates[-1].number_id


def nonsense(turn):
    return "nonsense"


def test_a_strategy_of_ones_own(sandbox, pool, connections, monkeypatch):
    import integration.worlds

    monkeypatch.setattr(integration.worlds, "last_one", last_one, raising=False)
    outcome = Runs(rotation(pool, strategy="integration.worlds.last_one"), connections)()

    assert outcome.value["current"]["id"] == pool[-1], outcome.log


@pytest.mark.parametrize(
    "strategy",
    ["round-robin", "nowhere.to_be_found", "integration.worlds.AGENT", "integration.worlds.nonsense"],
)
def test_a_strategy_that_is_none_changes_nothing(sandbox, pool, connections, monkeypatch, strategy):
    import integration.worlds

    monkeypatch.setattr(integration.worlds, "nonsense", nonsense, raising=False)
    outcome = run_task(rotation(pool, strategy=strategy, retries=2), connections=connections)

    assert outcome.state == "failed"
    assert not writes(sandbox)


def test_unhealthy_and_quarantined_numbers_are_skipped_and_reported(sandbox, pool, connections):
    sandbox.world.dasha.script(at(pool, 0), FAILED)
    run = Runs(rotation(pool, quarantine="{{ params.held }}", params={"held": [at(pool, 1)]}), connections)
    outcome = run()

    assert outcome.value["current"]["id"] == at(pool, 2)
    assert outcome.value["skipped"].keys() == {at(pool, 0), at(pool, 1)}
    name = f"{sandbox.world.dasha.get(at(pool, 1)).settings.phone_number} (id {at(pool, 1)})"
    assert f"Skipped {name}: in quarantine" in outcome.log


def test_too_few_healthy_numbers_change_nothing(sandbox, pool, connections):
    for number in pool[:2]:
        sandbox.world.dasha.script(number, FAILED)
    outcome = run_task(rotation(pool, min_healthy="3", retries=2), connections=connections)

    assert outcome.state == "up_for_retry"
    assert "2 of 4 numbers of the pool are healthy, 3 are demanded" in str(outcome.error)
    assert not writes(sandbox)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("allowed", [True, False])
def test_numbers_without_registration(sandbox, connections, allowed, text):
    number = sandbox.world.dasha.add_number("+15550300", CREDENTIALS)
    given = str(allowed) if text else allowed
    outcome = run_task(rotation([number], healthy_without_registration=given), connections=connections)

    assert (outcome.state == "success") is allowed
    assert in_use(sandbox) == (number if allowed else None)


def test_the_number_before_may_be_outside_the_pool(sandbox, pool, connections):
    sandbox.world.dasha.link(pool[0], AGENT, "replaceOutbound")
    outcome = run_task(rotation(pool[1:], scope=[pool[0]]), connections=connections)

    assert outcome.value["previous"] == pool[0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", path="affected-agents", status=403, nth=2),
        Fault("status", path="affected-agents", status=502, nth=2, count=3),
        Fault("drop", path="affected-agents", nth=2, count=3),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_what_cannot_be_confirmed_is_put_back(sandbox, pool, connections, fault):
    sandbox.world.dasha.link(at(pool, -1), AGENT, "replaceOutbound")
    sandbox.faults.add(fault)
    run = Runs(rotation(pool, retries=2), connections)
    outcome = run()

    assert outcome.state == "up_for_retry"
    assert "was put back, and the agent has it" in str(outcome.error)
    assert in_use(sandbox) == at(pool, -1)
    assert run(try_number=2).value["current"]["id"] == at(pool, 0)


@pytest.mark.parametrize("claim", [True, False])
def test_a_write_that_the_vendor_ignores(sandbox, pool, connections, claim):
    sandbox.world.dasha.link(at(pool, -1), AGENT, "replaceOutbound")
    sandbox.faults.add(Fault("ignored", method="PUT", claim=claim))
    outcome = Runs(rotation(pool, retries=2), connections)()

    assert "The agent still has the number before" in str(outcome.error)
    assert in_use(sandbox) == at(pool, -1)


def test_without_verifying_nothing_is_read_afterwards(sandbox, pool, connections):
    outcome = run_task(rotation(pool, verify=False), connections=connections)

    assert outcome.state == "success"
    assert [entry.method for entry in sandbox.journal][-1] == "PUT"


@pytest.mark.parametrize(
    "switches",
    [{name: value} for name, value in Switches.alternatives() if name.startswith(("dasha_", "write_"))],
    ids=str,
)
def test_under_every_answer(sandbox, pool, connections, switches):
    if switches.get("dasha_unknown_agent") == "refuse":
        sandbox.world.dasha.add_agent(AGENT)
    sandbox.set(**switches)
    run = Runs(rotation(pool), connections)
    outcomes = [run(day) for day in (0, 1, 1)]

    assert {outcome.state for outcome in outcomes} == {"success"}, outcomes[0].log
    assert in_use(sandbox) == at(pool, 1)
    unknown = "dasha_outbound_literal" in switches and switches["dasha_outbound_literal"] == "callerId"
    assert writes(sandbox) == [LINK] * 2  # a third one, where it is not seen to be so, changes nothing
    assert outcomes[1].value["previous"] == (None if unknown else at(pool, 0))


class Died(BaseException):
    """What no handler catches, like SIGKILL."""


def dies(monkeypatch, when):
    from airflow_provider_phonelink.api.senders import Sender

    genuine = Sender._try

    def dying(sender, call):
        if call.method == "PUT" and when == "before":
            raise Died
        answer = genuine(sender, call)
        if call.method == "PUT":
            raise Died
        return answer

    monkeypatch.setattr(Sender, "_try", dying)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_retry_after_a_crash_takes_the_same_number(sandbox, pool, connections, monkeypatch, when):
    task = rotation(
        pool,
        strategy="{{ params.how }}",
        params={"how": "round_robin"},
    )
    sandbox.world.dasha.link(pool[2], AGENT, "replaceOutbound")
    run = Runs(task, connections)
    with monkeypatch.context() as patch:
        dies(patch, when)
        assert isinstance(run().error, Died)
    chosen = pool[3]
    assert in_use(sandbox) == (pool[2] if when == "before" else chosen)

    task.params["how"] = "weighted"  # even so
    outcome = run(try_number=2)
    assert outcome.state == "success", outcome.log
    assert (in_use(sandbox), outcome.value["previous"]) == (chosen, pool[2])
    assert len(writes(sandbox)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_retry_takes_another_number_once_the_first_one_is_unhealthy(
    sandbox, pool, connections, monkeypatch, when
):
    sandbox.world.dasha.link(pool[1], AGENT, "replaceOutbound")
    run = Runs(rotation(pool), connections)
    with monkeypatch.context() as patch:
        dies(patch, when)
        run()
    sandbox.world.dasha.script(pool[2], FAILED)
    outcome = run(try_number=2)

    # Not pool[1], which this run replaces. A number that was used for a while is not one of those never used.
    assert in_use(sandbox) == (pool[3] if when == "before" else pool[0])
    assert outcome.value["previous"] == pool[1]


def test_a_clear_gives_the_last_run_its_number_again_and_leaves_an_older_one_nothing_to_do(
    sandbox, pool, connections
):
    run = Runs(rotation(pool), connections)
    for day in range(3):
        run(day)
    sandbox.world.dasha.link(pool[3], AGENT, "replaceOutbound")  # somebody else did
    outcome = run(2, try_number=2)
    assert (in_use(sandbox), outcome.value["previous"]) == (pool[2], pool[3])

    before = len(writes(sandbox))
    outcome = run(1, try_number=2)
    assert (outcome.state, in_use(sandbox), outcome.value["changed"]) == ("success", pool[2], False)
    assert outcome.value["current"]["id"] == pool[2]
    assert "older than scheduled__2 of the DAG rotation, which has rotated since" in outcome.log
    outcome = run(-21)  # a run of last month that never ran before
    assert (outcome.state, in_use(sandbox)) == ("success", pool[2])
    assert len(writes(sandbox)) == before


def test_skipped_runs_and_runs_by_hand_do_not_break_the_round(sandbox, pool, connections):
    run = Runs(rotation(pool, schedule="@hourly"), connections)
    outcomes = [run(day) for day in (0, 7, 7.5, 8, 30, 31.2, 31.3, 60)]

    assert [outcome.value["current"]["id"] for outcome in outcomes] == pool * 2
    assert outcomes[2].value["last_uses"][pool[1]] == {
        "since": (START + 7 * DAY).isoformat(),
        "until": (START + 7.5 * DAY).isoformat(),
        "run_id": "scheduled__7",
    }


def test_an_hourly_dag_can_rotate_once_a_day_and_rest_its_numbers(sandbox, pool, connections):
    run = Runs(rotation(pool, max_in_use=DAY, cool_down="{{ 3 * 86400 }}"), connections)
    found = [run(hour / 24).value["current"]["id"] for hour in range(0, 24 * 5, 6)]

    assert found == [id_ for id_ in [*pool, pool[0]] for _ in range(4)]
    assert writes(sandbox) == [LINK] * 5


def test_priority_is_failover_and_put_back(sandbox, pool, connections):
    run = Runs(
        rotation(pool, strategy="priority", quarantine="{{ var.value.get('held', '[]') }}"), connections
    )
    assert run(0).value["current"]["id"] == pool[0]
    sandbox.world.dasha.script(pool[0], FAILED)
    run.variables["held"] = f'{{"{pool[1]}": "spam flag"}}'
    outcome = run(1)
    assert outcome.value["current"]["id"] == in_use(sandbox) == pool[2]
    assert "in quarantine (spam flag)" in outcome.value["skipped"][pool[1]]
    assert "in quarantine (spam flag)" in outcome.log
    sandbox.world.dasha.script(pool[0], seeds.REGISTERED)
    assert run(2).value["current"]["id"] == in_use(sandbox) == pool[0]
    assert "in the pool's order" in outcome.value["reason"]


@pytest.mark.parametrize(
    ("on_unhealthy", "state"), [("fail", "up_for_retry"), ("skip", "skipped"), ("keep", "success")]
)
def test_an_unhealthy_pool(sandbox, pool, connections, on_unhealthy, state):
    sandbox.world.dasha.link(pool[0], AGENT, "replaceOutbound")
    for number in pool[1:]:
        sandbox.world.dasha.script(number, FAILED)
    task = rotation(pool, min_healthy=2, on_unhealthy=on_unhealthy, retries=1)
    outcome = run_task(task, connections=connections)

    assert outcome.state == state, outcome.log
    assert (in_use(sandbox), writes(sandbox)) == (pool[0], [])
    if state == "success":
        assert (outcome.value["current"]["id"], outcome.value["changed"]) == (pool[0], False)


def test_runs_without_a_logical_date_move_on(sandbox, pool, connections):
    """As those are that an asset triggers, and some by hand."""
    from airflow_harness import tasks

    genuine = tasks._Server._run_context

    def undated(server):
        context = genuine(server)
        empty = dict.fromkeys(("logical_date", "data_interval_start", "data_interval_end"))
        context["dag_run"] |= {**empty, "run_type": "asset_triggered"}
        return context

    run = Runs(rotation(pool), connections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks._Server, "_run_context", undated)
        outcomes = [run(day) for day in range(5)]

    assert {outcome.state for outcome in outcomes} == {"success"}, outcomes[0].log
    assert [outcome.value["current"]["id"] for outcome in outcomes] == [*pool, pool[0]]


class TestAirflowsOwnPool:
    """``pool`` is Airflow's name for the pool of worker slots, and a number of it has to stay a text."""

    @pytest.mark.parametrize(
        ("given", "slots"),
        [
            ({"pool": ["x"]}, "default_pool"),
            ({"pool": ("x",)}, "default_pool"),
            ({"pool": {"provider_id": "x"}}, "default_pool"),
            ({"pool": "slots"}, "slots"),
            ({"pool": "slots", "number_pool": ["x"]}, "slots"),
            ({"number_pool": ["x"]}, "default_pool"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("default", [None, "default_slots"])
    def test_stays_a_text(self, given, slots, default, airflow_database):
        from airflow_harness.runs import register

        default_args = {"pool": default} if default else {}
        slots = default if default and slots == "default_pool" else slots
        with DAG("pooled", schedule=None, start_date=START, default_args=default_args) as dag:
            alone = DashaRotatePhoneNumberOperator(task_id="alone", agent_id="x", **given)
            mapped = DashaRotatePhoneNumberOperator.partial(task_id="mapped", **given).expand(
                agent_id=["x", "y"]
            )
        assert (alone.pool, mapped.pool) == (slots, slots)
        assert alone.number_pool == (
            given.get("number_pool") or (None if given["pool"] == "slots" else given["pool"])
        )
        register(dag)

    def test_of_numbers_may_not_be_every_tasks_default(self):
        with (
            DAG("pooled", schedule=None, start_date=START, default_args={"pool": ["x"]}),
            pytest.raises(TypeError),
        ):
            DashaRotatePhoneNumberOperator(task_id="rotate", agent_id="x")

    def test_of_numbers_comes_from_other_tasks(self, sandbox, pool, connections, run_dag):
        with DAG("mapped_pools", schedule="@daily", start_date=START, catchup=False) as dag:

            @task
            def halves():
                return [pool[:2], pool[2:]]

            @task
            def wanted():
                return [{"agent_id": "agent-a", "pool": pool[:1]}, {"agent_id": "agent-b", "pool": pool[1:2]}]

            @task
            def whole():
                return pool

            found = whole()
            DashaRotatePhoneNumberOperator(task_id="one", agent_id="agent-1", pool=found)  # type: ignore[arg-type]
            DashaRotatePhoneNumberOperator.partial(task_id="agents", pool=found).expand(
                agent_id=["agent-2", "agent-3"]
            )
            DashaRotatePhoneNumberOperator.partial(task_id="pools", agent_id="agent-4").expand(pool=halves())
            DashaRotatePhoneNumberOperator.partial(task_id="both").expand_kwargs(wanted())
        run = run_dag(dag, connections=connections, logical_date=START)

        assert run.succeeded, run.explain()
        assert (
            in_use(sandbox, "agent-1")
            == in_use(sandbox, "agent-2")
            == in_use(sandbox, "agent-3")
            == at(pool, 0)
        )
        assert (in_use(sandbox, "agent-a"), in_use(sandbox, "agent-b")) == tuple(pool[:2])
        assert in_use(sandbox, "agent-4") in pool
        assert run.xcom("agents", 1)["current"]["id"] == at(pool, 0)


def test_a_retry_in_a_real_run(sandbox, pool, connections, run_dag):
    task = rotation(pool, dag_id="kept_choice", schedule=None, retries=1, retry_delay=timedelta(seconds=0))
    sandbox.world.dasha.link(pool[0], AGENT, "replaceOutbound")
    sandbox.faults.add(Fault("status", path="affected-agents", status=403, nth=2))  # the first proof
    run = run_dag(task.dag, connections=connections)

    assert run.succeeded, run.explain()
    assert run.tries["rotate", -1] == 2
    assert run.xcom("rotate")["current"]["id"] == in_use(sandbox) != pool[0]
    assert run.xcom("rotate")["previous"] == pool[0]


@pytest.mark.commands
@pytest.mark.phonelink_sandbox(seed="demo")
def test_a_clear_under_a_scheduler(sandbox, deploy_on_sqlite):
    """By hand and without a logical date: the last run keeps its number, and an older one has nothing to do."""
    dasha = sandbox.world.dasha
    for i in range(2):
        dasha.add_number(f"+1555030{i}", CREDENTIALS, display_name="Campaign", steps=seeds.REGISTERED)
    healthy = sorted(n.id for n in dasha.numbers.values() if dasha.status(n).state == "Registered")
    with deploy_on_sqlite("rotation", dags=[EXAMPLE], connections=sandbox.connections) as airflow:
        found: list[Any] = []
        runs: list[str] = []
        for _ in range(3):
            if runs:
                sandbox.faults.add(Fault("status", path="affected-agents", status=403, nth=2))  # a proof
            runs.append(airflow.api.trigger_dag("nightly_rotation"))
            assert airflow.api.wait("nightly_rotation", runs[-1]) == "success"
            found.append(in_use(sandbox))
        for cleared in (runs[-1], runs[0]):
            dasha.link(found[0], AGENT, "replaceOutbound")  # somebody else does
            body = {"dry_run": False, "dag_run_id": cleared, "only_failed": False, "reset_dag_runs": True}
            airflow.api.request("POST", "dags/nightly_rotation/clearTaskInstances", json=body)
            assert airflow.api.wait("nightly_rotation", cleared) == "success"
            found.append(in_use(sandbox))

    assert len(set(found[:3])) == 3
    assert set(found) < set(healthy)
    assert found[3:] == [found[2], found[0]]


def test_the_memory_is_in_a_variable_that_people_can_find_and_correct(sandbox, pool, connections):
    run = Runs(rotation(pool), connections)
    run(0)
    [key] = run.variables
    assert key == f"phonelink_rotation__dasha_default__{AGENT}"
    kept = json.loads(run.variables[key])
    phone_number = sandbox.world.dasha.get(pool[0]).settings.phone_number
    assert (kept["uses"][0]["number_id"], kept["uses"][0]["phone_number"]) == (pool[0], phone_number)
    assert kept["uses"][0]["run"]["run_id"] == "scheduled__0"

    used = {"number_id": pool[1], "since": "2026-02-01T00:00:00Z", "until": "2026-02-02T00:00:00Z"}
    run.variables[key] = json.dumps({**kept, "uses": [used, *kept["uses"]]})
    assert run(1).value["current"]["id"] == pool[2]


def test_any_ids_make_a_key_of_their_own():
    ids = ["a", "b", "a__b", "a b", "a/b", "a.b", "ä", "x" * 250, "x" * 251, "x" * 252, "a" * 300]
    keys = [variable_of(conn, agent) for conn in ("dasha", "dasha__a", "other") for agent in ids]
    keys += [
        variable_of(*pair) for pair in [("x_", "y"), ("x", "_y"), ("x_", "_y"), ("x__", "y"), ("_", "_")]
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= _LONGEST_KEY and key.isascii() for key in keys)
    assert variable_of("dasha", "a") == "phonelink_rotation__dasha__a"


@pytest.mark.parametrize(
    "kept", ["not JSON", "[]", '{"version": 9}', '{"version": 1, "uses": [{"number_id": 3}]}']
)
def test_a_memory_that_cannot_be_read_counts_as_lost(sandbox, pool, connections, kept):
    run = Runs(rotation(pool), connections)
    for day in range(3):
        run(day)
    [key] = run.variables
    run.variables[key] = kept
    outcome = run(3)

    assert outcome.value["current"]["id"] == pool[3], outcome.log
    assert f"It is in the Variable {key}" in outcome.log
    assert json.loads(run.variables[key])["uses"][-1]["number_id"] == pool[3]


def test_a_rotation_that_keeps_its_number_goes_on_although_its_memory_is_lost_each_time(
    sandbox, pool, connections
):
    run = Runs(rotation(pool, max_in_use=7 * DAY), connections)
    for day in range(4):
        outcome = run(day)
        assert (in_use(sandbox), outcome.state) == (pool[day], "success")
        run.variables.clear()
    assert "comes after the number in use" in outcome.value["reason"]


def test_a_time_to_come_in_an_edited_memory_stops_no_rotation(sandbox, pool, connections):
    run = Runs(rotation(pool), connections)
    for day in range(2):
        run(day)
    [key] = run.variables
    kept = json.loads(run.variables[key])
    to_come = (datetime.now(timezone.utc) + 365 * DAY).isoformat()
    kept["uses"][-1]["run"]["at"] = kept["decision"]["run"]["at"] = to_come
    run.variables[key] = json.dumps(kept)
    outcome = run(2)
    assert (in_use(sandbox), outcome.value["changed"]) == (pool[2], True)
    assert f"the Variable {key}, has times that are still to come" in outcome.log
    outcome = run(3)
    assert (in_use(sandbox), "still to come" in outcome.log) == (pool[3], False)


def test_by_hand_nothing_is_remembered(sandbox, pool, connections, monkeypatch):
    for conn_id, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    task = rotation(pool)
    found = [task.execute({})["current"]["id"] for _ in range(5)]
    assert found == [*pool, pool[0]]


@pytest.mark.parametrize("in_use_before", [False, True])
def test_twenty_campaigns_cost_six_requests_each(sandbox, connections, in_use_before):
    """Pools of 12 numbers each, whose numbers are under 4 credentials: one list, looks, the link, the proof."""
    dasha = sandbox.world.dasha
    first, later = [], []
    for campaign in range(20):
        pool = [
            dasha.add_number(
                f"+1555{campaign:03}{i:04}",
                f"c{i % 4}000000-0000-4000-8000-000000000000",
                steps=seeds.REGISTERED,
            )
            for i in range(12)
        ]
        with DAG(f"campaign_{campaign}", schedule="@daily", start_date=START - DAY):
            task = DashaRotatePhoneNumberOperator(task_id="rotate", agent_id=f"agent-{campaign}", pool=pool)
        if in_use_before:
            dasha.link(pool[campaign % 12], f"agent-{campaign}", "replaceOutbound")
        run = Runs(task, connections)
        before = len(sandbox.journal)
        assert run(0).state == "success"
        first.append(len(sandbox.journal) - before)
        assert run(1).state == "success"
        later.append(len(sandbox.journal) - before - first[-1])
    # That an agent has no number at all is known once all credentials were read: in its very first run.
    assert sum(first) <= 20 * (6 if in_use_before else 7)
    assert set(later) == {4}  # the memory knows where to look


@pytest.mark.phonelink_sandbox(seed="demo")
class TestExample:
    def nightly(self, run_dag, connections, day=0, **conf):
        return run_dag(load_dag(EXAMPLE), connections=connections, logical_date=START + day * DAY, conf=conf)

    def test_rotates_every_night(self, sandbox, connections, run_dag):
        found = []
        for day in range(3):
            run = self.nightly(run_dag, connections, day)
            assert run.succeeded, run.explain()
            assert run.task_states() == {"rotate": "success", "report": "success", "alert": "skipped"}
            found.append(sandbox.world.dasha.get(in_use(sandbox)).settings.phone_number)
        assert set(found) == {"+15550100002", "+15550100003"}
        assert found[0] != found[1] != found[2]
        assert f"now calls with {found[2]}. Not healthy: +15550100004" in run.xcom("report")

    def test_alerts_when_the_pool_is_unhealthy(self, sandbox, connections, run_dag):
        before = in_use(sandbox)
        run = self.nightly(run_dag, connections, day=10, min_healthy=3)

        assert run.state == "failed"
        assert run.task_states() == {"rotate": "failed", "report": "upstream_failed", "alert": "success"}
        assert "agent-campaign was not given another number" in run.xcom("alert")
        assert "2 of 3 numbers of the pool are healthy, 3 are demanded" in run.log("rotate")
        assert in_use(sandbox) == before
        assert not writes(sandbox)
