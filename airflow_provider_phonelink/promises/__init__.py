"""What each task promises: the state after it, reached from whatever state there was before."""

from __future__ import annotations
