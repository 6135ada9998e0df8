"""``cim schemes``: what the command line does with schemes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import App, Parameter

from cim.config import Settings

RunJob: TypeAlias = Callable[[Settings, str, Mapping[str, object], str], int]
"""Runs a job of a kind with parameters and a title, here or in the server; returns the exit code."""


def schemes_app(run: RunJob) -> App:
    """Return the command ``schemes``."""
    app = App(name="schemes", help="Make schemes.")

    @app.command(name="from-catalogue")
    def from_catalogue(
        *,
        data: Annotated[
            Path | None, Parameter(name="--data", help="The city's data directory (CIM_DATA, else ./cim-data).")
        ] = None,
        dataset: str | None = None,
        draft: bool = False,
    ) -> int:
        """Make a scheme of each project that a catalogue of models has as proposed.

        Models that are to come are added, buildings that are to go for them demolished. Running it again makes only
        what has changed.

        Example: cim schemes from-catalogue --data ./boston

        Args:
            data: The city's data directory.
            dataset: Only the proposals of this source.
            draft: Leave the schemes unpublished.
        """
        settings = Settings() if data is None else Settings(data=data)
        return run(settings, "proposal-schemes", {"dataset": dataset, "publish": not draft}, "Schemes of a catalogue")

    return app
