"""``phonelink doctor``: under each switch it says what the vendor is like, wherever reading can tell."""

from __future__ import annotations

import json
import re

import pytest
from integration.commands import FORMS, is_one_error
from integration.reconciling import phone

from airflow_provider_phonelink.sandbox import Fault, Switches
from airflow_provider_phonelink.sandbox.dasha import TRUNK_A, TRUNK_B

DASHA, CALLINGBOX = "dasha_default", "callingbox_default"
MOST_REQUESTS = 20

#: A switch's values, each with the finding that tells it and what that says.
TOLD: dict[str, dict[object, tuple[str, str, str]]] = {
    "dasha_phone_filter": {
        "exact": (DASHA, "filter phoneNumber", "compares whole phone numbers"),
        "substring": (DASHA, "filter phoneNumber", "matches parts of phone numbers"),
    },
    "dasha_linked_filter": {
        "inbound": (DASHA, "filter unlinkedOnly", "looks at inbound links only"),
        "inbound+outbound": (DASHA, "filter linkedAgentId", "looks at inbound and outbound links"),
    },
    "dasha_outbound_literal": {
        "outbound": (DASHA, "words in uses", "outbound (1)$"),
        "replaceOutbound": (DASHA, "words in uses", "replaceOutbound (1)$"),
        "callerId": (DASHA, "words in uses", "unknown here: callerId"),
    },
    "dasha_credentials_agents_status": {
        200: (DASHA, "reads by credentials", "show all of 6 numbers"),
        **{status: (DASHA, "reads by credentials", f"answered {status}") for status in (403, 404, 405)},
    },
    "dasha_credentials_agents_show": {
        "all": (DASHA, "reads by credentials", "show all"),
        "used": (DASHA, "reads by credentials", "show the numbers that an agent uses, and no others"),
        "some": (DASHA, "reads by credentials", "leave out 3 of 6"),
    },
    "dasha_agents_shape": {
        "array": (DASHA, "agents", "an array that `take` cuts"),
        "whole_array": (DASHA, "agents", "an array that is always whole"),
        "page": (DASHA, "agents", "in pages with a count"),
    },
    "dasha_stored_notation": {
        "as_sent": (DASHA, "notation", "other"),
        "plus_digits": (DASHA, "notation", "6 numbers: plus and digits"),
        "digits": (DASHA, "notation", "6 numbers: digits only"),
    },
    "dasha_null_fields": {
        "null": (DASHA, "form of answers", "are null"),
        "omitted": (DASHA, "form of answers", "are left out"),
    },
    "dasha_timestamps": {
        "seconds": (DASHA, "form of answers", "whole seconds and Z"),
        "seven_digits": (DASHA, "form of answers", "fractions of a second and Z"),
        "offset": (DASHA, "form of answers", "an offset"),
    },
    "dasha_active_literal": {
        "Registered": (DASHA, "registration", "Registered: 1 number (active)"),
        "Active": (DASHA, "registration", "Active: 1 number (active)"),
    },
    "dasha_waiting_literal": {
        state: (DASHA, "registration", f"{state}: 1 number, in a state that is unknown here")
        for state in ("Registering", "Pending", "Unregistered")
    },
    "dasha_registration_lifetime": {7200.0: (DASHA, "registration's end", "at most 7,")},
    "date_header": {
        "sent": (DASHA, "clock", "agree"),
        "none": (DASHA, "clock", "have no Date header"),
    },
    "rate_limit_headers": {
        "none": (CALLINGBOX, "rate limit", "no headers on one"),
        "x-ratelimit": (CALLINGBOX, "rate limit", "x-ratelimit-limit: 600"),
        "ratelimit": (CALLINGBOX, "rate limit", "ratelimit-limit: 600"),
    },
    "callingbox_numbers_shape": {
        "array": (CALLINGBOX, "shape of lists", "a bare array"),
        "data": (CALLINGBOX, "shape of lists", "`data`, and no word"),
        "data_has_more": (CALLINGBOX, "shape of lists", "`data` and `has_more`"),
    },
    "callingbox_plain_lists": {
        "whole": (CALLINGBOX, "paging", "no pages"),
        "paged": (CALLINGBOX, "paging", "pages: `limit` is respected"),
    },
    "callingbox_agent_pages": {
        False: (CALLINGBOX, "agents", "at once"),
        True: (CALLINGBOX, "agents", "in pages, with `has_more`"),
    },
    "callingbox_page_size": {2.0: (CALLINGBOX, "paging", "2 numbers where no `limit` is sent")},
    "callingbox_page_cap": {3.0: (CALLINGBOX, "paging", "at most 3 numbers on a page")},
    "callingbox_archived_agents": {
        "listed": (CALLINGBOX, "archived agents", "listed: 1 agent"),
        "hidden": (CALLINGBOX, "archived agents", "not listed, but readable"),
    },
    "callingbox_sparse": {
        False: (CALLINGBOX, "links in lists", "every number says"),
        True: (CALLINGBOX, "links in lists", "5 numbers of 5 do not say"),
    },
    "callingbox_no_outbound": {
        "list": (CALLINGBOX, "no outbound agents", "an empty list"),
        "null": (CALLINGBOX, "no outbound agents", "null"),
    },
    "callingbox_error_shape": {
        "text": (CALLINGBOX, "form of errors", '{"error": text}'),
        "object": (CALLINGBOX, "form of errors", '{"error": {"message": text}}'),
        "message": (CALLINGBOX, "form of errors", '{"message": text}'),
    },
}
#: What only a write shows, or time.
ONLY_WRITES_TELL = re.compile(
    r"_status$|write_answers|_body_key|unlink_agent_id|unknown_agent|delete|_lag|inbound_uniqueness"
    r"|registration_seconds|first_number|detached_primary"
)
#: What a switch needs beside itself in order to show.
WITH = {
    "callingbox_plain_lists": {"callingbox_numbers_shape": "data"},
    "callingbox_page_size": {"callingbox_numbers_shape": "data_has_more"},
    "callingbox_page_cap": {"callingbox_numbers_shape": "data_has_more"},
}


@pytest.fixture
def plant(phonelink_sandbox):
    """Fill the worlds: after the switches are set, because some decide how numbers are stored."""

    def plant(**switches):
        phonelink_sandbox.set(**switches)
        world = phonelink_sandbox.world.dasha
        for agent in ("support", "campaign"):
            world.add_agent(agent)
        world.add_number("+1 555 010 0001", TRUNK_A, inbound="support")
        world.add_number(phone(2), TRUNK_A, outbound=["campaign"])
        for n in (3, 4):
            world.add_number(phone(n), TRUNK_A)
        active = phonelink_sandbox.world.switches.dasha_active_literal
        world.add_number(phone(5), TRUNK_B, inbound="support", steps=[(0, active)])
        waiting = phonelink_sandbox.world.switches.dasha_waiting_literal
        world.add_number(phone(6), TRUNK_B, inbound="support", steps=[(0, waiting)])
        box = phonelink_sandbox.world.callingbox
        box.add_agent("inbound", id="agt_1")
        box.add_agent("inbound", id="agt_old", archived=True)
        for n in range(5):
            box.add_number(phone(n), id=f"pn_{n}", agents=["agt_1", "agt_old"][n:][:1])
        phonelink_sandbox.journal.clear()

    return plant


@pytest.fixture
def doctor(phonelink):
    """Run the doctor and return its exit code and its findings by what they are about."""

    def doctor(conn_id):
        code, out, _ = phonelink("doctor", "--conn-id", conn_id, "-o", "json")
        document = json.loads(out)
        return code, document

    return doctor


def told(document, about):
    return [finding["seen"] for finding in document["findings"] if finding["about"] == about]


def test_each_switch_is_told_or_only_a_write_tells_it() -> None:
    left = [name for name in Switches.describe() if name not in TOLD and not ONLY_WRITES_TELL.search(name)]
    assert left == []
    for name, values in Switches.choices().items():
        assert not values or name not in TOLD or set(TOLD[name]) == set(values), name


@pytest.mark.parametrize(
    ("switch", "value"), [(switch, value) for switch, values in TOLD.items() for value in values]
)
def test_the_doctor_says_what_the_vendor_is_like(phonelink_sandbox, plant, doctor, switch, value) -> None:
    plant(**WITH.get(switch, {}), **{switch: value})
    conn_id, about, words = TOLD[switch][value]
    _, document = doctor(conn_id)
    pattern = re.escape(words.removesuffix("$")) + ("$" if words.endswith("$") else "")
    assert any(re.search(pattern, seen) for seen in told(document, about)), told(document, about)
    assert document["requests"] == len(phonelink_sandbox.journal) <= MOST_REQUESTS
    assert {entry.method for entry in phonelink_sandbox.journal} == {"GET"}


@pytest.mark.parametrize("conn_id", [DASHA, CALLINGBOX])
def test_requests_without_an_answer_were_sent_too(phonelink_sandbox, plant, doctor, conn_id) -> None:
    plant()
    phonelink_sandbox.faults.add(Fault("drop", path="agents", count=1))
    _, document = doctor(conn_id)
    assert document["requests"] == len(phonelink_sandbox.journal)
    assert any(f"{document['requests']} requests were sent" in seen for seen in told(document, "connection"))


class TestWhatIsToBeDone:
    def test_nothing(self, phonelink_sandbox, phonelink):
        for conn_id in (DASHA, CALLINGBOX):
            code, out, err = phonelink("doctor", "--conn-id", conn_id)
            assert (code, err) == (0, "")
            assert "0 of " in out

    @pytest.mark.parametrize("form", FORMS)
    def test_in_each_form(self, plant, phonelink, form):
        plant()
        code, out, _ = phonelink("doctor", "-o", form)
        assert code == 2
        assert "in a state that is unknown here" in out
        assert "active_states" in out

    @pytest.mark.parametrize(
        ("spoil", "about", "words"),
        [
            (
                lambda box, dasha, _: dasha.add_number("1 555 010 0002", TRUNK_A),
                "same number twice",
                "1 phone number",
            ),
            (
                lambda box, dasha, _: dasha.add_number("+15550100099", inbound="gone"),
                "agents gone",
                "agent gone",
            ),
            (lambda box, dasha, _: dasha.add_agent("support", enabled=False), "agents off", "agent support"),
            (lambda box, dasha, clock: clock.advance(900), "clock", "s ahead of this machine's"),
        ],
    )
    def test_at_dasha(self, phonelink_sandbox, plant, doctor, spoil, about, words):
        plant()
        world = phonelink_sandbox.world
        spoil(world.callingbox, world.dasha, world.clock)
        code, document = doctor(DASHA)
        assert code == 2
        [finding] = [finding for finding in document["findings"] if finding["about"] == about]
        assert finding["level"] == "to do"
        assert words in finding["seen"]
        assert finding["advice"]

    def test_agents_that_are_archived_or_gone_at_callingbox(self, phonelink_sandbox, plant, doctor):
        plant(callingbox_archived_agents="hidden")
        code, document = doctor(CALLINGBOX)
        [seen] = told(document, "agents gone")
        assert (code, document["to_do"]) == (2, 1)
        assert "agent agt_old (archived; " in seen
        assert "pn_1" in seen

    def test_a_key_that_is_refused_is_an_error(self, phonelink_sandbox, phonelink):
        phonelink_sandbox.change_key("dasha", "another-key")
        code, out, err = phonelink("doctor")
        assert (code, out) == (1, "")
        assert is_one_error(err, "401", "API key")

    def test_no_password_is_shown(self, phonelink_sandbox, phonelink):
        phonelink_sandbox.world.dasha.trunks.add_credentials(auth_user="caller", auth_password="s1p-passw0rd")
        _, out, err = phonelink("doctor", "-o", "json")
        assert "passw" not in (out + err).lower()


class TestManyNumbers:
    @pytest.mark.parametrize(
        "switches",
        [
            {},
            {"dasha_credentials_agents_status": 403},
            {"dasha_credentials_agents_show": "some", "dasha_agents_shape": "page"},
        ],
    )
    def test_at_dasha(self, phonelink_sandbox, doctor, switches):
        phonelink_sandbox.set(**switches)
        world = phonelink_sandbox.world.dasha
        for agent in range(500):
            world.add_agent(f"agent-{agent}")
        trunks = [world.trunks.add_credentials() for _ in range(50)]
        for n in range(1000):
            world.add_number(phone(n), trunks[n % 50], outbound=[f"agent-{n}"] if n < 500 else [])
        _, document = doctor(DASHA)
        assert told(document, "numbers") == ["1,000 numbers"]
        assert document["requests"] == len(phonelink_sandbox.journal) <= MOST_REQUESTS

    @pytest.mark.parametrize(
        ("switches", "seen"),
        [
            ({"callingbox_numbers_shape": "data_has_more"}, "1,000 numbers; 950 with no agent"),
            (
                {"callingbox_numbers_shape": "data_has_more", "callingbox_page_cap": 10},
                "more than 110 numbers",
            ),
            ({"callingbox_numbers_shape": "array", "callingbox_plain_lists": "paged"}, "1,000 numbers"),
            ({}, "1,000 numbers"),
        ],
    )
    def test_at_callingbox(self, phonelink_sandbox, doctor, switches, seen):
        phonelink_sandbox.set(**switches, callingbox_agent_pages=True, callingbox_archived_agents="hidden")
        box = phonelink_sandbox.world.callingbox
        for agent in range(50):
            box.add_agent("inbound", id=f"agt_{agent}", archived=agent % 2 == 0)
        for n in range(1000):
            box.add_number(phone(n), id=f"pn_{n}", agents=[f"agt_{n - 950}"] if n >= 950 else [])
        _, document = doctor(CALLINGBOX)
        assert seen in told(document, "numbers")[0]
        assert document["requests"] == len(phonelink_sandbox.journal) <= MOST_REQUESTS
