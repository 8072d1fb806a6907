"""docs/examples/serve_model.py: what it answers over HTTP is what the model answers."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from inspect import getsourcelines
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
import serve_model

import skvae
from skvae import AutoencoderOutlierDetector, AutoencoderTransformer

SECONDS = 120  # to wait for a process on a busy machine
SMALL = {"hidden_layer_sizes": (), "max_epochs": 1, "random_state": 0}


@contextmanager
def serving(path):
    """Give the address of a service, which ends with the block, without an error."""
    command = [sys.executable, serve_model.__file__, str(path), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        try:
            yield process.stdout.readline().strip()
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=SECONDS)
            assert (process.returncode, rest) == (0, "stopped\n"), errors
        finally:
            process.kill()


def asked(address, content):
    """Return what the service answers."""
    data = json.dumps(content).encode()
    with urlopen(address, data=data, timeout=SECONDS) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def X():
    return np.random.RandomState(0).rand(40, 3).astype(np.float32)


def test_a_saved_file_is_served_and_bad_requests_are_told(X, tmp_path):
    transformer = AutoencoderTransformer(1, **SMALL)
    detector = AutoencoderOutlierDetector(transformer, random_state=0).fit(X)
    skvae.save(detector, tmp_path / "detector.skvae")
    new = [[0.5, 0.5, 0.5], [9.0, -9.0, 9.0]]
    bad = {
        "[]": 'ValueError: A request is {"rows": [[0.1, 0.2], ...]}.',
        '{"row": []}': 'ValueError: A request is {"rows": [[0.1, 0.2], ...]}.',
        '{"rows": [[1, 2, null]]}': "ValueError: The rows must be lists of finite numbers, all of "
        "one length.",
        '{"rows": [[1, 2]]}': "ValueError: X has 2 features, but AutoencoderOutlierDetector is "
        "expecting 3 features as input.",
    }
    with serving(tmp_path / "detector.skvae") as address:
        found = asked(address, {"rows": new})
        for text, sentence in bad.items():
            with pytest.raises(HTTPError, match="400") as caught:
                urlopen(address, data=text.encode(), timeout=SECONDS)
            assert json.load(caught.value) == {"error": sentence}
        connection = HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(serve_model.MOST_BYTES + 1))
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()
    for name in ("score_samples", "decision_function", "predict", "p_value"):
        np.testing.assert_array_equal(found[name], getattr(detector, name)(np.float32(new)))
    assert found["predict"] == [1, -1]


def test_a_file_of_onnx_is_served(X, tmp_path):
    transformer = AutoencoderTransformer(1, **SMALL).fit(X)
    skvae.to_onnx(transformer, tmp_path / "code.onnx")
    with serving(tmp_path / "code.onnx") as address:
        found = asked(address, {"rows": X.tolist()})
    np.testing.assert_allclose(found["code"], transformer.transform(X), atol=1e-5)


def test_the_service_has_under_40_lines():
    parts = (serve_model.answering, serve_model.Service)
    assert sum(len(getsourcelines(part)[0]) for part in parts) < 40
