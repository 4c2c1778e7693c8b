"""Charges of all customers: what waits for its invoice, and why."""
