"""OWED: charges, billing runs, invoices, documents and the ledger."""
