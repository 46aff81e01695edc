"""Tollkeeper: prepaid credits for AI products, charged exactly once."""

__version__ = "0.1.0"
