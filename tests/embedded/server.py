"""AWS on loopback: moto as a real server, with faults on demand."""

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import boto3
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from . import moto_patches  # noqa: F401 (it patches moto)

CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


@dataclass(frozen=True)
class Call:
    """One call that the server saw.

    Attributes:
        service: As in the signature: "sagemaker", "ec2".
        api: "ListModels".
        region: As in the signature.
        access_key: Whose call it was.
        parameters: The body, parsed: JSON, or EC2's flat query.
        at: When it came, by the monotonic clock.
    """

    service: str
    api: str
    region: str
    access_key: str
    parameters: dict[str, Any]
    at: float

    @classmethod
    def of(cls, environ: dict[str, Any]) -> "Call":
        """Read a call out of a WSGI request, and put the body back for moto to read."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        signature = environ.get("HTTP_AUTHORIZATION", "")
        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", signature)
        access_key, region, service = scope.groups() if scope else ("", "", "")
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            api, parameters = target.rpartition(".")[2], json.loads(body or b"{}")
        else:
            parameters = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            api = parameters.get("Action", environ["PATH_INFO"])
        return cls(service, api, region, access_key, parameters, time.monotonic())


Answer = Callable[[], Response]
Fault = Callable[[Call, Answer], "Response | None"]


@dataclass
class EmbeddedAWS:
    """The server, what it was asked, and what it does wrong on purpose.

    Attributes:
        url: Where it listens; a free port of 127.0.0.1.
        calls: Every call since `calls` was last cleared.
        faults: Asked in turn for each call, with the call and a function that gets moto's answer;
            the first that returns a response decides.
        latency: Seconds that each call takes at least.
    """

    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    latency: float = 0.0

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Handler
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "EmbeddedAWS":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        sys.settrace(None)  # else moto's lines are looked at too where coverage is measured
        call = Call.of(environ)
        self.calls.append(call)
        response = self._response(call, environ)
        time.sleep(max(0.0, call.at + self.latency - time.monotonic()))
        return response(environ, start_response)

    def _response(self, call: Call, environ: dict[str, Any]) -> Response:
        def moto_answer() -> Response:
            with self._lock:  # moto's backends are not made for several threads
                return Response.from_app(self._moto, environ)

        for fault in tuple(self.faults):
            response = fault(call, moto_answer)
            if response is not None:
                return response
        return moto_answer()

    def client(self, service: str, region: str, **credentials: str) -> Any:
        """Return a boto3 client of this server, for building accounts."""
        return boto3.client(
            service, region, endpoint_url=self.url, **{**CREDENTIALS, **credentials}
        )

    def count(self, service: str | None = None) -> Counter[str]:
        """Return how often each API was called since `calls` was cleared."""
        return Counter(call.api for call in self.calls if service in (None, call.service))

    def forget_all_but(self, account: str, regions: Collection[str]) -> None:
        """Have nothing left of what was made in AWS, but in some regions of one account."""
        for service in BackendDict._instances:
            for owner, region, _ in list(service.iter_backends()):
                if owner != account or region not in regions:
                    del service[owner][region]

    @contextmanager
    def failing(self, *faults: Fault) -> Iterator[None]:
        """Have faults, besides those that are there, for as long as the context lasts."""
        before = list(self.faults)
        self.faults[:0] = faults
        try:
            yield
        finally:
            self.faults[:] = before


class Handler(WSGIRequestHandler):
    """Werkzeug's request handler, silent."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Say nothing."""


def on(api: str, region: str | None = None, **parameters: Any) -> Callable[[Fault], Fault]:
    """Limit a fault to one API, and where given to a region and to parameters of the call."""

    def limit(fault: Fault) -> Fault:
        def limited(call: Call, answer: Answer) -> Response | None:
            if call.api != api or region not in (None, call.region):
                return None
            if any(call.parameters.get(key) != value for key, value in parameters.items()):
                return None
            return fault(call, answer)

        return limited

    return limit


XML_ERRORS = {
    "ec2": "<Response><Errors><Error>{}</Error></Errors><RequestID>0</RequestID></Response>",
    "sts": "<ErrorResponse><Error>{}</Error><RequestId>0</RequestId></ErrorResponse>",
}


def error(code: str, message: str = "an injected fault", status: int = 400) -> Fault:
    """Return a fault: AWS's error of that code, in the protocol of the call."""

    def fault(call: Call, _: Answer) -> Response:
        if xml := XML_ERRORS.get(call.service):
            text = xml.format(f"<Code>{code}</Code><Message>{message}</Message>")
            return Response(text, status, content_type="text/xml")
        body = json.dumps({"__type": code, "message": message})
        return Response(body, status, content_type="application/x-amz-json-1.1")

    return fault


def refuse(call: Call, answer: Answer) -> "Response | None":
    """A fault: AWS refuses the call for want of a permission."""
    ec2 = call.service == "ec2"
    code = "UnauthorizedOperation" if ec2 else "AccessDeniedException"
    message = f"You are not authorized to perform: {call.service}:{call.api}"
    return error(code, message, 403 if ec2 else 400)(call, answer)


def change(edit: Callable[[dict[str, Any]], None]) -> Fault:
    """Return a fault: a JSON answer of AWS, edited."""

    def fault(_: Call, answer: Answer) -> Response:
        response = answer()
        body = json.loads(response.get_data())
        edit(body)
        response.set_data(json.dumps(body))
        return response

    return fault


def change_text(*edits: tuple[str, str]) -> Fault:
    """Return a fault: an answer of AWS, in which regular expressions are replaced by texts."""

    def fault(_: Call, answer: Answer) -> Response:
        response = answer()
        text = response.get_data(as_text=True)
        for pattern, new in edits:
            text = re.sub(pattern, new, text)
        response.set_data(text)
        return response

    return fault
