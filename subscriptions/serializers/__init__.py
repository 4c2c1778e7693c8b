"""Shapes of the catalogue and of subscriptions."""
