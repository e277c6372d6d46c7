from __future__ import annotations

import pytest
from unit.api.fake_dasha import CREDENTIALS, OTHER_CREDENTIALS, FakeDasha, number_id, number_json

from airflow_provider_phonelink.api import patience
from airflow_provider_phonelink.api.dasha import writes
from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotNamedError
from airflow_provider_phonelink.promises.dasha.naming import for_number, number_named, numbers_named

ONE, TWO = number_id(1), number_id(2)


def vendor(*phone_numbers: str, credentials: str = CREDENTIALS, **options) -> FakeDasha:
    return FakeDasha(
        *(
            number_json(index, phoneNumber=phone_number, credentialsId=credentials)
            for index, phone_number in enumerate(phone_numbers, 1)
        ),
        **options,
    )


@pytest.mark.parametrize(
    "name", ["+15550100001", "0015550100001", "+1 (555) 010-0001", "tel:+1-555-010-0001", "15550100001"]
)
@pytest.mark.parametrize("stored", ["+15550100001", "15550100001", "+1 555 010 0001"])
def test_a_phone_number_in_any_notation_costs_one_request(carry_out, stored, name) -> None:
    fake = vendor(stored, "+15550100002")
    assert carry_out(number_named(name), vendor=fake) == ONE
    assert len(fake.requests) == 1


def test_as_it_is_written_comes_first(carry_out) -> None:
    fake = vendor("15550100001", "+15550100001")
    assert carry_out(number_named("15550100001"), vendor=fake) == ONE
    assert carry_out(number_named("+15550100001"), vendor=fake) == TWO


@pytest.mark.parametrize("name", [ONE, ONE.upper()])
def test_an_id_costs_nothing(carry_out, name) -> None:
    fake = vendor("+15550100001")
    assert carry_out(number_named(name), vendor=fake) == ONE
    assert fake.requests == []


def test_many_names_of_any_kind_cost_one_request(carry_out) -> None:
    fake = vendor("+15550100001", "+15550100002")
    named = carry_out(numbers_named([TWO, "0015550100001", "+1 555 0100002"], "pool"), vendor=fake)
    assert list(named.ids.values()) == [TWO, ONE, TWO]
    assert (set(named.read), len(fake.requests)) == ({ONE, TWO}, 1)


@pytest.mark.parametrize(
    "name", ["agent-support", "7b1f", "pn_1", "1-800-FLOWERS", "", "None", None, 7, "..", ONE[:-1]]
)
def test_what_is_neither_is_refused_before_anything_is_sent(carry_out, name) -> None:
    fake = vendor("+15550100001")
    with pytest.raises(InvalidArgumentError, match=r"^pool: .*Nothing was sent"):
        carry_out(numbers_named(["+15550100001", name], "pool"), vendor=fake)
    assert fake.requests == []


def test_all_that_cannot_be_found_is_told_at_once(carry_out, clock) -> None:
    fake = vendor("+15550100001", "0015550100001")
    with pytest.raises(NotNamedError) as caught:
        carry_out(numbers_named(["001 555 010 0001", "+15550100009", ONE], "pool"), vendor=fake)
    for words in ("pool: ", "with the ids ", ONE, TWO, "no number +15550100009", "Nothing was changed"):
        assert words in str(caught.value)
    assert not caught.value.retry_helps


def test_credentials_narrow_a_phone_number(carry_out) -> None:
    fake = vendor("+15550100001")
    fake.add(number_json(2, phoneNumber="+15550100001", credentialsId=OTHER_CREDENTIALS))
    found = number_named("+1 555 010 0001", credentials_id=OTHER_CREDENTIALS.upper())
    assert carry_out(found, vendor=fake) == TWO
    with pytest.raises(NotNamedError, match=f"{ONE}, {TWO}"):
        carry_out(number_named("+1 555 010 0001"), vendor=fake)
    absent = "e0000000-0000-4000-8000-000000000001"
    with pytest.raises(NotNamedError, match=f"with the credentials {absent}: there is no number"):
        carry_out(number_named("+15550100001", credentials_id=absent), vendor=fake)


def test_a_new_number_that_no_list_shows_yet_is_waited_for(carry_out, clock) -> None:
    fake = vendor()
    fake.on("GET", "", lambda handle, request: _added_after(fake, handle, request))
    assert carry_out(number_named("+15550100001"), vendor=fake) == ONE
    assert (clock.slept, len(fake.requests)) == ([patience.PAUSES[0]], 2)


def _added_after(fake, handle, request):
    answer = handle(request)
    fake.add(number_json(1, phoneNumber="+15550100001"))
    return answer


def test_where_one_page_does_not_have_all_the_vendor_is_asked_for_the_phone_number(carry_out) -> None:
    fake = vendor(*(f"+1555{index:07d}" for index in range(1, 41)), largest_page=10)
    assert carry_out(number_named("+15550000035"), vendor=fake) == number_id(35)
    assert len(fake.requests) == 2
    assert carry_out(number_named("0015550000035"), vendor=fake) == number_id(35)


@pytest.mark.parametrize("name", ["+15550100001", ONE])
def test_other_arguments_are_checked_first(carry_out, name) -> None:
    fake = vendor("+15550100001")
    with pytest.raises(InvalidArgumentError, match=r"^agent_id: .*Nothing was sent"):
        carry_out(for_number(lambda id_: writes.link(id_, "../x"), name), vendor=fake)
    assert fake.requests == []


def test_a_flow_is_carried_out_for_the_number(carry_out) -> None:
    fake = vendor("+15550100001", "+15550100002")
    number = carry_out(for_number(lambda id_: writes.link(id_, "agent-a"), "0015550100002"), vendor=fake)
    assert (number.id, fake.inbound) == (TWO, {ONE: None, TWO: "agent-a"})
