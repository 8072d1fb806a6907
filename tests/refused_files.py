"""Small estimators in files, and what ``load`` says of those that were changed."""

import re

import numpy as np
import pytest

import skvae
from skvae import SavingError

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
X = np.random.RandomState(0).standard_normal((40, 4))


def assert_refuses(path, sentence, **options):
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.load(path, **options)


def parameter(name, value):
    return lambda document, arrays: document["estimator"]["parameters"].update({name: value})
