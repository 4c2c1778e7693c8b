"""Migration steps that make the database itself keep tenants apart."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation

_OWN_ROWS = "(SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid)"


def _role(alias: str) -> str | None:
    """Return the quoted role of a connection, None where it is the owner's own."""
    user = settings.DATABASES[alias].get("USER")
    owner = settings.DATABASES["owner"].get("USER")
    return f'"{user}"' if user and user != owner else None


class DatabaseOnly(Operation):
    """A step that changes the database and not Django's picture of the models."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models look the same."""

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Undo nothing: dropping the tables takes their policies and constraints along."""


class GrantTables(DatabaseOnly):
    """Let the application read and write rows, and nothing else, now and for later tables."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Grant to the roles of the ``default`` and ``maintenance`` connections."""
        rights = "SELECT, INSERT, UPDATE, DELETE"
        for role in filter(None, {_role("default"), _role("maintenance")}):
            for sql in (
                f"GRANT USAGE ON SCHEMA public TO {role}",
                f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {role}",
                f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO {role}",
                "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
                f" GRANT USAGE, SELECT ON SEQUENCES TO {role}",
            ):
                schema_editor.execute(sql)

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return "Grant rows, not tables, to the application's role"


class AppendOnly(DatabaseOnly):
    """Take the right to change or delete rows of these models from the application's role."""

    def __init__(self, models: Sequence[str]) -> None:
        """Name the models of this app."""
        self.models = models

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how a migration file writes this step."""
        return (type(self).__name__, [], {"models": self.models})

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Revoke what ``GrantTables`` gave."""
        role = _role("default")
        for name in self.models if role else ():
            table = to_state.apps.get_model(app_label, name)._meta.db_table
            schema_editor.execute(f'REVOKE UPDATE, DELETE ON "{table}" FROM {role}')

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return f"Make {', '.join(self.models)} append-only"


class SecureTables(DatabaseOnly):
    """Give each tenant model its policy, its two-column key and two-column foreign keys."""

    def __init__(self, models: Sequence[str]) -> None:
        """Name the models of this app."""
        self.models = models

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how a migration file writes this step."""
        return (type(self).__name__, [], {"models": self.models})

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Make the keys of all models first, then what refers to them."""
        found = [to_state.apps.get_model(app_label, name) for name in self.models]
        for model in found:
            for sql in _own_key(model):
                schema_editor.execute(sql)
        for model in found:
            for sql in (*_references(model), *_policy(model)):
                schema_editor.execute(sql)

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return f"Keep tenants apart in {', '.join(self.models)}"


class SecureReferences(DatabaseOnly):
    """Give references that were added to a tenant model their two-column foreign keys."""

    def __init__(self, model: str, fields: Sequence[str]) -> None:
        """Name the model of this app and its new references."""
        self.model, self.fields = model, fields

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how a migration file writes this step."""
        return (type(self).__name__, [], {"model": self.model, "fields": self.fields})

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Make the foreign keys."""
        model = to_state.apps.get_model(app_label, self.model)
        for sql in _references(model, self.fields):
            schema_editor.execute(sql)

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return f"Keep tenants apart in {', '.join(self.fields)} of {self.model}"


class Uncounted(DatabaseOnly):
    """Keep no statistics of some columns: of JSON that is shown, and by which nothing is found.

    To compare such values with one another is most of what counting a table takes, and it is
    counted again and again while it grows.
    """

    def __init__(self, model: str, fields: Sequence[str]) -> None:
        """Name the model of this app and its columns."""
        self.model, self.fields = model, fields

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """Return how a migration file writes this step."""
        return (type(self).__name__, [], {"model": self.model, "fields": self.fields})

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Tell ``ANALYZE`` to pass over them."""
        model = to_state.apps.get_model(app_label, self.model)
        changes = ", ".join(
            f'ALTER "{model._meta.get_field(name).column}" SET STATISTICS 0' for name in self.fields
        )
        schema_editor.execute(f'ALTER TABLE "{model._meta.db_table}" {changes}')

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return f"Keep no statistics of {', '.join(self.fields)} of {self.model}"


def _own_key(model: Any) -> Iterable[str]:
    table, key = model._meta.db_table, model._meta.pk.column
    yield f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_key" UNIQUE (tenant_id, "{key}")'


def _references(model: Any, names: Sequence[str] | None = None) -> Iterable[str]:
    table = model._meta.db_table
    for field in model._meta.local_fields:
        if getattr(field, "within_tenant", False) and (names is None or field.name in names):
            target = field.related_model._meta
            yield (
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_tenant_fk"'
                f' FOREIGN KEY (tenant_id, "{field.column}")'
                f' REFERENCES "{target.db_table}" (tenant_id, "{target.pk.column}")'
                " DEFERRABLE INITIALLY IMMEDIATE"
            )


def _policy(model: Any, column: str = "tenant_id") -> Iterable[str]:
    table = model._meta.db_table
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
    yield (
        f'CREATE POLICY tenant_isolation ON "{table}"'
        f" USING ({column} = {_OWN_ROWS}) WITH CHECK ({column} = {_OWN_ROWS})"
    )


class SecureTenants(DatabaseOnly):
    """Give the table of tenants its policy: a transaction sees its own tenant alone."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Create the policy on the id itself."""
        for sql in _policy(to_state.apps.get_model(app_label, "tenant"), column="id"):
            schema_editor.execute(sql)

    def describe(self) -> str:
        """Return what ``migrate`` prints."""
        return "Keep tenants apart in tenant"
