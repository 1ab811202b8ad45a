"""Several data sets in one session: what was found stays with its own cells."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.page_parts.data_set_menu import DataSetBox
from napari_channelmix.viewer.pages.classifier.classifier_menu import ClassifierBox
from napari_channelmix.viewer.pages.data.open_jobs import of_source
from napari_channelmix.viewer.session.data_sets import ShownBefore, unique_name
from napari_channelmix.viewer.session.session import Predictions, Session, Shown, Trained


@pytest.fixture
def session(plate: Any) -> Session:
    """Two data sets, the second in use."""
    found = Session()
    found.open(plate.subset(slice(20)), "controls.toml")
    found.open(plate, "plate.toml")
    return found


def trained_on(session: Session) -> Trained:
    class Model:
        classes = ("untreated", "treated")

    return Trained(Model(), "trained on it")  # type: ignore[arg-type]


def test_what_was_found_comes_back_with_its_data_set(plate: Any) -> None:
    session = Session()
    session.open(plate, "controls.toml")
    controls, importance = session.data_set, object()
    session.importance = importance  # type: ignore[assignment]
    session.history = ({"epoch": 1.0},)
    session.select(3)
    session.assign([0], 1)
    painted = session.cells
    session.open(plate.subset(slice(10)), "plate.toml")
    assert session.importance is None and session.history == () and session.selected == ()
    assert session.edits.undoable == 0
    assert [len(one.cells) for one in session.data_sets] == [60, 10]
    session.switch(controls)
    assert session.cells is painted and session.original is plate
    assert session.importance is importance and session.history and session.selected == (3,)
    session.undo()
    assert session.cells is not None
    np.testing.assert_array_equal(session.cells.labels, plate.labels)


def test_a_run_delivers_to_the_data_set_that_it_was_started_on(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    found = object()
    session.put(first, importance=found)
    assert session.importance is None and session.of(first).importance is found
    session.put(second, importance="own")
    assert session.importance == "own"
    session.close(first)
    session.put(first, importance=found)
    assert session.of(first) is None


def test_a_classifier_stays_in_use_and_belongs_to_its_data_set(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    own, other = trained_on(session), trained_on(session)
    session.trained = own
    session.switch(first)
    assert session.trained is own and session.data_set_of(own).key == second
    # Trained on the second data set while the first is in use.
    session.put_classifier(second, other)
    assert session.trained is other and session.data_set_of(other).key == second
    assert session.data_set_of(own) is None and session.of(first).classifier is None
    # Closed, its cells are known as long as its classifier is used.
    session.close(second)
    assert session.data_set_of(other).source == "plate.toml"
    assert [one.key for one in session.data_sets] == [first]


def test_a_closed_data_set_is_let_go_with_its_unused_classifier(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.put_classifier(first, trained_on(session))
    session.put_classifier(second, trained_on(session))
    session.close(first)
    assert len(session.classifiers) == 1


def test_predictions_of_a_closed_data_sets_classifier_keep_it(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    used = trained_on(session)
    session.put_classifier(first, used)
    given = Predictions(("a",), np.ones((60, 1), np.float32), trained=used)
    session.put(second, predictions=given)
    session.put_classifier(second, trained_on(session))
    session.close(first)
    assert session.data_set_of(used) is not None


def explained_by(session: Session, trained: Trained) -> tuple[Any, ...]:
    """Explain a cell of the data set in use with a classifier."""
    session.trained = trained
    session.explanation = SimpleNamespace(cell=0, question="why", attribution="found")  # type: ignore[assignment]
    return session.explained


def given_by(trained: Trained) -> Predictions:
    return Predictions(("a",), np.ones((60, 1), np.float32), trained=trained)


def test_a_classifier_of_a_closed_data_set_is_nobodys(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.close(first)
    session.put_classifier(first, trained_on(session))
    assert session.trained is None and session.classifiers == ()
    assert session.of(second).classifier is None


def test_a_training_that_ends_elsewhere_leaves_the_results_of_the_data_set_in_use(
    session: Session,
) -> None:
    first, second = (one.key for one in session.data_sets)
    own = trained_on(session)
    maps = explained_by(session, own)
    session.predictions = given = given_by(own)
    late = trained_on(session)
    session.put_classifier(first, late)
    assert session.of(first).classifier is late and session.trained is own
    assert session.predictions is given and session.explained is maps
    # Taken in use later, and back.
    session.trained = late
    session.trained = own
    assert session.predictions is given and session.explained is maps
    # Trained anew on the same cells, the answers of the one before go.
    session.put_classifier(second, anew := trained_on(session))
    assert session.trained is anew and session.predictions is None and session.explained == ()


def test_answers_of_another_data_sets_classifier_outlive_a_training(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.put_classifier(first, controls := trained_on(session))
    maps = explained_by(session, controls)
    session.predictions = given = given_by(controls)
    session.put_classifier(second, trained_on(session))
    assert session.predictions is given and session.explained is maps
    # One trained anew on the controls is not that of these answers either; they know theirs.
    session.put_classifier(first, trained_on(session))
    assert session.predictions is given and session.explained is maps


def test_explanations_keep_the_classifier_of_a_closed_data_set(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.put_classifier(first, used := trained_on(session))
    explained_by(session, used)
    session.put_classifier(second, trained_on(session))
    session.close(first)
    assert session.data_set_of(used) is not None
    # Once nothing is by it any more, the next classifier sends it away.
    session.explained = ()
    session.put_classifier(second, trained_on(session))
    assert session.data_set_of(used) is None and len(session.classifiers) == 1


def test_work_is_known_by_the_data_set_that_its_result_belongs_to(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.begin("training", first)
    session.begin("training", second)
    session.begin("evaluating")
    assert session.running == ("training", "training", "evaluating")
    session.end("training", second)
    assert session.running_on(first) == ("training",) and session.running_on(second) == ()
    session.end("training", first)
    assert session.running == ("evaluating",) and session.running_on(first) == ()


def test_cells_cut_out_anew_take_the_place_of_those_before(plate: Any) -> None:
    session, closed = Session(), []
    session.closed.connect(closed.append)
    session.open(plate, "layers")
    before = session.data_set
    session.trained = trained = trained_on(session)
    session.open(plate.subset(slice(9)), "layers", instead=True)
    assert closed == [before] and len(session.data_sets) == 1
    # As one that was trained before its cells were changed.
    assert session.data_set_of(trained).key == session.data_set


def test_the_data_set_in_use_is_not_closed(session: Session) -> None:
    session.close(session.data_set)
    assert len(session.data_sets) == 2


def test_names_are_told_apart(plate: Any) -> None:
    session = Session()
    for _ in range(3):
        session.open(plate)
    names = [one.name for one in session.data_sets]
    assert names == ["synthetic plate", "synthetic plate (2)", "synthetic plate (3)"]
    assert unique_name("a", ["a", "a (2)"]) == "a (3)"


def test_a_prior_for_one_data_set_is_none_for_another_classifier(session: Session) -> None:
    first, second = (one.key for one in session.data_sets)
    session.trained = trained_on(session)
    session.prior = {"untreated": 0.9, "treated": 0.1}
    session.switch(first)
    assert session.prior is None
    session.switch(second)
    assert session.prior == {"untreated": 0.9, "treated": 0.1}


def test_layers_of_a_data_set_that_is_not_in_use_are_not_kept_alive() -> None:
    class Layer:
        pass

    image, cells = Layer(), Layer()
    before = ShownBefore(Shown(2, {"DNA": image}, cells, slice_position={0: 1}))
    again = before.again([image, cells])
    assert again == Shown(2, {"DNA": image}, cells, slice_position={0: 1})
    assert before.again([image]) is None and before.field == 2
    reference = weakref.ref(image)
    del image, again
    gc.collect()
    assert reference() is None and before.again([cells]) is None
    assert ShownBefore(None).again([cells]) is None


def test_the_list_of_data_sets_says_what_was_found_of_each(session: Session, qtbot: Any) -> None:
    box = DataSetBox(session)
    qtbot.addWidget(box)
    first, second = (one.key for one in session.data_sets)
    session.put(first, importance=object())
    given = Predictions(("a",), np.ones((60, 1), np.float32), "trained on controls")
    session.put(second, predictions=given)
    box.fill()
    lines = [box.list.itemText(row) for row in range(box.list.count())]
    assert lines == [
        "synthetic plate · 20 cells · channel importance",
        "synthetic plate (2) · 60 cells · predictions",
    ]
    assert box.list.currentData() == second and not box.isHidden()
    assert "predictions by the classifier trained on controls" in box.list.toolTip()
    with qtbot.waitSignal(box.chosen) as chosen:
        qtbot.keyClick(box.list, Qt.Key.Key_Up)
    assert chosen.args == [first]
    session.close(first)
    box.fill()
    assert box.isHidden()


def test_one_of_several_classifiers_is_taken_in_use(session: Session, qtbot: Any) -> None:
    box = ClassifierBox(session)
    qtbot.addWidget(box)
    first, second = (one.key for one in session.data_sets)
    session.put_classifier(first, own := trained_on(session))
    box.fill(busy=False)
    assert box.isHidden()
    session.put_classifier(second, trained_on(session))
    box.fill(busy=False)
    assert not box.isHidden() and box.list.currentIndex() == 1
    assert box.list.itemText(1) == "trained on it (synthetic plate (2))"
    with qtbot.waitSignal(box.chosen) as chosen:
        qtbot.keyClick(box.list, Qt.Key.Key_Up)
    assert chosen.args[0] is own


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("/data/controls/dataset.toml", True),
        ("/data/plate/../controls/dataset.toml", True),
        ("/data/plate/dataset.toml", False),
    ],
)
def test_a_file_is_known_however_its_path_is_spelt(source: str, same: bool) -> None:
    session = SimpleNamespace(data_sets=(SimpleNamespace(source="/data/controls/dataset.toml"),))
    assert bool(of_source(session, source)) == same
    sample = SimpleNamespace(data_sets=(SimpleNamespace(source="sample: plate"),))
    assert of_source(sample, "sample: plate") and not of_source(sample, source)
