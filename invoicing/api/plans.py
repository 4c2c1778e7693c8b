"""``/api/v1/accounts/{id}/moves``, ``…/merge`` and ``/api/v1/change-plans``: planned changes."""

from typing import Any, ClassVar
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.access import Action
from accounts.api.accounts import account_detail
from accounts.api.references import referred
from accounts.queries.accounts import resolve_reference
from accounts.serializers.parts import NoParameters
from invoicing.api.plan_bodies import wanted_merge, wanted_move, wanted_plan
from invoicing.models import ChangePlan
from invoicing.operations.plans.aligning_jobs import resume_alignment, stop_alignment
from invoicing.operations.plans.deciding import answer_plan, approve_plan, submit_plan
from invoicing.operations.plans.duplicates import merge_account
from invoicing.operations.plans.planning import comment_on_plan, create_plan, withdraw_plan
from invoicing.operations.plans.reversing import reverse_plan
from invoicing.queries.plans.listing import comments_of, get_plan, job_of, plans
from invoicing.queries.plans.preview import preview_plan
from invoicing.queries.plans.shown import preview_for
from invoicing.queries.plans.wanted import Wanted
from invoicing.serializers.plans import (
    AnswerIn,
    CommentIn,
    MergeIn,
    MoveIn,
    PlanDetailOut,
    PlanDryRunOut,
    PlanIn,
    PlanOut,
    PlanParameters,
    PlanShown,
    PlanStartParameters,
    PlanWithdrawalIn,
    ReversalIn,
)
from invoicing.tasks import align_soon
from invoicing.words import describe_plan, describe_warning, plan_title
from tenancy.api.answering import ActorApiRequest, ActorView, many, tagged
from tenancy.api.preconditions import require_match
from tenancy.api.reading import read_body, read_parameters
from tenancy.errors import NotFound
from tenancy.queries.paging import Order


class AccountMoves(ActorView):
    """``POST /api/v1/accounts/{id}/moves``."""

    scopes: ClassVar = {"POST": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="move_account",
        parameters=[PlanStartParameters],
        request=MoveIn,
        responses={200: PlanDryRunOut, 201: PlanDetailOut},
    )
    def post(self, request: ActorApiRequest, account: str) -> Response:
        """Move an account with all below it, today or on a later day."""
        parameters, values = (
            read_parameters(request, PlanStartParameters),
            read_body(request, MoveIn),
        )
        account_id = resolve_reference(request.actor, account)
        require_match(request, lambda: account_detail(request.actor, account_id))
        wanted = wanted_move(request.actor, account_id, values)
        return _planned(request, wanted, parameters["dry_run"] == "true", values["draft"])


class AccountMerge(ActorView):
    """``POST /api/v1/accounts/{id}/merge``."""

    scopes: ClassVar = {"POST": Action.EDIT_SETTINGS}

    @extend_schema(
        operation_id="merge_account",
        parameters=[PlanStartParameters],
        request=MergeIn,
        responses={200: PlanDryRunOut, 201: PlanDetailOut},
    )
    def post(self, request: ActorApiRequest, account: str) -> Response:
        """Merge a duplicate into another account, today or on a later day."""
        actor, parameters = request.actor, read_parameters(request, PlanStartParameters)
        values = read_body(request, MergeIn)
        account_id = resolve_reference(actor, account)

        def require_seen() -> None:
            require_match(request, lambda: account_detail(actor, account_id))

        wanted = wanted_merge(actor, account_id, values)
        if parameters["dry_run"] == "true" or values["draft"]:
            require_seen()
            return _planned(request, wanted, parameters["dry_run"] == "true", values["draft"])
        plan = merge_account(
            actor, wanted, require_seen=require_seen, today=actor.today, now=timezone.now()
        )
        return _made(request, plan)


class PlanList(ActorView):
    """``/api/v1/change-plans``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS, "POST": Action.EDIT_SETTINGS}
    keyset: ClassVar = Order("created_at", is_falling=True)

    @extend_schema(
        operation_id="list_change_plans",
        parameters=[PlanParameters],
        responses=PlanOut(many=True),
    )
    def get(self, request: ActorApiRequest) -> Response:
        """List change plans, the latest first."""
        actor, values = request.actor, self.parameters(request, PlanParameters)
        found = plans(
            actor,
            within=referred(actor, values, "in"),
            status=values.get("status"),
            kind=values.get("kind"),
        )
        shown = [
            PlanShown(plan, plan_title(plan), describe_plan(plan))
            for plan in self.page(found, request)
        ]
        return self.listed(many(PlanOut, shown))

    @extend_schema(
        operation_id="plan_change",
        parameters=[PlanStartParameters],
        request=PlanIn,
        responses={200: PlanDryRunOut, 201: PlanDetailOut},
    )
    def post(self, request: ActorApiRequest) -> Response:
        """Plan a change of who stands where, who is invoiced or who pays."""
        parameters, values = (
            read_parameters(request, PlanStartParameters),
            read_body(request, PlanIn),
        )
        wanted = wanted_plan(request.actor, values)
        return _planned(request, wanted, parameters["dry_run"] == "true", values["draft"])


def _planned(request: ActorApiRequest, wanted: Wanted, is_dry: bool, is_draft: bool) -> Response:
    """Answer what would come of a change, or plan it; a plan that nobody holds up goes on."""
    actor = request.actor
    if is_dry:
        preview = preview_plan(actor, wanted, today=actor.today, tenant=request.tenant)
        return Response(preview_out(preview.shown))
    now = timezone.now()
    plan = create_plan(actor, wanted, today=actor.today, now=now)
    if not is_draft:
        plan = submit_plan(actor, plan.pk, today=actor.today, now=now)
    return _made(request, plan)


def _made(request: ActorApiRequest, plan: ChangePlan) -> Response:
    address = request.build_absolute_uri(f"/api/v1/change-plans/{plan.public_id}")
    return Response(plan_out(request, plan.pk), status=201, headers={"Location": address})


class PlanDetail(ActorView):
    """``GET /api/v1/change-plans/{id}``."""

    scopes: ClassVar = {"GET": Action.VIEW_SETTINGS}

    @extend_schema(operation_id="get_change_plan", responses=PlanDetailOut)
    def get(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Show a plan, what comes of it and how far it has come."""
        self.parameters(request, NoParameters)
        return tagged(request, plan_out(request, key_of_plan(plan)))


def key_of_plan(text: str) -> UUID:
    """Return the key of a plan; moves have a prefix of their own.

    Raises:
        NotFound: ``text`` is no id of a plan.
    """
    key = ChangePlan.key_of(text)
    if key is None:
        raise NotFound
    return key


def plan_out(request: ActorApiRequest, plan_id: UUID) -> dict[str, Any]:
    """Return a plan as it goes out."""
    actor = request.actor
    plan = get_plan(actor, plan_id)
    shown = PlanShown(
        plan,
        plan_title(plan),
        describe_plan(plan),
        _with_words(preview_for(actor, plan)),
        comments_of(actor, plan),
        job_of(actor, plan),
    )
    return dict(PlanDetailOut(shown).data)


def preview_out(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what would come of a change as it goes out."""
    return dict(PlanDryRunOut({"preview": _with_words(shown)}).data)


def _with_words(preview: dict[str, Any]) -> dict[str, Any]:
    """Return a preview whose warnings say in a sentence what they mean."""
    if "warnings" not in preview:
        return preview
    warnings = [{**one, "detail": describe_warning(one)} for one in preview["warnings"]]
    return {**preview, "warnings": warnings}


class _PlanStep(ActorView):
    """A step of one plan."""

    scopes: ClassVar = {"POST": Action.EDIT_SETTINGS}

    def seen(self, request: ActorApiRequest, plan: str) -> ChangePlan:
        """Return the plan, if the caller names none by ``If-Match`` or names it as it is."""
        self.parameters(request, NoParameters)
        key = key_of_plan(plan)
        found = get_plan(request.actor, key)
        require_match(request, lambda: plan_out(request, key))
        return found

    def version(self, request: ActorApiRequest, plan: ChangePlan) -> str:
        """Return the version that the step is for; empty where the caller names none."""
        return str(plan.version) if "If-Match" in request.headers else ""

    def answered(self, request: ActorApiRequest, plan: ChangePlan) -> HttpResponseBase:
        """Answer with the plan as it is now."""
        return tagged(request, plan_out(request, plan.pk))


class PlanSubmission(_PlanStep):
    """``POST /api/v1/change-plans/{id}/submission``."""

    @extend_schema(operation_id="submit_change_plan", request=None, responses=PlanDetailOut)
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Ask for a draft to be carried out on its day."""
        found = self.seen(request, plan)
        now = timezone.now()
        done = submit_plan(
            request.actor,
            found.pk,
            version=self.version(request, found),
            today=request.actor.today,
            now=now,
        )
        align_soon(request.actor, done)
        return self.answered(request, done)


class PlanApproval(_PlanStep):
    """``POST /api/v1/change-plans/{id}/approval``."""

    @extend_schema(operation_id="approve_change_plan", request=None, responses=PlanDetailOut)
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Approve a plan; where two people are wanted, not one's own."""
        found = self.seen(request, plan)
        now = timezone.now()
        done = approve_plan(
            request.actor,
            found.pk,
            version=self.version(request, found),
            today=request.actor.today,
            now=now,
        )
        align_soon(request.actor, done)
        return self.answered(request, done)


class PlanAcceptance(_PlanStep):
    """``POST /api/v1/change-plans/{id}/acceptance``."""

    @extend_schema(operation_id="answer_change_plan", request=AnswerIn, responses=PlanDetailOut)
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Accept or decline for the account that a plan hands something over to."""
        values = read_body(request, AnswerIn)
        found = self.seen(request, plan)
        done = answer_plan(
            request.actor,
            found.pk,
            accepts=values["decision"] == "accept",
            reason=values.get("reason", ""),
            version=self.version(request, found),
            today=request.actor.today,
            now=timezone.now(),
        )
        return self.answered(request, done)


class PlanWithdrawal(_PlanStep):
    """``POST /api/v1/change-plans/{id}/withdrawal``."""

    @extend_schema(
        operation_id="withdraw_change_plan", request=PlanWithdrawalIn, responses=PlanDetailOut
    )
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Take a plan back that has not been carried out."""
        values = read_body(request, PlanWithdrawalIn)
        found = self.seen(request, plan)
        reason = values.get("reason", "")
        done = withdraw_plan(
            request.actor,
            found.pk,
            reason=reason,
            version=self.version(request, found),
            now=timezone.now(),
        )
        return self.answered(request, done)


class PlanReversal(_PlanStep):
    """``POST /api/v1/change-plans/{id}/reversal``."""

    @extend_schema(
        operation_id="reverse_change_plan", request=ReversalIn, responses={201: PlanDetailOut}
    )
    def post(self, request: ActorApiRequest, plan: str) -> Response:
        """Make a draft that brings back what a plan has changed."""
        values = read_body(request, ReversalIn)
        found, actor = self.seen(request, plan), request.actor
        made = reverse_plan(
            actor,
            found.pk,
            effective_date=values.get("effective_date", actor.today),
            today=actor.today,
            now=timezone.now(),
        )
        address = request.build_absolute_uri(f"/api/v1/change-plans/{made.public_id}")
        return Response(plan_out(request, made.pk), status=201, headers={"Location": address})


class PlanInterruption(_PlanStep):
    """``POST /api/v1/change-plans/{id}/interruption``."""

    @extend_schema(operation_id="interrupt_change_plan", request=None, responses=PlanDetailOut)
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Stop carrying a large alignment out; what is aligned by then stays so."""
        found = self.seen(request, plan)
        stop_alignment(request.actor, found.pk, now=timezone.now())
        return self.answered(request, found)


class PlanResumption(_PlanStep):
    """``POST /api/v1/change-plans/{id}/resumption``."""

    @extend_schema(operation_id="resume_change_plan", request=None, responses=PlanDetailOut)
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Let a large alignment go on that was stopped or broken off."""
        found = self.seen(request, plan)
        align_soon(request.actor, resume_alignment(request.actor, found.pk, now=timezone.now()))
        return self.answered(request, found)


class PlanComments(_PlanStep):
    """``POST /api/v1/change-plans/{id}/comments``."""

    @extend_schema(
        operation_id="comment_on_change_plan", request=CommentIn, responses=PlanDetailOut
    )
    def post(self, request: ActorApiRequest, plan: str) -> HttpResponseBase:
        """Say something about a plan."""
        values = read_body(request, CommentIn)
        found = self.seen(request, plan)
        comment_on_plan(request.actor, found.pk, text=values["text"], now=timezone.now())
        return self.answered(request, found)
