"""Support for scikit-learn's callbacks: a fit is a task, and every epoch is a task in it."""

from skvae.base.sklearn_bases import MYPY

if MYPY:
    from skvae.base.sklearn_types import CallbackSupportMixin, with_callbacks
else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # they are experimental: without them there is no ``set_callbacks``

        class CallbackSupportMixin:
            """An empty class in place of scikit-learn's."""

        def with_callbacks(method):
            """Return the method unchanged."""
            return method


__all__ = ["CallbackSupportMixin", "FitTask", "watched_fit", "with_callbacks"]


class FitTask:
    """A fit that callbacks watch.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        An estimator with callbacks.
    X, y : array-like
        The arguments of ``fit``. If y is None, callbacks get X as y, since the target of a row is
        the row itself.
    """

    def __init__(self, estimator, X, y):
        self.told = {"estimator": estimator, "X": X, "y": X if y is None else y}

    def begin(self, n_epochs, attributes):
        """Notify the callbacks of the start of the fit.

        Parameters
        ----------
        n_epochs : int
            Largest number of epochs.
        attributes : callable
            Function that returns the fitted attributes as if training ended now. It is called for
            callbacks that ask for a fitted estimator.
        """
        self.attributes = attributes
        self.task = self.told["estimator"]._init_callback_context(max_subtasks=n_epochs)
        self.task.call_on_fit_task_begin(**self.told)

    def begin_epoch(self):
        """Notify the callbacks of the start of an epoch."""
        self.epoch = self.task.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.told)

    def end_epoch(self):
        """Notify the callbacks of the end of an epoch; return whether one asks to stop."""
        return self.epoch.call_on_fit_task_end(
            **self.told, reconstruction_attributes=self.attributes
        )

    def end(self, attributes):
        """Notify the callbacks of the end of the fit, and give them the fitted attributes."""
        self.task.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes)


def watched_fit(estimator, X, y):
    """Return the task of a fit, or None if the estimator has no callbacks."""
    return FitTask(estimator, X, y) if getattr(estimator, "_skl_callbacks", None) else None
