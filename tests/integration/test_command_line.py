"""The command line as a user meets it: processes, exit codes, messages, bad input, crashes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.city_server import CityServer, environment, run_cim

CUBE = {
    "type": "CityJSON",
    "version": "2.0",
    "transform": {"scale": [0.001, 0.001, 0.001], "translate": [90_000.0, 436_000.0, 0.0]},
    "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/28992"},
    "CityObjects": {
        "cube": {
            "type": "Building",
            "attributes": {"yearOfConstruction": 1931},
            "geometry": [
                {
                    "type": "Solid",
                    "lod": "1",
                    "boundaries": [
                        [
                            [[3, 2, 1, 0]],
                            [[4, 5, 6, 7]],
                            [[0, 1, 5, 4]],
                            [[1, 2, 6, 5]],
                            [[2, 3, 7, 6]],
                            [[3, 0, 4, 7]],
                        ]
                    ],
                }
            ],
        }
    },
    "vertices": [[x, y, z] for z in (0, 9000) for x, y in ((0, 0), (8000, 0), (8000, 8000), (0, 8000))],
}


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def baseline(data: Path) -> int:
    with CityServer(data) as server:
        return int(server.get("/api/v1/health").json()["baseline_version"])


@pytest.fixture
def cube_city(tmp_path: Path) -> Path:
    data = tmp_path / "city"
    done = run_cim("ingest", str(write(tmp_path / "cube.city.json", CUBE)), "--data", str(data))
    assert done.returncode == 0, done.stderr
    return data


def test_a_city_of_ones_own(cube_city: Path) -> None:
    with CityServer(cube_city) as server:
        card = server.get("/api/v1/objects/cube:cube").json()
        facts = {fact["name"]: fact["value"] for fact in card["attributes"]}
        assert facts["year_of_construction"] == 1931
        assert facts["height_m"] == pytest.approx(9.0, abs=0.01)
        assert server.get("/tiles/base/tileset.json").json()["asset"]["version"] == "1.1"
        assert server.stop() == 0
        server.start()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.city.json", b""),
        ("truncated.city.json", json.dumps(CUBE).encode()[:-60]),
        ("photo.city.json", b"\xff\xd8\xff\xe0" + bytes(4000)),
        ("no-crs.city.json", json.dumps({**CUBE, "metadata": {}}).encode()),
        ("odd-crs.city.json", json.dumps({**CUBE, "metadata": {"referenceSystem": "EPSG:999999"}}).encode()),
        ("city.osm.pbf", b"not a pbf at all" * 400),
        ("deep.city.json", b'{"type":"CityJSON","x":' + b"[" * 200_000),
    ],
)
def test_a_wrong_file_leaves_the_city_as_it_was(cube_city: Path, tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = run_cim("ingest", str(path), "--data", str(cube_city))
    assert done.returncode == 1
    assert done.stderr.startswith("cim: ")
    assert "Traceback" not in done.stderr + done.stdout
    assert "(" in done.stderr.splitlines()[-1], "the code is said"
    assert baseline(cube_city) == 1


def test_one_wrong_feature_is_put_aside_and_the_rest_goes_in(tmp_path: Path) -> None:
    document = json.loads(json.dumps(CUBE))
    document["CityObjects"]["far"] = json.loads(json.dumps(CUBE["CityObjects"]["cube"]))  # type: ignore[index]
    document["CityObjects"]["far"]["geometry"][0]["boundaries"][0][0] = [[9, 2, 1, 0]]
    document["vertices"].append([10**15, 0, 0])
    data = tmp_path / "city"
    done = run_cim("ingest", str(write(tmp_path / "two.city.json", document)), "--data", str(data))
    assert done.returncode == 0, done.stderr
    assert "added 1" in done.stdout
    assert "quarantined 1" in done.stdout


def test_a_file_of_wrong_features_alone_says_what_is_wrong(tmp_path: Path) -> None:
    text = json.dumps(CUBE).replace("[8000, 8000, 9000]", "[NaN, 8000, 9000]")
    source = tmp_path / "nan.city.json"
    source.write_text(text, encoding="utf-8")
    done = run_cim("ingest", str(source), "--data", str(tmp_path / "city"))
    assert done.returncode == 1
    assert "The city is unchanged" in done.stderr
    assert "Features put aside: 1; the commonest reason: coordinate-absurd." in done.stderr


@pytest.mark.parametrize(
    "arguments", [["ingest"], ["nonsense"], ["serve", "--port", "many"], ["ingest", "a", "b", "--dataset", "x"]]
)
def test_wrong_use_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    done = run_cim(*arguments, *(["--data", str(tmp_path)] if arguments[0] != "nonsense" else []))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--working-crs", "EPSG:4326", "working-crs"),
        ("--crs", "EPSG:0", "unknown-crs"),
        ("--time-zone", "Mars", "time-zone"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_is_kept(
    tmp_path: Path, option: str, value: str, code: str
) -> None:
    data = tmp_path / "city"
    file = write(tmp_path / "cube.city.json", CUBE)
    done = run_cim("ingest", str(file), "--data", str(data), option, value)
    assert done.returncode == 1
    assert f"({code})" in done.stderr
    assert run_cim("ingest", str(file), "--data", str(data)).returncode == 0


def test_a_city_of_networks_alone_needs_no_tiles(tmp_path: Path) -> None:
    (tmp_path / "two.inp").write_text(
        "[JUNCTIONS]\n1 10 1\n2 10 1\n[RESERVOIRS]\n3 50\n[PIPES]\n11 1 2 100 200 100\n12 3 1 100 200 100\n"
        "[OPTIONS]\nUNITS LPS\nHEADLOSS H-W\n"
        "[COORDINATES]\n1 500000 4400000\n2 500100 4400000\n3 499900 4400000\n[END]\n"
    )
    data = tmp_path / "city"
    done = run_cim("ingest", str(tmp_path / "two.inp"), "--data", str(data), "--crs", "EPSG:32616")
    assert done.returncode == 0, done.stderr
    with CityServer(data) as server:
        links = server.get("/ogc/collections/water-links/items").json()
        assert links["numberMatched"] == 2
        assert "buildings" not in [layer["id"] for layer in server.get("/api/v1/views/explore.json").json()["layers"]]


def test_ctrl_c_while_it_starts_shows_no_stack(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cim", "serve", "--data", str(tmp_path / "city")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    assert process.returncode in (0, 130, -signal.SIGINT), "the last: Python itself was not up yet"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    done = run_cim("ingest", str(tmp_path / "no.city.json"), "--data", str(tmp_path / "city"))
    assert done.returncode == 1
    assert "There is no file" in done.stderr
    assert not (tmp_path / "city").exists()


def test_a_port_in_use_is_said(cube_city: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_cim("serve", "--data", str(cube_city), "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "--port 0" in done.stderr


def test_the_demo_takes_another_port_where_nobody_asked_for_one(sample_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "city"
    shutil.copytree(sample_data, data)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        with CityServer(data, command=("demo",)) as server:
            assert not server.address.endswith(":8000")
            assert server.get("/api/v1/health").json()["baseline_version"] == 1


def test_a_second_server_is_refused_with_the_first_ones_address(cube_city: Path) -> None:
    with CityServer(cube_city) as server:
        assert server.process is not None
        done = run_cim("serve", "--data", str(cube_city), "--port", "0")
        assert done.returncode == 1
        assert str(server.process.pid) in done.stderr
        assert server.address in done.stderr


def test_a_running_server_takes_the_file_over(cube_city: Path, tmp_path: Path) -> None:
    document = json.loads(json.dumps(CUBE))
    document["CityObjects"]["cube"]["attributes"]["yearOfConstruction"] = 1999
    with CityServer(cube_city) as server:
        done = run_cim("ingest", str(write(tmp_path / "cube.city.json", document)), "--data", str(cube_city))
        assert done.returncode == 0, done.stderr
        assert "changed 1" in done.stdout
        card = server.get("/api/v1/objects/cube:cube").json()
        assert {"name": "year_of_construction", "value": 1999}.items() <= next(
            fact for fact in card["attributes"] if fact["name"] == "year_of_construction"
        ).items()
        token = json.loads((cube_city / "server.json").read_text())
        assert (cube_city / "server.json").stat().st_mode & 0o777 == 0o600
        assert token["token"] not in done.stdout + done.stderr


def test_writing_over_http_needs_the_token(cube_city: Path) -> None:
    import httpx

    with CityServer(cube_city) as server:
        answer = httpx.post(f"{server.address}/api/v1/jobs", json={"kind": "sample"}, trust_env=False)
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


_INTERRUPTED_WHEN_LOADING = """
import os, signal, sys

library = sys.argv.pop(1)

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == library:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from cim.__main__ import main
main()
"""


@pytest.mark.parametrize("library", ["duckdb", "pandas", "pandas._libs.tslibs"])
def test_an_interrupt_while_a_library_loads_leaves_nothing_half_done(tmp_path: Path, library: str) -> None:
    data = tmp_path / "city"
    ended = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_WHEN_LOADING, library, "sample", "--data", str(data)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
    assert not data.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("delay_s", [0.3, 1.5, 3.0])
def test_an_interrupted_ingest_rolls_back_or_is_whole(tmp_path: Path, how: signal.Signals, delay_s: float) -> None:
    data = tmp_path / "city"
    process = subprocess.Popen(
        [sys.executable, "-m", "cim", "sample", "--data", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    time.sleep(delay_s)
    process.send_signal(how)
    process.wait(60)
    with CityServer(data) as server:
        found = server.get("/api/v1/health").json()["baseline_version"]
        assert found in (0, 1)
        jobs = server.get("/api/v1/jobs").json()["items"]
        ends = {"cancelled", "interrupted", "succeeded", "queued", "running"}
        assert [job for job in jobs if job["state"] not in ends] == []
        if found:
            assert server.get("/api/v1/city").json()["counts"]["Building"] == 446
        else:
            assert server.get("/api/v1/city").status_code == 503
    again = run_cim("sample", "--data", str(data))
    assert again.returncode == 0, again.stderr
    assert run_cim("tiles", "verify", "--data", str(data)).returncode == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m", "cim-test", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a test mount a disk")
    try:
        data = disk / "city"
        first = run_cim("ingest", str(write(tmp_path / "cube.city.json", CUBE)), "--data", str(data))
        assert first.returncode == 0, first.stderr
        (disk / "ballast").write_bytes(bytes(60_000_000))
        done = run_cim("sample", "--data", str(data))
        assert done.returncode == 1
        assert "MB" in done.stderr
        assert "Traceback" not in done.stderr + done.stdout
        (disk / "ballast").unlink()
        assert baseline(data) == 1
    finally:
        subprocess.run(["umount", str(disk)], check=True)
