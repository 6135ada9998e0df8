"""An EPANET network is run from what the city has stored as it is from its file."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from cim.db.directory import DataDirectory
from cim.db.store import Database
from cim.errors import InvalidInput
from cim.networks.model import Network
from cim.networks.service import NetworkService, snapshot_of
from ingest.readers.epanet_rebuild import network_to_inp
from ingest.readers.registry import reader_for
from ingest.records import ReadContext

DAY_S = 86_400


def read(path: Path, crs: str) -> Network:
    records = reader_for(path).read(path, ReadContext("net", source_crs=crs))
    (network,) = [record for record in records if isinstance(record, Network)]
    return network


def stored(folder: Path, network: Network) -> Network:
    with DataDirectory(folder / "city") as directory:
        with Database.open(directory) as database:
            database.submit(lambda connection: snapshot_of(network)(connection, 1)).result()
        with Database.open(directory) as database:
            (back,) = NetworkService(database).networks(1)
    return back


@pytest.mark.reference
@pytest.mark.parametrize(("name", "crs"), [("Net3", "EPSG:32616"), ("ky4", "EPSG:3547")])
def test_what_is_stored_demands_and_delivers_what_the_file_does(reference, tmp_path, name, crs):
    path = reference / "networks" / f"{name}.inp"
    rebuilt = tmp_path / "rebuilt.inp"
    rebuilt.write_text(network_to_inp(stored(tmp_path, read(path, crs))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wntr

        ours, theirs = (wntr.network.WaterNetworkModel(str(file)) for file in (rebuilt, path))
        demands = [wntr.metrics.expected_demand(model, end_time=DAY_S) for model in (ours, theirs)]
        assert float(demands[1].sum().sum()) > 0
        np.testing.assert_allclose(demands[0][demands[1].columns], demands[1], rtol=1e-6, atol=1e-9)
        assert len(ours.control_name_list) == len(theirs.control_name_list)
        for model in (ours, theirs):
            model.options.time.duration = DAY_S
        heads = [
            wntr.sim.EpanetSimulator(model).run_sim(file_prefix=str(tmp_path / side)).node["head"]
            for side, model in (("ours", ours), ("theirs", theirs))
        ]
    np.testing.assert_allclose(heads[0][heads[1].columns], heads[1], atol=0.02)


def test_a_network_from_elsewhere_is_refused():
    with pytest.raises(InvalidInput) as refused:
        network_to_inp(Network("water", "water", "made", (), ()))
    assert refused.value.problem_code == "network-not-epanet"
