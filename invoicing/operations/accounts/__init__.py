"""Accounts, where money decides what may be done with them."""

from invoicing.operations.accounts.archiving import AccountInUse, archive_account

__all__ = ["AccountInUse", "archive_account"]
