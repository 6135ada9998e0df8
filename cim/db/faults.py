"""What can be wrong with the stored city, as errors with stable codes."""

from __future__ import annotations

from cim.errors import Conflict, IntegrityError


class DatabaseDamaged(IntegrityError):
    """The database does not open, or what it holds contradicts itself."""

    code = "database-damaged"


class SchemaChanged(Conflict):
    """A migration that was applied once reads differently now."""

    code = "schema-changed"
