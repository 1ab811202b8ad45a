"""Dose-responses of a data set: which columns, which are refused, and their tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.phenotypes.adjusted import Adjusted
from napari_channelmix.phenotypes.dose_response import response_in_words
from napari_channelmix.phenotypes.fractions import Fractions, Grouping
from napari_channelmix.phenotypes.responses import (
    LABELS,
    PREDICTED,
    called_doses,
    curves_frame,
    dose_columns,
    levels_frame,
    response_of,
    responses_of,
    with_conditions,
)

DOSES = np.repeat([0, 0.1, 0.3, 1, 3, 10, 30, 100], 4).astype(float)
NAMES = tuple(f"W{at}" for at in range(len(DOSES)))
CONDITIONS = pd.DataFrame({"row": range(len(DOSES)), "dose": DOSES.astype(str)}, index=NAMES)


def fractions(share: np.ndarray, cells: int = 100) -> Fractions:
    positive = np.round(share * cells).astype(int)
    counts = np.stack([cells - positive, positive], axis=1)
    return Fractions(
        Grouping("group", NAMES, np.zeros(0, int)), ("rest", "responds"), counts, counts.sum(axis=1)
    )


@pytest.fixture
def rising() -> Fractions:
    with np.errstate(divide="ignore"):
        share = 0.05 + 0.9 / (1 + (4 / DOSES) ** 1.5)
    noise = np.random.default_rng(0).normal(0, 0.03, len(DOSES))
    return fractions(np.clip(share + noise, 0, 1))


def test_columns_that_are_called_doses_come_first_and_alone_are_drawn(rising: Fractions) -> None:
    assert list(dose_columns(CONDITIONS, NAMES)) == ["dose", "row"]
    found = responses_of(CONDITIONS, rising, PREDICTED)
    assert [(one.column, one.name) for one in found] == [("dose", "rest"), ("dose", "responds")]
    assert not responses_of(CONDITIONS[["row"]], rising, PREDICTED)
    assert not responses_of(None, rising, PREDICTED)


def test_labels_by_dose_are_refused_and_predictions_of_them_are_not(rising: Fractions) -> None:
    labelled = fractions((DOSES > 3).astype(float))
    circular = response_of(DOSES, labelled, 1, LABELS, labelled)
    assert circular.fit is None and "given by the dose" in circular.why_not
    predicted = response_of(DOSES, rising, 1, PREDICTED, labelled)
    assert predicted.fit is not None
    # A classifier that learnt the whole series shows it again.
    assert any("train on the controls alone" in note for note in predicted.notes)
    some = labelled.counts * np.isin(DOSES, [0, 100])[:, None]
    controls = Fractions(labelled.grouping, labelled.classes, some, labelled.cells)
    assert response_of(DOSES, rising, 1, PREDICTED, controls).notes == ()
    # A classifier of other classes did not learn these labels.
    other = Fractions(rising.grouping, ("no", "yes"), rising.counts, rising.cells)
    assert response_of(DOSES, other, 1, PREDICTED, labelled).notes == ()
    by_hand = response_of(DOSES, rising, 1, LABELS, rising)
    assert by_hand.fit is not None


def test_tables_have_the_curve_and_every_dose(rising: Fractions) -> None:
    found = responses_of(CONDITIONS, rising, PREDICTED)
    curves, levels = curves_frame(found), levels_frame(found)
    row = curves.set_index("class").loc["responds"]
    fit = found[1].dose_response.fit
    assert fit is not None
    assert (row["ec50"], row["ec50 low"], row["ec50 high"]) == (fit.ec50, *fit.interval)
    assert (row["groups"], row["doses above 0"]) == (32, 7)
    assert len(levels) == 2 * 8 and (levels["groups"] == 4).all()
    first = levels[levels["class"] == "responds"].iloc[0]
    assert first["dose"] == 0 and first["curve"] == pytest.approx(fit.low)
    assert first["low"] <= first["mean"] <= first["high"]
    flat = curves_frame(responses_of(CONDITIONS, fractions(np.full(32, 0.5)), LABELS))
    assert flat["ec50"].isna().all()
    assert flat["words"].str.startswith("No curve: the fraction is the same").all()


def test_what_the_table_says_stands_beside_groups(rising: Fractions) -> None:
    table = with_conditions(rising.to_frame(), rising.groups, CONDITIONS)
    assert table["dose"].tolist() == CONDITIONS["dose"].tolist()
    plain = rising.to_frame()
    assert with_conditions(plain, rising.groups, None) is plain


def test_columns_are_called_doses_by_whole_words() -> None:
    called = [
        "dose",
        "Dose_nM",
        "conc.",
        "concentration (µM)",
        "drug nM",
        "final μM",
        "molarity",
        "micromolar",
        "nanomolar",
        "drugdose",
        "logConc",
        "log_concs",
        "drug uM",
        "DoseLevel",
    ]
    other = [
        "assignment",
        "environment",
        "conclusion",
        "overdosed",
        "column",
        "concentric",
        "number",
        "plateRow",
    ]
    assert called_doses(pd.DataFrame(columns=[*called, *other])) == called


def test_curves_are_of_adjusted_fractions_where_they_are_known(rising: Fractions) -> None:
    shares = np.clip((rising.fractions - 0.05) / 0.9, 0, 1)
    known = replace(rising, adjusted=Adjusted(shares, shares, shares))
    curve = response_of(DOSES, known, 1, PREDICTED)
    assert curve.adjusted
    np.testing.assert_array_equal(curve.fractions, shares[:, 1])
    calls = response_of(DOSES, known, 1, PREDICTED, adjust=False)
    assert not calls.adjusted
    np.testing.assert_array_equal(calls.fractions, rising.fractions[:, 1])
    assert curve.fit is not None and calls.fit is not None
    # Where they are not cut at 0 and 1, the plateaus move, the EC50 and its interval do not.
    free = (rising.fractions - 0.05) / 0.9
    assert free.min() < 0
    known = replace(rising, adjusted=Adjusted(shares, shares, shares, free=free))
    uncut = response_of(DOSES, known, 1, PREDICTED).fit
    assert uncut is not None
    assert uncut.low == pytest.approx((calls.fit.low - 0.05) / 0.9, abs=1e-3)
    assert uncut.ec50 == pytest.approx(calls.fit.ec50, rel=1e-3)
    # So many cells with wider chance errors: at least about as wide.
    assert uncut.interval == pytest.approx(calls.fit.interval, rel=0.01)
    table = curves_frame(responses_of(CONDITIONS, known, PREDICTED))
    means = levels_frame(responses_of(CONDITIONS, known, PREDICTED))
    assert means["adjusted"].all()
    assert not levels_frame(responses_of(CONDITIONS, rising, PREDICTED))["adjusted"].any()
    assert table["adjusted"].all() and "through adjusted fractions" in table["words"][0]
    none = replace(
        rising, adjusted=Adjusted(shares * np.nan, shares, shares, "no held-out predictions")
    )
    assert not response_of(DOSES, none, 1, PREDICTED).adjusted


def test_a_curve_is_of_the_calls_where_some_groups_have_no_adjusted_fraction(
    rising: Fractions,
) -> None:
    shares = np.clip((rising.fractions - 0.05) / 0.9, 0, 1)
    # Annotated cells in three of four wells.
    shares[np.arange(32) % 4 > 0] = np.nan
    partly = replace(rising, adjusted=Adjusted(shares, shares, shares, free=shares))
    curve = response_of(DOSES, partly, 1, PREDICTED)
    assert not curve.adjusted and len(curve.groups) == 32
    np.testing.assert_array_equal(curve.fractions, rising.fractions[:, 1])
    assert "24 groups have no adjusted fraction" in response_in_words(curve)
    # Where the calls were asked for, that is no news.
    assert response_of(DOSES, partly, 1, PREDICTED, adjust=False).notes == ()
