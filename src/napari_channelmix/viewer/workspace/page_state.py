"""How far each page is: done, ready, or blocked by something that is missing. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from napari_channelmix.viewer.workspace.page_list import PAGES, page_info
from napari_channelmix.viewer.workspace.steps import (
    WAY,
    Action,
    Step,
    annotation_step,
    next_of,
    steps_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.session.session import Session

__all__ = ["STATE_WORDS", "PageState", "next_page", "page_states"]

Kind = Literal["done", "ready", "blocked"]
STATE_WORDS: dict[Kind, str] = {
    "done": "done",
    "ready": "ready",
    "blocked": "something is missing",
}


@dataclass(frozen=True)
class PageState:
    """How a page stands now.

    Attributes
    ----------
    kind : str
        ``"done"``, ``"ready"`` or ``"blocked"``.
    line : str
        What happens on the page or what came of it; of a blocked one, what is missing.
    actions : tuple of Action
        What can be done now, here or on another page.
    mended_on : str
        Key of the page on which a blocked one is unblocked; else empty.
    doubt : str
        Why the result of a page that is done must be read with care; else empty.
    """

    kind: Kind
    line: str
    actions: tuple[Action, ...] = ()
    mended_on: str = ""
    doubt: str = ""

    @property
    def words(self) -> str:
        """How the page stands, in a few words."""
        return f"{STATE_WORDS[self.kind]}{', read with care' if self.doubt else ''}"


def page_states(session: Session, layers: Sequence[Any]) -> dict[str, PageState]:
    """The state of every page, by its key; arguments as for `steps_of`."""
    steps = {step.page: step for step in (*steps_of(session, layers), annotation_step(session))}
    return {page.key: _state(steps[page.dock]) for page in PAGES}


def next_page(session: Session, layers: Sequence[Any]) -> str:
    """Key of the page to go to next; empty once a cell was explained, when any may follow."""
    steps = steps_of(session, layers)
    position = next_of(steps)
    if position is None or position >= WAY:
        return ""
    return page_info(steps[position].actions[0].dock).key


def _state(step: Step) -> PageState:
    first = step.actions[0]
    if step.done:
        return PageState("done", step.line, step.actions, doubt=step.doubt)
    if first.unavailable_reason:
        return PageState("blocked", first.unavailable_reason, (), page_info(first.mended_on).key)
    if first.dock != step.page:
        return PageState("blocked", step.line, step.actions, page_info(first.dock).key)
    return PageState("ready", step.line, step.actions)
