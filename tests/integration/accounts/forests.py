"""Bare trees for tests: accounts named by letters, without import files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from accounts import tree
from accounts.models import Account, AccountNode
from tenancy.ids import uuid7
from tests.world import Vendor


@dataclass
class Forest:
    """The trees of one tenant; use it inside ``vendor.seen()``."""

    vendor: Vendor
    ids: dict[str, UUID] = field(default_factory=dict)

    @property
    def tenant_id(self) -> UUID:
        """The tenant's id."""
        return self.vendor.tenant_id

    def new(self, *keys: str) -> list[UUID]:
        """Make accounts that stand nowhere yet."""
        accounts = [
            Account(
                id=uuid7(),
                tenant_id=self.tenant_id,
                external_id=key,
                name=key,
                sort_key=key.lower(),
                kind="company",
            )
            for key in keys
        ]
        Account.objects.bulk_create(accounts)
        self.ids |= {key: account.id for key, account in zip(keys, accounts, strict=True)}
        return [account.id for account in accounts]

    def insert(self, key: str, parent: str | None = None) -> UUID:
        """Make an account and put it below another."""
        (account_id,) = self.new(key)
        tree.insert(self.tenant_id, account_id, self.ids[parent] if parent else None)
        return account_id

    def load(self, parents: Mapping[str, str | None]) -> None:
        """Make accounts and put them all into the tree at once."""
        self.new(*(key for key in parents if key not in self.ids))
        tree.bulk_load(
            self.tenant_id,
            {self.ids[key]: self.ids[up] if up else None for key, up in parents.items()},
        )

    def move(self, key: str, parent: str | None) -> None:
        """Put an account below another."""
        tree.move(self.tenant_id, self.ids[key], self.ids[parent] if parent else None)

    def parents(self) -> dict[str, str | None]:
        """Return every account with its parent."""
        keys = self._keys()
        return {
            keys[account_id]: keys.get(parent_id)
            for account_id, parent_id in AccountNode.objects.filter(
                tenant_id=self.tenant_id
            ).values_list("account_id", "parent_id")
        }

    def below(self, key: str) -> set[str]:
        """Return the account and all below it, by intervals."""
        found = Account.objects.filter(tree.lies_below(self.tenant_id, [self.ids[key]]))
        return {key or "" for key in found.values_list("external_id", flat=True)}

    def _keys(self) -> dict[UUID, str]:
        return {
            account_id: key or ""
            for account_id, key in Account.objects.values_list("id", "external_id")
        }

    def path(self, key: str) -> list[str]:
        """Return the accounts from the root down."""
        keys = self._keys()
        return [keys[step] for step in tree.path_ids(self.tenant_id, self.ids[key])]

    def shape(self) -> list[tuple[object, ...]]:
        """Return everything that is stored about places, to see that nothing changed."""
        return sorted(
            AccountNode.objects.filter(tenant_id=self.tenant_id).values_list(
                "account_id", "parent_id", "lft", "rght", "level", "tree_id"
            )
        )

    def faults(self) -> list[tree.Fault]:
        """Return what the check finds."""
        return tree.check(self.tenant_id)[2]
