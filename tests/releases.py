"""What a test asks of a library's release."""

import pytest
import sklearn
from packaging.version import Version


def needs_scikit_learn(version, feature):
    """Mark a test of what scikit-learn itself has from a release on: before it, it is skipped."""
    return pytest.mark.skipif(
        Version(sklearn.__version__) < Version(version),
        reason=f"scikit-learn has {feature} from {version} on",
    )
