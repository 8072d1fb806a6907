"""Serve a saved model or an ONNX file over HTTP: python serve_model.py model.skvae --port 8000"""

import json
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

MOST_BYTES = 2**24  # largest size of a request
METHODS = (
    "transform",
    "score_samples",
    "decision_function",
    "predict",
    "predict_proba",
    "p_value",
)


def answering(path):
    """Return a function from rows to a dict of answers."""
    if path.endswith(".onnx"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        return lambda rows: dict(zip(names, session.run(names, {"X": rows}), strict=True))
    import skvae

    model = skvae.load(path)
    methods = [getattr(model, name) for name in METHODS if hasattr(model, name)]
    return lambda rows: {method.__name__: method(rows) for method in methods}


class Service(BaseHTTPRequestHandler):
    timeout = 10  # seconds to wait for the rest of a request

    def do_POST(self):
        try:
            length = int(self.headers["Content-Length"])
            if not 0 <= length <= MOST_BYTES:
                raise ValueError(f"A request has at most {MOST_BYTES} bytes. Got {length}.")
            request = json.loads(self.rfile.read(length))
            if not isinstance(request, dict) or "rows" not in request:
                raise ValueError('A request is {"rows": [[0.1, 0.2], ...]}.')
            rows = np.array(request["rows"], dtype=np.float32)
            if rows.ndim != 2 or not np.isfinite(rows).all():
                raise ValueError("The rows must be lists of finite numbers, all of one length.")
            answers = {name: found.tolist() for name, found in self.server.answer(rows).items()}
            status, body = 200, json.dumps(answers, allow_nan=False)
        except Exception as error:  # any error is caused by the request, and is sent back
            status, body = 400, json.dumps({"error": f"{type(error).__name__}: {error}"})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("path", help="a file of skvae.save or of skvae.to_onnx")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    arguments = parser.parse_args()
    with ThreadingHTTPServer(("127.0.0.1", arguments.port), Service) as server:
        server.answer = answering(arguments.path)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
