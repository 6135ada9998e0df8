"""What the child processes of the scheme tests do; each is killed by its test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cim.accounts.model import Who
from tests.support.scheme_city import X, Y, opened

TREES = 5


def edit_forever(path: Path) -> None:
    """Plant trees, five an edit, take some back, merge; print every acknowledged edit, until killed."""
    with opened(path) as planned:
        found = planned.schemes.shelf.actors()
        scheme = found[0].scheme.id if found else planned.branch()
        side = found[1].scheme.id if len(found) > 1 else planned.branch("Side")
        os.write(1, f"{scheme} {side}\n".encode())
        number = planned.head(scheme)
        while True:
            number += 1
            places = [[X + number % 300, Y + 80 + n] for n in range(TREES)]
            done = planned.edit(scheme, "tree.add", places=places)
            os.write(1, f"{scheme} {done.edit.sequence} {done.edit.kind}\n".encode())
            if number % 3 == 0:
                done = planned.schemes.undo(scheme, Who("Mei"))
                os.write(1, f"{scheme} {done.edit.sequence} {done.edit.kind}\n".encode())
            if number % 5 == 0:
                planned.edit(side, "tree.add", places=places)
                merged = planned.joining.merge(scheme, side, Who("Olli")).done
                assert merged is not None
                os.write(1, f"{scheme} {merged.edit.sequence} {merged.edit.kind}\n".encode())


if __name__ == "__main__":
    edit_forever(Path(sys.argv[1]))
