"""How a job can fail, as errors with stable codes, and how a dead child's end is read (pure)."""

from __future__ import annotations

import errno
import signal
from typing import Final

from cim.errors import CimError, LimitExceeded, StorageFull
from cim.jobs.messages import Failed
from cim.jobs.model import JobLimits


class JobChildCrashed(CimError):
    """The job's process ended without a word."""

    code = "job-child-crashed"


class JobMemoryLimit(LimitExceeded):
    """The job's process needed more memory than it may take."""

    code = "job-memory-limit"


class JobTimeLimit(LimitExceeded):
    """The job ran longer than it may."""

    code = "job-time-limit"


class JobFileLimit(LimitExceeded):
    """The job's process wrote a larger file than it may."""

    code = "job-file-limit"


class JobPayloadLimit(LimitExceeded):
    """The job's process handed over a larger piece than it may."""

    code = "job-payload-limit"


MEBIBYTE: Final = 1024**2
_UNCHANGED: Final = "The city is as it was."
_MORE_TIME: Final = "Split the file, or allow the job more time."


def memory_fault(limits: JobLimits) -> LimitExceeded:
    """Return the error of a job that needed too much memory."""
    did = f"needed more than {limits.memory_bytes // MEBIBYTE:,} MB of memory"
    hint = "Split the file, or allow the job more memory."
    return _stopped(JobMemoryLimit, did, hint, "memory_bytes", limits.memory_bytes)


def wall_time_fault(limits: JobLimits) -> LimitExceeded:
    """Return the error of a job that took too long."""
    return _stopped(JobTimeLimit, f"ran longer than {limits.wall_s:,.0f} s", _MORE_TIME, "wall_s", limits.wall_s)


def cpu_time_fault(limits: JobLimits) -> LimitExceeded:
    """Return the error of a job that computed too long."""
    return _stopped(JobTimeLimit, f"computed for more than {limits.cpu_s:,} s", _MORE_TIME, "cpu_s", limits.cpu_s)


def file_fault(limits: JobLimits) -> LimitExceeded:
    """Return the error of a job that wrote too large a file."""
    did = f"wrote a file of more than {limits.file_bytes // MEBIBYTE:,} MB"
    hint = "Split the input, or allow the job larger files."
    return _stopped(JobFileLimit, did, hint, "file_bytes", limits.file_bytes)


def payload_fault(limits: JobLimits) -> LimitExceeded:
    """Return the error of a job that handed over too large a piece."""
    did = f"handed over more than {limits.payload_bytes // MEBIBYTE:,} MB at once"
    hint = "One feature of the file may be too large; see the step that was running."
    return _stopped(JobPayloadLimit, did, hint, "payload_bytes", limits.payload_bytes)


def _stopped(kind: type[LimitExceeded], did: str, hint: str, limit: str, value: float) -> LimitExceeded:
    return kind(f"The job {did} and was stopped. {_UNCHANGED}", hint=hint, limit=limit, value=value)


def crash_fault(how: str) -> JobChildCrashed:
    """Return the error of a job whose process ended in a way that nobody foresaw."""
    return JobChildCrashed(
        f"The job's process ended unexpectedly ({how}). {_UNCHANGED}",
        hint="The server's log holds the details; if the same file does this again, report it.",
        how=how,
    )


def explain_exit(return_code: int, last_words: str, limits: JobLimits) -> CimError:
    """Return why a child that said neither Finished nor Failed has ended.

    ``return_code`` is that of ``subprocess`` (minus the signal's number), ``last_words`` the tail
    of what it wrote to its standard error.
    """
    if return_code == -signal.SIGXCPU:
        return cpu_time_fault(limits)
    if return_code == -signal.SIGXFSZ:
        return file_fault(limits)
    # SIGKILL that this program did not send is the kernel's answer to a machine out of memory.
    out_of_memory = any(word in last_words for word in ("MemoryError", "bad_alloc", "Cannot allocate memory"))
    if return_code == -signal.SIGKILL or (return_code != 0 and out_of_memory):
        return memory_fault(limits)
    if return_code < 0:
        try:
            return crash_fault(signal.Signals(-return_code).name)
        except ValueError:
            return crash_fault(f"signal {-return_code}")
    return crash_fault(f"exit code {return_code}")


def failure_of(error: BaseException, limits: JobLimits) -> Failed:
    """Return what a child says about an exception that ended its work."""
    if isinstance(error, MemoryError):
        fault: CimError = memory_fault(limits)
    elif isinstance(error, CimError):
        fault = error
    elif isinstance(error, OSError) and error.errno == errno.EFBIG:
        fault = file_fault(limits)
    elif isinstance(error, OSError) and error.errno == errno.ENOMEM:
        fault = memory_fault(limits)
    elif isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        fault = StorageFull(f"The disk is full. {_UNCHANGED}", hint="Free some disk space and try again.")
    else:
        fault = crash_fault(type(error).__name__)
    return Failed(fault.problem_code, fault.message, fault.hint, fault.params)
