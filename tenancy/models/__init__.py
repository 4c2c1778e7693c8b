"""Tables of the app, by what they describe."""

from tenancy.models.answers import KeptAnswer
from tenancy.models.jobs import Job, JobPiece
from tenancy.models.log import AuditEntry, Event
from tenancy.models.outbox import OutboxEntry
from tenancy.models.tenants import Tenant

__all__ = ["AuditEntry", "Event", "Job", "JobPiece", "KeptAnswer", "OutboxEntry", "Tenant"]
