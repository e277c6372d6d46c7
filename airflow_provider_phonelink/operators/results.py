"""How a task's result gets into XCom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow import __version__ as airflow_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import BaseOperator, Context
    from pydantic import BaseModel

ModelT = TypeVar("ModelT", bound="BaseModel")
#: Whether Airflow refuses to store None in XCom.
NO_NONE = airflow_version.startswith("3.0.")


def delivered(operator: BaseOperator, context: Context, result: dict[str, Any]) -> dict[str, Any]:
    """
    Return a task's result, and make sure that Airflow can store it.

    With ``multiple_outputs`` Airflow also stores each entry under a key of its own. Airflow 3.0 fails on an entry that
    is None, so on 3.0 the other entries are stored here; the result itself keeps all of them.
    """
    if operator.multiple_outputs and NO_NONE:
        operator.multiple_outputs = False
        push(context, result)
    return result


def leave(operator: BaseOperator, context: Context, result: dict[str, Any]) -> None:
    """Leave a result to others although the task does not succeed."""
    push(context, {"return_value": result, **(result if operator.multiple_outputs else {})})


def chosen(model: type[ModelT], fields: object) -> Callable[[Sequence[ModelT]], list[Any]]:
    """
    Return what makes a list's result of models: dicts of some of their fields, or the values of one of them.

    :param fields: None for all fields, the name of one, or a list of names.
    :raises InvalidArgumentError: If there is no such field.
    """
    from airflow_provider_phonelink.api import arguments, templates
    from airflow_provider_phonelink.promises.outcomes import plain

    names: set[str] | None = None
    if fields is not None:
        wanted = templates.names("fields", [fields] if isinstance(fields, str) else fields)
        names = {arguments.choice("fields", name, tuple(model.model_fields)) for name in wanted}

    def choose(found: Sequence[ModelT]) -> list[Any]:
        rows = [plain(item, include=names) for item in found]
        return [row[fields] for row in rows] if isinstance(fields, str) else rows

    return choose


def push(context: Context, entries: Mapping[str, Any]) -> None:
    """
    Store entries for other tasks; do nothing if the operator is executed by hand, as in a unit test.

    What is None is left out on Airflow 3.0, where storing it is an error.
    """
    if ti := context.get("ti"):
        for key, value in entries.items():
            if value is not None or not NO_NONE:
                ti.xcom_push(key, value)
