"""Lines that refer to one another: circles and endless chains are refused before anybody follows them."""

from pathlib import Path

import pytest

from cim.errors import InvalidInput, LimitExceeded
from ingest.readers.ifc_references import REFERENCES_DEPTH_MAX, check_references


def written(folder: Path, *lines: str) -> Path:
    path = folder / "m.ifc"
    path.write_text("\n".join(("ISO-10303-21;", *lines)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lines", "inside"),
    [
        (["#1=A(#1);"], {"#1"}),
        (["#1=A(#2);", "#2=A(#3);", "#3=A(#2);"], {"#2", "#3"}),
        (["#9 = A($,(#8,\n#7));", "#7=A();", "#8=A(#9);"], {"#8", "#9"}),
    ],
)
def test_a_circle_is_refused_and_one_of_its_lines_is_named(tmp_path: Path, lines: list[str], inside: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_references(written(tmp_path, *lines))
    assert caught.value.problem_code == "ifc-circle"
    assert caught.value.message.split("at ")[1].split(";")[0] in inside


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["#1=A(#2,#2);", "#2=A(#3);", "#3=A($);", "#4=A(#1,#3,#99);"],
        ["#1=A('#1 is ''#1''');", "/* #2=A(#2); */", "#2=A(#1);"],
    ],
)
def test_what_can_be_followed_is(tmp_path: Path, lines: list[str]) -> None:
    check_references(written(tmp_path, *lines))


def test_a_chain_may_be_long_and_not_endless(tmp_path: Path) -> None:
    def chain(count: int) -> list[str]:
        return [f"#{n}=A(#{n + 1});" for n in range(1, count)]

    check_references(written(tmp_path, *chain(REFERENCES_DEPTH_MAX)))
    with pytest.raises(LimitExceeded) as caught:
        check_references(written(tmp_path, *chain(REFERENCES_DEPTH_MAX + 1)))
    assert caught.value.params["limit"] == "REFERENCES_DEPTH_MAX"
