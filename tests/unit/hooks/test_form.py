from __future__ import annotations

import pytest

from airflow_provider_phonelink.get_provider_info import get_provider_info
from airflow_provider_phonelink.hooks import form

TYPES = {entry["connection-type"]: entry for entry in get_provider_info()["connection-types"]}


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_each_extra_has_a_field_of_a_kind_that_older_airflows_take(conn_type) -> None:
    wtforms = pytest.importorskip("wtforms")  # comes with Airflow's FAB provider
    widgets = form.widgets(conn_type)
    described = TYPES[conn_type]["conn-fields"]
    assert list(widgets) == list(described)
    for name, widget in widgets.items():
        field = widget.bind(wtforms.Form(), name)
        assert field.label.text == described[name]["label"]
        assert field.description == described[name]["description"]
        assert field.default == described[name]["schema"].get("default")
    kinds = {name: widget.field_class for name, widget in widgets.items()}
    assert set(kinds.values()) == {
        wtforms.StringField,
        wtforms.IntegerField,
        wtforms.BooleanField,
        wtforms.PasswordField,
    }
    assert kinds["timeout"] is wtforms.StringField
    assert kinds["max_retries"] is wtforms.IntegerField
    assert kinds["verify_ssl"] is wtforms.BooleanField
    assert kinds["proxy"] is wtforms.PasswordField


@pytest.mark.parametrize("conn_type", sorted(TYPES))
def test_the_fields_of_airflows_own_are_those_of_the_metadata(conn_type) -> None:
    behaviour = TYPES[conn_type]["ui-field-behaviour"]
    assert form.field_behaviour(conn_type) == {
        "hidden_fields": behaviour["hidden-fields"],
        "relabeling": behaviour["relabeling"],
        "placeholders": behaviour["placeholders"],
    }
