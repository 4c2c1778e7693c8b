"""Jobs: claimed once, taken up again when their worker is gone, done in somebody's name."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership
from accounts.queries.jobs import get_job
from invoicing.operations.clock_jobs import request_clock_move, work_on_clock_move
from subscriptions.operations import import_jobs
from tenancy.database import scope
from tenancy.errors import Forbidden, NotFound
from tenancy.models import AuditEntry, Job, JobPiece, Tenant
from tenancy.operations.jobs import SILENCE, claim_job, input_of, request_job
from tests.world import NOW, TODAY, account, csv_of

FILE = csv_of([account("group", name="Gruppe"), account("branch", "group", name="Zweig")])


def job_of(vendor, job_id):
    with vendor.seen():
        return Job.objects.get(pk=job_id)


def pieces_of(vendor, job_id):
    with vendor.seen():
        found = JobPiece.objects.filter(job_id=job_id).order_by("number")
        return [(one.number, bytes(one.content)) for one in found]


@pytest.fixture
def statements_of():
    @contextmanager
    def watch():
        made = []
        with CaptureQueriesContext(connection) as seen:
            yield made
        made.extend(one["sql"] for one in seen)

    return watch


def count(vendor):
    with vendor.seen():
        return Account.objects.count()


def request(vendor, actor, content=FILE, kind="accounts"):
    return import_jobs.request_import(
        actor, kind, [content], file_name="a.csv", today=TODAY, now=NOW
    ).pk


def test_is_claimed_once_and_again_after_silence(vendor):
    job = request_job(vendor.actor, Job.Kind.IMPORT, params={}, now=NOW)

    assert claim_job(vendor.actor, job.pk, now=NOW) is not None
    assert claim_job(vendor.actor, job.pk, now=NOW) is None
    assert claim_job(vendor.actor, job.pk, now=NOW + SILENCE) is not None


def test_is_out_of_sight_of_others(vendor, alice, charlie, bob):
    job_id = request(vendor, alice)
    vendor.has("accounts", account("group"))

    with vendor.seen():
        assert get_job(alice, Job.Kind.IMPORT, job_id).pk == job_id
        with pytest.raises(NotFound):
            get_job(alice, Job.Kind.CLOCK, job_id)
        with pytest.raises(Forbidden):
            get_job(bob("group"), Job.Kind.IMPORT, job_id)
    with scope(charlie.tenant_id), pytest.raises(NotFound):
        get_job(charlie, Job.Kind.IMPORT, job_id)


def test_checks_first_and_imports_the_same_bytes(vendor, alice):
    job_id = request(vendor, alice)
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)

    checked = job_of(vendor, job_id)
    assert checked.status == Job.Status.DONE
    assert checked.result["check"] == {
        "rows": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "encoding": "utf-8",
        "changes": [],
        "errors": 0,
        "warnings": [],
        "warning_count": 0,
    }
    assert [node["depth"] for node in checked.result["tree"]["nodes"]] == [0, 1]
    assert count(vendor) == 0

    import_jobs.apply_import(alice, job_id, now=NOW)
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)
    import_jobs.apply_import(alice, job_id, now=NOW)
    assert not import_jobs.work_on_import(vendor.actor, job_id, now=NOW)

    applied = job_of(vendor, job_id)
    assert applied.result["apply"]["created"] == 2
    assert pieces_of(vendor, job_id) == []
    assert count(vendor) == 2
    with vendor.seen():
        labels = {*AuditEntry.objects.filter(action="account.created").values_list("actor_label")}
    assert labels == {("Alice",)}


def test_says_that_nothing_changes_the_second_time(vendor, alice):
    vendor.load("accounts", FILE)
    job_id = request(vendor, alice)
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)

    assert job_of(vendor, job_id).result["check"]["unchanged"] == 2


def test_a_worker_killed_half_way_leaves_nothing_and_the_job_goes_on(vendor, alice, monkeypatch):
    job_id = request(vendor, alice)
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)
    import_jobs.apply_import(alice, job_id, now=NOW)

    def die(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(import_jobs, "finish_job", die)
        with pytest.raises(SystemExit):
            import_jobs.work_on_import(vendor.actor, job_id, now=NOW)
    assert count(vendor) == 0
    assert job_of(vendor, job_id).status == Job.Status.RUNNING
    assert not import_jobs.work_on_import(vendor.actor, job_id, now=NOW + timedelta(seconds=1))

    assert import_jobs.work_on_import(vendor.actor, job_id, now=NOW + SILENCE)
    assert job_of(vendor, job_id).status == Job.Status.DONE
    assert count(vendor) == 2


def test_refuses_to_import_what_has_errors(vendor, alice):
    job_id = request(vendor, alice, csv_of([account("a", kind="nonsense")]))
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)

    assert [problem["column"] for problem in job_of(vendor, job_id).problems] == ["kind"]
    with pytest.raises(import_jobs.NotChecked):
        import_jobs.apply_import(alice, job_id, now=NOW)
    # Nobody can import it any more, so nobody keeps it.
    assert pieces_of(vendor, job_id) == []


def test_keeps_each_piece_of_a_file_once_until_it_is_used_up(vendor, alice, statements_of):
    pieces = [FILE[:7], FILE[7:20], FILE[20:]]

    with statements_of() as made:
        job_id = import_jobs.request_import(
            alice, "accounts", pieces, file_name="a.csv", today=TODAY, now=NOW
        ).pk

    assert pieces_of(vendor, job_id) == [*enumerate(pieces)]
    # No statement carries what an earlier one has stored already.
    assert len([sql for sql in made if 'INSERT INTO "tenancy_jobpiece"' in sql]) == 3
    assert not [sql for sql in made if sql.startswith("UPDATE") and "jobpiece" in sql]
    with vendor.seen():
        assert b"".join(input_of(vendor.actor, job_id)) == FILE
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)
    assert pieces_of(vendor, job_id) == [*enumerate(pieces)]
    import_jobs.apply_import(alice, job_id, now=NOW)
    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)
    assert (count(vendor), pieces_of(vendor, job_id)) == (2, [])


def test_a_file_that_is_too_large_leaves_nothing(vendor, alice, monkeypatch):
    monkeypatch.setattr(import_jobs, "LARGEST_BYTES", len(FILE) - 1)

    with pytest.raises(import_jobs.FileTooLarge):
        import_jobs.request_import(
            alice, "accounts", [FILE[:9], FILE[9:]], file_name="a.csv", today=TODAY, now=NOW
        )

    with vendor.seen():
        assert (Job.objects.count(), JobPiece.objects.count()) == (0, 0)


def test_asks_for_the_right_of_each_kind_and_again_when_it_works(vendor, alice):
    tom = vendor.staff("Tom", "billing")
    with pytest.raises(Forbidden):
        request(vendor, tom, kind="prices")
    job_id = request(vendor, alice)
    with vendor.seen():
        Membership.objects.filter(person_id=alice.person_id).update(role="auditor")

    import_jobs.work_on_import(vendor.actor, job_id, now=NOW)

    assert job_of(vendor, job_id).status == Job.Status.FAILED
    assert count(vendor) == 0


def test_moves_the_clock_step_by_step_and_goes_on_after_a_kill(vendor, alice, monkeypatch):
    to_date = date(2027, 1, 2)
    vendor.has("accounts", account("group"))
    job_id = request_clock_move(alice, to_date=to_date, now=NOW)
    assert request_clock_move(alice, to_date=to_date, now=NOW) == job_id
    claim_job(vendor.actor, job_id, now=NOW)  # and then its worker is gone

    assert not work_on_clock_move(vendor.actor, job_id, now=NOW)
    while work_on_clock_move(vendor.actor, job_id, now=NOW + SILENCE):
        pass

    assert job_of(vendor, job_id).status == Job.Status.DONE
    with vendor.seen():
        assert Tenant.objects.get().test_clock_at.date() == to_date


def test_refuses_a_move_backwards_and_those_without_the_right(vendor, alice):
    from invoicing.operations.clock import ClockBackwards

    with pytest.raises(ClockBackwards):
        request_clock_move(alice, to_date=date(2026, 1, 1), now=NOW)
    with pytest.raises(Forbidden):
        request_clock_move(vendor.staff("Mira", "auditor"), to_date=date(2027, 1, 1), now=NOW)
