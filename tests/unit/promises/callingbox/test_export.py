from __future__ import annotations

import pytest
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.decisions.routes import parse_routes
from airflow_provider_phonelink.decisions.scope import parse_scope
from airflow_provider_phonelink.promises.callingbox.routing import ROUTING

SETTINGS = callingbox_settings()


@pytest.mark.parametrize("kind", ["outbound", "inbound"])
@pytest.mark.parametrize("primary", ["n1", "n2", "n3"])
def test_numbers_that_are_moved_and_brought_back_leave_their_agent_its_primary_number(
    carry_out, kind, primary
) -> None:
    fake = FakeCallingBox(
        agents={"blue": kind, "green": kind}, numbers={f"n{i}": ["blue"] for i in range(1, 4)}
    )
    fake.account.set_primary("blue", primary)

    def carried(flow):
        return carry_out(flow, vendor=fake, settings=SETTINGS)

    def reconcile(rows):
        scope = parse_scope({"agents": ["blue", "green"]}, ROUTING.rules)
        plan = carried(ROUTING.plan(parse_routes(rows, ROUTING.rules), scope=scope, prune=True))
        assert carried(ROUTING.apply(plan)).complete

    routes, _ = carried(ROUTING.export())
    reconcile([{**route, "agent_id": "green"} for route in routes])
    assert fake.account.attached("blue") == []
    assert fake.account.get_agent("green").primary_number == primary
    reconcile(routes)
    assert sorted(fake.account.attached("blue")) == ["n1", "n2", "n3"]
    assert fake.account.get_agent("blue").primary_number == primary
