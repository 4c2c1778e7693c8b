"""What accounts subscribe to."""
