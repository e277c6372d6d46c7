"""What each task promises at Dasha BlackBox."""

from __future__ import annotations
