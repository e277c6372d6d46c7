"""A trigger's way into Airflow's database and out again, by the code of each Airflow itself: private APIs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import DAG
    from airflow.triggers.base import BaseEventTrigger, BaseTrigger


def through_watcher_row(trigger: BaseEventTrigger | dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a triggerer makes an asset watcher's trigger from."""
    encoded = encoded_for_watcher(trigger)
    return _read(_row(encoded["classpath"], encoded["kwargs"]))


def through_task_row(trigger: BaseTrigger) -> dict[str, Any]:
    """Return the arguments that a triggerer makes a deferred task's trigger from."""
    from airflow.sdk.execution_time.comms import DeferTask

    classpath, kwargs = trigger.serialize()
    try:
        from airflow.sdk.serde import serialize
    except ImportError:  # Airflow 3.0 and 3.1 send them as they are
        pass
    else:
        kwargs = serialize(kwargs)
    message = DeferTask(classpath=classpath, trigger_kwargs=kwargs, next_method="go_on")
    sent = json.loads(message.model_dump_json())["trigger_kwargs"]
    row = _row(classpath, {})
    row.encrypted_kwargs = sent if isinstance(sent, str) else json.dumps(sent)
    return _read(row)


def watcher_hashes(trigger: BaseEventTrigger) -> tuple[int, int]:
    """Return the hash of a trigger in a DAG file and of its row; Airflow replaces the row if they differ."""
    from airflow.triggers.base import BaseEventTrigger

    encoded = encoded_for_watcher(trigger)
    row = _row(encoded["classpath"], encoded["kwargs"])
    return (
        BaseEventTrigger.hash(encoded["classpath"], encoded["kwargs"]),
        BaseEventTrigger.hash(row.classpath, row.kwargs),
    )


def encoded_for_watcher(trigger: BaseEventTrigger | dict[str, Any]) -> dict[str, Any]:
    """Return a trigger as it is in a serialized DAG."""
    encoded: dict[str, Any] = _serialization("encode_trigger", before_3_2="_encode_trigger")(trigger)
    return encoded


def through_serialized_dag(dag: DAG) -> Any:
    """Return a DAG as the scheduler reads what the DAG processor wrote of it."""
    serialization = _serialization("DagSerialization", before_3_2="SerializedDAG")
    return serialization.from_dict(json.loads(json.dumps(serialization.to_dict(dag))))


def _serialization(name: str, before_3_2: str) -> Any:
    """Return what serialises or reads something in this Airflow."""
    from airflow.serialization import serialized_objects

    try:
        from airflow.serialization import decoders, encoders
    except ImportError:
        return getattr(serialized_objects, before_3_2)
    return next(
        getattr(module, name) for module in (encoders, decoders, serialized_objects) if hasattr(module, name)
    )


def _row(classpath: str, kwargs: Mapping[str, Any]) -> Any:
    from airflow.models.trigger import Trigger

    return Trigger(classpath=classpath, kwargs=dict(kwargs))


def _read(row: Any) -> dict[str, Any]:
    """Do what the triggerer does with a row before it calls the constructor."""
    from airflow.models.trigger import Trigger

    decode = _serialization("smart_decode_trigger_kwargs", before_3_2="smart_decode_trigger_kwargs")
    stored = Trigger._decrypt_kwargs(row.encrypted_kwargs)
    return {name: decode(value) for name, value in stored.items()}
