"""Shapes of the API: what of invoices, charges and runs integrators send and see."""
