"""What a watcher leaves to the next triggerer, in the asset's state store."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.uuids import is_uuid
from airflow_provider_phonelink.decisions.transitions import Watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk.execution_time.context import AssetStateStoreAccessors

_log = logging.getLogger(__name__)


class Memory:
    """What is known of each number, kept in the asset's state store if Airflow has one."""

    def __init__(self, store: AssetStateStoreAccessors | None, dasha_conn_id: str, patience: float) -> None:
        self._store = store
        self._key = f"phonelink_{dasha_conn_id}"
        #: Seconds between attempts to read the store.
        self._patience = patience
        self._stored: dict[str, str] = {}

    async def recall(self) -> dict[str, Watched]:
        """
        Return what an earlier triggerer stored; for a number without that, the first look sets the baseline.

        Anybody may have written to the store: what is no uuid is no number that could be asked for.
        """
        while self._store is not None:
            try:
                stored = await self._store.aget(self._key)
            except ValueError:
                _log.warning("Several assets share one watcher, so it has no memory across restarts.")
                self._store = None
            except Exception:
                # Going on without it might lose a change.
                _log.warning("The asset's state could not be read; trying again", exc_info=True)
                await asyncio.sleep(self._patience)
            else:
                self._stored = stored if isinstance(stored, dict) else {}  # type: ignore[assignment]
                break
        read = {key.lower(): Watched.read(text) for key, text in self._stored.items() if is_uuid(str(key))}
        return {number_id: watched for number_id, watched in read.items() if watched}

    async def remember(self, numbers: Mapping[str, Watched]) -> None:
        """Store what is known for the next triggerer, if it has changed."""
        plain = {number_id: str(watched) for number_id, watched in numbers.items()}
        if self._store is None or plain == self._stored:
            return
        try:
            await self._store.aset(self._key, plain)  # type: ignore[arg-type]
        except Exception:
            _log.warning(
                "The asset's state could not be written; trying again after the next poll", exc_info=True
            )
        else:
            self._stored = plain
