"""The city from a notebook: open it, branch it, edit it, read its indicators, compare schemes.

::

    from cim.client import open_city

    with open_city("http://127.0.0.1:8000", token="…") as city:
        scheme = city.branch("Lower tower")
        scheme.add_massing("tower", at=(24.9441, 60.1708), numbers={"storeys": 12})
        print(scheme.indicators())
"""

from cim.client.city import City, open_city
from cim.client.connection import CityProblem
from cim.client.job import Job, MergeReport, QualityReport, UndoOutlook
from cim.client.scheme import Scheme

__all__ = ["City", "CityProblem", "Job", "MergeReport", "QualityReport", "Scheme", "UndoOutlook", "open_city"]
