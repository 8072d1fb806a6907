"""The errors of reading and writing files."""

__all__ = ["SavingError", "damaged", "refusal"]


class SavingError(ValueError):
    """Error of :func:`skvae.save`, :func:`skvae.load` and ``checkpoint=``, in one sentence.

    Attributes
    ----------
    got : str or None
        A short description of the file that was read.

    Examples
    --------
    >>> from skvae import SavingError
    >>> issubclass(SavingError, ValueError)
    True
    """

    got: str | None = None


def damaged(got):
    """Return the error for a file that is incomplete, changed or of another kind.

    Examples
    --------
    >>> from skvae.files.errors import damaged
    >>> damaged("an empty one").got
    'an empty one'
    """
    error = SavingError(
        f"load takes a file that skvae.save wrote, whole. Got {got} instead. Take another copy of "
        f"it, or save the estimator again."
    )
    error.got = got
    return error


def refusal(place, expected, got):
    """Return the error for a file whose content at one place is not as expected.

    Examples
    --------
    >>> from skvae.files.errors import refusal
    >>> refusal("n_iter_", "an integer of at least 1", -3)
    SavingError('The file must hold an integer of at least 1 as n_iter_. Got -3 instead. Take
    another copy of it, or save the estimator again.')
    """
    shown = got if isinstance(got, str) else repr(got)
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}..."
    error = SavingError(
        f"The file must hold {expected} as {place}. Got {shown} instead. Take another copy of it, "
        f"or save the estimator again."
    )
    error.got = f"one with {shown} as {place} in place of {expected}"
    return error


LONGEST = 80  # most characters of a file's content in an error message
