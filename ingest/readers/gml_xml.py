"""XML read in pieces: no entity, no network, no more in memory than one feature.

libxml2 itself refuses elements nested deeper than 256 and texts above 10 MB, because ``huge_tree`` is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from lxml import etree

from cim.errors import CimError, InvalidInput, LimitExceeded
from ingest.readers.damage import damaged
from ingest.readers.limits import XML_DEPTH_MAX, XML_FEATURE_BYTES_MAX, XML_TEXT_BYTES_MAX

BLOCK_BYTES: Final = 256 * 1024
_DOCTYPE: Final = b"<!DOCTYPE"
_KEYS: Final = {
    "id": ("{http://www.opengis.net/gml}id", "{http://www.opengis.net/gml/3.2}id"),
    "href": ("{http://www.w3.org/1999/xlink}href",),
}
"""Attributes that have a namespace."""

Element = Any
"""An ``lxml`` element; the library carries no types."""


def events(path: Path, tags: Sequence[str]) -> Iterator[tuple[str, Element, int]]:
    """Yield ``start`` and ``end`` of the elements with some tags (``{*}name``), and the bytes read so far.

    Whoever takes an element at its end clears it (:func:`forget`).  Raises :class:`InvalidInput`
    (``file-damaged``, ``xml-doctype``) or :class:`LimitExceeded`.
    """
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=list(tags),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    done = ended = 0
    checked = False
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                if not done and _DOCTYPE in block:
                    raise _doctype(path)
                done += len(block)
                parser.feed(block)
                for event, element in parser.read_events():
                    if not checked:
                        _check_document(element, path)
                        checked = True
                    if event == "end":
                        ended = done
                    yield event, element, done
                if done - ended > XML_FEATURE_BYTES_MAX:
                    raise LimitExceeded(
                        f"A feature of {path.name} is longer than {XML_FEATURE_BYTES_MAX:,} bytes.",
                        hint="Split it, or the file, into smaller ones.",
                        limit="XML_FEATURE_BYTES_MAX",
                        allowed=XML_FEATURE_BYTES_MAX,
                    )
        parser.close()
        for event, element in parser.read_events():
            yield event, element, done
    except etree.XMLSyntaxError as error:
        raise _broken(path, str(error)) from error


def _check_document(element: Element, path: Path) -> None:
    if element.getroottree().docinfo.doctype:
        raise _doctype(path)


def _doctype(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path.name} has a document type declaration, by which XML defines entities; that is not read.",
        hint="Remove the <!DOCTYPE …> at the head of the file: no format that is read needs one.",
        code="xml-doctype",
        file=path.name,
    )


def _broken(path: Path, said: str) -> CimError:
    if "depth" in said:
        return LimitExceeded(
            f"The elements of {path.name} are nested deeper than {XML_DEPTH_MAX}.",
            hint="Write the file anew: no format that is read needs such a depth.",
            limit="XML_DEPTH_MAX",
            allowed=XML_DEPTH_MAX,
        )
    if "huge" in said.lower() or "too long" in said:
        return LimitExceeded(
            f"{path.name} has a text of more than {XML_TEXT_BYTES_MAX:,} bytes.",
            hint="Split the surface or the list that it belongs to.",
            limit="XML_TEXT_BYTES_MAX",
            allowed=XML_TEXT_BYTES_MAX,
        )
    return damaged(
        path,
        "is not whole XML: truncated, damaged, or not in the encoding that it states",
        hint="Download or copy the file again, or write it anew as UTF-8.",
    )


def forget(element: Element) -> None:
    """Let go of an element that has been read, and of all that came before it under the same parent."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def local(element: Element) -> str:
    """Return the name of an element without its namespace."""
    tag: str = element.tag
    return tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return the namespace of an element."""
    tag: str = element.tag
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def named_attribute(element: Element, name: str) -> str | None:
    """Return an attribute by its name without namespace: ``id`` is gml:id in any version of GML."""
    for key in _KEYS.get(name, (name,)):
        value = element.get(key)
        if value is not None:
            return str(value)
    return None


def text_of(element: Element) -> str:
    """Return the text of an element, trimmed."""
    return (element.text or "").strip()
