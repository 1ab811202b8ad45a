"""Takes another of the open data sets in use, with its pixels in the viewer, or closes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMessageBox

from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.samples import is_untouched
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.pages.data.open_jobs import Opened
    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.session import Session, Shown
    from napari_channelmix.viewer.tasks.task import Task

__all__ = ["DataSetSwitching"]


class DataSetSwitching:
    """Switches and closes; pixels that have to be read for that are a task of the page.

    Parameters
    ----------
    viewer, session
    task : Task
    parent : QWidget
        Before which questions are asked.
    shown : callable
        Gets the state of a data set that was taken in use.
    failed : callable
        Gets the reason in a line where pixels cannot be read.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        task: Task,
        parent: QWidget,
        *,
        shown: Callable[[DataSetState], object],
        failed: Callable[[str], object],
    ) -> None:
        self._viewer, self._session, self._task, self._parent = viewer, session, task, parent
        self._shown, self._failed = shown, failed

    def switch_to(self, key: int) -> None:
        """Take another open data set in use, with all that was found of it."""
        self._task.finish()
        state = self._session.of(key)
        if state is None or key == self._session.data_set:
            return
        if self._users_layers(state) is not None:
            self._switched(key, drain(self.show_state(state, None)))
            return
        self._read(state, lambda shown: self._switched(key, shown))

    def close(self, key: int) -> None:
        """Let go of a data set; asks where something would be lost that took its time."""
        session = self._session
        self._task.finish()
        state = session.of(key)
        if state is None or not self.may_close(state):
            return
        if key != session.data_set:
            session.close(key)
            return
        # The next one takes its place; of the last, the one before.
        keys = [other.key for other in session.data_sets]
        index = keys.index(key)
        others = [*keys[index + 1 :], *reversed(keys[:index])]
        following = session.of(others[0]) if others else None
        if following is None:
            return
        after = following.key

        def arrived(shown: Shown | None) -> None:
            self._switched(after, shown)
            session.close(key)

        self._read(following, arrived)

    def forget_layers(self, besides: Shown | None = None) -> Job[None]:
        """Remove what was added to show the data set in use; layers of the user's stay.

        Those of a sample, of File > Open Sample, are the user's as soon as they were touched. A
        step for each layer.
        """
        yield from layers.forget_in_turns(self._viewer, besides)
        before = self._session.shown
        remaining = [] if besides is None else [*besides.images.values(), besides.objects]
        shown = [] if before is None else [*before.images.values(), before.objects]
        for layer in shown:
            there = layer is not None and layer in self._viewer.layers
            if there and is_untouched(layer) and not any(layer is other for other in remaining):
                self._viewer.layers.remove(layer)
                yield Progress(0, 1, "taking layers away")

    def show_state(
        self, state: DataSetState, pixels: layers.FieldPixels | None
    ) -> Job[Shown | None]:
        """Show an open data set, layer by layer; in the user's layers, where it is of these."""
        shown = self._users_layers(state)
        yield from self.forget_layers(shown)
        if shown is None and pixels is not None:
            shown = yield from layers.show_in_turns(self._viewer, state.cells, pixels)
        return shown

    def show_opened(self, opened: Opened) -> Job[tuple[Opened, Shown | None]]:
        """Show a data set that was read, in place of the one before."""
        state = None if opened.open_already is None else self._session.of(opened.open_already)
        if state is not None:
            # Asked again, since its layers may be gone.
            shown = yield from self.show_state(state, opened.pixels)
            return opened, shown
        yield from self.forget_layers()
        return opened, (yield from layers.show_in_turns(self._viewer, opened.cells, opened.pixels))

    def take(self, state: DataSetState, shown: Shown | None) -> None:
        """Take an open data set in use that is shown."""
        if state.key == self._session.data_set:
            self._session.shown = shown
        else:
            self._session.switch(state.key, shown)
        self._shown(state)

    def may_close(self, state: DataSetState) -> bool:
        """Whether nothing would be lost, or the user closes it nevertheless."""
        session = self._session
        lost, running = listed(state.results, 6), listed(session.running_on(state.key), 6)
        if not lost and not running:
            return True
        lines = [f"Close {state.name}?"]
        if running:
            lines.append(
                f"Its running jobs will be stopped: {running}. Earlier results of them are lost."
            )
        if lost:
            lines.append(f"Its results are lost: {lost}.")
        if (
            state.classifier is not None
            and session.uses_elsewhere(state.classifier, state.key)
            and (state.saved_in is None or state.edited)
        ):
            lines.append(
                "Its classifier stays in use, but no script or config can train it again: these "
                "cells are in no data-set file as they are now. Cancel, and 'Save data set…' on "
                "the page 'Report', where that is wanted."
            )
        yes, no = QMessageBox.StandardButton.Close, QMessageBox.StandardButton.Cancel
        text = "\n".join(lines)
        return QMessageBox.question(self._parent, "Close a data set", text, yes | no, no) == yes

    def _read(self, state: DataSetState, arrived: Callable[[Shown | None], object]) -> None:
        key = state.key

        def show(pixels: layers.FieldPixels) -> Job[Shown | None]:
            # It may be another one by now, or closed.
            now = self._session.of(key)
            return None if now is None else (yield from self.show_state(now, pixels))

        self._task.run(
            f"showing {state.name}",
            layers.field_job(state.cells, state.shown.field),
            arrived,
            on_error=self._failed,
            show=show,
        )

    def _switched(self, key: int, shown: Shown | None) -> None:
        state = self._session.of(key)
        if state is not None:
            self.take(state, shown)

    def _users_layers(self, state: DataSetState) -> Shown | None:
        """How a data set is shown in layers of the user, where these are still there."""
        shown = state.shown.again(self._viewer.layers)
        if shown is None or any(map(layers.role_of, shown.images.values())):
            return None
        return shown
