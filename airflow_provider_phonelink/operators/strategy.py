"""The strategy of a rotation: a name, or a function that the DAG's author named by its import path."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.api.errors import InvalidArgumentError
from airflow_provider_phonelink.api.text import clean, shown

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from airflow_provider_phonelink.decisions.rotation import Chooser


def strategy_of(operator: BaseOperator, rendered: object, constructed: object) -> str | Chooser:
    """
    Return what a rotation's ``strategy`` means.

    Whoever triggers a run may decide what a template renders to. So an import path, which makes the worker run code, is
    taken only if it stands in the DAG file.

    :param rendered: The argument when the task runs.
    :param constructed: The argument that the constructor got.
    :raises InvalidArgumentError: If it is no strategy's name, and no import path of a callable as the DAG file has it.
    """
    from airflow_provider_phonelink.decisions.rotation import STRATEGIES

    names = " nor ".join(STRATEGIES)
    if not isinstance(rendered, str):
        raise InvalidArgumentError("strategy", f"{shown(rendered)} is neither {names} nor an import path.")
    if rendered in STRATEGIES:
        return rendered
    if _in_dag_file(operator, constructed) != rendered:
        raise InvalidArgumentError(
            "strategy",
            f"{shown(rendered)} comes from a template or from mapped values, where only {' and '.join(STRATEGIES)} are "
            "taken. Write an import path into the DAG file itself, because the worker runs what it names.",
        )
    module, _, name = rendered.rpartition(".")
    try:
        chooser: Chooser = getattr(import_module(module), name)
    except (Exception, SystemExit) as error:  # an import runs any code
        raise InvalidArgumentError(
            "strategy",
            f"{shown(rendered)} is neither {names}, nor can it be imported "
            f"({clean(f'{type(error).__name__}: {error}')}).",
        ) from None
    if not callable(chooser):
        raise InvalidArgumentError("strategy", f"{shown(rendered)} cannot be called.")
    return chooser


def _in_dag_file(operator: BaseOperator, constructed: object) -> object:
    """Return the argument as the DAG file gives it: Airflow constructs a mapped task with the values that it got."""
    dag = operator.get_dag()
    parsed: Any = dag.task_dict.get(operator.task_id) if dag else None
    partial: dict[str, Any] | None = getattr(parsed, "partial_kwargs", None)
    return constructed if partial is None else partial.get("strategy")
