"""Business acts of the app."""
