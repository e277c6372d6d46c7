"""Facts: what was changed is told of the connection over which it was changed, and of no other account."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow_provider_phonelink.decisions.fleet import Fleet, FleetNumber
from airflow_provider_phonelink.fleet.changes import PastChange
from airflow_provider_phonelink.fleet.facts import Facts
from airflow_provider_phonelink.fleet.readings import Reading
from airflow_provider_phonelink.fleet.wishes import Wish

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def change(number_id: str, conn_id: str | None, **told) -> PastChange:
    return PastChange(
        at=AT, vendor="dasha", conn_id=conn_id, number_id=number_id, mode="inbound", agent_id="a", **told
    )


def facts(*changes: PastChange) -> Facts:
    """Two accounts of one vendor, each with a number and an agent "a", and a third that was not read yet."""
    fleets = {
        conn_id: Fleet(numbers=(FleetNumber(id=number_id, phone_number=None),))
        for conn_id, number_id in (("staging", "s"), ("production", "p"))
    }
    readings = {conn_id: Reading(fleet=fleet) for conn_id, fleet in fleets.items()}
    kinds = dict.fromkeys(("staging", "production", "unread"), "dasha")
    return Facts(kinds, {**readings, "unread": Reading(stale=True)}, changes)


def of_the_agent(found: Facts) -> dict[str, list[str]]:
    return {
        conn_id: [one.number_id for one in found.changes_of_agent(conn_id, "a")] for conn_id in found.kinds
    }


def test_two_accounts_with_one_agent_id_have_a_history_each() -> None:
    found = facts(change("s", "staging"), change("p", "production"), change("secret", "elsewhere"))
    assert of_the_agent(found) == {"staging": ["s"], "production": ["p"], "unread": []}


def test_a_change_that_names_no_connection_is_told_where_its_number_is() -> None:
    found = facts(change("s", None), change("gone", None, previous_number_id="p"))
    assert of_the_agent(found) == {"staging": ["s"], "production": [], "unread": []}


def test_a_number_has_only_the_changes_of_its_own_connection() -> None:
    """Ids of CallingBox need not differ between accounts."""
    found = facts(change("s", "production", phone_number="+1"), change("s", "staging", phone_number="+2"))
    [row, _] = found.rows
    assert row.last_change
    assert row.last_change.conn_id == "staging"
    assert [one.conn_id for one in found.changes_of_number("staging", "s")] == ["staging"]
    assert [found.phone_number(conn_id, "s") for conn_id in found.kinds] == ["+2", "+1", "s"]


def test_whether_a_wish_is_true_is_not_known_before_the_numbers_are_read_again() -> None:
    number = FleetNumber(id="s", phone_number=None, inbound_agent_id="b")
    reading = Reading(fleet=Fleet(numbers=(number,)), read_at=AT)
    for later, expected in ((0, False), (1, None)):
        wish = Wish("staging", "s", "a", True, AT + timedelta(seconds=later), "dag")
        [row] = Facts({"staging": "dasha"}, {"staging": reading}, wishes=[wish]).rows
        assert row.as_json()["as_routes_want"] is expected


def test_a_connection_that_is_of_another_type_now_has_none_of_the_old_changes() -> None:
    found = facts(change("s", "staging"))
    assert (
        Facts({"staging": "callingbox"}, found.readings, found.changes).changes_of_agent("staging", "a") == []
    )
