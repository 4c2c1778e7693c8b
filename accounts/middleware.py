"""Each request gets an id, and an actor in whose tenant's transaction it runs."""
