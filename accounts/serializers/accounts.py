"""Shapes of accounts, settings and keys."""

from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from accounts.declarations import PARTICULARS, SETTINGS
from accounts.models import Account
from accounts.queries.subtrees import SubtreeRow
from accounts.serializers.parts import (
    DayField,
    IdField,
    InstantField,
    PageParameters,
    WithinParameters,
)
from billing_rules.tax import vat_id_state

NO_PARENT = "none"


class AccountParameters(WithinParameters):
    """Which accounts."""

    parent = serializers.CharField(  # type: ignore[assignment]
        required=False,
        max_length=250,
        help_text=f"Only its children; `{NO_PARENT}`: those with nothing above them in sight.",
    )
    kind = serializers.ChoiceField(Account.Kind.choices, required=False)
    status = serializers.ChoiceField(Account.Status.choices, required=False)
    q = serializers.CharField(
        required=False, max_length=200, help_text="Part of name, external id or e-mail."
    )
    tag = serializers.CharField(required=False, max_length=40, help_text="Only with this tag.")
    as_of = DayField(required=False, help_text="The tree as it stood on this day.")


class SubtreeParameters(PageParameters):
    """How much of a subtree, and when."""

    depth = serializers.IntegerField(
        required=False, min_value=0, max_value=100, help_text="Levels below the top."
    )
    as_of = DayField(required=False, help_text="The tree as it stood on this day.")


class AsOfParameters(serializers.Serializer[Any]):
    """On which day."""

    as_of = DayField(required=False, help_text="The day asked for; today if left out.")


class AccountReferenceOut(serializers.Serializer[Account]):
    """An account that is referred to."""

    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class PathStepOut(serializers.Serializer[Account]):
    """One account on the way from the root."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()


class AddressIn(serializers.Serializer[Any]):
    """A postal address in parts; what is left out stays."""

    line1 = serializers.CharField(required=False, allow_blank=True)
    line2 = serializers.CharField(required=False, allow_blank=True)
    postal_code = serializers.CharField(required=False, allow_blank=True)
    city = serializers.CharField(required=False, allow_blank=True)
    region = serializers.CharField(required=False, allow_blank=True)
    country = serializers.CharField(
        required=False, allow_blank=True, help_text="Two capitals of ISO 3166-1."
    )


class AccountPatchIn(serializers.Serializer[Any]):
    """What is to be changed of an account; what is left out stays."""

    external_id = serializers.CharField(required=False, allow_null=True)
    name = serializers.CharField(required=False)
    kind = serializers.ChoiceField(Account.Kind.choices, required=False)
    legal_name = serializers.CharField(required=False, allow_blank=True)
    email = serializers.CharField(required=False, allow_blank=True)
    address = AddressIn(required=False)
    vat_id = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Checked by the form of its country and its check digits.",
    )
    currency = serializers.CharField(
        required=False, allow_null=True, help_text="Null: as inherited. So for the next three."
    )
    language = serializers.CharField(required=False, allow_null=True)
    time_zone = serializers.CharField(required=False, allow_null=True)
    cost_centre = serializers.CharField(required=False, allow_null=True)
    tags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Replace those there were."
    )
    metadata = serializers.DictField(
        required=False,
        help_text="An object of your own, which replaces the one there was: at most 50 members,"
        " 5 levels and 16,000 characters.",
    )


class AccountIn(AccountPatchIn):
    """A new account."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(Account.Kind.choices)
    parent = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        max_length=250,
        help_text="What it stands below; left out or null: it is a customer of its own.",
    )


class AddressOut(serializers.Serializer[Account]):
    """A postal address in parts."""

    def get_fields(self) -> dict[str, Any]:
        """Return one field for each part that is declared."""
        return {
            name: serializers.CharField() for name, one in PARTICULARS.items() if one.is_address
        }


@dataclass(frozen=True, slots=True)
class AccountShown:
    """An account with what is read beside it."""

    account: Account
    parent: Account | None
    own: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    path: list[Account] = field(default_factory=list)
    children_count: int = 0


class AccountOut(serializers.Serializer[AccountShown]):
    """An account. Of its settings it has those it sets itself; null means inherited."""

    id = serializers.CharField(source="account.public_id")
    external_id = serializers.CharField(source="account.external_id", allow_null=True)
    name = serializers.CharField(source="account.name")
    kind = serializers.ChoiceField(Account.Kind.choices, source="account.kind")
    status = serializers.ChoiceField(Account.Status.choices, source="account.status")
    parent = AccountReferenceOut(allow_null=True)
    legal_name = serializers.CharField(source="account.legal_name")
    email = serializers.CharField(source="account.email")
    address = AddressOut(source="account")
    vat_id = serializers.CharField(source="account.vat_id")
    currency = serializers.CharField(source="own.currency", default=None, allow_null=True)
    language = serializers.CharField(source="own.language", default=None, allow_null=True)
    time_zone = serializers.CharField(source="own.time_zone", default=None, allow_null=True)
    cost_centre = serializers.CharField(source="own.cost_centre", default=None, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    metadata = serializers.JSONField(source="account.metadata")
    merged_into = IdField(
        "acc",
        source="account.merged_into_id",
        allow_null=True,
        help_text="Which account a duplicate went up in; null where it did not.",
    )
    created_at = InstantField(source="account.created_at")


class VatIdCheckOut(serializers.Serializer[Account]):
    """What is known of an account's VAT id."""

    form = serializers.SerializerMethodField(
        help_text="`valid` or `invalid` by form and check digits; `unknown` where the country's"
        " form is not known; `none` without an id."
    )
    vies = serializers.SerializerMethodField(
        help_text="What the EU's register says; it is `not_asked` yet."
    )

    def get_form(self, account: Account) -> str:
        """Return whether it can be one."""
        if not account.vat_id:
            return "none"
        return vat_id_state(account.country, account.postal_code, account.vat_id)

    def get_vies(self, account: Account) -> str:
        """Return that nobody has asked."""
        return "not_asked"


class AccountDetailOut(AccountOut):
    """An account with its place in the tree."""

    vat_id_check = VatIdCheckOut(source="account")
    path = PathStepOut(many=True)
    children_count = serializers.IntegerField()


class SubtreeRowOut(serializers.Serializer[SubtreeRow]):
    """One account of a subtree, depth first."""

    id = IdField("acc")
    external_id = serializers.CharField(allow_null=True)
    parent = IdField("acc", source="parent_id", allow_null=True)  # type: ignore[assignment]
    name = serializers.CharField()
    kind = serializers.ChoiceField(Account.Kind.choices)
    status = serializers.ChoiceField(Account.Status.choices)
    depth = serializers.IntegerField()


class SettingOut(serializers.Serializer[Any]):
    """A setting as it holds: its value, and where that comes from."""

    value = serializers.JSONField(help_text="Of any type; null where nobody sets it.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        ["own", "inherited", "tenant"]
    )
    # ``from`` is a word of Python, so the field is named anew.
    origin = serializers.CharField(allow_null=True)
    locked = serializers.BooleanField(default=False)

    def get_fields(self) -> dict[str, Any]:
        """Call ``origin`` what integrators call it."""
        return {"from" if name == "origin" else name: f for name, f in super().get_fields().items()}


class SettingsOut(serializers.Serializer[Any]):
    """Every setting by its name."""

    def get_fields(self) -> dict[str, Any]:
        """Return one field per setting."""
        return {name: SettingOut() for name in SETTINGS}


class TenantOut(serializers.Serializer[Any]):
    """The tenant that a key belongs to."""

    id = serializers.CharField(source="public_id")
    slug = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    sandbox = serializers.BooleanField(source="is_sandbox")


class KeyOut(serializers.Serializer[Any]):
    """A key, without its secret."""

    name = serializers.CharField()
    prefix = serializers.CharField()
    expires_at = InstantField(allow_null=True)
    created_at = InstantField()


class MeOut(serializers.Serializer[Any]):
    """Who asks, for whom, and how far it may go."""

    tenant = TenantOut()
    key = KeyOut()
    scopes = serializers.ListField(child=serializers.CharField())
    reach = AccountReferenceOut(allow_null=True)
    today = DayField(help_text="The tenant's date by its own clock.")
