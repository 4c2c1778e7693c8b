"""Shapes of the API: what of accounts, settings and keys integrators send and see."""
