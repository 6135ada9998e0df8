"""The refusal of a broken file."""

from pathlib import Path

from cim.errors import InvalidInput
from ingest.readers.damage import damaged


def test_a_broken_file_is_refused_by_its_name_not_by_its_path() -> None:
    error = damaged(Path("/a/secret/place/roofs.las"))
    assert isinstance(error, InvalidInput)
    assert error.problem_code == "file-damaged"
    assert error.message == "roofs.las is truncated or damaged; nothing of it was taken in."
    assert error.hint
    assert error.params == {"file": "roofs.las"}


def test_what_is_broken_within_and_why_is_said() -> None:
    error = damaged(Path("feed.zip"), "has no rows", hint="Write it anew.", within="stops.txt")
    assert error.message == "stops.txt of feed.zip has no rows; nothing of it was taken in."
    assert error.hint == "Write it anew."
