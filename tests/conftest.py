"""What tests share: where reference data and Chromium are, one sample city, one running server.

A test that needs something that cannot be had here skips and says how to get it; with
``CIM_TESTS_COMPLETE=1`` (as the continuous integration sets) a missing Chromium fails instead.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.city_server import CityServer, run_cim

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "data"
CHROMIUM_HINT = "Browser tests need Chromium: apt-get install -y --no-install-recommends chromium fonts-noto-cjk"


def pytest_configure() -> None:
    """Hear Ctrl-C: a shell starts what runs in its background deaf to it, and children would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last: Playwright keeps an event loop running, which tests of our own loops cannot have."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


def chromium_path() -> str | None:
    """Return the browser that tests drive, ``None`` where there is none."""
    return os.environ.get("CIM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data sets beside the checkout."""
    if not REFERENCE.is_dir():
        pytest.skip("The reference data sets are not beside the checkout.")
    return REFERENCE


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    found = chromium_path()
    if found is None:
        if os.environ.get("CIM_TESTS_COMPLETE"):
            pytest.fail(CHROMIUM_HINT)
        pytest.skip(CHROMIUM_HINT)
    return found


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sample city, built once by the command line; not to be written to."""
    data = tmp_path_factory.mktemp("sample") / "cim-data"
    done = run_cim("sample", "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    return data


@pytest.fixture
def own_sample(sample_data: Path, tmp_path: Path) -> Path:
    """A copy of the sample city that a test may change."""
    copy = tmp_path / "cim-data"
    shutil.copytree(sample_data, copy)
    return copy


@pytest.fixture(scope="session")
def sample_server(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityServer]:
    """A running server over a copy of the sample city, shared by tests that only look."""
    copy = tmp_path_factory.mktemp("served") / "cim-data"
    shutil.copytree(sample_data, copy)
    with CityServer(copy) as server:
        yield server
