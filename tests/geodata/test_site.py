from __future__ import annotations

import pytest
import yaml

from geodata.errors import InputError
from geodata.site import Site

GOOD = {
    "name": "small_town",
    "title": {"ko": "작은 마을", "en": "Small town"},
    "crs": "EPSG:5186",
    "study_area": {"legal_dongs": ["4121010500"]},
}


def written(tmp_path, **changes):
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes, allow_unicode=True), encoding="utf-8")
    return path


def test_paths_start_at_the_files_own_folder(tmp_path):
    site = Site.load(written(tmp_path, inbox="raw", study_area={"path": "area.gpkg"}, district={"path": "d.gpkg"}))
    assert site.inbox == tmp_path / "raw"
    assert site.study_area.path == tmp_path / "area.gpkg"
    assert site.district.path == tmp_path / "d.gpkg"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"surfce": {"cell_size_m": 1}}, ["surfce", "unknown key", "did you mean 'surface'"]),
        ({"solar": {"azimuth": 72}}, ["solar.azimuth", "did you mean 'azimuths'"]),
        ({"sources": {"building": {"path": "x"}}}, ["sources.building", "did you mean 'buildings'"]),
        ({"sources": {"buildings": {"path": "x", "colums": {}}}}, ["colums", "did you mean 'columns'"]),
        ({"crs": "EPSG:4326"}, ["crs", "EPSG:5186"]),
        ({"crs": "EPSG:999999"}, ["crs", "not a coordinate reference system"]),
        ({"study_area": {}}, ["study_area", "exactly one"]),
        ({"study_area": {"bbox": [1, 2, 3, 4]}}, ["study_area", "needs its crs"]),
        ({"study_area": {"bbox": [3, 2, 1, 4], "crs": "EPSG:4326"}}, ["study_area", "minx"]),
        ({"study_area": {"legal_dongs": ["41210105"]}}, ["legal_dongs"]),
        ({"solar": {"resource": {"station": "Incheon", "value": 4776, "unit": "kWh/m2"}}}, ["solar.resource.value"]),
        ({"name": "Small Town"}, ["name"]),
    ],
)
def test_an_error_names_the_key_and_the_remedy(tmp_path, changes, words):
    with pytest.raises(InputError) as error:
        Site.load(written(tmp_path, **changes))
    for word in [*words, "site.yaml"]:
        assert word in str(error.value)


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text("name: a_town\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"title: required key is missing"):
        Site.load(path)


@pytest.mark.parametrize(("text", "words"), [(":\n - [", "not readable YAML"), ("- 1\n", "must be a mapping")])
def test_what_is_not_a_site_file_is_refused(tmp_path, text, words):
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        Site.load(path)


def test_a_missing_site_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="twin demo"):
        Site.load(tmp_path / "none.yaml")


def test_the_shipped_site_loads(root):
    site = Site.load(root / "geodata" / "sites" / "gwangmyeong_siheung.yaml", base=root)
    assert site.inbox == root / "inbox"
    assert len(site.study_area.legal_dongs) == 7
