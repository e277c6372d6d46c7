from __future__ import annotations

import pytest

from airflow_provider_phonelink.api.labels import agent_label, number_label

FORGED = "x\n[2024-01-01] INFO forged \x1b[31m\u2028\u202e"


@pytest.mark.parametrize(
    ("number_id", "phone_number", "label"),
    [
        ("n1", "+15550100001", "+15550100001 (id n1)"),
        ("n1", None, "n1"),
        ("n1", "", "n1"),
        ("a\nb", "c\nd", "c d (id a b)"),
    ],
)
def test_a_number_is_called_by_phone_number_and_id(number_id, phone_number, label) -> None:
    assert number_label(number_id, phone_number) == label


@pytest.mark.parametrize(
    ("agent", "label"), [("a", "agent a"), (None, "nobody"), ("", "nobody"), ("a\nb", "agent a b")]
)
def test_an_agent_is_called_by_its_id(agent, label) -> None:
    assert agent_label(agent) == label


def test_a_label_cannot_forge_a_line() -> None:
    assert number_label(FORGED, FORGED).isprintable()
    assert agent_label(FORGED).isprintable()
