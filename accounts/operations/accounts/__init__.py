"""Making and changing accounts: their particulars, the people in them, and who may do what."""

from accounts.operations.accounts._particulars import AccountFields, InvalidAccount
from accounts.operations.accounts.creating import (
    MOST_AT_ONCE,
    AccountArchived,
    AlreadyCreated,
    ExternalIdTaken,
    NewAccount,
    TooManyAccounts,
    create_account,
    create_accounts,
)
from accounts.operations.accounts.editing import edit_account
from accounts.operations.accounts.reopening import AccountMerged, ParentArchived, reopen_account

__all__ = [
    "MOST_AT_ONCE",
    "AccountArchived",
    "AccountFields",
    "AccountMerged",
    "AlreadyCreated",
    "ExternalIdTaken",
    "InvalidAccount",
    "NewAccount",
    "ParentArchived",
    "TooManyAccounts",
    "create_account",
    "create_accounts",
    "edit_account",
    "reopen_account",
]
