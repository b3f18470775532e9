"""Every library that is installed has a licence that lets the town be run and passed on."""

from __future__ import annotations

import sys

import pytest

from pipelines.licences import locked_libraries, page


@pytest.fixture(scope="module")
def libraries(root):
    return locked_libraries(root / "requirements" / "lock.txt")


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the page lists what Python 3.11 installs; others take other versions"
)
def test_the_page_is_that_of_the_lock_file(libraries, root):
    told = (root / "docs" / "licences.md").read_text(encoding="utf-8")
    assert told == page(libraries), "run: make docs"


def test_each_library_names_its_licence_and_none_binds_what_is_built_with_it(libraries):
    assert len(libraries) > 100
    installed = {library.name: library.licence for library in libraries if library.licence is not None}
    assert {name for name, licence in installed.items() if not licence} == set()
    assert {name for name, licence in installed.items() if "GPL" in licence or "Affero" in licence} == set()
    # read by hand on the libraries' own pages
    assert installed["pvlib"].startswith("BSD")
    assert installed["dagster"].startswith("Apache")
    assert installed["shapely"].startswith("BSD")
