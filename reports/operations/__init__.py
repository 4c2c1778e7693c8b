"""What reports keep, so that nobody waits while it is computed."""
