"""What routes may say, which numbers they mean, and that they do not contradict each other."""

from __future__ import annotations

import re
from types import SimpleNamespace
from uuid import UUID

import pytest

from airflow_provider_phonelink.api.errors import InvalidArgumentError, NotNamedError, RoutesError
from airflow_provider_phonelink.api.text import MOST_LISTED
from airflow_provider_phonelink.decisions.directory import Directory
from airflow_provider_phonelink.decisions.links import Link, ListedNumber
from airflow_provider_phonelink.decisions.routes import (
    COLUMNS,
    Route,
    parse_routes,
    rows_of_vendor,
    wishes_of,
)
from airflow_provider_phonelink.decisions.scope import parse_scope
from airflow_provider_phonelink.files.columns import rows_of
from airflow_provider_phonelink.promises.callingbox.routing import RULES as CALLINGBOX
from airflow_provider_phonelink.promises.dasha.routing import RULES as DASHA

ONE = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
TWO = "7d2fba5e-5a0c-4f5b-a1f4-6d6f0a3f6f11"
THREE = "a1d51449-cc9d-45e6-914e-8a6f102e0c3f"
PROVIDER = "d0000000-0000-4000-8000-000000000001"


def dasha(*numbers: tuple[str, str]) -> Directory:
    return Directory([ListedNumber(*number) for number in numbers])


def routes(*items, rules=DASHA):
    return parse_routes(items, rules)


class TestWhatARouteSays:
    @pytest.mark.parametrize(
        ("item", "route"),
        [
            ({"number": "+1555", "agent_id": "a"}, Route("+1555", "a", "inbound")),
            (
                {"number": ONE.upper(), "agent_id": "a", "mode": "replaceOutbound"},
                Route(ONE, "a", "replaceOutbound"),
            ),
            ({"phone_number": "100", "agent_id": "a"}, Route("100", "a", "inbound", False)),
            ({"phone_number_id": ONE.upper(), "agent_id": "a"}, Route(ONE, "a", "inbound", True)),
            ({"number": UUID(ONE), "agent_id": UUID(TWO)}, Route(ONE, TWO, "inbound")),
            (
                {"number": "1", "phone_number": "", "mode": None, "agent_id": "a", "comment": "x"},
                Route("1", "a", "inbound"),
            ),
        ],
    )
    def test_on_dasha(self, item, route):
        assert routes(item) == [route]

    @pytest.mark.parametrize("mode", [None, "inbound", "outbound"])
    def test_on_callingbox(self, mode):
        found = routes({"number_id": "pn_1", "agent_id": "a", "mode": mode}, rules=CALLINGBOX)
        assert found == [Route("pn_1", "a", mode, True)]

    @pytest.mark.parametrize(
        ("item", "words"),
        [
            ("x", "not a mapping"),
            ({"agent_id": "a"}, "number: is missing"),
            ({"number": "1", "phone_number": "2", "agent_id": "a"}, "named twice"),
            ({"number": "1"}, "agent_id"),
            ({"number": "1", "agent_id": "None"}, "agent_id"),
            ({"number": "1", "agent_id": "a/b"}, "agent_id"),
            ({"number": "1", "agent_id": "nan"}, "agent_id: 'nan' is what a table has in place of"),
            ({"number": 15550100001, "agent_id": "a"}, "number: 15550100001 is int"),
            ({"number": "1", "agent_id": "a", "mode": "outbound"}, "use 'inbound' or 'replaceOutbound'"),
            ({"number": "1", "agent_id": "a", "agnet": "b"}, "'agnet' is not known"),
            ({"phone_number_id": "pn_1", "agent_id": "a"}, "not a uuid"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, item, words):
        with pytest.raises(InvalidArgumentError) as caught:
            routes({"number": "1", "agent_id": "a"}, item)
        assert caught.value.argument == "routes"
        assert re.search(r"route 2[,:] ", str(caught.value))
        assert words in str(caught.value)

    def test_all_that_is_wrong_is_said_at_once(self):
        with pytest.raises(InvalidArgumentError, match=r"route 1, .*; route 3, .*Nothing was sent"):
            routes({}, {"number": "1", "agent_id": "a"}, {})
        with pytest.raises(InvalidArgumentError, match="and 5 more"):
            routes(*[{"agent_id": "a"}] * (MOST_LISTED + 5))

    @pytest.mark.parametrize("items", [None, "routes.yaml", {"number": "1"}, 7])
    def test_no_list(self, items):
        with pytest.raises(InvalidArgumentError, match="routes: "):
            parse_routes(items, DASHA)


class TestWhichNumberIsMeant:
    def test_an_id_in_any_case_and_a_phone_number_as_written(self):
        directory = dasha((ONE, "100"), (TWO, "sip-7"))
        route, other = parse_routes(
            [{key: ONE.upper(), "agent_id": "a"} for key in ("number", "number_id")], DASHA
        )
        assert directory.find(route.number) == directory.find(other.number, is_id=True) == ONE
        assert directory.find("100") == ONE
        assert directory.find("sip-7", is_id=False) == TWO
        with pytest.raises(NotNamedError, match="no number with the id sip-7"):
            directory.find("sip-7", is_id=True)

    def test_an_id_of_callingbox_as_it_is(self):
        directory = Directory([ListedNumber("pn_1", "+15550100001")])
        assert directory.find("pn_1") == "pn_1"
        with pytest.raises(NotNamedError):
            directory.find("PN_1")

    @pytest.mark.parametrize(
        "held", ["+15550100001", "15550100001", "0015550100001", "sip:+15550100001@trunk"]
    )
    @pytest.mark.parametrize("name", ["+1 (555) 010-0001", "1-555-010-0001", "tel:+1-555-010-0001"])
    def test_another_notation(self, held, name):
        assert dasha((ONE, held), (TWO, "+15550100002"), (THREE, "+25550100001")).find(name) == ONE

    def test_as_written_comes_first(self):
        assert dasha((ONE, "15550100001"), (TWO, "+15550100001")).find("+15550100001") == TWO

    @pytest.mark.parametrize("name", ["+15550100001", "+1 555 0100001"])
    def test_several_are_ambiguous(self, name):
        directory = dasha((ONE, "+15550100001"), (TWO, "+15550100001"))
        with pytest.raises(NotNamedError) as caught:
            directory.find(name)
        assert ONE in str(caught.value)
        assert TWO in str(caught.value)

    @pytest.mark.parametrize(
        "name", ["+15550100009", "0100001", "5550100001", "+15550100001 ext. 2", "reception", ""]
    )
    def test_no_such_number(self, name):
        with pytest.raises(NotNamedError, match="there is no number"):
            dasha((ONE, "+15550100001"), (TWO, "reception-2"), (THREE, "+15550100001;ext=2x")).find(name)


class TestAllOfThem:
    directory = dasha((ONE, "+15550100001"), (TWO, "+15550100002"))

    def wishes(self, *items, rules=DASHA):
        return [*wishes_of(routes(*items, rules=rules), self.directory, rules)]

    def test_duplicates_are_fine(self):
        twice = [{"number": ONE, "agent_id": "a"}, {"number": "+1 555 010 0001", "agent_id": "a"}]
        assert self.wishes(*twice) == [Link(ONE, "a", "inbound")]

    @pytest.mark.parametrize(
        ("mode", "numbers", "agents", "contradict"),
        [
            ("inbound", (ONE, "+15550100001"), ("a", "b"), True),
            ("inbound", (ONE, TWO), ("a", "a"), False),
            ("replaceOutbound", (ONE, TWO), ("a", "a"), True),
            ("replaceOutbound", (ONE, ONE), ("a", "b"), False),
        ],
    )
    def test_contradictions(self, mode, numbers, agents, contradict):
        items = [{"number": n, "agent_id": a, "mode": mode} for n, a in zip(numbers, agents, strict=True)]
        if not contradict:
            assert len(self.wishes(*items)) == 2
            return
        with pytest.raises(
            RoutesError, match=r"route 1 and route 2 contradict.*Nothing was changed"
        ) as caught:
            self.wishes(*items)
        assert not caught.value.retry_helps

    def test_contradictions_to_the_letter_show_at_once(self):
        items = [{"number": ONE, "agent_id": agent} for agent in ("a", "a", "b")]
        with pytest.raises(
            InvalidArgumentError, match=r"routes: route 1 and route 3 contradict.*Nothing was sent"
        ):
            routes(*items)
        assert len(routes(*items[:2])) == 2

    def test_who_answers_at_callingbox_shows_only_when_the_agents_are_known(self):
        items = [{"number": ONE, "agent_id": agent} for agent in ("a", "b")]
        assert len(routes(*items, rules=CALLINGBOX)) == 2

    def test_an_outbound_agent_of_callingbox_may_have_several_numbers(self):
        items = [{"number": n, "agent_id": "a", "mode": "outbound"} for n in (ONE, TWO)]
        assert len(self.wishes(*items, rules=CALLINGBOX)) == 2

    def test_all_problems_are_named(self):
        with pytest.raises(RoutesError) as caught:
            self.wishes(
                {"number": "+15550100009", "agent_id": "a"},
                {"number": ONE, "agent_id": "a"},
                {"number": "+15550100001", "agent_id": "b"},
            )
        assert len(caught.value.problems) == 2


class TestAFileForSeveralVendors:
    OWN = {"number": "1", "agent_id": "a", "vendor": "Dasha"}  # noqa: RUF012 - read only
    OTHER = {"number": "pn_1", "agent_id": "a", "mode": "outbound", "vendor": "callingbox"}  # noqa: RUF012

    def of_dasha(self, *items, removing=False):
        rows, others = rows_of_vendor(rows_of(items, COLUMNS, "routes"), "dasha")
        return parse_routes(rows, DASHA, removing=removing), others

    def test_each_takes_its_own_and_says_how_many_are_not(self):
        found, others = self.of_dasha(self.OWN, self.OTHER, self.OWN, self.OTHER, self.OTHER)
        assert [route.place for route in found] == ["route 1", "route 3"]
        assert others == "3 of 5 routes are for other vendors and were left to them."
        assert self.of_dasha({"number": "1", "agent_id": "a"})[1] is None
        assert self.of_dasha(self.OWN)[1] is None
        assert self.of_dasha() == ([], None)

    def test_what_is_no_vendor_or_none_is_refused(self):
        with pytest.raises(
            InvalidArgumentError, match="route 2: vendor: 'dahsa' is not one of dasha, callingbox"
        ):
            self.of_dasha(self.OWN, {**self.OWN, "vendor": "dahsa"})
        with pytest.raises(
            InvalidArgumentError, match="route 2: vendor: is missing here and named elsewhere"
        ):
            self.of_dasha(self.OTHER, {"number": "1", "agent_id": "a"})

    def test_routes_of_others_alone_remove_nothing(self):
        assert self.of_dasha(self.OTHER)[0] == []
        with pytest.raises(
            InvalidArgumentError, match="only routes of others, and nothing is removed for that"
        ):
            self.of_dasha(self.OTHER, removing=True)
        assert self.of_dasha(removing=True) == ([], None)


class TestScope:
    directory = Directory(
        [ListedNumber(ONE, "+15550100001", PROVIDER), ListedNumber(TWO, "+15550100002", None)]
    )

    @pytest.mark.parametrize(
        ("value", "covered"),
        [
            ({"agents": ["a"]}, {(ONE, "a"), (TWO, "a")}),
            ({"agents": "a, b"}, {(ONE, "a"), (TWO, "a"), (ONE, "b"), (TWO, "b")}),
            ({"provider_id": PROVIDER.upper()}, {(ONE, "a"), (ONE, "b")}),
            ({"pool": [TWO, "+1 555 010 0001"]}, {(ONE, "a"), (TWO, "a"), (ONE, "b"), (TWO, "b")}),
            ({"pool": [TWO, ONE], "provider_id": PROVIDER, "agents": ["b"]}, {(ONE, "b")}),
            ({"pool": TWO}, {(TWO, "a"), (TWO, "b")}),
            ({"pool": TWO.upper()}, {(TWO, "a"), (TWO, "b")}),
        ],
    )
    def test_what_is_in_it(self, value, covered):
        scope = parse_scope(value, DASHA).within(self.directory)
        every = [(n, a) for n in (ONE, TWO) for a in ("a", "b")]
        for mode in DASHA.modes:
            assert {pair for pair in every if scope.covers(Link(*pair, mode))} == covered

    def test_modes_narrow_it(self):
        scope = parse_scope({"agents": ["a"], "modes": "inbound"}, DASHA).within(self.directory)
        assert scope.covers(Link(ONE, "a", "inbound"))
        assert not scope.covers(Link(ONE, "a", "replaceOutbound"))

    @pytest.mark.parametrize(
        "value",
        [
            "agents",
            {},
            {"modes": ["inbound"]},
            {"agents": []},
            {"agents": [""]},
            {"agents": ["None"]},
            {"agents": 7},
            {"agents": None, "provider_id": PROVIDER},
            {"agents": ["a"], "pool": None},
            {"agents": ["a"], "modes": None},
            {"agents": ["a"], "provider_id": None},
            {"agent": ["a"]},
            {"provider_id": "x"},
            {"pool": []},
            {"agents": ["a"], "modes": ["outbound"]},
        ],
    )
    def test_what_is_none(self, value):
        with pytest.raises(InvalidArgumentError, match="scope"):
            parse_scope(value, DASHA)

    def test_callingbox_knows_no_providers(self):
        with pytest.raises(InvalidArgumentError, match="provider_id"):
            parse_scope({"provider_id": PROVIDER}, CALLINGBOX)

    def test_a_pool_names_numbers_that_exist(self):
        with pytest.raises(RoutesError, match=r"scope's pool.*\+15550100009"):
            parse_scope({"pool": ["+15550100009"]}, DASHA).within(self.directory)


def test_a_mode_can_be_found_out_elsewhere():
    def mode_of(route):
        if route.agent_id == "lost":
            raise NotNamedError("there is no agent lost")
        return "outbound"

    directory = Directory([ListedNumber("pn_1", None)])
    given = SimpleNamespace(
        good=routes({"number": "pn_1", "agent_id": "a"}, rules=CALLINGBOX),
        bad=routes({"number": "pn_1", "agent_id": "lost"}, rules=CALLINGBOX),
    )
    assert [*wishes_of(given.good, directory, CALLINGBOX, mode_of)] == [Link("pn_1", "a", "outbound")]
    with pytest.raises(RoutesError, match="no agent lost"):
        wishes_of(given.bad, directory, CALLINGBOX, mode_of)


def test_extra_columns_are_handed_on():
    item = {"number": "1", "agent_id": "a", "team": "night", "x_shift": 2, "x_none": None}
    columns = COLUMNS.with_extra("team")
    [route] = parse_routes(rows_of([item], columns, "routes"), DASHA)
    assert route.extra == {"team": "night", "x_shift": 2}
    with pytest.raises(InvalidArgumentError, match="'team' is not known"):
        routes(item)
    with pytest.raises(InvalidArgumentError, match=r"'x_a' is dict, and an extra column holds text"):
        routes({"number": "1", "agent_id": "a", "x_a": {}})


@pytest.mark.parametrize("extra", ["number", "_x", "__type", "", [7], "a,,b"])
def test_what_no_extra_column_is_called(extra):
    with pytest.raises(InvalidArgumentError, match="extra_columns"):
        COLUMNS.with_extra(extra)
