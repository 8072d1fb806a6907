"""The state of training between two epochs, as values that a file can store."""

from collections import Counter, OrderedDict
from inspect import signature
from numbers import Real

import numpy as np
import torch

from skvae.files.values import PLAIN, Kind, is_of
from skvae.training.optimizers import OPTIMIZERS, load_optimizer_state

__all__ = ["STATE_KINDS", "restore_state", "state_of"]

PATIENCE = {"ignored": int, "waited": int, "threshold": float, "best": float}
DTYPES = {
    torch.float64, torch.float32, torch.float16, torch.int64, torch.int32, torch.int16,
    torch.int8, torch.uint8, torch.bool,
}  # fmt: skip
# Objects in callbacks that have a state: schedulers and modules, and random generators.
STATEFUL = {"state_dict": "load_state_dict", "get_state": "set_state"}


def _is_tensor(value):
    return torch.is_tensor(value) and value.layout == torch.strided and value.dtype in DTYPES


def _write_tensor(value, file, place):
    file.add(value.detach().cpu().numpy(), place)
    return True


STATE_KINDS = {
    **PLAIN,
    "dict": Kind(is_of(dict, OrderedDict), PLAIN["dict"].write, PLAIN["dict"].read),
    # torch's MultiStepLR stores its milestones in a Counter.
    "counter": Kind(
        is_of(Counter),
        PLAIN["dict"].write,
        lambda node, file, place: Counter(PLAIN["dict"].read(node, file, place)),
    ),
    "tensor": Kind(
        _is_tensor,
        _write_tensor,
        lambda node, file, place: torch.from_numpy(file.take(place)),
    ),
}


def state_of(net, generator, patience):
    """Return the state from which training can continue, as values of :data:`STATE_KINDS`.

    Parameters
    ----------
    net : AutoencoderNet
        The net after an epoch, whose callbacks have been notified.
    generator : torch.Generator
        The generator of the fit.
    patience : Patience or None
        Early stopping.

    Returns
    -------
    dict
        The state. Its tensors are not copies: they change as training continues.
    """
    module = net.module_
    return {
        "weights": module.state_dict(),
        "frozen": [name for name, one in module.named_parameters() if not one.requires_grad],
        "objective": net.criterion_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "generator": generator.get_state(),
        "history": _columns(net.history),
        "patience": None if patience is None else _state_of_patience(patience),
        "callbacks": [_state_of_callback(callback) for _, callback in net.callbacks_],
    }


def restore_state(state, net, generator, patience):
    """Set the state of a training that has just started to the state of an earlier one.

    Parameters
    ----------
    state : dict
        The state, as :func:`state_of` returns it.
    net, generator, patience
        Those of a training with the same plan, whose callbacks have been notified of its start.
    """
    module = net.module_
    module.load_state_dict(state["weights"])
    frozen = set(state["frozen"])
    for name, weight in module.named_parameters():
        weight.requires_grad_(name not in frozen)
    net.criterion_.load_state_dict(state["objective"])
    _check_optimizer(net.optimizer_, **state["optimizer"])
    load_optimizer_state(net, state["optimizer"]["state"], state["optimizer"]["param_groups"])
    generator.set_state(state["generator"])
    _restore_history(net.history, state["history"])
    if patience is not None:
        _restore_patience(patience, state["patience"], module.state_dict())
    for (_, callback), of_one in zip(net.callbacks_, state["callbacks"], strict=True):
        _restore_callback(callback, of_one)


def _check_optimizer(optimizer, state, param_groups):
    """Raise an error if a state does not fit a built-in optimizer. torch does not check this."""
    if type(optimizer) not in OPTIMIZERS.values():
        return
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for index, entries in state.items():
        for name, value in entries.items():
            shape = () if name == "step" else weights[index].shape
            if value is not None and value.shape != shape:
                raise ValueError(f"{name} of a weight of another shape")
    for now, then in zip(optimizer.state_dict()["param_groups"], param_groups, strict=True):
        _check_alike(now, then)


def _check_alike(now, then):
    """Raise an error if the values of two dicts have different types."""
    for name, value in now.items():
        if _kind(value) != _kind(then[name]):
            raise ValueError(f"{name} of another kind")


def _kind(value):
    """Return a description of the type of a value. All real numbers have the same one."""
    if isinstance(value, tuple | list):
        return type(value), [_kind(one) for one in value]
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return "number" if is_number else type(value)


def _state_of_patience(patience):
    numbers = {name: kind(getattr(patience, name)) for name, kind in PATIENCE.items()}
    return {**numbers, "weights": patience.weights}


def _restore_patience(patience, state, own):
    for name, kind in PATIENCE.items():
        setattr(patience, name, kind(state[name]))
    if state["weights"] is not None:
        patience.weights = {
            name: torch.empty_like(like).copy_(state["weights"][name]) for name, like in own.items()
        }


def _columns(history):
    """Return the numbers that epochs have recorded by name, and the epochs that have them.

    The records of batches are left out, since they would be most of the file of a long fit.
    """
    columns = {"n_epochs": len(history), "values": {}, "epochs": {}}
    for name in dict.fromkeys(name for row in history for name in row):
        epochs = [n for n, row in enumerate(history) if isinstance(row.get(name), Real)]
        values = np.array([history[n][name] for n in epochs])
        if values.dtype.kind in "bif":
            columns["values"][name] = values
            columns["epochs"][name] = np.array(epochs, dtype=np.int64)
    return columns


def _restore_history(history, columns):
    epochs = columns["epochs"]["train_loss"]
    if not np.array_equal(epochs, np.arange(len(epochs))) or len(epochs) != columns["n_epochs"]:
        raise ValueError("a loss of every epoch")
    for _ in range(columns["n_epochs"]):
        history.new_epoch()
    for name, values in columns["values"].items():
        if values.ndim != 1:
            raise ValueError(f"{name} of more than one axis")
        for epoch, value in zip(columns["epochs"][name].tolist(), values.tolist(), strict=True):
            history[epoch][name] = value


def _is_kept(value):
    """Return whether a file can store a value and everything in it."""
    if isinstance(value, dict):
        whole = all(type(key) in (str, int) and _is_kept(one) for key, one in value.items())
    else:
        whole = not isinstance(value, list | tuple) or all(map(_is_kept, value))
    plain = value is None or type(value) in (bool, int, float, str, list)
    return whole and (plain or any(kind.takes(value) for kind in STATE_KINDS.values()))


def _state_of_callback(callback):
    """Return the state of a callback without its parameters, which every fit sets again.

    An attribute that a file cannot store, such as an open log file, is left out. It keeps the value
    that it has at the start of training.
    """
    given = signature(type(callback).__init__).parameters  # skorch's get_params has all attributes
    found = {}
    for name, value in getattr(callback, "__dict__", {}).items():
        if name in given or isinstance(value, type):
            continue
        reading = next((one for one in STATEFUL if hasattr(value, one)), None)
        content = value if reading is None else getattr(value, reading)()
        if reading == "state_dict":
            content = {key: one for key, one in content.items() if _is_kept(one)}
        if _is_kept(content):
            found[name] = {"reading": reading, "content": content}
    return found


def _restore_callback(callback, state):
    for name, found in state.items():
        reading, content = found["reading"], found["content"]
        if reading is None:
            setattr(callback, name, content)
            continue
        value = getattr(callback, name)
        if reading == "state_dict":
            content = {**value.state_dict(), **content}
        getattr(value, STATEFUL[reading])(content)
