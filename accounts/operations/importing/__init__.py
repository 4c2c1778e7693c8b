"""Importing files: all or nothing, every error named, twice is once."""

from accounts.operations.importing.accounts import import_accounts
from accounts.operations.importing.contacts import import_contacts
from tenancy.files.reports import ImportReport, one_at_a_time

__all__ = ["ImportReport", "import_accounts", "import_contacts", "one_at_a_time"]
