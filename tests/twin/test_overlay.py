import numpy as np
import pytest
import shapely

from twin.overlay import MAX_VERTICES, overlaps, shared_areas


def matrix(features: list[shapely.Polygon | None], polygons: list[shapely.Polygon | None]) -> np.ndarray:
    feature, polygon, area = shared_areas(np.array(features, dtype=object), np.array(polygons, dtype=object))
    table = np.zeros((len(features), len(polygons)))
    np.add.at(table, (feature, polygon), area)
    return table


def ring(count: int, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def test_inside_around_across_beside_and_missing():
    features = [shapely.box(0, 0, 10, 10), None, shapely.box(20, 0, 30, 10)]
    polygons = [
        shapely.box(2, 2, 4, 4),
        shapely.box(-5, -5, 15, 15),
        shapely.box(5, 0, 25, 5),
        shapely.box(10, 0, 20, 10),
    ]
    assert matrix(features, polygons).tolist() == [[4, 100, 25, 0], [0, 0, 0, 0], [0, 0, 25, 0]]


def test_polygons_over_the_limit_keep_their_area():
    # a regular polygon of n sides has the area n/2 r2 sin(2 pi/n); half of it lies above any line through its centre
    count, radius = 40 * MAX_VERTICES, 100.0
    area = count / 2 * radius**2 * np.sin(2 * np.pi / count)
    disc = shapely.Polygon(ring(count, radius))
    half, all_of_it = shapely.box(-200, 0, 200, 200), shapely.box(-200, -200, 200, 200)
    assert matrix([half, all_of_it], [disc])[:, 0] == pytest.approx([area / 2, area], rel=1e-9)
    assert matrix([disc], [half, all_of_it])[0] == pytest.approx([area / 2, area], rel=1e-9)
    assert matrix([disc], [disc])[0, 0] == pytest.approx(area, rel=1e-9)


def test_rings_that_meet_in_one_point_cannot_be_cut_for_ever():
    # 400 triangles that all touch the origin: no box around it holds fewer
    tips = ring(800, 10.0).reshape(400, 2, 2)
    star = shapely.Polygon(ring(100, 20.0), [np.vstack([[0.0, 0.0], tip]) for tip in tips])
    assert star.is_valid
    assert matrix([shapely.box(-30, -30, 30, 30)], [star])[0, 0] == pytest.approx(star.area, rel=1e-9)


def test_overlaps_name_each_pair_once():
    polygons = [shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2), shapely.box(3, 0, 4, 2), shapely.box(0, 0, 4, 1)]
    first, second, area = overlaps(np.array(polygons))
    assert list(zip(first.tolist(), second.tolist(), area.tolist(), strict=True)) == [
        (0, 1, 2.0), (0, 3, 2.0), (1, 3, 2.0), (2, 3, 1.0),
    ]  # fmt: skip


def test_nothing_shares_nothing():
    none = np.array([], dtype=object)
    assert [len(part) for part in shared_areas(none, none)] == [0, 0, 0]
    assert [len(part) for part in overlaps(none)] == [0, 0, 0]
