"""Reading what is subscribed to."""
