"""SHOWN to customers: the self-service portal."""
