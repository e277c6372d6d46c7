"""Names that the tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox import Sandbox

CREDENTIALS = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
OTHER_CREDENTIALS = "7d2fba5e-5a0c-4f5b-a1f4-6d6f0a3f6f11"
ABSENT = "00000000-0000-4000-8000-000000000000"
AGENT = "agent-support"
OTHER_AGENT = "agent-sales"
THIRD_AGENT = "agent-night"


def state_of(sandbox: Sandbox) -> dict[str, Any]:
    """All that the vendors know, as plain values: to see that nothing else has changed."""
    dasha, box = sandbox.world.dasha, sandbox.world.callingbox
    return {
        **{
            n.id: (n.settings, n.provider_id, n.inbound_agent, sorted(dasha.outbound.agents_of(n.id)))
            for n in dasha.numbers.values()
        },
        **{n.id: (n.e164, n.inbound_agent, sorted(n.outbound_agents)) for n in box.numbers.values()},
    }


def writes(sandbox: Sandbox) -> list[str]:
    """The requests that changed anything, in short."""
    return [f"{entry.method} {entry.path.rpartition('/')[2]}" for entry in sandbox.journal.writes()]
