"""Progress of a blocking call, as the caller asks for it: none, a bar, or a function of theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["ShowProgress", "shown_progress"]

#: None or False: quiet. True: a bar, also in a notebook. A function: called with each `Progress`.
ShowProgress = bool | Callable[[Any], object] | None


@contextlib.contextmanager
def shown_progress(progress: ShowProgress) -> Iterator[Callable[[Any], object] | None]:
    """What a job calls with each `Progress`, or None; the bar is closed at the end in any case.

    Parameters
    ----------
    progress : bool, callable or None

    Raises
    ------
    TypeError
        Anything else.
    """
    if progress is None or progress is False:
        yield None
    elif progress is True:
        with _bar() as show:
            yield show
    elif callable(progress):
        yield progress
    else:
        raise TypeError(
            "progress must be True, False, None or a function that takes a Progress, not "
            f"{type(progress).__name__}"
        )


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Any], object]]:
    """A bar of per cent, in a notebook as a widget where there are widgets."""
    import warnings

    with warnings.catch_warnings():
        # In a notebook without ipywidgets the bar is one of text: nothing to warn of.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from tqdm.auto import tqdm

    bar = tqdm(total=100.0, bar_format="{percentage:3.0f}%|{bar}| {elapsed}  {postfix}")
    notes = set[str]()

    def show(progress: Any) -> None:
        if progress.note and progress.note not in notes:
            notes.add(progress.note)
            bar.write(progress.note)
        bar.set_postfix_str(progress.stage, refresh=False)
        bar.update(100.0 * progress.fraction - bar.n)

    try:
        yield show
    finally:
        bar.close()
