"""``/api/v1/contacts`` and ``/api/v1/grants``: people at customers, and what they may do."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.references import referred
from accounts.models import Contact, Grant
from accounts.operations.accounts.contacts import create_contact, edit_contact
from accounts.operations.accounts.grants import end_grant, grant_role
from accounts.queries.people import contacts, get_contact, get_grant, grants
from accounts.serializers.parts import DryRunParameters, NoParameters
from accounts.serializers.people import (
    ContactDetailOut,
    ContactIn,
    ContactOut,
    ContactParameters,
    ContactPatchIn,
    GrantDetailOut,
    GrantEndingIn,
    GrantIn,
    GrantOut,
    GrantParameters,
)
from tenancy import clock
from tenancy.actor import Actor
from tenancy.api.answering import ActorApiRequest, ActorView, created, many, tagged, tried
from tenancy.api.preconditions import require_match
from tenancy.api.reading import InvalidBody, InvalidParameters, pointer, read_body, read_parameters
from tenancy.errors import FieldError, Invalid, NotFound
from tenancy.queries.paging import Order


class ContactList(ActorView):
    """``/api/v1/contacts``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT, "POST": Action.EDIT_PEOPLE}
    keyset: ClassVar = Order("", is_falling=True)

    @extend_schema(
        operation_id="list_contacts",
        parameters=[ContactParameters],
        responses=ContactOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List contacts, the latest first."""
        actor, values = request.actor, self.parameters(request, ContactParameters)
        found = contacts(
            actor,
            within=referred(actor, values, "in"),
            account=referred(actor, values, "account"),
        )
        return self.listed(many(ContactOut, self.page(found, request)))

    @extend_schema(
        operation_id="create_contact",
        parameters=[DryRunParameters],
        request=ContactIn,
        responses={200: ContactDetailOut, 201: ContactDetailOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Add a contact to an account; the same external id again is the same contact (200)."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, ContactIn)
        account_id = referred(actor, values, "account", refusal=InvalidBody)
        assert account_id is not None  # noqa: S101 - it is needed
        del values["account"]
        is_dry_run = parameters["dry_run"] == "true"
        with tried(is_dry_run=is_dry_run):
            contact, is_new = create_contact(
                actor, account_id, now=clock.now_of(request.tenant), **values
            )
            data = contact_out(actor, contact.public_id)
        return created(request, data, data["id"], is_new=is_new and not is_dry_run)


class ContactDetail(ActorView):
    """``/api/v1/contacts/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT, "PATCH": Action.EDIT_PEOPLE}

    @extend_schema(operation_id="get_contact", responses=ContactDetailOut)
    def get(self, request: ActorApiRequest, contact: str) -> HttpResponseBase:
        """Show a contact."""
        self.parameters(request, NoParameters)
        return tagged(request, contact_out(request.actor, contact))

    @extend_schema(
        operation_id="edit_contact",
        parameters=[DryRunParameters],
        request=ContactPatchIn,
        responses=ContactDetailOut,
    )
    def patch(self, request: ActorApiRequest, contact: str) -> HttpResponseBase:
        """Change what is said of a contact; what is left out stays."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, ContactPatchIn)
        found = get_contact(actor, contact)
        with tried(is_dry_run=parameters["dry_run"] == "true"):
            edit_contact(
                actor,
                found.pk,
                now=clock.now_of(request.tenant),
                require_seen=lambda: require_match(
                    request, lambda: contact_out(actor, found.public_id)
                ),
                **values,
            )
            data = contact_out(actor, found.public_id)
        return tagged(request, data)


class GrantList(ActorView):
    """``/api/v1/grants``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT, "POST": Action.EDIT_PEOPLE}
    keyset: ClassVar = Order("", is_falling=True)

    @extend_schema(
        operation_id="list_grants", parameters=[GrantParameters], responses=GrantOut(many=True)
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List roles of contacts on accounts, the latest first."""
        actor, values = request.actor, self.parameters(request, GrantParameters)
        contact = (
            _contact(actor, values["contact"], InvalidParameters) if "contact" in values else None
        )
        found = grants(
            actor,
            within=referred(actor, values, "in"),
            account=referred(actor, values, "account"),
            contact=None if contact is None else contact.pk,
        )
        return self.listed(many(GrantOut, self.page(found, request)))

    @extend_schema(
        operation_id="grant_role",
        parameters=[DryRunParameters],
        request=GrantIn,
        responses={200: GrantDetailOut, 201: GrantDetailOut},
    )
    def post(self, request: ActorApiRequest) -> HttpResponseBase:
        """Give a contact a role, none beyond one's own rights; given again it is the same (200)."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, GrantIn)
        account_id = referred(actor, values, "account", refusal=InvalidBody)
        assert account_id is not None  # noqa: S101 - it is needed
        contact = _contact(actor, values["contact"], InvalidBody)
        is_dry_run = parameters["dry_run"] == "true"
        with tried(is_dry_run=is_dry_run):
            grant, is_new = grant_role(
                actor,
                contact.pk,
                account_id,
                values["role"],
                starts_on=values.get("starts_on"),
                ends_on=values.get("ends_on"),
                today=actor.today,
                now=clock.now_of(request.tenant),
            )
            data = grant_out(get_grant(actor, grant.public_id))
        return created(request, data, data["id"], is_new=is_new and not is_dry_run)


class GrantDetail(ActorView):
    """``GET /api/v1/grants/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_ACCOUNT}

    @extend_schema(operation_id="get_grant", responses=GrantDetailOut)
    def get(self, request: ActorApiRequest, grant: str) -> HttpResponseBase:
        """Show a role of a contact."""
        self.parameters(request, NoParameters)
        return tagged(request, grant_out(get_grant(request.actor, grant)))


class GrantEnding(ActorView):
    """``POST /api/v1/grants/{id}/ending``."""

    scopes: ClassVar = {"POST": Action.EDIT_PEOPLE}

    @extend_schema(
        operation_id="end_grant",
        parameters=[DryRunParameters],
        request=GrantEndingIn,
        responses=GrantDetailOut,
    )
    def post(self, request: ActorApiRequest, grant: str) -> HttpResponseBase:
        """End a role, today or on a later day; one that is over by then stays as it is."""
        actor, parameters = request.actor, read_parameters(request, DryRunParameters)
        values = read_body(request, GrantEndingIn)
        found = get_grant(actor, grant)
        require_match(request, lambda: grant_out(found))
        with tried(is_dry_run=parameters["dry_run"] == "true"):
            end_grant(
                actor,
                found.pk,
                ends_on=values.get("ends_on", actor.today),
                today=actor.today,
                now=clock.now_of(request.tenant),
            )
            data = grant_out(get_grant(actor, grant))
        return tagged(request, data)


def contact_out(actor: Actor, reference: str) -> dict[str, Any]:
    """Return a contact as it goes out."""
    return dict(ContactDetailOut(get_contact(actor, reference)).data)


def grant_out(grant: Grant) -> dict[str, Any]:
    """Return a role as it goes out."""
    return dict(GrantDetailOut(grant).data)


def _contact(actor: Actor, text: str, refusal: type[Invalid]) -> Contact:
    try:
        return get_contact(actor, text)
    except NotFound as error:
        wrong = FieldError("not_found", _("There is no such contact."), pointer("contact"))
        raise refusal(errors=[wrong]) from error
