"""Stripe on one machine: objects, events, API, deliveries and pages, with no money anywhere.

`state`, `customers`, `prices`, `checkout`, `payments`, `refunds`, `disputes`, `subscriptions` and
`invoices` are a pure state machine: functions on a `StripeState`, which appends the events that
Stripe would send. They know no clock and no network; the time is passed in, in whole seconds, and
the ids follow from the state's seed and counter.
"""
