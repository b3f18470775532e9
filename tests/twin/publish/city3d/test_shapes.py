"""Blocks and roof shapes: volumes of closed forms, every edge once in each direction."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twin.publish.city3d.faces import GROUND, ROOF, WALL, Faces, blocks
from twin.publish.city3d.mesh import face_normals, mesh_of
from twin.publish.city3d.roofs import roof_shapes
from twin.publish.city3d.town import city3d_parameters

CRS = "EPSG:5186"
X, Y = 185_000.3, 538_000.0
T30 = np.tan(np.radians(30.0))


def volumes(faces: Faces) -> np.ndarray:
    """Volume of each solid by the divergence theorem, over fans of every ring."""
    points = faces.points - faces.points.mean(axis=0)
    result = np.zeros(len(faces.building))
    for face, solid in enumerate(faces.solid):
        for ring in range(faces.face_start[face], faces.face_start[face + 1]):
            p = points[faces.ring_start[ring] : faces.ring_start[ring + 1]]
            result[solid] += np.einsum("ij,ij->", np.broadcast_to(p[0], p[1:-1].shape), np.cross(p[1:-1], p[2:])) / 6
    return result


def open_edges(faces: Faces) -> list:
    found = []
    for solid in range(len(faces.building)):
        seen = Counter()
        for face in np.flatnonzero(faces.solid == solid):
            for ring in range(faces.face_start[face], faces.face_start[face + 1]):
                p = [tuple(q) for q in np.round(faces.points[faces.ring_start[ring] : faces.ring_start[ring + 1]], 3)]
                seen.update(zip(p, p[1:] + p[:1], strict=True))
        found += [edge for edge, count in list(seen.items()) if seen[edge[::-1]] != count]
    return found


def test_blocks_have_the_volume_of_area_times_height():
    yard = shapely.Polygon([(0, 0), (10, 0), (10, 8), (0, 8)], [[(2, 2), (2, 4), (4, 4), (4, 2)]])
    pair = shapely.MultiPolygon([shapely.box(20, 0, 24, 4), shapely.box(30, 0, 34, 4)])
    twice = shapely.Polygon([(50, 0), (53, 0), (53, 0.001), (53, 3), (50, 3)])
    faces = blocks(gpd.GeoSeries([yard, pair, twice], crs=CRS), np.array([10.0, 5.0, 0.0]), np.array([16.0, 9.0, 2.0]))
    assert faces.building.tolist() == [0, 1, 1, 2]
    assert volumes(faces) == pytest.approx([76 * 6, 16 * 4, 16 * 4, 9 * 2], abs=0.01)
    assert open_edges(faces) == []
    assert Counter(faces.kind.tolist()) == {GROUND: 4, ROOF: 4, WALL: 8 + 4 + 4 + 4}


def test_triangles_cover_roofs_and_walls_and_look_outwards():
    yard = shapely.Polygon([(0, 0), (10, 0), (10, 8), (0, 8)], [[(2, 2), (2, 4), (4, 4), (4, 2)]])
    faces = blocks(gpd.GeoSeries([yard], crs=CRS), np.array([10.0]), np.array([16.0]))
    mesh = mesh_of(faces)
    a, b, c = faces.points[mesh.corner][mesh.triangles].transpose(1, 0, 2)
    cross = np.cross(b - a, c - a) / 2
    assert np.linalg.norm(cross, axis=1).sum() == pytest.approx(76 + 36 * 6 + 8 * 6)
    normals = face_normals(faces, faces.points)[mesh.face[mesh.triangles[:, 0]]]
    assert (np.einsum("ij,ij->i", cross, normals) > 0).all()
    assert normals[np.abs(normals[:, 2]) > 0.5] == pytest.approx(np.array([[0, 0, 1.0]] * 8))


def known_roofs():
    """A gable, a shed, two levels, and two slopes that cross along the line where they meet."""
    foot = [shapely.box(X + 100 * i, Y, X + 100 * i + 10, Y + 8) for i in range(4)]
    buildings = gpd.GeoDataFrame({"building_id": list("abcd"), "height": [8.0, 8.0, 9.0, 9.0]}, geometry=foot, crs=CRS)

    def box(i, x0, y0, x1, y1):
        return shapely.box(X + 100 * i + x0, Y + y0, X + 100 * i + x1, Y + y1)

    planes = gpd.GeoDataFrame(
        {
            "building_id": ["a", "a", "b", "c", "c", "d", "d"],
            "tilt_deg": [30.0, 30.0, 20.0, 0.0, 0.0, 10.0, 10.0],
            "azimuth_deg": [180.0, 0.0, 90.0, np.nan, np.nan, 180.0, 0.0],
            "top_m": [50.0, 50.0, 60.0, 70.0, 66.0, 80.0, 80.0],
        },
        geometry=[
            box(0, 0, 0, 10, 4), box(0, 0, 4, 10, 8), box(1, 0, 0, 10, 8), box(2, 0, 0, 4, 8), box(2, 4, 0, 10, 8),
            box(3, 0, 0, 5, 8), box(3, 5, 0, 10, 8),
        ],
        crs=CRS,
    )  # fmt: skip
    return buildings, planes


def test_roof_shapes_have_the_volumes_of_their_closed_forms():
    buildings, planes = known_roofs()
    faces = roof_shapes(buildings, planes, np.full(4, 20.0), city3d_parameters())
    assert faces.building.tolist() == [0, 1, 2, 3]
    assert open_edges(faces) == []
    expected = [
        80 * 8 - 80 * 4 * T30 / 2,
        80 * 8 - 80 * 10 * np.tan(np.radians(20.0)) / 2,
        4 * 8 * 9 + 6 * 8 * 5,
        80 * 9 - 80 * 8 * np.tan(np.radians(10.0)) / 2,
    ]
    assert volumes(faces) == pytest.approx(expected, rel=3e-4)
    for number, height in enumerate(buildings["height"]):
        own = faces.points[faces.point_building == number]
        assert own[:, 2].min() == 20.0
        assert own[:, 2].max() == pytest.approx(20.0 + height)


def test_a_roof_that_planes_cover_in_part_gets_no_shape():
    buildings, planes = known_roofs()
    faces = roof_shapes(buildings, planes.iloc[[0, 2]], np.full(4, 20.0), city3d_parameters())
    assert faces.building.tolist() == [1]
