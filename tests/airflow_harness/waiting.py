"""How long to wait for what comes in seconds on a quiet machine."""

from __future__ import annotations

#: Seconds. It ends the wait for what never comes. A busy machine must not reach it, and no passing test waits so long.
EVENTUALLY = 600.0
#: Seconds that a process has to end in after it was asked to, before it is killed.
STOPPED_AFTER = 30.0
