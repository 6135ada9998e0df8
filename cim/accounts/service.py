"""Who is asking, by the token that they show."""

from __future__ import annotations

from cim.accounts.model import Role
from cim.accounts.tokens import bearer, same
from cim.errors import Unauthorized


class Accounts:
    """The roles of one city: whoever shows the planner token is a planner, all others are visitors."""

    def __init__(self, planner_token: str) -> None:
        self._planner_token = planner_token

    def role_of(self, token: str) -> Role:
        """Return what a token stands for."""
        return Role.PLANNER if same(token, self._planner_token) else Role.VISITOR

    def role_in(self, authorization: str) -> Role:
        """Return the role that an ``Authorization`` header shows."""
        return self.role_of(bearer(authorization))

    def require_planner(self, authorization: str) -> None:
        """Raise :class:`Unauthorized` (``planner-token``) for anybody else."""
        if self.role_in(authorization) is not Role.PLANNER:
            raise Unauthorized(
                "Editing needs the planner token.",
                hint="`cim demo` and `cim serve` print an address that carries it.",
                code="planner-token",
            )
