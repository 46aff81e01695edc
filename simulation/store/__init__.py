"""DynamoDB in memory, for simulation: deterministic, fast, and as strict as the service."""

from simulation.store.engine import Dump, Lag, SimStore
from simulation.store.errors import UnsupportedError
from simulation.store.table import Commit
from simulation.store.values import Image

__all__ = ["Commit", "Dump", "Image", "Lag", "SimStore", "UnsupportedError"]
