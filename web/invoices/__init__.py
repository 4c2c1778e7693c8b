"""The pages of invoices, below the dashboard's root and below the portal's."""
