"""The border: settings, HTTP, the catalog file, Stripe events, observability."""
