"""What Airflow and the provider log in this process, as text."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

# Airflow logs partly through structlog and partly through the standard library, by version and by module.
# Loggers under this name do not always propagate to the root.
TASK_LOGGER = "airflow.task"


class LogText:
    """Lines as they were logged, one string a record, tracebacks included."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __contains__(self, text: str) -> bool:
        return text in str(self)

    def write(self, level: str, message: str, error: Any = None) -> None:
        line = f"{level.upper()} {_masked(message)}"
        if error:
            line += "\n" + _masked("".join(traceback.format_exception(error)))
        self.lines.append(line)


@contextmanager
def captured(level: int = logging.INFO) -> Iterator[LogText]:
    """Collect everything logged while the block runs, masked as Airflow masks it."""
    text = LogText()
    with _standard_logging(text, level), _structured_logging(text):
        yield text


@contextmanager
def _standard_logging(text: LogText, level: int) -> Iterator[None]:
    handler = _Handler(text)
    loggers = [logging.getLogger()]
    if not logging.getLogger(TASK_LOGGER).propagate:
        loggers.append(logging.getLogger(TASK_LOGGER))
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(min(level, logger.level or level))
    try:
        yield
    finally:
        for logger, before in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(before)


@contextmanager
def _structured_logging(text: LogText) -> Iterator[None]:
    def collect(_: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        if (
            "_record" not in event
        ):  # otherwise it came from the standard library, whose handler has it already
            text.write(method, _flat(event), _error(event))
            print(text.lines[-1], file=sys.stderr)  # a failing test shows it
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(**before | {"processors": [collect]})
    try:
        yield
    finally:
        structlog.configure(**before)


class _Handler(logging.Handler):
    def __init__(self, text: LogText) -> None:
        super().__init__()
        self.text = text
        self.last: logging.LogRecord | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record is not self.last:  # the same record arrives once from each logger the handler is on
            self.last = record
            self.text.write(
                record.levelname,
                f"{record.name}: {record.getMessage()}",
                record.exc_info[1] if record.exc_info else None,
            )


def _flat(event: MutableMapping[str, Any]) -> str:
    message = str(event.get("event", ""))
    if args := event.get("positional_args"):
        message %= args
    rest = {k: v for k, v in event.items() if k not in ("event", "positional_args", "exc_info", "timestamp")}
    return " ".join([message, *(f"{key}={value!r}" for key, value in rest.items())])


def _error(event: MutableMapping[str, Any]) -> Any:
    info = event.get("exc_info")
    if info is True:
        return sys.exc_info()[1]
    return info[1] if isinstance(info, tuple) else info


def _masked(text: str) -> str:
    try:
        from airflow.sdk.log import redact  # type: ignore[attr-defined]
    except ImportError:  # Airflow 3.0
        from airflow.sdk.execution_time.secrets_masker import redact  # type: ignore[no-redef]
    return str(redact(text))
