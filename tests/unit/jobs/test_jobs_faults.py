from __future__ import annotations

import errno
import signal

import pytest

from cim.errors import CimError, InvalidInput
from cim.jobs.faults import explain_exit, failure_of
from cim.jobs.model import JobLimits

LIMITS = JobLimits(memory_bytes=512 * 1024**2, cpu_s=60)


@pytest.mark.parametrize(
    ("return_code", "last_words", "code"),
    [
        (-signal.SIGXCPU, "", "job-time-limit"),
        (-signal.SIGXFSZ, "", "job-file-limit"),
        (-signal.SIGKILL, "", "job-memory-limit"),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", "job-memory-limit"),
        (1, "MemoryError", "job-memory-limit"),
        (0, "MemoryError was caught", "job-child-crashed"),
        (-signal.SIGABRT, "", "job-child-crashed"),
        (-signal.SIGSEGV, "", "job-child-crashed"),
        (-200, "", "job-child-crashed"),
        (0, "", "job-child-crashed"),
        (3, "", "job-child-crashed"),
    ],
)
def test_a_silent_end_is_explained(return_code: int, last_words: str, code: str) -> None:
    error = explain_exit(return_code, last_words, LIMITS)
    assert error.problem_code == code
    assert error.hint
    assert "as it was" in error.message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "job-memory-limit"),
        (OSError(errno.ENOMEM, "x"), "job-memory-limit"),
        (OSError(errno.EFBIG, "x"), "job-file-limit"),
        (OSError(errno.ENOSPC, "x"), "storage-full"),
        (OSError(errno.EACCES, "/secret/path"), "job-child-crashed"),
        (ValueError("/secret/path"), "job-child-crashed"),
        (RecursionError(), "job-child-crashed"),
        (InvalidInput("Truncated.", hint="Get it again.", byte=3), "invalid-input"),
    ],
)
def test_an_exception_becomes_a_problem_without_its_text(error: Exception, code: str) -> None:
    failed = failure_of(error, LIMITS)
    assert failed.code == code
    assert "/secret/path" not in repr(failed)
    raised = failed.as_error()
    assert isinstance(raised, CimError)
    assert raised.problem_code == code
    assert (raised.message, raised.hint, raised.params) == (failed.message, failed.hint, dict(failed.params))


def test_a_limit_is_named_with_its_value() -> None:
    error = explain_exit(-signal.SIGXCPU, "", LIMITS)
    assert error.params == {"limit": "cpu_s", "value": 60}
