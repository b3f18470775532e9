import pandas as pd
import pytest

from geodata.errors import InputError
from geodata.parameters import Parameters, load_parameters
from twin.green.policy import GROUPS, build_policy, green_policy

# the code list of the land cover map, 세분류: 14 + 8 + 3 + 4 + 3 + 6 + 3 classes
CODES = [
    "111",
    "112",
    "121",
    "131",
    "132",
    "141",
    "151",
    "152",
    "153",
    "154",
    "155",
    "161",
    "162",
    "163",
    "211",
    "212",
    "221",
    "222",
    "231",
    "241",
    "251",
    "252",
    "311",
    "321",
    "331",
    "411",
    "421",
    "422",
    "423",
    "511",
    "521",
    "522",
    "611",
    "612",
    "613",
    "621",
    "622",
    "623",
    "711",
    "712",
    "721",
]


def changed(**values: list[str]) -> Parameters:
    shipped = load_parameters("twin.green", "policy.yaml")
    return Parameters(
        {name: shipped.record(name).model_copy(update={"value": values.get(name, shipped[name])}) for name in shipped}
    )


def test_every_class_of_the_map_is_decided_once():
    policy = green_policy()
    decided = [code for group in (*GROUPS, "not_green") for code in policy.parameters[group]]
    assert sorted(decided) == CODES
    assert sorted(policy.names) == CODES


def test_greenhouses_built_bare_and_water_are_not_green():
    codes = pd.Series(CODES)
    green = set(codes[green_policy().is_green(codes)])
    assert "231" not in green
    assert not {code for code in green if code[0] in "167"}
    assert {code for code in CODES if code[0] in "34"} <= green


def test_every_value_names_its_source_and_is_not_called_verified():
    for record in green_policy().parameters.as_dict().values():
        assert record["source"]
        assert record["verified"] is False


def test_level_1_follows_the_first_digit():
    codes = pd.Series(["111", "252", "331", "423", "522", "623", "721", "199", "811"])
    names = green_policy().level_1(codes)
    assert list(names[:7]) == ["built", "farm", "forest", "grass", "wetland", "bare", "water"]
    assert names[7:].isna().all()


@pytest.mark.parametrize(
    ("group", "value", "message"),
    [
        ("wetland", [], "511: in no group"),
        ("wetland", ["511", "311"], "311: in two groups"),
        ("wetland", ["511", "599"], "599: not a class"),
        ("canopy", ["311", "154"], "154: flagged"),
    ],
)
def test_a_policy_with_gaps_or_contradictions_is_refused(group, value, message):
    with pytest.raises(InputError, match=message):
        build_policy(changed(**{group: value}), green_policy().names)
