"""The errors that the city raises on purpose.

::

    CimError
    ├── InvalidInput      what was sent cannot be used
    │   └── UnsupportedFormat   no reader knows this file
    ├── NotFound          no such object, job, view, collection
    ├── Gone              there was one; what it was is still known
    ├── Conflict          true of another state of the city
    │   └── DirectoryInUse      another server owns the data directory
    ├── LimitExceeded     a named limit was hit
    ├── Unauthorized      nobody has said who asks
    ├── Forbidden         not from this origin, not with this token
    ├── StorageFull       the disk has no room to commit safely
    ├── NewerSchema       the data was written by a newer version
    ├── Unavailable       not now (starting, stopping, a solver is missing)
    ├── Cancelled         somebody asked for the work to stop
    └── IntegrityError    what is stored contradicts itself

An error knows no HTTP: ``cim.web.problems`` maps each class to a status in one table.  ``code`` is
stable, in English, and is what a client words for its reader; ``message`` says what happened and
what is unchanged; ``hint`` says what to do; ``params`` are the numbers and names in the message, so
that a client can word it in another language.  No message holds a stack or a foreign exception's text.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

Param: TypeAlias = str | int | float | bool | None


class CimError(Exception):
    """Base of every error raised on purpose."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None, **params: Param) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.params: dict[str, Param] = params
        self.problem_code: str = code or self.code

    def as_problem(self) -> dict[str, object]:
        """Return the RFC 9457 members that do not depend on a transport."""
        problem: dict[str, object] = {
            "type": f"urn:cim:problem:{self.problem_code}",
            "code": self.problem_code,
            "detail": self.message,
        }
        if self.hint:
            problem["hint"] = self.hint
        if self.params:
            problem["params"] = self.params
        return problem


class InvalidInput(CimError):
    """What was sent cannot be used as it is."""

    code = "invalid-input"


class UnsupportedFormat(InvalidInput):
    """No reader knows this file, or it is not what its name says."""

    code = "unsupported-format"


class NotFound(CimError):
    """Nothing has this name."""

    code = "not-found"


class Gone(CimError):
    """What had this name is not there any more; ``params`` say since when."""

    code = "gone"


class Conflict(CimError):
    """The request was true of another state of the city."""

    code = "conflict"


class DirectoryInUse(Conflict):
    """Another process owns the data directory."""

    code = "directory-in-use"


class LimitExceeded(CimError):
    """A named limit was hit; ``params`` carries ``limit`` and its value."""

    code = "limit-exceeded"


class Unauthorized(CimError):
    """The request says nothing, or nothing true, of who asks."""

    code = "unauthorized"


class Forbidden(CimError):
    """The request comes from a place, or without a token, that may not ask this."""

    code = "forbidden"


class StorageFull(CimError):
    """The disk has no room left to commit safely; nothing was written."""

    code = "storage-full"


class NewerSchema(CimError):
    """The data was written by a newer version of the program."""

    code = "newer-schema"


class Unavailable(CimError):
    """Not now: starting, stopping, or a part is missing."""

    code = "unavailable"


class Cancelled(CimError):
    """Somebody asked for the work to stop."""

    code = "cancelled"


class IntegrityError(CimError):
    """What is stored contradicts itself."""

    code = "integrity"
