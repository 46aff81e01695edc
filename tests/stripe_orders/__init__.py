"""Stripe's stories in every order: whatever comes first, twice or last, the end is the same."""
