"""Uploads: files come in, are looked at, and are taken in by jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from cim.errors import Conflict, InvalidInput, LimitExceeded, NotFound, StorageFull
from cim.jobs.model import Job, JobState
from cim.jobs.service import JobService
from cim.ports import Clock
from cim.uploads.model import (
    FILES_MAX,
    KEPT_S,
    UPLOAD_BYTES_MAX,
    UPLOADS_MAX,
    Said,
    Upload,
    check_name,
    check_room,
    job_params,
)
from cim.uploads.store import UploadStore, Writing

PREVIEW: Final = "preview"
INGEST: Final = "ingest"
UPLOAD: Final = "upload"
"""The parameter of a job that names the upload that it reads."""


class Incoming:
    """One file that is being sent: pieces in, then kept or dropped; called from one thread at a time."""

    def __init__(
        self, store: UploadStore, upload_id: str, parts: tuple[str, ...], room: int, done: Callable[[], None]
    ) -> None:
        self.upload_id = upload_id
        self._store = store
        self._parts = parts
        self._room = room
        self._writing = Writing(store.part(upload_id))
        self._done = done

    def write(self, piece: bytes) -> None:
        """Append a piece; raises :class:`LimitExceeded` (``upload-bytes``) or :class:`StorageFull`."""
        if self._writing.size + len(piece) > self._room:
            raise LimitExceeded("The upload is too large.", code="upload-bytes", limit=UPLOAD_BYTES_MAX)
        if len(piece) > self._store.free_bytes():
            raise StorageFull("The disk has no room for the file.", hint="Make room on the server's disk.")
        self._writing.write(piece)

    def keep(self) -> None:
        """Put the whole file in its place; raises :class:`InvalidInput` (``upload-empty``) for none."""
        if self._writing.size == 0:
            raise InvalidInput("The file is empty.", code="upload-empty", name=self._parts[-1][:80])
        self._writing.finish()
        self._store.keep(self._writing.path, self.upload_id, self._parts)
        self._done()

    def drop(self) -> None:
        """Leave nothing: of an upload whose only file this was, its folder too."""
        self._writing.drop()
        self._done()
        if self._store.find(self.upload_id) is None:
            self._store.remove(self.upload_id)


class UploadService:
    """The uploads of a city, and the jobs that read them."""

    def __init__(self, store: UploadStore, jobs: JobService, clock: Clock) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._guard = threading.Lock()
        self._open: dict[str, int] = {}
        """Files on their way, by upload."""

    def start(self) -> None:
        """Remove what was left behind, and follow the jobs: what is taken in is not kept twice."""
        self._store.sweep()
        self._jobs.subscribe(self._job_changed)

    def _job_changed(self, job: Job) -> None:
        if job.kind == INGEST and job.state is JobState.SUCCEEDED and UPLOAD in job.params:
            self._store.remove(str(job.params[UPLOAD]))

    def _forget_old(self) -> None:
        before = self._clock.now() - timedelta(seconds=KEPT_S)
        for upload in self._store.uploads():
            if upload.touched_at < before and not self._in_use(upload.id):
                self._store.remove(upload.id)

    def uploads(self) -> list[Upload]:
        """Return what was brought and not taken in yet, the oldest first."""
        return self._store.uploads()

    def upload(self, upload_id: str) -> Upload:
        """Return an upload; raises :class:`NotFound` (``upload-not-found``)."""
        found = self._store.find(upload_id)
        if found is None:
            raise NotFound("There is no such upload; it may have been taken in.", code="upload-not-found")
        return found

    def begin(self, name: str, upload_id: str | None, declared: int | None) -> Incoming:
        """Begin to take in a file, of a new upload or of one that is there.

        ``declared`` are the bytes that the sender says it has.  Raises :class:`InvalidInput` (``upload-name``),
        :class:`LimitExceeded` (``upload-bytes``, ``upload-files``, ``uploads-waiting``), :class:`StorageFull`.
        """
        parts = check_name(name)
        with self._guard:
            self._forget_old()
            taken = 0
            if upload_id is None:
                check_room(len(self._store.uploads()) + 1, UPLOADS_MAX, "uploads-waiting")
            else:
                known = self.upload(upload_id)
                if self._in_use(upload_id):
                    raise Conflict("A job reads this upload.", code="upload-in-use", id=upload_id)
                check_room(len(known.files) + 1, FILES_MAX, "upload-files")
                taken = known.size
            check_room(taken + (declared or 0), UPLOAD_BYTES_MAX, "upload-bytes")
            if (declared or 0) > self._store.free_bytes():
                raise StorageFull("The disk has no room for the file.", hint="Make room on the server's disk.")
            at = upload_id or self._store.create(parts[0] if len(parts) > 1 else parts[0].split(".")[0].strip() or "x")
            self._open[at] = self._open.get(at, 0) + 1
        return Incoming(self._store, at, parts, UPLOAD_BYTES_MAX - taken, lambda: self._ended(at))

    def _ended(self, upload_id: str) -> None:
        with self._guard:
            left = self._open.pop(upload_id, 1) - 1
            if left > 0:
                self._open[upload_id] = left

    def job_of(self, upload_id: str, kind: str | None = None) -> Job | None:
        """Return the newest job of an upload, of some kind or of any."""
        return next(
            (job for job in self._jobs.list() if job.params.get(UPLOAD) == upload_id and kind in (None, job.kind)), None
        )

    def _in_use(self, upload_id: str) -> bool:
        job = self.job_of(upload_id)
        return self._open.get(upload_id, 0) > 0 or (job is not None and not job.ended)

    def preview(self, upload_id: str, said: Said, author: str) -> Job:
        """Queue a dry run; nothing is stored.  One that still runs is stopped: it was asked something else."""
        upload = self.upload(upload_id)
        params = job_params(upload, str(self._path(upload)), said)
        before = self.job_of(upload_id)
        if before is not None and not before.ended:
            if before.kind != PREVIEW:
                raise Conflict("A job reads this upload.", code="upload-in-use", id=upload_id)
            self._jobs.cancel(before.id)
        return self._jobs.submit(PREVIEW, params, title=upload.name, actor=author)

    def ingest(self, upload_id: str, said: Said, author: str) -> Job:
        """Queue the job that takes an upload into the city; its files are removed when it has succeeded."""
        upload = self.upload(upload_id)
        with self._guard:
            if self._in_use(upload_id):
                raise Conflict("A job reads this upload.", code="upload-in-use", id=upload_id)
            params = job_params(upload, str(self._path(upload)), said)
            return self._jobs.submit(INGEST, params, title=upload.name, actor=author)

    def _path(self, upload: Upload) -> Path:
        return self._store.path(upload).absolute()

    def cancel(self, upload_id: str) -> Job:
        """Ask the job of an upload to stop; raises :class:`NotFound` (``upload-no-job``)."""
        job = self.job_of(upload_id)
        if job is None:
            raise NotFound("No job reads this upload.", code="upload-no-job", id=upload_id[:40])
        return self._jobs.cancel(job.id)

    def remove(self, upload_id: str) -> None:
        """Remove an upload; raises :class:`Conflict` (``upload-in-use``) while a job reads it."""
        self.upload(upload_id)
        with self._guard:
            if self._in_use(upload_id):
                raise Conflict("A job reads this upload.", code="upload-in-use", id=upload_id)
            self._store.remove(upload_id)
