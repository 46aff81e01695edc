"""Pure rules: money, catalog, pricing, accounts. Standard library only; time and ids come in."""
