"""Traces as a collector of OpenTelemetry gets them: what a request spent its time on, and nothing of what was asked."""

import os
import time
import urllib.parse
import urllib.request
from concurrent import futures

import grpc
import psycopg
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from served import check, equal, refused, run, served

SECRET = "value_that_nobody_may_see"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that come."""

    def __init__(self):
        self.spans, self.services = [], set()

    def Export(self, request, context):  # noqa: N802: the name of the protocol
        for resource in request.resource_spans:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()


collector = Collector()
server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
assert server.add_insecure_port(os.environ["GONGKAI_OTLP"].removeprefix("http://")), "the collector's port is taken"
server.start()


def named(name):
    return [span for span in collector.spans if span.name == name]


def wait_for(name, is_wanted=lambda _: True):
    """The first of the wanted spans of a name, once it has come: they are sent every few seconds."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := [span for span in named(name) if is_wanted(span)]:
            return found[0]
        time.sleep(0.2)
    raise AssertionError(f"no {name!r} among {sorted({span.name for span in collector.spans})}")


def attributes(span):
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@check
def a_request_is_a_trace_with_its_parts():
    query = urllib.parse.urlencode({"q": f"SELECT count(*), '{SECRET}' FROM debt_stock", "format": "json"})
    request = urllib.request.Request(f"{served.http}/api/v1/sql?{query}", headers={"Authorization": f"Bearer {served.token}"})
    with urllib.request.urlopen(request, timeout=60) as response:
        name = response.headers["x-request-id"]
        response.read()
    request = wait_for("GET /api/v1/sql", lambda span: attributes(span).get("request_id") == name)
    is_of_request = lambda span: span.trace_id == request.trace_id
    found = attributes(request)
    equal((found["http.request.method"], found["http.route"], found["http.response.status_code"]), ("GET", "/api/v1/sql", 200))
    equal(request.kind, 2, "a span of a server")
    query = wait_for("query", is_of_request)
    equal((query.parent_span_id, attributes(query)["code"]), (request.span_id, "ok"))
    for part in ["queue", "plan", "rows"]:
        span = wait_for(part, is_of_request)
        equal(span.parent_span_id, query.span_id, part)
        assert query.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano, part
    equal(collector.services, {"gongkai"})


@check
def other_doors_are_traced():
    with psycopg.connect(**served.postgres(), autocommit=True) as connection:
        refused(psycopg.Error, "42703", lambda: connection.execute(f"SELECT {SECRET} FROM debt_stock"))
        connection.execute("SELECT count(*) FROM debt_stock").fetchone()
    answered = {"door": "Postgres", "code": "ok"}.items()
    wait_for("query", lambda span: answered <= attributes(span).items())


@check
def nothing_of_a_statement_is_told():
    assert named("query") and named("GET /api/v1/sql"), "the spans of those who asked are not there"
    for span in collector.spans:
        assert SECRET not in str(span), f"{span.name} tells the statement"
        assert served.token not in str(span), f"{span.name} tells the key"


try:
    run()
finally:
    server.stop(None)
