"""What each task promises: the state after it, reached from whatever state was there before."""

from __future__ import annotations
