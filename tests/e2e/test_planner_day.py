"""A planner's day in a real browser: from the branch to the published scheme, and a resident who looks at it.

The steps follow each other in one test, on a city of their own.  ``CIM_DAY_PICTURES=folder`` has each step
drawn in both languages; a normal run draws none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE
from tests.support.city_server import CityServer, run_cim
from tests.support.planner import Drafts, Planner

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

DESK = {"width": 1280, "height": 720}
TOWER = ((565, 400), (650, 400), (655, 445), (560, 445))
GREEN = ((560, 500), (640, 500), (600, 540))


def draw_a_tower(planner: Planner, drafts: Drafts) -> str:
    planner.key("d")
    planner.fill("draw-storeys", "19", enter=True)
    planner.corners(TOWER)
    planner.snap("02-drawing")
    planner.key("Enter")
    (edit,) = planner.logged(1)
    tower = drafts.objects(planner.scheme)[edit["targets"][0]]
    assert (tower["change"], len(tower["storeys"])) == ("added", 19)
    assert tower["height_m"] == pytest.approx(19 * 3.2)
    assert drafts.read(f"/schemes/{planner.scheme}")["head"] == 1
    planner.page.get_by_test_id("inspector").wait_for()
    return str(tower["id"])


def see_a_neighbour_lose_its_sun(planner: Planner, drafts: Drafts) -> None:
    numbers = planner.readings(1)
    assert numbers["light.neighbours_losing"] > 0
    losers = drafts.losers(planner.scheme)
    assert max(losers.values()) > 0.5
    planner.page.locator(".numbers .more-row button").click()
    row = planner.row("light.neighbours_losing")
    assert f"{numbers['light.neighbours_losing']:.0f}" in row
    planner.snap("03-sun-gone")


def lower_it(planner: Planner, drafts: Drafts, tower: str) -> None:
    before = drafts.losers(planner.scheme)
    planner.key("p")
    planner.fill("push-height", "12.8", enter=True)
    planner.logged(2)
    assert drafts.objects(planner.scheme)[tower]["height_m"] == pytest.approx(12.8)
    planner.readings(2)
    after = drafts.losers(planner.scheme)
    assert sum(after.values()) < sum(before.values()), "what a lower house takes is less"

    x, y = planner.evaluate("app.map.screenPositionOf(argument)", tower)
    y += planner.evaluate("document.querySelector('.city-map-canvas').getBoundingClientRect().top")
    mouse = planner.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 6):
        mouse.move(x, y - 12 * step)
        planner.page.wait_for_timeout(150)
    planner.snap("04-pulling")
    mouse.up()
    log = planner.logged(3)
    pulled = drafts.objects(planner.scheme)[tower]
    assert pulled["height_m"] > 12.8
    assert pulled["height_m"] / 3.2 == pytest.approx(round(pulled["height_m"] / 3.2)), "whole storeys"
    planner.until("app.planned.sending === 0")
    assert log[-1]["kind"] == "building.height"


def close_a_street(planner: Planner, drafts: Drafts) -> None:
    count = len(drafts.edits(planner.scheme))
    planner.key("Escape", "r")
    planner.press("street-nearest")
    planner.press("street-close")
    edit = planner.logged(count + 1)[-1]
    assert edit["kind"] == "street.close"
    assert drafts.objects(planner.scheme)[edit["targets"][0]]["properties"]["closed"] is True
    planner.page.locator(".toolcard .tag.fail").wait_for()
    planner.snap("05-street-closed")


def paint_a_park(planner: Planner, drafts: Drafts) -> None:
    count = len(drafts.edits(planner.scheme))
    planner.key("Escape", "k")
    planner.corners(GREEN)
    planner.key("Enter")
    park = planner.logged(count + 1)[-1]["targets"][0]
    assert drafts.objects(planner.scheme)[park]["type"] == "PlantCover"
    planner.snap("06-park")
    planner.key("Control+z")
    planner.logged(count + 2)
    assert park not in drafts.objects(planner.scheme)
    planner.page.locator("[data-state=undone]").first.wait_for()
    planner.key("Control+Shift+z")
    planner.logged(count + 3)
    assert park in drafts.objects(planner.scheme)
    assert planner.page.locator("[data-state=undone]").count() == 0


def compare_with_the_base(planner: Planner) -> None:
    planner.press("compare")
    handle = planner.page.get_by_test_id("swipe-handle")
    handle.wait_for()
    planner.until("app.map.left?.isIdle && app.map.right.isIdle", 150)
    before = int(handle.get_attribute("aria-valuenow") or "0")
    handle.focus()
    planner.key("ArrowLeft", "Shift+ArrowRight")
    planner.until("document.querySelector('[data-testid=swipe-handle]').ariaValueNow === argument", 20, f"{before + 9}")
    assert planner.page.locator(".cmp-name").count() == 2
    planner.snap("07-swipe")
    planner.press("compare-table")
    planner.page.locator(".ctable tbody tr").first.wait_for()
    assert planner.page.locator(".ctable thead th").count() >= 3
    planner.snap("08-table")
    planner.press("compare")


def plan_together(planner: Planner, colleague: Planner, drafts: Drafts) -> None:
    """Somebody else enters the token and a name, and edits the same scheme."""
    server = drafts.server
    colleague.plan(server.address, query=f"&scheme={planner.scheme}")
    colleague.press("token-open")
    colleague.fill("field-token", drafts.token)
    colleague.fill("field-author", "Mei")
    colleague.press("confirm")
    colleague.until("app.planned.token !== null && app.planned.log.state === 'ready'")
    count = len(drafts.edits(planner.scheme))
    colleague.key("t")
    colleague.press("tree-middle")
    assert colleague.logged(count + 1)[-1]["kind"] == "tree.add"
    seen = planner.logged(count + 1)[-1]
    assert (seen["kind"], seen["author"]) == ("tree.add", "Mei")
    planner.page.get_by_test_id(f"edit-{seen['sequence']}").get_by_text("Mei").wait_for()
    planner.until("document.querySelector('[data-testid=people]')?.innerText.includes('Mei')")
    planner.snap("09-together")


def meet_a_conflict(planner: Planner, drafts: Drafts, tower: str) -> None:
    """One edit that was made on what no longer is: shown with both sides, and nothing is written over."""
    planner.key("Escape")
    planner.evaluate("(app.plan.city.select({ kind: 'object', id: argument }), true)", tower)
    planner.page.get_by_test_id("ins-storeys").wait_for()
    planner.evaluate("(app.plan.live.stop(), true)")  # Her line is slow: she does not see it in time.
    drafts.write(
        f"/schemes/{planner.scheme}/edits",
        {"kind": "building.storeys", "target": tower, "params": {"count": 7, "storey_height_m": 3.2, "use": "office"}},
    )
    planner.fill("ins-storeys", "9", enter=True)
    dialog = planner.page.get_by_test_id("dialog-conflict")
    dialog.wait_for()
    assert "7 storeys" in dialog.inner_text()
    assert "9 storeys" in dialog.inner_text()
    planner.snap("10-conflict")
    assert len(drafts.objects(planner.scheme)[tower]["storeys"]) == 7
    planner.press("keep-theirs")
    dialog.wait_for(state="detached")
    assert len(drafts.objects(planner.scheme)[tower]["storeys"]) == 7


def merge_a_branch(planner: Planner, drafts: Drafts, tower: str) -> None:
    """A colleague's branch wants the tower higher, this one lower: both are shown, one is chosen."""
    scheme = planner.scheme
    other = drafts.write("/schemes", {"name": "Mei's version", "parent": scheme})["id"]
    drafts.write(f"/schemes/{other}/edits", {"kind": "building.height", "target": tower, "params": {"height_m": 38.4}})
    drafts.write(f"/schemes/{scheme}/edits", {"kind": "building.height", "target": tower, "params": {"height_m": 16.0}})
    planner.plan(drafts.server.address, query=f"&scheme={scheme}")
    planner.until("app.planned.log.state === 'ready'")
    planner.press("more")
    planner.press("menu-merge")
    planner.page.get_by_test_id("merge-from").select_option(other)
    planner.press("confirm")
    planner.page.get_by_test_id("conflict").first.wait_for()
    assert planner.page.get_by_test_id("confirm").is_disabled(), "nothing is written before a side is chosen"
    assert drafts.objects(scheme)[tower]["height_m"] == pytest.approx(16.0)
    planner.snap("11-merge")
    for choice in planner.page.get_by_test_id("theirs").all():
        choice.check()
    planner.press("confirm")
    planner.page.get_by_test_id("dialog-merge").wait_for(state="detached")
    assert drafts.objects(scheme)[tower]["height_m"] == pytest.approx(38.4)
    assert drafts.edits(scheme)[-1]["kind"] == "merge"


def print_it(planner: Planner, drafts: Drafts, folder: Path) -> None:
    scheme = planner.scheme
    page = planner.page
    page.goto(f"{drafts.server.address}/plan/report?schemes=base,{scheme}&lang=en", wait_until="domcontentloaded")
    planner.until("document.documentElement.dataset.ready === 'true'", 240)
    assert "Tall corner" in page.locator("main").inner_text()
    assert page.locator("figure img").count() == 2
    assert page.locator("tbody tr").count() > 20
    if planner.pictured:
        page.screenshot(path=planner.pictured / "12-report.png", full_page=True)
    out = folder / "comparison.pdf"
    arguments = ("--out", str(out), "--schemes", scheme, "--token", drafts.token, "--data", str(drafts.server.data))
    done = run_cim("report", *arguments, timeout_s=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert out.read_bytes().startswith(b"%PDF-")


def publish(planner: Planner, drafts: Drafts, scheme: str) -> None:
    planner.plan(drafts.server.address, query=f"&scheme={scheme}")
    planner.until("app.planned.log.state === 'ready'")
    planner.press("publish")
    planner.snap("13-publish")
    planner.press("confirm")
    planner.page.get_by_test_id("dialog-publish").wait_for(state="detached")
    told = drafts.server.get(f"/api/v1/schemes/{scheme}")
    assert told.status_code == 200, "everybody can see it"
    assert (told.json()["state"], told.json()["version"]) == ("published", 1)


def visit_by_phone(resident: Planner, server: CityServer, scheme: str) -> None:
    resident.visit(server.address, "/explore?quality=fast&lang=en&theme=light&off=sensors,trees")
    letter = server.get(f"/api/v1/schemes/{scheme}").json()["letter"]
    page = resident.page
    resident.snap("20-phone-opens")
    page.get_by_test_id(f"chip-{letter}").tap()
    page.get_by_test_id("sheet-grip").tap()
    card = page.locator("button.sch.large[aria-pressed=true]")
    card.get_by_text("Tall corner").wait_for()
    resident.until("/storey/.test(document.querySelector('button.sch.large[aria-pressed=true]').innerText)", 60)
    resident.snap("21-phone-card")
    page.get_by_test_id("compare-now").tap()
    page.get_by_test_id("swipe-handle").wait_for()
    resident.until("document.querySelectorAll('.city-map-canvas').length === 2")
    resident.snap("22-phone-before-after")
    page.locator("#tab-numbers").tap()
    page.get_by_test_id("in-short").get_by_text("new building").first.wait_for()
    page.get_by_test_id("reading-people.dwellings").wait_for()
    resident.snap("23-phone-numbers")
    tour_of_the_towers(resident)
    resident.visit(server.address, "/table?set=schemes&lang=en")
    page.get_by_test_id("schemes-table").wait_for()
    assert page.locator("thead th").get_by_text("Tall corner").count() == 1
    resident.snap("25-phone-table")


def tour_of_the_towers(resident: Planner) -> None:
    """The sample's schemes come with a tour."""
    page = resident.page
    page.get_by_test_id("chip-C").tap()
    page.get_by_test_id("tour-start").tap()
    page.get_by_test_id("tour").get_by_text("1 of 2").wait_for()
    page.get_by_test_id("tour-next").tap()
    page.get_by_test_id("tour").get_by_text("2 of 2").wait_for()
    resident.snap("24-phone-tour")
    page.get_by_test_id("tour-end").tap()


def test_a_planners_day(opened: Callable[..., Page], own_sample: Path, tmp_path: Path) -> None:
    planner, colleague = Planner(opened(viewport=DESK)), Planner(opened(viewport=DESK))
    with CityServer(own_sample) as server:
        drafts = Drafts(server)
        planner.plan(server.address, token=drafts.token)
        assert drafts.token not in planner.page.url, "the token leaves the address"
        scheme = planner.branch("Tall corner")
        assert drafts.read(f"/schemes/{scheme}")["name"]["en"] == "Tall corner"
        assert server.get(f"/api/v1/schemes/{scheme}").status_code == 404, "a draft is nobody's else"
        planner.snap("01-branched")
        tower = draw_a_tower(planner, drafts)
        see_a_neighbour_lose_its_sun(planner, drafts)
        lower_it(planner, drafts, tower)
        close_a_street(planner, drafts)
        paint_a_park(planner, drafts)
        compare_with_the_base(planner)
        plan_together(planner, colleague, drafts)
        colleague.page.close()
        meet_a_conflict(planner, drafts, tower)
        merge_a_branch(planner, drafts, tower)
        print_it(planner, drafts, tmp_path)
        publish(planner, drafts, scheme)
        assert planner.foreign(server.address) == []
        assert planner.unexpected() == []
        planner.page.close()
        resident = Planner(opened(viewport=PHONE, has_touch=True, is_mobile=True))
        resident.element = "cim-app"
        visit_by_phone(resident, server, scheme)
        assert resident.foreign(server.address) == []
        assert resident.errors == []


def log_of(drafts: Drafts, scheme: str) -> list[dict[str, Any]]:
    """The log without what may change afterwards."""
    return [
        {name: edit[name] for name in ("sequence", "id", "kind", "changes", "author")} for edit in drafts.edits(scheme)
    ]


def test_a_killed_server_keeps_what_it_acknowledged(opened: Callable[..., Page], own_sample: Path) -> None:
    """``kill -9`` while edits are on their way: what was acknowledged is there, and the page goes on by itself."""
    planner = Planner(opened(viewport=DESK))
    with CityServer(own_sample) as server:
        drafts = Drafts(server)
        planner.plan(server.address, token=drafts.token)
        scheme = planner.branch("In mid-edit")
        planner.key("t")
        for _ in range(3):
            planner.press("tree-middle")
        planner.logged(3)
        for _ in range(4):
            planner.press("tree-middle")
        server.kill()
        planner.until("app.planned.sending === 0")
        known = {edit["id"] for edit in planner.evaluate("app.planned.log.value")}
        planner.until("app.planned.offline")
        assert "No connection" in planner.text("saved")
        server.start()
        kept = log_of(drafts, scheme)
        assert known <= {edit["id"] for edit in kept}, "no acknowledged edit is lost"
        assert [edit["sequence"] for edit in kept] == list(range(1, len(kept) + 1)), "no half of an edit"
        assert len(drafts.objects(scheme)) == len(kept)
        planner.until("!app.planned.offline && app.planned.log.value?.length >= argument", 60, len(kept))
        planner.press("tree-middle")
        planner.logged(len(kept) + 1)
        assert len(drafts.edits(scheme)) >= len(kept) + 1


def test_a_browser_that_dies_in_mid_edit_leaves_a_whole_scheme(opened: Callable[..., Page], own_sample: Path) -> None:
    with CityServer(own_sample) as server:
        drafts = Drafts(server)
        planner = Planner(opened(viewport=DESK))
        planner.plan(server.address, token=drafts.token)
        scheme = planner.branch("Left alone")
        planner.key("d")
        planner.corners(TOWER)
        planner.page.get_by_test_id("sketch-close").click(no_wait_after=True)
        planner.page.close(run_before_unload=False)
        edits, objects = drafts.edits(scheme), drafts.objects(scheme)
        assert len(edits) == len(objects) <= 1, "all of the edit, or none"
        # An outline that nobody closed is not in the scheme.
        second = Planner(opened(viewport=DESK))
        second.plan(server.address, token=drafts.token, query=f"&scheme={scheme}")
        second.key("d")
        second.corners(GREEN)
        second.page.close(run_before_unload=False)
        assert drafts.edits(scheme) == edits
        assert drafts.objects(scheme) == objects


def test_nothing_serious_stands_in_anybodys_way_on_the_plan_page(opened: Callable[..., Page], own_sample: Path) -> None:
    """axe-core in both languages and themes; then one edit by keys alone; no request leaves the origin."""
    with CityServer(own_sample) as server:
        drafts = Drafts(server)
        planner = Planner(opened(viewport=DESK))
        planner.plan(server.address, token=drafts.token)
        assert planner.violations() == []
        scheme = planner.branch("By keys")
        by_keys(planner, drafts, scheme)
        planner.readings(1)
        for language, theme in (("en", "dark"), ("zh", "dark"), ("zh", "light"), ("en", "light")):
            planner.evaluate(
                f"(app.plan.city.setLanguage('{language}'), app.plan.city.setTheme('{theme}'), app.updateComplete)"
            )
            assert planner.violations() == [], (language, theme)
        planner.press("compare")
        planner.page.get_by_test_id("swipe-handle").wait_for()
        assert planner.violations() == []
        assert planner.foreign(server.address) == []
        assert planner.errors == []


def by_keys(planner: Planner, drafts: Drafts, scheme: str) -> None:
    """A building with nothing but keys: the tool, its first corner, three sides as numbers, Enter."""
    planner.evaluate("(document.activeElement.blur(), true)")
    planner.key("d", "Enter")
    for number, side in enumerate(("24 < 90", "14 < 180", "24 < 270"), 2):
        planner.until("document.activeElement.dataset.testid === 'sketch-length'")
        planner.page.keyboard.type(side)
        planner.key("Enter")
        planner.until("document.querySelector('.toolcard').innerText.includes(argument)", 20, f"{number} corners")
    for _ in range(10):
        planner.key("Tab")
        if planner.evaluate("document.activeElement.dataset.testid === 'sketch-close'"):
            break
    planner.key("Enter")
    (edit,) = planner.logged(1)
    made = drafts.objects(scheme)[edit["targets"][0]]
    assert (made["type"], len(made["storeys"])) == ("Building", 5)
