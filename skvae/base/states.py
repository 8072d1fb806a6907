"""Replace the state of an estimator as a whole.

A method uses a single state, even if a fit in another thread changes the estimator meanwhile.
"""

from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from typing import TypeVar, cast

__all__ = ["adopt", "fitted_as_a_whole", "forget", "of_one_state", "snapshot"]

Method = TypeVar("Method", bound=Callable)


def snapshot(estimator):
    """Return a shallow copy of an estimator, which keeps the attributes that it has now.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.base.states import snapshot
    >>> scaler = StandardScaler().fit([[0.0], [2.0]])
    >>> before = snapshot(scaler)
    >>> scaler.fit([[5.0]]).mean_, before.mean_
    (array([5.]), array([1.]))
    """
    state = type(estimator).__new__(type(estimator))
    vars(state).update(vars(estimator))
    return state


def adopt(estimator, attributes):
    """Set attributes of an estimator all at once: other threads see all of them or none."""
    estimator.__dict__ = {**vars(estimator), **attributes}


def forget(estimator):
    """Remove every fitted attribute, all at once.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.base.states import forget
    >>> scaler = StandardScaler().fit([[0.0], [2.0]])
    >>> forget(scaler)
    >>> hasattr(scaler, "mean_")
    False
    """
    estimator.__dict__ = _unfitted(vars(estimator))


@contextmanager
def fitted_as_a_whole(estimator):
    """Yield an unfitted copy to fit. At the end of the block, the estimator gets its attributes.

    Until then, the estimator does not change. If the block raises an error, the estimator is
    unfitted, even if it was fitted before.
    """
    fresh = snapshot(estimator)
    forget(fresh)
    try:
        yield fresh
        estimator.__dict__ = {**vars(fresh), **_unfitted(vars(estimator))}
    except BaseException:
        forget(estimator)
        raise


def of_one_state(method: Method) -> Method:
    """Decorate a method so that it reads all attributes as they are when it is called.

    Without it, a fit in another thread could replace them before the method returns.
    """

    @wraps(method)
    def answer(self, *args, **kwargs):
        return method(snapshot(self), *args, **kwargs)

    return cast(Method, answer)


def _unfitted(attributes):
    return {name: value for name, value in attributes.items() if not name.endswith("_")}
