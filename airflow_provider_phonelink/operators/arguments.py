"""Arguments that would mean something else if they were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.exceptions import as_airflow_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import BaseOperator


def given_arguments(operator: BaseOperator, *arguments: str) -> frozenset[str]:
    """Return which of these optional arguments the DAG gives. Call it in the constructor, before templates render."""
    return frozenset(argument for argument in arguments if getattr(operator, argument) is not None)


def refuse_none(operator: BaseOperator, arguments: Iterable[str]) -> None:
    """
    Refuse an argument that the DAG gives but that is None once it is rendered, as from a missing XCom.

    Read as "not given", it would mean "whoever has it" or "all of them".

    :raises PhonelinkFailException: If one of ``arguments`` is None.
    """
    for argument in arguments:
        if getattr(operator, argument) is None:
            with as_airflow_exceptions():
                raise InvalidArgumentError(
                    argument, "is None: the XCom, variable or parameter it comes from gave nothing."
                )
