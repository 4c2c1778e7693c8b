"""Everything the database holds in one verified file, and back."""

from billing_hierarchy.backup.restoring import Restored, restore_backup
from billing_hierarchy.backup.taking import take_backup

__all__ = ["Restored", "restore_backup", "take_backup"]
