"""What saving and loading refuse, in one sentence each."""

__all__ = ["SavingError", "refusal"]


class SavingError(ValueError):
    """What :func:`skvae.save` and :func:`skvae.load` refuse: expected, got, remedy.

    Examples
    --------
    >>> from skvae import SavingError
    >>> issubclass(SavingError, ValueError)
    True
    """


def refusal(place, expected, got):
    """Return the error of a file whose content at one place is not what it must be.

    Examples
    --------
    >>> from skvae.saving.errors import refusal
    >>> refusal("n_iter_", "an integer of at least 1", -3)
    SavingError('The file must hold an integer of at least 1 as n_iter_. Got -3 instead. Take
    another copy of it, or save the estimator again.')
    """
    shown = got if isinstance(got, str) else repr(got)
    if len(shown) > LONGEST:
        shown = f"{shown[:LONGEST]}..."
    return SavingError(
        f"The file must hold {expected} as {place}. Got {shown} instead. Take another copy of it, "
        f"or save the estimator again."
    )


LONGEST = 80  # characters of a file's content that a sentence quotes
