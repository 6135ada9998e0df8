"""``cim report``: has the running server's report page printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from cim.config import Settings
from cim.db.directory import DataDirectory
from cim.errors import InvalidInput, Unavailable
from cim.export import write_whole
from cim.handover import running_server
from cim.reports.model import check_wish, report_address
from cim.reports.service import Printer

DataOption = Annotated[
    Path | None, Parameter(name="--data", help="The city's data directory (CIM_DATA, else ./cim-data).")
]
NONE: Final = ""


def report(*, out: Path, schemes: str = NONE, lang: str = "en", token: str = NONE, data: DataOption = None) -> int:
    """Print the comparison of schemes to a PDF, by Chromium; a server has the city open.

    Example: cim report --out comparison.pdf --lang zh --data ./cim-data

    Args:
        out: A file that does not exist yet.
        schemes: Ids with commas between (default: all that are published).
        lang: Language of the report: en or zh.
        token: The planner token, for schemes that are not published.
        data: The data directory that the server owns.
    """
    settings = Settings() if data is None else Settings(data=data)
    if out.exists():
        raise InvalidInput(f"{out} exists already.", hint="Name a file that does not.", code="exists")
    names = check_wish([name.strip() for name in schemes.split(",") if name.strip()], lang)
    server = running_server(DataDirectory(settings.data))
    if server is None:
        raise Unavailable("No server has this city open.", hint="Start one: cim serve", code="no-server")
    printed = Printer(settings.chromium).print_pdf(report_address(server.server.address, names, lang, token))
    sys.stdout.write(f"{out}  {write_whole(out, [printed]) / 1e6:,.1f} MB\n")
    return 0
