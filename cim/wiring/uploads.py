"""Uploads, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter

from cim.accounts.service import Accounts
from cim.jobs.service import JobService
from cim.ports import Clock
from cim.schemes.forms.service import MODEL_BYTES_MAX
from cim.uploads.api import uploads_router
from cim.uploads.model import UPLOAD_BYTES_MAX
from cim.uploads.service import UploadService
from cim.uploads.store import UploadStore
from cim.web.asking import Asking

LARGE_BODIES: Final = {"/api/v1/models": MODEL_BYTES_MAX, "/api/v1/uploads": UPLOAD_BYTES_MAX}
"""Addresses that take more than other requests may bring, and how much."""


def wire_uploads(data: Path, jobs: JobService, accounts: Accounts, clock: Clock) -> tuple[UploadService, APIRouter]:
    """Return the uploads of the city in a data directory, to be started once the jobs run, and their routes."""
    service = UploadService(UploadStore(data / "uploads"), jobs, clock)
    return service, uploads_router(service, Asking(accounts))
