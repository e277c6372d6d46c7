"""Measure this provider against what one would use without it; `python -m benchmarks` runs everything."""

from __future__ import annotations
