"""Signs that no font can show: a document with boxes in it would be frozen with them."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from accounts.models import Account, SettingName
from invoicing.engine.families import Families
from invoicing.engine.glyphs import missing_signs
from invoicing.engine.placing import PlacedDocument

_SELLER = ("name", "line1", "line2", "city", "register_entry", "directors", "bank_name")
_RECIPIENT = (
    "legal_name",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "vat_id",
)


class Signs:
    """Looks over what documents print, each account once."""

    def __init__(self, families: Families) -> None:
        """Take the families whose documents are to be made."""
        self._families = families
        self._names: dict[UUID, str] = {}

    def lacking(self, document: PlacedDocument) -> dict[UUID, str]:
        """Return the signs that a document can't show, by the account that they stand at.

        What stands at the seller, or is the name of a price, is told at the recipient.
        """
        found: dict[UUID, str] = {}
        bill_to = document.bill_to_id
        owners = {placed.charge.account_id for placed in document.placed}
        if signs := missing_signs(self._texts(document, owners)):
            found[bill_to] = signs
        for account_id in self._accounts(document, owners):
            if signs := self._names_of(account_id):
                found[account_id] = signs + found.get(account_id, "")
        return {key: "".join(dict.fromkeys(signs)) for key, signs in found.items()}

    def _texts(self, document: PlacedDocument, owners: Iterable[UUID]) -> Iterator[str]:
        families, bill_to = self._families, self._families.accounts[document.bill_to_id]
        seller = families.sellers[document.key.seller]
        yield from (str(getattr(seller, name) or "") for name in _SELLER)
        yield from (str(getattr(bill_to, name) or "") for name in _RECIPIENT)
        yield families.accounts[document.key.payer].legal_name or ""
        settings = families.on(document.day)
        charges = [placed.charge for placed in document.placed]
        yield from {charge.order_number for charge in charges}
        # Charges of the same price share what their explanation says of it.
        prices = {id(price): price for price in (one.calculation["price"] for one in charges)}
        for price in prices.values():
            yield f"{price['name']}{price.get('unit') or ''}"
        for owner in (document.bill_to_id, *owners):
            for name in (SettingName.COST_CENTRE, SettingName.PO_NUMBER):
                yield str(settings.value(owner, name) or "")

    def _accounts(self, document: PlacedDocument, owners: Iterable[UUID]) -> set[UUID]:
        """Return every account that the document names: owners, those above them, the payer."""
        seen = {document.bill_to_id, document.key.payer}
        for owner in owners:
            up: UUID | None = owner
            while up is not None and up not in seen:
                seen.add(up)
                up = self._families.parents[up]
        return seen

    def _names_of(self, account_id: UUID) -> str:
        if account_id not in self._names:
            account: Account = self._families.accounts[account_id]
            self._names[account_id] = missing_signs((account.name, account.external_id or ""))
        return self._names[account_id]
