"""The callbacks of a fit, which are copies, so that the user's callbacks do not change."""

from sklearn.base import clone

__all__ = ["check_copies", "own_callbacks"]

EXPECTED = (
    "callbacks= takes skorch's callbacks, and callables without arguments that return one, each "
    "alone or as (name, callback)."
)
REMEDY = "Use those of skorch.callbacks, or a subclass of its Callback."


def own_callbacks(callbacks):
    """Return the callbacks of one fit.

    Parameters
    ----------
    callbacks : sequence
        Entries are skorch callbacks, which are copied, or callables that return one, such as a
        class. Each may be in a pair (name, callback).

    Returns
    -------
    list
        Callbacks, and pairs (name, callback).

    Examples
    --------
    >>> from skorch.callbacks import EarlyStopping
    >>> from skvae.training.callbacks import own_callbacks
    >>> [type(callback).__name__ for callback in own_callbacks((EarlyStopping(), EarlyStopping))]
    ['EarlyStopping', 'EarlyStopping']
    """
    return [(entry[0], _own(entry[1])) if _is_named(entry) else _own(entry) for entry in callbacks]


def check_copies(callbacks):
    """Raise an error for a callback that cannot be copied, and say what to pass instead."""
    for entry in callbacks:
        _copy(entry[1] if _is_named(entry) else entry)


def _is_named(entry):
    return isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], str)


def _own(callback):
    """Return a copy of a callback, or the callback that a callable returns."""
    if _is_callback(callback):
        return _copy(callback)
    if callable(callback):
        try:
            callback = callback()
        except TypeError as error:
            raise TypeError(
                f"{EXPECTED} Got an error from one instead: {error}. {REMEDY}"
            ) from error
    if hasattr(callback, "on_fit_task_end"):
        raise TypeError(
            f"callbacks= takes skorch's callbacks. Got {type(callback).__name__}, one of "
            f"scikit-learn's, instead. Pass it to set_callbacks."
        )
    if not _is_callback(callback):
        raise TypeError(f"{EXPECTED} Got {callback!r} instead. {REMEDY}")
    return callback


def _is_callback(callback):
    return hasattr(callback, "on_train_begin") and not isinstance(callback, type)


def _copy(callback):
    try:
        return clone(callback, safe=False)
    except Exception as error:
        raise TypeError(
            f"The callbacks of callbacks= must be copyable, since every fit uses its own copies. "
            f"Got a {type(callback).__name__} that cannot be copied ({error}) instead. Pass a "
            f"function that makes and returns it: fit calls that function."
        ) from error
