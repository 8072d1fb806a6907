"""scikit-learn's callbacks: to them a fit is a task, and every epoch a task in it."""

from skvae.base.sklearn_bases import MYPY

if MYPY:
    from skvae.base.sklearn_types import CallbackSupportMixin, with_callbacks
else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # experimental: a release may lack them, and then has no ``set_callbacks``

        class CallbackSupportMixin:
            """In place of scikit-learn's."""

        def with_callbacks(method):
            """Return the method as it is."""
            return method


__all__ = ["CallbackSupportMixin", "FitTask", "watched_fit", "with_callbacks"]


class FitTask:
    """A fit that callbacks watch.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        Has callbacks.
    X, y : array-like
        As given to ``fit``. Without a y callbacks get X: the target of a row is the row.
    """

    def __init__(self, estimator, X, y):
        self.told = {"estimator": estimator, "X": X, "y": X if y is None else y}

    def begin(self, n_epochs, attributes):
        """Tell of the fit's begin.

        Parameters
        ----------
        n_epochs : int
            The most epochs.
        attributes : callable
            Returns the fitted attributes that the estimator would have if training ended now.
            It is called for callbacks that ask for a fitted estimator.
        """
        self.attributes = attributes
        self.task = self.told["estimator"]._init_callback_context(max_subtasks=n_epochs)
        self.task.call_on_fit_task_begin(**self.told)

    def begin_epoch(self):
        """Tell of an epoch's begin."""
        self.epoch = self.task.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.told)

    def end_epoch(self):
        """Tell of an epoch's end; return whether a callback asks to stop."""
        return self.epoch.call_on_fit_task_end(
            **self.told, reconstruction_attributes=self.attributes
        )

    def end(self, attributes):
        """Tell of the fit's end, and of the fitted attributes."""
        self.task.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes)


def watched_fit(estimator, X, y):
    """Return the task that a fit is, or None where the estimator has no callbacks."""
    return FitTask(estimator, X, y) if getattr(estimator, "_skl_callbacks", None) else None
