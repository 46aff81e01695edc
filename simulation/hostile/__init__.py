"""Hostile requests by the million against the real handlers: no 5xx, and no change by a refusal."""
