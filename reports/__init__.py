"""SEEN: reads everything below, changes nothing."""
