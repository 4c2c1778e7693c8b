"""Business acts on charges, runs, invoices and the ledger."""
