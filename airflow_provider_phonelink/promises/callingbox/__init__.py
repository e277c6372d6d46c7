"""What each task promises at CallingBox."""

from __future__ import annotations
