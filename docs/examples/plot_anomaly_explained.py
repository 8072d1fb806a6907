"""
An anomaly explained
====================

Why is this row an anomaly? A detector that is fitted to normal rows scores new ones. This example
fits one to benign tumours of scikit-learn's breast cancer data, 30 measurements with names, tells
how surprising the malignant ones are, and which measurements of one of them are to blame.
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
# The detector is as it comes: several models, each of which scales its half of the rows and fits a
# VAE to them. ``contamination`` asks for a rate of false alarms.

detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(train)

# %%
# Scores and p-values
# -------------------
#
# A score is a lower bound of the log-density, in nats. A p-value is the share of the rows fitted
# that score no higher, each by the models that have not seen it. Its level is the share of normal
# rows that are flagged by mistake.

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
# ``explain`` gives one column after the other its typical value, in twenty orders. What the score
# rises by in the mean is the column's contribution; those of all columns sum to the difference
# between the score of the row and that of a row of typical values. The row is the malignant one
# whose score is the median.

order = np.flatnonzero(is_malignant)[np.argsort(score[is_malignant])]
place = order[len(order) // 2]
print(f"Row {place}: score {score[place]:.1f} nats, p-value {p_value[place]:.3f}")
explained = detector.explain(rows.iloc[[place]]).to_frame()
least = explained.sort_values("contribution").head(8)
print(least[["column", "value", "typical", "contribution"]].round(3).to_string(index=False))
print(f"The contributions of all columns sum to {explained['contribution'].sum():.1f} nats")

# %%
# Contributions share what columns do together. A value that is near the typical one can cost much,
# where it does not fit the other columns; a look at one column at a time would not find it.
#
# The display takes the detector: the anomaly score is minus ``score_samples``, the threshold that
# of ``predict``, and a bar says by how much a column raises the anomaly score.

kind = np.where(is_malignant, "malignant", "benign")
ReconstructionErrorDisplay.from_estimator(detector, rows, kind, row=int(place), bins=40)
