"""What a reader of `run_info` is told of a plan."""

from __future__ import annotations

from twin.scenario.notes import plan_notes


def test_notes_tell_what_the_plan_clears():
    found = plan_notes({"blocks": {"apartment new": 1200}}, {"demolished": 3}, {"forest_felled_m2": 5000.04})
    assert found == {
        "plan blocks: apartment new": "1,200",
        "buildings demolished by the plan": "3",
        "forest felled": "5,000.0 m2",
    }
    assert plan_notes({}, {}, {}) == {}
