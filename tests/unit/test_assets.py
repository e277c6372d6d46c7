"""The URIs of assets: one canonical form, whatever Airflow is given."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_phonelink import assets

NUMBER = "6F9619FF-8B86-4D11-B42D-00C04FC964FF"
IDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="/\\"),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() == text)


def normalised(uri: str) -> str:
    return assets.normalise(urlsplit(uri)).geturl()


@given(
    agent=IDS, side=st.sampled_from(["inbound", "outbound"]), vendor=st.sampled_from(["dasha", "callingbox"])
)
def test_what_is_made_here_is_canonical(agent, side, vendor):
    for uri in (assets.agent_uri(agent, side, vendor), assets.number_uri(agent, vendor)):
        assert normalised(uri) == uri


def test_an_id_may_be_of_the_type_uuid():
    assert assets.number_uri(UUID(NUMBER)) == assets.number_uri(NUMBER)
    assert assets.agent_uri(UUID(NUMBER)) == assets.agent_uri(NUMBER)


@pytest.mark.parametrize("nothing", [None, 7, b"x"])
def test_what_is_no_id_is_refused_where_the_dag_is_parsed(nothing):
    with pytest.raises(TypeError):
        assets.number_uri(nothing)


@given(first=IDS, second=IDS)
def test_different_ids_have_different_uris(first, second):
    if first.lower() != second.lower():
        assert assets.number_uri(first) != assets.number_uri(second)
        assert assets.agent_uri(first) != assets.agent_uri(second)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        (f"phonelink://Dasha/numbers/{NUMBER}", f"phonelink://dasha/numbers/{NUMBER.lower()}"),
        ("phonelink://CALLINGBOX/numbers/pn_Xyz/", "phonelink://callingbox/numbers/pn_Xyz"),
        ("phonelink://dasha/agents/agent 7/Outbound", "phonelink://dasha/agents/agent%207/outbound"),
    ],
)
def test_other_ways_to_write_it(given, canonical):
    assert normalised(given) == canonical


@pytest.mark.parametrize(
    "uri",
    [
        "phonelink://dasha",
        "phonelink://dasha/",
        "phonelink://dasha/numbers",
        "phonelink://dasha/numbers/%20",
        "phonelink://dasha/numbers/one/two",
        "phonelink://dasha/agents/agent",
        "phonelink://dasha/agents/agent/replaceOutbound",
        "phonelink://dasha/lines/one",
        "phonelink://elsewhere/numbers/one",
        "phonelink:///numbers/one",
        "phonelink://dasha/numbers/one?key=value",
    ],
)
def test_what_is_no_asset(uri):
    with pytest.raises(ValueError, match="the forms are phonelink://"):
        normalised(uri)


def test_airflow_normalises_by_it():
    from airflow.sdk import Asset

    assert Asset(f"phonelink://DASHA/numbers/{NUMBER}").uri == assets.number_uri(NUMBER)
    with pytest.raises(ValueError, match="the forms are phonelink://"):
        Asset("phonelink://dasha/lines/one")


def test_an_asset_is_called_as_its_events_are():
    for asset in (assets.number_asset(NUMBER), assets.agent_asset("agent-a", "inbound", "callingbox")):
        assert asset.name == asset.uri
