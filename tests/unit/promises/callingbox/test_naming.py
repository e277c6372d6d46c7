from __future__ import annotations

import pytest
from unit.api.carrying import callingbox_settings
from unit.api.fake_callingbox import FakeCallingBox

from airflow_provider_phonelink.api.callingbox import writes
from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotNamedError
from airflow_provider_phonelink.promises.callingbox.naming import for_number, number_named

SETTINGS = callingbox_settings()


def vendor(**phone_numbers: str) -> FakeCallingBox:
    fake = FakeCallingBox(agents={"in": "inbound"}, numbers={})
    for number, e164 in phone_numbers.items():
        fake.account.add_number(e164, id=number)
    return fake


@pytest.mark.parametrize("name", ["+15550100001", "001 555 010 0001", "1 (555) 010-0001", "tel:+15550100001"])
def test_a_phone_number_costs_the_list_and_a_look_whether_it_goes_on(carry_out, name) -> None:
    fake = vendor(n1="+15550100001", n2="+15550100002")
    assert carry_out(number_named(name), vendor=fake, settings=SETTINGS) == "n1"
    assert len(fake.requests) == 2


def test_an_id_costs_nothing(carry_out) -> None:
    fake = vendor(n1="+15550100001")
    assert carry_out(number_named("n1"), vendor=fake, settings=SETTINGS) == "n1"
    assert fake.requests == []


def test_an_id_may_look_like_a_phone_number(carry_out) -> None:
    fake = vendor(n1="+15550100001")
    fake.account.add_number("+15550100002", id="5550100")
    assert carry_out(number_named("5550100"), vendor=fake, settings=SETTINGS) == "5550100"


def test_several_are_named_by_their_ids_and_none_is_an_error(carry_out) -> None:
    fake = vendor(n1="+15550100001", n2="+15550100001")
    with pytest.raises(NotNamedError, match=r"number_id: .*n\d, n\d.*Nothing was changed"):
        carry_out(number_named("+15550100001"), vendor=fake, settings=SETTINGS)
    with pytest.raises(NotNamedError, match=r"no number \+15550100009"):
        carry_out(number_named("+15550100009"), vendor=fake, settings=SETTINGS)


@pytest.mark.parametrize("name", ["", "None", None, 15550100001, "../x", "1.5551E+10", " +15550100001"])
def test_what_is_neither_is_refused_before_anything_is_sent(carry_out, name) -> None:
    fake = vendor(n1="+15550100001")
    with pytest.raises(InvalidArgumentError, match=r"^number_id: .*Nothing was sent"):
        carry_out(number_named(name), vendor=fake, settings=SETTINGS)
    assert fake.requests == []


@pytest.mark.parametrize("agent", ["../x", "", None])
def test_the_agent_is_checked_first(carry_out, agent) -> None:
    fake = vendor(n1="+15550100001")
    with pytest.raises(InvalidArgumentError, match="agent_id"):
        carry_out(for_number(writes.attach, agent, "+15550100001"), vendor=fake, settings=SETTINGS)
    assert fake.requests == []


def test_writes_are_about_the_number(carry_out) -> None:
    fake = vendor(n1="+15550100001", n2="+15550100002")
    for write in (writes.attach, writes.set_primary_number):
        carry_out(for_number(write, "in", "0015550100002"), vendor=fake, settings=SETTINGS)
    assert (fake.numbers["n1"], fake.numbers["n2"]) == ([], ["in"])
    carry_out(for_number(writes.detach, "in", "0015550100002"), vendor=fake, settings=SETTINGS)
    assert fake.numbers["n2"] == []


def test_detaching_a_number_that_is_not_there_is_an_error(carry_out) -> None:
    fake = vendor(n1="+15550100001")
    with pytest.raises(Exception, match="404"):
        carry_out(for_number(writes.detach, "in", "n9"), vendor=fake, settings=SETTINGS)
    assert carry_out(for_number(writes.detach, "in", "n1"), vendor=fake, settings=SETTINGS).id == "in"
