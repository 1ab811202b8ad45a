"""Trust: a badge for each rule, and words that give its reason."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr

from napari_channelmix.drl.trust import MAYBE_R, SURE_R, SURE_S, _least, correlations, trust

RNG = np.random.default_rng(0)
AREA = RNG.normal(size=400)
NOISE = RNG.normal(size=400)


def judged(name="Scale", z=None, *, features=None, source=0.95, now=0.95, **more):
    """The trust in one latent, over 400 cells."""
    z = AREA if z is None else z
    features = features or {"area": AREA}
    factor = name.split(" (")[0]
    return trust(
        (name,),
        np.asarray(z)[:, None],
        np.array([2.0]),
        pd.DataFrame(features),
        {factor: source},
        {factor: now},
        **more,
    )[0]


def mixed(r):
    """Something that correlates with the area, with about this correlation."""
    return r * AREA + np.sqrt(1 - r**2) * NOISE


# ---------------------------------------------------------------- badges


def test_a_latent_that_goes_along_with_its_feature_is_verified():
    found = judged(z=np.exp(AREA))
    assert found.badge == "verified"
    assert (found.witness, found.r) == ("area", pytest.approx(1))
    assert found.value == pytest.approx(0.95)
    assert found.words == "correlates with area (r +1.00)"


def test_the_sign_does_not_matter():
    found = judged(z=-AREA)
    assert (found.badge, found.r) == ("verified", pytest.approx(-1))
    assert found.value == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("r", "badge"), [(0.6, "verified"), (0.4, "plausible"), (0.1, "not verified")]
)
def test_the_weaker_the_correlation_the_weaker_the_badge(r, badge):
    found = judged(z=mixed(r))
    assert found.badge == badge
    assert found.value == pytest.approx(abs(spearmanr(mixed(r), AREA)[0]))
    hardly = "hardly " if badge == "not verified" else ""
    assert found.words == f"{hardly}correlates with area (r {found.r:+.2f})"


def test_no_name_is_verified_where_the_pictures_do_not_resemble_the_cells():
    strong, weak = (judged(z=mixed(r), resembles=False) for r in (0.6, 0.4))
    assert (strong.badge, weak.badge) == ("plausible", "plausible")
    assert strong.words == (
        f"correlates with area (r {strong.r:+.2f}), but the reconstruction does not resemble "
        "these cells"
    )
    # Of a weak link the link is the reason.
    assert weak.words == f"correlates with area (r {weak.r:+.2f})"
    assert judged(z=mixed(0.1), resembles=False).badge == "not verified"


def test_a_name_that_fine_tuning_took_away_is_not_verified():
    found = judged(now=0.5)
    assert found.badge == "not verified"
    assert found.value == 0.5
    assert found.words == "its name was lost in fine-tuning (S 0.95, now 0.50)"


def test_a_latent_that_never_followed_its_factor_is_not_verified():
    found = judged(source=0.4, now=0.4)
    assert found.badge == "not verified"
    assert found.words == "does not follow its factor on sprites (S 0.40)"


@pytest.mark.parametrize(
    ("name", "hardly_told"), [("PosX", True), ("Orientation (cos)", True), ("Scale", False)]
)
def test_latents_of_features_say_why_place_and_turn_are_not_verified(name, hardly_told):
    features = {"light offset x": AREA, "orientation cos 2θ": AREA, "area": AREA}
    result = judged(name, features=features, source=0.4, now=0.4, from_features=True)
    assert result.badge == "not verified"
    assert result.words.endswith("features hardly tell place and turn") is hardly_told


@pytest.mark.parametrize(("spread", "badge"), [(0.04, "inactive"), (0.06, "verified")])
def test_a_latent_that_is_the_same_in_all_cells_is_inactive(spread, badge):
    found = judged(z=spread * AREA / AREA.std())
    assert found.badge == badge
    assert (found.value == 0) == (badge == "inactive")


def test_a_spare_latent_stands_for_nothing_whatever_it_goes_along_with():
    found = judged("Spare 1")
    assert (found.badge, found.value, found.words) == ("spare", 0.0, "unused latent")


def test_a_latent_without_a_feature_that_measures_it_is_not_verified():
    found = judged("Color", features={"area": AREA})
    assert found.badge == "not verified"
    assert found.words == "no feature measures the same thing"
    assert found.value == 0


def test_one_cell_is_neither_inactive_nor_verified():
    found = trust(
        ("Scale",),
        np.ones((1, 1)),
        np.ones(1),
        pd.DataFrame({"area": [3.0]}),
        {"Scale": 0.9},
        {"Scale": 0.9},
    )[0]
    assert (found.badge, found.r) == ("not verified", 0)


# ---------------------------------------------------------------- witnesses


@pytest.mark.parametrize(
    ("name", "witness"),
    [
        ("Texture", "entropy"),
        ("Color", "GFP share"),
        ("Intensity", "GFP mean"),
        ("Granularity", "GLCM contrast"),
        ("Shape", "solidity"),
        ("Orientation", "orientation cos 2θ"),
        ("Orientation (sin)", "orientation sin 2θ"),
        ("PosX", "light offset x"),
        ("PosY", "light offset y"),
        ("Rim", "rim"),
    ],
)
def test_the_witness_is_the_best_of_the_features_that_measure_the_same(name, witness):
    rng = np.random.default_rng(1)
    features = {
        "area": AREA,
        "perimeter": AREA,
        "solidity": None,
        "eccentricity": None,
        "orientation sin 2θ": None,
        "orientation cos 2θ": None,
        "GLCM contrast": None,
        "GLCM homogeneity": None,
        "entropy": None,
        "rim": None,
        "GFP mean": None,
        "GFP sd": AREA,
        "GFP share": None,
        "light offset y": None,
        "light offset x": None,
    }
    features = {key: rng.normal(size=400) if v is None else v for key, v in features.items()}
    features[witness] = mixed(0.7)
    # Area and spread go along better, but measure something else.
    found = judged(name, features=features)
    assert found.witness == witness
    assert found.badge == "verified"


def test_perimeter_is_no_rim():
    assert judged("Rim", features={"perimeter": AREA}).witness == ""


def test_each_latent_is_held_against_its_own_factor():
    names = ("Scale", "Rim", "Spare 1")
    s = {"Scale": 0.9, "Rim": 0.9}
    found = trust(
        names,
        np.stack([AREA, NOISE, AREA], axis=1),
        np.arange(3.0),
        pd.DataFrame({"area": AREA, "rim": AREA}),
        s,
        s | {"Scale": 0.85},
    )
    assert [one.badge for one in found] == ["verified", "not verified", "spare"]
    assert [one.now for one in found] == [0.85, 0.9, 0.0]
    assert [one.kl for one in found] == [0, 1, 2]


# ---------------------------------------------------------------- correlations


def test_correlations_are_spearman_s_with_ties():
    rng = np.random.default_rng(2)
    latents = rng.integers(0, 4, (60, 3)).astype(float)
    features = pd.DataFrame(rng.integers(0, 5, (60, 2)), columns=["a", "b"])
    found = correlations(latents, features)
    assert found.shape == (2, 3)
    for f, name in enumerate(features):
        for z in range(3):
            wanted = spearmanr(features[name], latents[:, z])[0]
            assert found.iloc[f, z] == pytest.approx(wanted)
            assert found.loc[name, z] == found.iloc[f, z]


def test_what_is_flat_correlates_with_nothing():
    found = correlations(np.ones((5, 1)), pd.DataFrame({"a": range(5), "b": [2] * 5}))
    assert (found == 0).all(axis=None)


def test_trust_is_ready_for_json():
    said = json.loads(json.dumps(judged().as_dict(), allow_nan=False))
    assert said["badge"] == "verified"
    assert said["value"] == pytest.approx(0.95)
    assert said["words"] == judged().words


# ---------------------------------------------------------------- few cells


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 12, 30, 400])
def test_noise_is_hardly_ever_believed_however_few_the_cells(count):
    rng, believed = np.random.default_rng(count), 0
    for _ in range(300):
        features = {
            name: rng.normal(size=count)
            for name in ("GLCM contrast", "GLCM homogeneity", "entropy")
        }
        found = judged("Texture", rng.normal(size=count), features=features)
        believed += found.badge in ("verified", "plausible")
    assert believed / 300 <= 0.08


def test_a_strong_correlation_in_few_cells_is_said_to_be_of_few_cells():
    found = judged(z=AREA[:4], features={"area": AREA[:4]})
    assert abs(found.r) == pytest.approx(1)
    assert found.badge == "not verified"
    assert found.words == "too few cells to tell whether it correlates with area"


def test_a_strong_correlation_in_a_dozen_cells_is_believed():
    found = judged(z=AREA[:12], features={"area": AREA[:12]})
    assert found.badge == "verified"
    assert 0.5 < found.least < 1


def test_a_source_that_was_bad_and_is_good_now_is_believed_with_the_reason_for_it():
    found = judged(source=0.79, now=0.85)
    assert found.badge == "verified"
    assert found.words == "correlates with area (r +1.00)"


# ---------------------------------------------------------------- the formulas, by hand


@pytest.mark.parametrize(("cells", "tried"), [(28, 1), (109, 3)])
def test_the_least_correlation_is_that_of_fisher_fieller_and_bonferroni(cells, tried):
    z = np.arctanh(0.7) - norm.ppf(1 - 0.05 / 2 / tried) * np.sqrt(1.06 / (cells - 3))
    assert _least(0.7, cells, tried) == _least(-0.7, cells, tried) == pytest.approx(np.tanh(z))
    # 25 of (N - 3): 1.96 times sqrt(1.06 / 25) is .4036.
    assert _least(0.7, 28, 1) == pytest.approx(np.tanh(0.8673 - 0.4036), abs=1e-4)
    assert _least(0.1, 28, 1) == 0
    assert [_least(1.0, 4, 1), _least(1.0, 9, 0)] == [0, 0]
    assert 0 < _least(1.0, 5, 1) <= 1


def test_names_are_believed_from_these_figures_on():
    assert (SURE_S, SURE_R, MAYBE_R) == (0.8, 0.5, 0.3)
    assert judged(now=0.8).badge == "verified"
    assert judged(now=0.79).badge == "not verified"
    for r, badge in (
        (0.52, "verified"),
        (0.48, "plausible"),
        (0.32, "plausible"),
        (0.28, "not verified"),
    ):
        ranked = with_rank_correlation(r)
        assert judged(z=ranked).r == pytest.approx(r, abs=0.01)
        assert judged(z=ranked).badge == badge


def with_rank_correlation(r):
    """Something whose rank correlation with the area is about r."""
    grid = np.linspace(0, 1, 401)
    tried = [spearmanr(mixed(one), AREA)[0] for one in grid]
    return mixed(grid[int(np.argmin(np.abs(np.array(tried) - r)))])
