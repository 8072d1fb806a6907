"""What the benchmarks share."""

import warnings

import pytest
from _common import recorded_warnings
from sklearn.exceptions import ConvergenceWarning


def test_what_a_fit_warns_its_user_of_is_recorded_and_not_printed(recwarn):
    with recorded_warnings() as caught:
        for _ in range(2):  # always, not once for each place
            warnings.warn("not yet", ConvergenceWarning, stacklevel=1)
        warnings.warn("look", UserWarning, stacklevel=1)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    assert [(warning.category, str(warning.message)) for warning in caught] == [
        (ConvergenceWarning, "not yet"),
        (ConvergenceWarning, "not yet"),
        (UserWarning, "look"),
    ]
    assert not recwarn


def test_what_fails_within_the_block_is_raised():
    with pytest.raises(ZeroDivisionError), recorded_warnings():
        1 / 0  # noqa: B018
