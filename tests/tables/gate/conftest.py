"""The handlers find the table's own stack."""

from tests.property.handlers.conftest import environment

__all__ = ["environment"]
