"""Which callbacks hear of every batch: those that make every step wait for them."""

from skorch.callbacks import Callback, EpochScoring, LRScheduler, MlflowLogger, TensorBoard

__all__ = ["hears_batches"]

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
SILENT = {None, *(getattr(Callback, name) for name in BATCH_HOOKS)}
# Those of skorch's own that do nothing, or nothing that anything sees, and when.
QUIET = {
    EpochScoring.on_batch_end: lambda callback: True,  # caching, which our nets are without
    LRScheduler.on_batch_end: lambda callback: callback.step_every != "batch",
    MlflowLogger.on_batch_end: lambda callback: not callback.log_on_batch_end,
    TensorBoard.on_batch_end: lambda callback: type(callback) is TensorBoard,
}


def _hook(callback, name):
    """Return what a callback does at a hook: a function, shared by those of a class, or None."""
    method = getattr(callback, name, None)
    return getattr(method, "__func__", method)


def hears_batches(callback):
    """Return whether a callback has a hook for batches that does something.

    To be told of a batch takes its loss as a number, for which the host waits until a GPU has
    computed the batch. At the end of an epoch all losses come together.
    """
    hooks = {_hook(callback, name) for name in BATCH_HOOKS} - SILENT
    return any(hook not in QUIET or not QUIET[hook](callback) for hook in hooks)
