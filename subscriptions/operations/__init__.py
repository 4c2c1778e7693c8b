"""Business acts on the catalogue and on subscriptions."""
