"""``/api/v1/``: invoices, explained lines, charges and billing runs."""
