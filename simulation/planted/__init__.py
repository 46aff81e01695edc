"""Bugs that are put into the product on purpose, to see whether the storm still finds them."""
