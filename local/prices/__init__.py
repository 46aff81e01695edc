"""The command that makes the price book: `python -m local.prices`."""
