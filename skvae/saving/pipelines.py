"""scikit-learn's estimators that can hold ours: a Pipeline with its steps, a FrozenEstimator."""

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skvae.files.errors import refusal
from skvae.files.values import read_value, write_value
from skvae.saving.declarations import Declaration
from skvae.saving.fields import Field
from skvae.saving.sklearn_parts import check_no_memory

__all__ = ["PIPELINES"]


class Steps(Field):
    """Steps of a Pipeline: names with estimators, or with "passthrough"."""

    def write(self, value, file, place):
        return [[name, write_value(step, file, f"{place}.{name}")] for name, step in value]

    def read(self, node, file, place):
        steps = []
        for pair in node if isinstance(node, list) and node else [None]:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
                raise refusal(place, "names and steps", node)
            step = read_value(pair[1], file, f"{place}.{pair[0]}")
            if step not in (None, "passthrough") and not isinstance(step, BaseEstimator):
                raise refusal(f"{place}.{pair[0]}", "an estimator", step)
            steps.append((pair[0], step))
        if len({name for name, _ in steps}) < len(steps):
            raise refusal(place, "steps of different names", "two of one")
        return steps


class NoMemory(Field):
    """The parameter ``memory``, which must be None, because a cache is a folder of pickles."""

    def write(self, value, file, place):
        check_no_memory({"memory": value}, place)

    def read(self, node, file, place):
        check_no_memory({"memory": node}, place)


PIPELINES = {
    "sklearn.pipeline.Pipeline": Declaration(
        Pipeline, parameters={"steps": Steps(), "memory": NoMemory()}, attributes=vars
    ),
    "sklearn.frozen.FrozenEstimator": Declaration(FrozenEstimator, attributes=vars),
}
