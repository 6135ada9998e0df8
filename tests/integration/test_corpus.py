"""Malformed files of every format: no crash, no hang, no memory over the limit, each a clear problem."""

import pytest

from cim.config import Settings
from cim.main import open_city, run_job
from ingest.readers.folder import ArchiveReader, FolderReader
from ingest.readers.mvt import MvtReader
from ingest.readers.registry import READERS, reader_for
from tests.support.corpus.formats import FORMATS, SEED, corpus, vector
from tests.support.corpus.harness import Outcome, run_cases
from tests.support.corpus.model import ANY, NOTICED, REFUSED, Case, bytes_of, generic, rewritten

CASES_MIN = 300
MUTATIONS_MIN = 15
THROUGH_A_JOB = ("citygml: cut at 40%", "flatgeobuf: cut at 70%", "vector tiles: empty", "gml: billion laughs",
                 "zip: a bomb", "zip: a member called ../out.geojson", "city.json: 10^6 nested arrays")  # fmt: skip
"""Cases that go through a whole job of a real city; the others differ in the child alone."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return list(corpus(tmp_path_factory.mktemp("corpus") / "good"))


def test_the_corpus_is_large_and_each_case_has_a_name(cases):
    told = [case for case in cases if case.expect != ANY]
    assert len(told) >= CASES_MIN
    assert len({case.name for case in cases}) == len(cases)


def test_every_reader_has_its_files_in_the_corpus(tmp_path):
    seen = set()
    for number, form in enumerate(FORMATS):
        place = tmp_path / str(number)
        place.mkdir()
        path = rewritten(form)(place)
        reader = reader_for(path)
        seen.add(reader.name)
        if isinstance(reader, FolderReader):
            seen.update(item.reader.name for item in reader.contents(path).items)
    assert {reader.name for reader in (*READERS, MvtReader(), FolderReader, ArchiveReader)} <= seen
    assert all(len(list(generic(form, SEED))) >= MUTATIONS_MIN for form in FORMATS)


def test_the_good_files_are_taken_in(tmp_path):
    sound = [Case(form.name, ANY, rewritten(form), crs=form.crs) for form in FORMATS]
    for outcome in run_cases(sound, tmp_path):
        assert outcome.fault is None, outcome
        assert outcome.told["error"] is None, outcome
        assert outcome.told["objects"] + outcome.told["others"] > 0


@pytest.mark.timeout(900)
def test_nothing_malformed_does_harm_or_goes_unsaid(cases, tmp_path):
    outcomes = run_cases(cases, tmp_path)
    assert len(outcomes) == len(cases)
    faults = {outcome.case.name: outcome.fault for outcome in outcomes if outcome.fault is not None}
    assert faults == {}


def test_the_harness_sees_what_it_is_for(tmp_path):
    faults = ("crash", "hang", "raise", "grow", "wordless", "silent")
    planted = [
        Case(fault, REFUSED if fault == "silent" else NOTICED, bytes_of("x", fault.encode())) for fault in faults
    ]
    planted.append(Case("refuse", REFUSED, bytes_of("x", b"refuse")))
    outcomes = {
        outcome.case.name: outcome.fault
        for outcome in run_cases(planted, tmp_path, entry="tests.support.corpus.child:planted", wall_s=9.0)
    }
    assert outcomes.pop("refuse") is None
    said = {
        "crash": "the process ended", "hang": "the process ended", "raise": "an error of the program's own: KeyError",
        "grow": "MiB", "wordless": "put aside without a word", "silent": "taken in",
    }  # fmt: skip
    assert set(outcomes) == set(said)
    for name, words in said.items():
        assert words in (outcomes[name] or ""), (name, outcomes[name])


def test_something_that_nobody_mentions_is_a_fault():
    quiet = {"error": None, "cpu_s": 0.1, "peak_mib": 1.0, "examples": [], "quarantined": 0, "findings": 0}
    case = Case("half a file", NOTICED, bytes_of("x", b""))
    assert "nothing was said" in (Outcome(case, {**quiet, "objects": 3, "others": 0}).fault or "")
    # Nothing in it at all: the parent refuses that as an empty source.
    assert Outcome(case, {**quiet, "objects": 0, "others": 0}).fault is None


@pytest.mark.timeout(600)
def test_the_city_stays_as_it_was(cases, tmp_path):
    data = tmp_path / "data"
    place = tmp_path / "good"
    place.mkdir()
    sound = vector(".geojson")(place)
    wanted = [case for case in cases if case.name in THROUGH_A_JOB]
    assert len(wanted) == len(THROUGH_A_JOB)
    with open_city(data, Settings(data=data)) as opened:
        taken = run_job(
            opened, "ingest", {"dataset": "city", "path": str(sound), "more": True}, "sound", lambda _: None
        )
        assert taken["state"] == "succeeded"
        before = opened.city.view.index
        opened.jobs.start()
        try:
            for number, case in enumerate(wanted):
                folder = tmp_path / str(number)
                folder.mkdir()
                params = {"dataset": "bad", "path": str(case.make(folder)), "source_crs": case.crs, "more": True}
                job = opened.jobs.run("ingest", params, title=case.name)
                assert job.state.value == "failed", case.name
                problem = job.error or {}
                assert problem["detail"], case.name
                assert problem["hint"], (case.name, problem)
                assert opened.city.baseline_version == 1
                assert opened.city.view.index is before
        finally:
            opened.jobs.stop()
