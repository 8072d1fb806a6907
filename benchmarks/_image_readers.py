"""What reads the features of the paper off codes or pixels, beyond a linear probe of codes."""

import numpy as np
from _paper_data import floats, some
from _paper_probes import MOST_ROWS, areas, known_features
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["linear_auc_of_pixels", "perceptron_auc"]

WIDTHS = (256, 256)  # of the hidden layers of the default encoder
PENALTIES = np.logspace(0, 5, 11)  # from hardly any to a strong one, in steps of 3


def perceptron_auc(train, test, images, features):
    """Return {feature: AUC of a perceptron that reads codes of ``some(train, MOST_ROWS)``}.

    It holds out a tenth of its rows, and stops when these get no better. Its settings were not
    chosen by results.
    """
    if not features:
        return {}
    fitted, truth = known_features(images, features)
    scores = [
        make_pipeline(StandardScaler(), MLPClassifier(WIDTHS, early_stopping=True, random_state=0))
        .fit(train, column)
        .predict_proba(test)[:, 1]
        for column in fitted.T
    ]
    return dict(zip(features, areas(scores, truth), strict=True))


def linear_auc_of_pixels(images, features):
    """Return {feature: AUC of a ridge regression on all pixels}.

    Its penalties are chosen by leave-one-out errors. No linear model of linear codes can be much
    better than this one.
    """
    if not features:
        return {}
    fitted, truth = known_features(images, features)
    ridge = RidgeCV(PENALTIES, alpha_per_target=True)
    ridge.fit(floats(some(images.train, MOST_ROWS)), fitted.astype(np.float32))
    # One target gives one dimension.
    scores = ridge.predict(floats(images.test)).reshape(truth.shape)
    return dict(zip(features, areas(scores.T, truth), strict=True))
