"""Shapes of contacts and of what they may do where."""

from typing import Any

from rest_framework import serializers

from accounts.models import Contact, Grant
from accounts.models.people import CustomerRole
from accounts.serializers.accounts import AccountReferenceOut
from accounts.serializers.parts import DayField, InstantField, WithinParameters


class ContactParameters(WithinParameters):
    """Which contacts."""

    account = serializers.CharField(
        required=False, max_length=250, help_text="Only those of this account itself."
    )


class ContactPatchIn(serializers.Serializer[Any]):
    """What is to be changed of a contact; what is left out stays."""

    external_id = serializers.CharField(required=False, allow_null=True)
    name = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    language = serializers.CharField(required=False, allow_blank=True, help_text="`de` or `en`.")


class ContactIn(ContactPatchIn):
    """A new contact."""

    account = serializers.CharField(max_length=250, help_text="Where the person belongs.")
    name = serializers.CharField()
    email = serializers.CharField()


class ContactOut(serializers.Serializer[Contact]):
    """A person in a customer's company."""

    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    account = AccountReferenceOut()
    name = serializers.CharField()
    email = serializers.CharField()
    language = serializers.CharField()
    has_login = serializers.SerializerMethodField(help_text="Whether they can sign in.")
    created_at = InstantField()

    def get_has_login(self, contact: Contact) -> bool:
        """Return whether a login belongs to it."""
        return contact.person_id is not None


class ContactDetailOut(ContactOut):
    """A contact."""


class GrantParameters(WithinParameters):
    """Which roles."""

    account = serializers.CharField(
        required=False, max_length=250, help_text="Only those on this account itself."
    )
    contact = serializers.CharField(
        required=False, max_length=250, help_text="Only those of this contact."
    )


class GrantIn(serializers.Serializer[Any]):
    """A role for a contact on an account and all below it."""

    contact = serializers.CharField(max_length=250)
    account = serializers.CharField(max_length=250)
    role = serializers.ChoiceField(CustomerRole.choices)
    starts_on = DayField(required=False, allow_null=True, help_text="Null or left out: at once.")
    ends_on = DayField(
        required=False,
        allow_null=True,
        help_text="The first day on which it is over; null or left out: it has no end.",
    )


class GrantEndingIn(serializers.Serializer[Any]):
    """When a role ends."""

    ends_on = DayField(
        required=False, help_text="The first day on which it is over; today if left out."
    )


class GrantedToOut(serializers.Serializer[Contact]):
    """The contact that has a role."""

    id = serializers.CharField(source="public_id")
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class GrantOut(serializers.Serializer[Grant]):
    """A contact's role on an account, reaching everything below it."""

    id = serializers.CharField(source="public_id")
    contact = GrantedToOut()
    account = AccountReferenceOut()
    role = serializers.ChoiceField(CustomerRole.choices)
    starts_on = DayField(allow_null=True)
    ends_on = DayField(allow_null=True)
    created_at = InstantField()


class GrantDetailOut(GrantOut):
    """A role of a contact."""
