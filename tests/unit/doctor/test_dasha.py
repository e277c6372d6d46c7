from __future__ import annotations

import pytest
from unit.api.carrying import dasha_settings
from unit.doctor.diagnosis import Patient

from airflow_provider_phonelink.api.dasha.models import AffectedAgents
from airflow_provider_phonelink.doctor.dasha import links
from airflow_provider_phonelink.doctor.dasha.readings import Readings
from airflow_provider_phonelink.doctor.findings import Finding, Level, Sure
from airflow_provider_phonelink.sandbox.dasha import TRUNK_A


class TestTheFilterByPhoneNumber:
    @pytest.mark.parametrize(
        "notation",
        ["+1-5550100001", "+1'5550100001", "-15550100001", "1.5551E+10", "15550100001.5", "=1=15550100001"],
    )
    @pytest.mark.parametrize(("compares", "seen"), [("exact", "whole"), ("substring", "a substring")])
    def test_it_is_tried_with_a_piece_of_whatever_notation(self, notation, compares, seen) -> None:
        patient = Patient.new(dasha_phone_filter=compares)
        patient.dasha.add_number(notation, TRUNK_A, outbound=["agent-1"])
        found = patient.examined("dasha")
        assert seen in found["filter phoneNumber"].seen
        assert found["filter unlinkedOnly"].sure is Sure.LIKELY

    def test_a_refusal_of_it_is_a_finding(self) -> None:
        patient = Patient.new()
        patient.dasha.add_number("+1-5550100001", TRUNK_A)
        patient.refuse = lambda line, nth: 400 if "phoneNumber" in line else None
        found = patient.examined("dasha")
        assert found["filter phoneNumber"].sure is Sure.UNKNOWN
        assert "400" in found["filter phoneNumber"].seen
        assert found["numbers"].seen == "1 number"


def words(*uses: list[str], outbound_uses: tuple[str, ...] = ("outbound",)) -> Finding:
    users = AffectedAgents.model_validate(
        {"id": "1", "affectedAgents": [{"agentId": str(n), "uses": use} for n, use in enumerate(uses)]}
    )
    users.read_by(outbound_uses)
    return links.uses(Readings(singly=[users]), "connection 'prod'")


class TestWordsInUses:
    @pytest.mark.parametrize(
        ("uses", "unknown"),
        [
            ([["Inbound", "callerId"]], "callerId"),
            ([["outbound", "fallback"]], "fallback"),
            ([["OUTBOUND", "Fallback"], ["INBOUND"], ["other"]], "Fallback, other"),
        ],
    )
    def test_those_that_are_unknown_are_named_and_no_others(self, uses, unknown) -> None:
        finding = words(*uses)
        assert finding.level is Level.TO_DO
        assert finding.seen.endswith(f"; unknown here: {unknown}")
        assert dasha_settings(outbound_uses=unknown.split(", ")).outbound_uses

    def test_words_that_are_known_in_any_case_are_no_fault(self) -> None:
        assert words(["Inbound", "OUTBOUND"]).level is Level.OK
        assert words(["inbound", "CallerID"], outbound_uses=("callerId",)).level is Level.OK
