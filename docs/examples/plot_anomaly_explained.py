"""
An anomaly explained
====================

Why is this row an anomaly? A detector is fitted to normal rows and scores new ones. This example
fits a detector to the benign tumours of scikit-learn's breast cancer data, which have 30 named
measurements. It then shows how surprising the malignant tumours are, and which measurements make
one of them surprising.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skvae import AutoencoderOutlierDetector
from skvae.plotting import ReconstructionErrorDisplay

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
benign, malignant = X[y == 1], X[y == 0]
train, test = train_test_split(benign, random_state=0)

# %%
# The detector has its default transformer. It consists of several models, each of which scales half
# of the rows and fits a VAE to them. ``contamination`` sets the rate of false alarms.

detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(train)

# %%
# Scores and p-values
# -------------------
#
# A score is a lower bound of the log-density, in nats. A p-value is the share of training rows
# whose score is not higher. Each training row is scored by the models that were not fitted to it.
# If rows with a p-value below a level are flagged, this level is the share of normal rows flagged
# by mistake.

rows = X.loc[[*test.index, *malignant.index]]
is_malignant = y[rows.index] == 0
score, p_value = detector.score_samples(rows), detector.p_value(rows)
print(f"ROC AUC of malignant against new benign rows: {roc_auc_score(is_malignant, -score):.3f}")
for level in (0.05, 0.1):
    flagged = p_value <= level
    print(
        f"p-value at most {level}: {flagged[~is_malignant].mean():.2f} of the new benign rows, "
        f"{flagged[is_malignant].mean():.2f} of the malignant ones"
    )

# %%
# One row explained
# -----------------
#
# ``explain`` replaces the values of the row by typical values, one column after another, in twenty
# orders. The contribution of a column is the mean change of the score. The contributions of all
# columns sum to the difference between the score of the row and that of a row of typical values.
# The row shown is the malignant one with the median score.

order = np.flatnonzero(is_malignant)[np.argsort(score[is_malignant])]
place = order[len(order) // 2]
print(f"Row {place}: score {score[place]:.1f} nats, p-value {p_value[place]:.3f}")
explained = detector.explain(rows.iloc[[place]]).to_frame()
least = explained.sort_values("contribution").head(8)
print(least[["column", "value", "typical", "contribution"]].round(3).to_string(index=False))
print(f"The contributions of all columns sum to {explained['contribution'].sum():.1f} nats")

# %%
# Columns that act together share their contributions. A value close to the typical one can cost
# much, if it does not fit the other columns. This cannot be found by looking at one column at a
# time.
#
# The display accepts the detector. The anomaly score is minus ``score_samples``, and the threshold
# is that of ``predict``. A bar shows how much a column raises the anomaly score.

kind = np.where(is_malignant, "malignant", "benign")
ReconstructionErrorDisplay.from_estimator(detector, rows, kind, row=int(place), bins=40)
