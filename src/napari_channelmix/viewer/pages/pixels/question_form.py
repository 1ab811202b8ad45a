"""What to ask of a cell: which class, against which, by which method, per channel or not."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import QObject, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QWidget

from napari_channelmix.settings import MapSettings, Question
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm

if TYPE_CHECKING:
    from qtpy.QtGui import QStandardItemModel
    from qtpy.QtWidgets import QFormLayout

__all__ = ["BASELINES", "METHODS", "QuestionForm", "compared", "methods_for"]

# As `pcim.METHODS` has them; written down here, since asking would load PyTorch.
METHODS = {
    "pcim": "PCIM",
    "pcim-fidelity": "PCIM (high fidelity)",
    "literal": "PCIM (as published)",
    "blackbox": "Black box",
    "blackbox-sharp": "Black box (fine)",
    "saliency": "Saliency",
    "integrated-gradients": "Integrated gradients",
    "occlusion": "Occlusion",
    "gradcam": "GradCAM",
    "deeplift": "DeepLift",
    "expected-gradients": "Expected gradients",
    "expected-gradients-18": "Expected gradients (18)",
    "expected-gradients-200": "Expected gradients (200)",
    "integrated-gradients-many": "Integrated gradients (8 starts)",
    "lrp": "LRP",
    "kernel-shap": "KernelSHAP",
    "feature-ablation": "Superpixels removed",
}
BASELINES = ("saliency", "integrated-gradients", "occlusion", "gradcam", "deeplift")
# As `pcim.MORE_BASELINES`, those of captum.
CAPTUM = (*BASELINES, "integrated-gradients-many", "lrp", "kernel-shap", "feature-ablation")
ANSWERS_ONLY = ("blackbox", "blackbox-sharp")
TIPS = {
    "pcim": "A mask trained for a few steps; the first map at once",
    "pcim-fidelity": "The same with many more steps: slower, more faithful",
    "literal": "The idea of the paper without our changes; for comparison only",
    "blackbox": "Random masks, then a search; needs predictions only, no gradients",
    "blackbox-sharp": "A linear fit to random masks; needs predictions only, no gradients",
}
NO_CAPTUM = "needs captum: pip install 'napari-channelmix[compare]'"
NO_GRADIENTS = "needs gradients; this model gives predictions only"


def methods_for(classifier: Any) -> dict[str, str]:
    """Why each method cannot be used, or an empty text where it can."""
    captum = importlib.util.find_spec("captum") is not None
    has_gradients = getattr(classifier, "may_have_gradients", False)
    only_answers = classifier is not None and not has_gradients
    reasons = {}
    for name in METHODS:
        why = ""
        if only_answers and name not in ANSWERS_ONLY:
            why = NO_GRADIENTS
        elif name in CAPTUM and not captum:
            why = NO_CAPTUM
        reasons[name] = why
    return reasons


def compared(classifier: Any) -> tuple[str, ...]:
    """The methods worth seeing side by side."""
    reasons = methods_for(classifier)
    # Black boxes are for models that only answer.
    ours = ANSWERS_ONLY if reasons["pcim"] else ("pcim", "pcim-fidelity")
    return tuple(name for name in (*ours, *BASELINES) if not reasons[name])


class QuestionForm(QObject):
    """Controls for a `Question`; ``changed`` tells that another one is asked.

    Which class, and against which, is asked of the cell and comes with the classifier; how the map
    is made are settings, and a `JobForm` has a control for each.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.target = QComboBox()
        self.target.setToolTip("The class to explain")
        self.versus = QComboBox()
        self.versus.setToolTip(
            "Compare the class with one other ('why A and not B?') instead of all; choose the "
            "class to explain first"
        )
        self.method = QComboBox()
        self.method.setToolTip(
            "How the map is made; PCIM is fast, 'high fidelity' is slower and more faithful"
        )
        for name, title in METHODS.items():
            self.method.addItem(title, name)
        self.separate = QCheckBox("Per-channel maps")
        self.separate.setToolTip(
            "Also where in each channel: the images then show each channel's own map, which "
            "follows the map of all channels, and one layer has them all: a click on an image, or "
            "the slider 'channel' below the picture, brings one in sight. A black box would have "
            "to share its images between the channels. Default: on, for a black box off"
        )
        tip = self.separate.toolTip()
        self._ticked_by_hand = False
        self.separate.clicked.connect(self._by_hand)
        # Before the form: it tells that another question is asked, and this belongs to it.
        self.method.currentIndexChanged.connect(self._fit_separate)
        self.settings = JobForm(
            MapSettings,
            parent,
            controls={"method": self.method, "channels": self.separate},
            # The method decides whether gradients are used; labels are looked at once for all.
            leave_out=("mode", "check"),
        )
        self.seed, self.forwards = self.settings["seed"], self.settings["forwards"]
        for number in (self.seed, self.forwards):
            # Each change is a question anew: not with every digit.
            number.setKeyboardTracking(False)
        # The settings' own default is one map, which is what scripts and folders were made with.
        self._fit_separate()
        self.separate.setToolTip(tip)
        self._classes: tuple[str, ...] = ()
        self.fill(None)
        self.target.currentIndexChanged.connect(self._target_changed)
        self.versus.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.method.currentIndexChanged.connect(self._fit_forwards)
        self.settings.changed.connect(self.changed)

    def add_to(self, rows: QFormLayout) -> None:
        """Put the boxes into a form; `more` has the others."""
        rows.addRow("Class", self.target)
        rows.addRow("Compared with", self.versus)
        self.settings.add_to(rows, ["method"])
        self.settings.leave("channels")

    def more(self) -> Folding:
        """The settings that few people change, folded away."""
        rows, content = form(), QWidget()
        self.settings.add_to(rows)
        content.setLayout(rows)
        more = Folding("More settings")
        more.setToolTip("Random seed, number of images that a black box predicts")
        more.addWidget(content)
        return more

    @property
    def question(self) -> Question:
        """What is asked now."""
        return Question(
            target=self.target.currentData(),
            versus=self.versus.currentData(),
            **self.settings.values,
        )

    def fill(self, classifier: Any) -> None:
        """Offer the classes of a classifier and the methods that suit it."""
        classes = () if classifier is None else tuple(classifier.classes)
        if classes != self._classes or not self.target.count():
            self._classes = classes
            for box, first in ((self.target, "the predicted class"), (self.versus, "all others")):
                with QSignalBlocker(box):
                    box.clear()
                    box.addItem(first, None)
                    for name in classes:
                        box.addItem(name, name)
        with QSignalBlocker(self.method):
            reasons = methods_for(classifier)
            for index, name in enumerate(METHODS):
                _switch(self.method, index, not reasons[name], reasons[name] or TIPS.get(name, ""))
            if reasons[self.method.currentData()]:
                usable = next(name for name in METHODS if not reasons[name])
                self.method.setCurrentIndex(self.method.findData(usable))
        self._fit_versus()
        self._fit_separate()
        self._fit_forwards()

    def _by_hand(self) -> None:
        self._ticked_by_hand = True

    def _fit_separate(self, _: object = None) -> None:
        """Maps for each channel, unless the user said otherwise or they cost the map much."""
        if not self._ticked_by_hand:
            with QSignalBlocker(self.separate):
                self.separate.setChecked(self.method.currentData() not in ANSWERS_ONLY)

    def _fit_forwards(self, _: object = None) -> None:
        """Only a black box is asked about a number of images."""
        self.forwards.setEnabled(self.method.currentData() in ANSWERS_ONLY)

    def _target_changed(self) -> None:
        self._fit_versus()
        self.changed.emit()

    def _fit_versus(self) -> None:
        """A class is held against another one only; which, must be known for every cell."""
        target = self.target.currentData()
        with QSignalBlocker(self.versus):
            for index in range(self.versus.count()):
                _switch(self.versus, index, index == 0 or self.versus.itemData(index) != target)
            if target is None or self.versus.currentData() == target:
                self.versus.setCurrentIndex(0)
        self.versus.setEnabled(target is not None)


def _switch(box: QComboBox, index: int, on: bool, tip: str = "") -> None:
    item = cast("QStandardItemModel", box.model()).item(index)
    if item is not None:
        item.setEnabled(on)
        item.setData(tip, Qt.ItemDataRole.ToolTipRole)
