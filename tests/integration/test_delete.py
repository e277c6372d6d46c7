"""Deleting by the hook: the number is gone, and off its provider's trunk, whatever the vendor's plain delete does."""

from __future__ import annotations

import pytest
from integration.worlds import AGENT

from airflow_provider_phonelink.exceptions import PhonelinkFailException
from airflow_provider_phonelink.sandbox import Fault, Switches

SWITCHES = ("dasha_provider_delete", "dasha_delete_answer", "dasha_null_fields")
ANSWERS = [(name, value) for name in SWITCHES for value in Switches.choices()[name]]


@pytest.mark.parametrize("kind", ["twilio", None])
@pytest.mark.parametrize(("name", "value"), ANSWERS)
def test_the_number_is_gone_and_off_the_trunk(sandbox, hooks, name, value, kind):
    sandbox.set(**{name: value})
    world = sandbox.world.dasha
    provider = world.trunks.add_provider(kind) if kind else None
    number_id = world.add_number("+15550100001", provider_id=provider, outbound=[AGENT])
    # The answer to the delete is lost after it took effect.
    sandbox.faults.add(Fault("drop", method="DELETE", when="after", count=1))
    hooks().dasha.delete_number(number_id, force=True)
    assert (world.numbers, world.outbound.number_of) == ({}, {})
    assert not provider or world.trunks.connected(provider) == []
    assert len(sandbox.journal.writes()) == 1


def test_a_number_that_is_gone_already_was_not_deleted_by_this_call(sandbox, hooks):
    number_id = sandbox.world.dasha.add_number("+15550100001")
    sandbox.world.dasha.delete(number_id)
    with pytest.raises(PhonelinkFailException, match="404"):
        hooks().dasha.delete_number(number_id)


@pytest.mark.parametrize("kind", ["twilio", None])
def test_a_number_in_use_stays(sandbox, hooks, kind):
    world = sandbox.world.dasha
    provider = world.trunks.add_provider(kind) if kind else None
    number_id = world.add_number("+15550100001", provider_id=provider, inbound=AGENT)
    with pytest.raises(PhonelinkFailException, match="409"):
        hooks().dasha.delete_number(number_id)
    assert list(world.numbers) == [number_id]
    assert not provider or world.trunks.connected(provider) == ["+15550100001"]
