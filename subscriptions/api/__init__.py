"""The catalogue and subscriptions over the API."""
