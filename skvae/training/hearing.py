"""Find the callbacks that must be notified of every batch, which makes training slower."""

from skorch.callbacks import Callback, EpochScoring, LRScheduler, MlflowLogger, TensorBoard

__all__ = ["hears_batches"]

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
SILENT = {None, *(getattr(Callback, name) for name in BATCH_HOOKS)}
# Hooks of skorch that have no effect, and the condition for it.
QUIET = {
    EpochScoring.on_batch_end: lambda callback: True,  # only for caching, which our nets do not use
    LRScheduler.on_batch_end: lambda callback: callback.step_every != "batch",
    MlflowLogger.on_batch_end: lambda callback: not callback.log_on_batch_end,
    TensorBoard.on_batch_end: lambda callback: type(callback) is TensorBoard,
}


def _hook(callback, name):
    """Return the function of a callback's hook, which is equal for all of a class, or None."""
    method = getattr(callback, name, None)
    return getattr(method, "__func__", method)


def hears_batches(callback):
    """Return whether a callback has a hook for batches that has an effect.

    Such a hook needs the loss of each batch as a number. For this the CPU must wait until a GPU has
    computed the batch. Without such hooks, all losses are fetched at the end of an epoch.
    """
    hooks = {_hook(callback, name) for name in BATCH_HOOKS} - SILENT
    return any(hook not in QUIET or not QUIET[hook](callback) for hook in hooks)
