"""Arguments that would mean something else if they were left out."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.exceptions import as_airflow_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import BaseOperator


#: What messages call an argument that is kept under another name.
_CALLED = {"plan_only": "dry_run", "number_pool": "pool"}


def given_arguments(operator: BaseOperator) -> frozenset[str]:
    """Return which templated arguments the DAG gives. Call it at the end of the constructor, before they render."""
    return frozenset(field for field in operator.template_fields if getattr(operator, field) is not None)


def path_as_text(value: Any) -> Any:
    """Return a path as text, since Airflow 3.0 would look it up while it renders, and fail if it is not there."""
    return str(value) if isinstance(value, PurePath) else value


def refuse_none(operator: BaseOperator, given: Iterable[str]) -> None:
    """
    Refuse an argument that the DAG gives but that is None once it is rendered, as from a missing XCom.

    Read as "not given", it would mean "whoever has it" or "all of them".

    :param given: What :func:`given_arguments` returned.
    :raises PhonelinkFailException: If one of them is None.
    """
    for field in (*given, *_mapped_over(operator)):
        if field in operator.template_fields and getattr(operator, field) is None:
            with as_airflow_exceptions():
                raise InvalidArgumentError(
                    _CALLED.get(field, field),
                    "is None: the XCom, variable or parameter it comes from gave nothing.",
                )


def _mapped_over(operator: BaseOperator) -> Iterable[str]:
    """
    Return the arguments that a mapped task names.

    It is constructed with what it is mapped over, such as rows of an XCom, so that None came of something there.
    """
    mapped = getattr(operator, "_BaseOperator__from_mapped", False)
    return getattr(operator, "_BaseOperator__init_kwargs", ()) if mapped else ()
