"""The support line, against the sandbox."""

from __future__ import annotations

import pytest
from dags.support_line import support_line_dag


@pytest.mark.phonelink_sandbox(switches={"dasha_registration_seconds": 0})
def test_the_support_line_is_answered(phonelink_sandbox):
    run = support_line_dag.test()

    assert run.state == "success"
    [(inbound_agent, _)] = phonelink_sandbox.world.dasha.links().values()
    assert inbound_agent == "agent-support"
