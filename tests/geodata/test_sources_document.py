from __future__ import annotations

import re

import pytest

from geodata.products import PRODUCTS
from geodata.products.document import DOCUMENT, TESTS, TESTS_LINE, covering_tests, document

REMEDY = "run: python -m geodata.products.document"


@pytest.fixture(scope="module")
def tests_of():
    return covering_tests(TESTS)


def test_the_written_table_of_sources_is_up_to_date(tests_of):
    written, expected = (
        [line for line in text.splitlines() if not line.startswith(TESTS_LINE)]
        for text in (DOCUMENT.read_text(encoding="utf-8"), document(tests_of))
    )
    assert written == expected, REMEDY


def test_the_tests_that_it_names_exist():
    for file, name in re.findall(r"`(tests/\S+\.py)::(test_\w+)`", DOCUMENT.read_text(encoding="utf-8")):
        path = TESTS.parent / file
        assert path.exists() and f"def {name}(" in path.read_text(encoding="utf-8"), f"{file}::{name}; {REMEDY}"


def test_every_product_is_told_with_its_columns(tests_of):
    text = document(tests_of)
    for product in PRODUCTS:
        assert f"\n## {product.key}\n" in text
        assert product.download in text
        assert all(f"`{name}`" in text for names in product.columns.values() for name in names)


@pytest.mark.parametrize("key", [product.key for product in PRODUCTS if product.role is not None])
def test_every_product_that_is_read_is_covered_by_a_test(tests_of, key):
    assert tests_of.get(key), f"no test names {key}"
