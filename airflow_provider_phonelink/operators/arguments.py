"""Arguments that mean something else when they are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.exceptions import as_airflow_exceptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.providers.common.compat.sdk import BaseOperator


def named(operator: BaseOperator, *arguments: str) -> frozenset[str]:
    """Return which of some optional arguments a DAG names; to be called by the constructor."""
    return frozenset(argument for argument in arguments if getattr(operator, argument) is not None)


def must_be_there(operator: BaseOperator, arguments: Iterable[str]) -> None:
    """
    Refuse an argument that a DAG names and that rendered to nothing, such as an XCom that is not there.

    Left out, it would mean "whoever it is" or "all of them".
    """
    for argument in arguments:
        if getattr(operator, argument) is None:
            with as_airflow_exceptions():
                raise InvalidArgumentError(
                    argument, "is None: the XCom, variable or parameter it comes from gave nothing."
                )
