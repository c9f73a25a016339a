"""Traces as a collector of OpenTelemetry gets them: what a request spent its time on, and nothing of what was asked."""

import os
import time
import urllib.parse
import urllib.request
from concurrent import futures

import grpc
import psycopg
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from served import check, equal, run, served

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


def wait_for(name, count=1):
    """The spans of a name, once so many have come: they are sent every few seconds."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if len(found := named(name)) >= count:
            return found
        time.sleep(0.2)
    raise AssertionError(f"no {name!r} among {sorted({span.name for span in collector.spans})}")


def attributes(span):
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@check
def a_request_is_a_trace_with_its_parts():
    query = urllib.parse.urlencode({"q": f"SELECT count(*), '{SECRET}' FROM debt_stock", "format": "json"})
    with urllib.request.urlopen(f"{served.http}/api/v1/sql?{query}", timeout=60) as response:
        name = response.headers["x-request-id"]
        response.read()
    spans = wait_for("GET /api/v1/sql")
    request = next(span for span in spans if attributes(span).get("request_id") == name)
    found = attributes(request)
    equal((found["http.request.method"], found["http.route"], found["http.response.status_code"]), ("GET", "/api/v1/sql", 200))
    equal(request.kind, 2, "a span of a server")
    query = next(span for span in wait_for("query") if span.trace_id == request.trace_id)
    equal((query.parent_span_id, attributes(query)["code"]), (request.span_id, "ok"))
    for part in ["queue", "plan", "rows"]:
        span = next(span for span in wait_for(part) if span.trace_id == request.trace_id)
        equal(span.parent_span_id, query.span_id, part)
        assert query.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano, part
    equal(collector.services, {"gongkai"})


@check
def other_doors_are_traced():
    before = len(named("query"))
    with psycopg.connect(**served.postgres(), autocommit=True) as connection:
        try:
            connection.execute("SELECT no_such_column FROM debt_stock")
        except psycopg.Error:
            pass
        connection.execute("SELECT count(*) FROM debt_stock").fetchone()
    found = [attributes(span) for span in wait_for("query", before + 1)[before:]]
    assert {"Postgres"} <= {each["door"] for each in found}, found


@check
def nothing_of_a_statement_is_told():
    for span in collector.spans:
        assert SECRET not in str(span), f"{span.name} tells the statement"
        assert served.token not in str(span)


try:
    run()
finally:
    server.stop(None)
