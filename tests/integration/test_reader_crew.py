"""A large stream gives the same whoever decodes it, and says so when one of those who do is gone."""

import multiprocessing
import os
import signal

import orjson
import pyarrow as pa
import pytest

from cim.city.rows import ObjectRows
from cim.errors import LimitExceeded
from cim.jobs.faults import failure_of
from cim.jobs.model import JobLimits
from cim.quality.codes import Criteria, Policy
from cim.quality.inspector import Inspector
from ingest.columns import gather
from ingest.prepared import ObjectBatch, Preparation
from ingest.readers import cityjson_seq
from ingest.readers.registry import reader_for
from ingest.records import ReadContext
from tests.support.made_cityjson import write_stream
from tiles.crew import Crew

BUILDINGS = 240


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(cityjson_seq, "BATCH_OBJECTS", 16)
    monkeypatch.setattr(cityjson_seq, "BATCH_BYTES", 16_000)
    monkeypatch.setattr(cityjson_seq, "CREW_BYTES_MIN", 0)


def awkward_stream(path):
    """Write a stream with families across batches, ids that come again, and every fault of a line or a geometry."""
    write_stream(path, BUILDINGS)
    head, *features = map(orjson.loads, path.read_bytes().splitlines())
    for number in range(0, BUILDINGS, 9):
        # A parent without geometry, far before its parts or far behind them.
        parts = [f"b{number}", f"b{(number + 100) % BUILDINGS}"]
        parent = {"type": "Building", "children": parts, "attributes": {"name": f"P{number}"}}
        features[(number * 7) % BUILDINGS]["CityObjects"][f"parent{number}"] = parent
        for part in parts:
            features[int(part[1:])]["CityObjects"][part] |= {"type": "BuildingPart", "parents": [f"parent{number}"]}
    features[150]["CityObjects"]["b3"] = features[3]["CityObjects"]["b3"]
    features[151]["CityObjects"]["b140"] = features[140]["CityObjects"]["b140"]
    features[60]["CityObjects"]["b60"]["geometry"][0]["boundaries"][0][0][0][0] = 999
    features[61]["CityObjects"]["b61"]["geometry"][0]["semantics"]["values"] = [[7]]
    features[62]["vertices"][0] = [1, 2]
    features[63]["vertices"][5][2] += 4_000
    features[64]["appearance"] = {}
    lines = [orjson.dumps(one) for one in (head, *features)]
    lines[80] = b'{"type": "Feature"}'
    lines[81] = b"{"
    path.write_bytes(b"\n".join(lines) + b"\n")


def pieces(path, workers, policy=Policy.KEEP):
    def told(piece):
        return (piece.objects, piece.geometries) if isinstance(piece, ObjectBatch) else piece

    with Crew(workers) as crew:
        criteria = Criteria(policy, year_now=2026)
        records = reader_for(path).read(path, ReadContext("t", crew=crew, prepare=Preparation(criteria)))
        return [told(piece) for piece in gather(records, Inspector(criteria))]


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("large_bytes", [cityjson_seq.LARGE_BYTES_MIN, 17_000, 0])
def test_several_processes_give_what_one_gives(tmp_path, monkeypatch, large_bytes, policy):
    monkeypatch.setattr(cityjson_seq, "LARGE_BYTES_MIN", large_bytes)
    path = tmp_path / "a.city.jsonl"
    awkward_stream(path)
    alone, several = pieces(path, 1, policy), pieces(path, 2, policy)
    assert alone == several
    batches = [piece for piece in alone if isinstance(piece, tuple)]
    ids = pa.concat_tables([pa.table({"id": objects["id"]}) for objects, _ in batches])["id"].to_pylist()
    faults = {piece.feature: piece.code for piece in alone if type(piece).__name__ == "Quarantined"}
    expected = {"b3": "id-twice", "b60": "vertex-missing", "line 81": "structure", "line 82": "json-damaged"}
    assert expected.items() <= faults.items()
    assert "t:parent0" in ids
    assert ids.count("t:b3") == 1


def test_a_file_that_is_cut_ends_with_the_same_error(tmp_path):
    path = tmp_path / "a.city.jsonl"
    write_stream(path, BUILDINGS)
    path.write_bytes(path.read_bytes()[:-40])
    said = []
    for workers in (1, 2):
        with pytest.raises(Exception, match="truncated") as error:
            pieces(path, workers)
        said.append((type(error.value), error.value.as_problem()))
    assert said[0] == said[1]


@pytest.mark.parametrize("most", [3, 10_000])
def test_batches_are_cut_between_lines_and_bounded_both_ways(tmp_path, monkeypatch, most):
    monkeypatch.setattr(cityjson_seq, "BATCH_OBJECTS", most)
    monkeypatch.setattr(cityjson_seq, "BATCH_BYTES", 5_000)
    path = tmp_path / "a.city.jsonl"
    write_stream(path, BUILDINGS)
    with path.open("rb") as file:
        head = file.readline()
        batches = list(cityjson_seq._line_batches(file))
    lines = path.read_bytes().split(b"\n")
    longest = max(map(len, lines)) + 1
    assert b"".join([head, *(batch.text for batch in batches)]) == path.read_bytes()
    assert all(batch.text.count(b"\n") <= most and len(batch.text) < 5_000 + longest for batch in batches)
    for batch in batches:
        assert batch.text.startswith(lines[batch.first - 1] + b"\n")


def test_a_line_beyond_the_limit_ends_the_reading_with_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr(cityjson_seq, "FEATURE_BYTES_MAX", 20_000)
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 40)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[30] = b'{"type": "CityJSONFeature", "id": "' + b"x" * 20_000 + b'"}\n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(LimitExceeded, match="line 31 ") as error:
        pieces(path, 1)
    assert error.value.params["limit"] == "FEATURE_BYTES_MAX"


def test_a_process_that_is_killed_ends_the_reading(tmp_path):
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 40 * 16)
    with Crew(2) as crew:
        records = reader_for(path).read(path, ReadContext("t", crew=crew))
        next(record for record in records if isinstance(record, ObjectRows))
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(Exception, match="terminated") as error:
            list(records)
    assert failure_of(error.value, JobLimits()).code == "job-child-crashed"
    assert multiprocessing.active_children() == []


def test_a_small_file_starts_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(cityjson_seq, "CREW_BYTES_MIN", 1_000_000)
    path = tmp_path / "a.city.jsonl"
    write_stream(path, 40)
    with Crew(2) as crew:
        assert list(reader_for(path).read(path, ReadContext("t", crew=crew)))
        assert multiprocessing.active_children() == []
