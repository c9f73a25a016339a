"""What Schemathesis loads for `openapi.py`: records of what it saw, and the failures that are none.

Records are lines of JSON in the file that `GONGKAI_RECORD` names.
"""

import json
import os
import re

import schemathesis
from schemathesis.openapi.checks import IgnoredAuth, RejectedPositiveData

# A statement that is well-formed as a text need not be one of SQL: these codes say that it was looked at as a statement.
OF_STATEMENT = (
    r"sql_syntax|sql_too_complex|statement_not_allowed|function_not_allowed|column_not_found|query_failed|"
    r"query_timeout|query_memory|query_too_wide|result_too_large"
)

# Well-formed requests that are rightly refused, by operation: code and beginning of the detail. A description cannot say which
# of them these are.
REFUSED = {
    "*": [
        # Tokens are opaque: one that only looks like ours is not one.
        ("invalid_page_token", ""),
        # Listings are queries too, and a machine may be busy.
        ("query_timeout|query_memory", ""),
        # A day that the month does not have.
        ("invalid_parameter", r'as_of is "\d{4}-(02-(29|3)|(04|06|09|11)-31)'),
    ],
    "get_sql": [(OF_STATEMENT, ""), ("invalid_parameter", "parameters is")],
    "post_sql": [(OF_STATEMENT, "")],
    "create_query": [(OF_STATEMENT, ""), ("invalid_parameter", "the answer depends on the time")],
    # Its parameters are expressions of SQL.
    "list_records": [(OF_STATEMENT, ""), ("invalid_parameter", "(select|where|group_by|order_by)\\b")],
    # Either of two parameters has to be there, and not both; a rule is JSON within a text.
    "get_deadline": [("invalid_parameter", "(text|rule) is")],
    "get_log_proof": [("invalid_parameter", "expected either release or from|from is")],
    # The last cell lies before the first, or there are too many between; the file has no such sheet.
    "get_source_cells": [("invalid_parameter", "range is|no cells: ")],
    # The columns are those of the table that another parameter names.
    "get_provenance": [("column_not_found", "")],
    # Two releases can be compared that are of one partition.
    "get_dataset_diff": [("invalid_parameter", "from is of partition|release .* takes others back"), ("result_too_large", "")],
    # Which regions are declared, and what the time is.
    "create_key": [("invalid_parameter", "region is|group is|expires_at is past")],
    "create_event": [("invalid_parameter", "region_code is|occurred_on is|revokes is|evidence is empty")],
    # Which names lead nowhere else, and what is in a file.
    "create_draft_file": [("bad_file|pii_found", ""), ("invalid_parameter", "name is")],
    "create_release": [("bad_file|pii_found", ""), ("invalid_parameter", "name is")],
}

RECORD = open(os.environ["GONGKAI_RECORD"], "a", encoding="utf-8")  # noqa: SIM115: as long as the process
OWN_KEY = os.environ["GONGKAI_TOKEN"].split("_")[1]


def record(entry):
    RECORD.write(json.dumps(entry, ensure_ascii=False) + "\n")
    RECORD.flush()


def operation_id(case):
    return case.operation.definition.raw.get("operationId", case.operation.label)


def problem_of(response):
    """Code and detail of a problem; empty texts where the answer is none."""
    try:
        problem = response.json()
        return str(problem["code"]), str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        return "", ""


@schemathesis.hook
def filter_case(_context, case):
    """The key that the requests are made with is not revoked."""
    return not (case.method == "DELETE" and OWN_KEY in str((case.path_parameters or {}).get("id")))


@schemathesis.hook
def after_call(_context, case, response):
    # Requests with another method than the operation's are answered for the path.
    if case.method.upper() == case.operation.method.upper():
        declared = [str(status) for status in case.operation.responses.status_codes]
        record({"operation": operation_id(case), "status": response.status_code, "declared": declared})


@schemathesis.hook
def filter_failure(_context, failure, case, response):
    """Whether a failure is one; those that are are recorded."""
    operation = operation_id(case)
    code, detail = problem_of(response)
    if isinstance(failure, RejectedPositiveData):
        for of_code, of_detail in REFUSED["*"] + REFUSED.get(operation, []):
            if re.fullmatch(of_code, code) and re.match(of_detail, detail):
                return False
    # After ten keys that are not valid, further ones are refused without a look for the rest of a minute.
    if isinstance(failure, IgnoredAuth) and "got `429" in failure.message:
        return False
    record({
        "operation": operation,
        "problem": failure.title,
        "message": failure.message[:600],
        "status": response.status_code,
        "answer": response.text[:400],
        "request": case.as_curl_command()[:1500],
    })
    return True


@schemathesis.check
def problems_are_problems(_context, response, _case):
    """Whatever is refused, wherever, is refused with a problem document that names its request."""
    assert response.headers.get("x-request-id"), "an answer has no request id"
    if response.status_code >= 400 and response.status_code != 416:
        (media_type, *_) = response.headers.get("content-type", [""])
        assert media_type == "application/problem+json", f"{response.status_code} is of type {media_type!r}"
        problem = response.json()
        missing = {"type", "title", "status", "code", "detail", "request_id"} - problem.keys()
        assert not missing and problem["status"] == response.status_code, f"a problem without {missing}: {problem}"
