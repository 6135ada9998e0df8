"""What is asked of every city when it is opened, and how one that does not open is made to."""

from __future__ import annotations

from pathlib import Path

from cim.db.directory import DataDirectory
from cim.db.recover import RecoveryReport, recover_city
from cim.db.scrub import ScrubReport, scrub_city
from cim.db.settings import DatabaseSettings, gapless_check
from cim.db.store import packaged_migrations
from cim.ports import SystemClock
from cim.schemes.store import EDITS_GAPLESS
from cim.sensing.store import OBSERVATIONS_GAPLESS

START_CHECKS = (gapless_check("baseline", "baseline_version"), OBSERVATIONS_GAPLESS, EDITS_GAPLESS)


def recover_directory(data: Path, *, accept_loss: bool) -> RecoveryReport:
    """Make a city that does not open open again, the originals kept; see ``cim.db.recover``."""
    with DataDirectory(data) as directory:
        return recover_city(
            directory,
            DatabaseSettings(),
            clock=SystemClock(),
            migrations=packaged_migrations(),
            checks=START_CHECKS,
            accept_loss=accept_loss,
        )


def scrub_directory(data: Path) -> ScrubReport:
    """Read every column of a city that nobody has open, to find rot."""
    with DataDirectory(data) as directory:
        return scrub_city(directory, DatabaseSettings())
