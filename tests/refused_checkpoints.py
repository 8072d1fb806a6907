"""What a fit says of a checkpoint that it cannot go on from."""

import pytest

from skvae import SavingError, VAETransformer

__all__ = ["VAE", "assert_refused", "foreign", "of_another_fit"]

VAE = VAETransformer(2, hidden_layer_sizes=(4,), max_epochs=3, random_state=0)


def assert_refused(fit, sentence, path):
    """Assert that a fit is refused with this sentence, and that the file stays as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SavingError) as refused:
        fit()
    assert str(refused.value) == sentence
    assert (path.read_bytes() if path.is_file() else None) == before


def of_another_fit(path, difference):
    return (
        f"checkpoint= can continue only the fit that wrote the file. Got {str(path)!r} of a fit "
        f"with {difference}, instead. Set it back, or give another path."
    )


def foreign(path, got):
    return (
        f"checkpoint= takes the path of a new file, or of a complete file that fit wrote. Got "
        f"{str(path)!r}, {got}, instead. Remove it to start from the beginning, or give another "
        f"path."
    )
