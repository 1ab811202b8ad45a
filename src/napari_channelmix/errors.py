"""The errors a user may see: one line that says what is wrong, where, and what to do."""

from __future__ import annotations

__all__ = [
    "BundleError",
    "ChannelMixError",
    "ClusterError",
    "ConfigError",
    "DataError",
    "DataShiftWarning",
    "InUseError",
    "ModelError",
    "SaveError",
    "TooFewGroupsError",
]


class ChannelMixError(Exception):
    """Base of every error raised on purpose; its text is one line, fit to be shown as it is.

    Examples
    --------
    >>> try:
    ...     cm.open_dataset("missing.toml")
    ... except cm.ChannelMixError as error:
    ...     print(type(error).__name__)
    DataError
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class DataError(ChannelMixError, ValueError):
    """A data set, image, table or layer that cannot be used as it is."""


class ConfigError(ChannelMixError, ValueError):
    """A config that cannot be read, or that no longer fits what it names."""


class ClusterError(ChannelMixError, RuntimeError):
    """A scheduler or workers that cannot be reached, or do not fit this process."""


class TooFewGroupsError(DataError):
    """Groups that cannot be divided so that every class is on both sides."""


class ModelError(ChannelMixError, ValueError):
    """A classifier that does not fit the data, or settings that cannot be trained."""


class BundleError(ModelError):
    """A model file that is truncated, altered, too new, or of a kind that is never loaded."""


class DataShiftWarning(UserWarning):
    """Cells that are not like those a classifier was trained on; a line for each difference.

    Examples
    --------
    >>> import warnings
    >>> brighter = test.read() * 10
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     probabilities = model.predict_proba(brighter)
    >>> caught[0].category.__name__
    'DataShiftWarning'
    """


class SaveError(ChannelMixError, OSError):
    """A file that could not be written; what was there before is still there."""


class InUseError(SaveError):
    """A folder or file that another run is writing."""
