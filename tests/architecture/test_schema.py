"""The database has what the models promise; a migration can lose it without a word."""

from django.apps import apps
from django.db import connection


def test_has_every_constraint_and_index_of_the_models(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " UNION SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
        )
        present = set(cursor.fetchall())
    promised = {
        (model._meta.db_table, one.name)
        for model in apps.get_models()
        for one in (*model._meta.constraints, *model._meta.indexes)
    }

    assert len(promised) > 50
    assert promised - present == set()


def test_has_an_index_for_every_field_that_wants_one(db):
    """Whatever its name, one that begins with the field's column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indrelid::regclass::text, attname FROM pg_index"
            " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
        )
        present = set(cursor.fetchall())
    wanted = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.db_index or field.unique or field.primary_key
    }

    assert wanted - present == set()
