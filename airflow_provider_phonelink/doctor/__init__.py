"""
The doctor: what an account and its vendor show of what no document says.

It reads a little, writes nothing, and turns what it read into findings by pure functions. Without Airflow.
"""

from __future__ import annotations
