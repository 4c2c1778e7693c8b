"""Change plans: what is planned, planning something, and deciding on it."""
