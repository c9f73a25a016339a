"""What Schemathesis loads for `openapi.py`: records of what it saw, and the failures that are none.

Records are lines of JSON in the file that `GONGKAI_RECORD` names.
"""

import json
import os
import re
from calendar import monthrange

import schemathesis
from schemathesis.openapi.checks import AuthScenario, IgnoredAuth, RejectedPositiveData

# A statement that is well-formed as a text need not be one of SQL, and one that is may be more than an answer can be: these say
# that it was looked at as a statement.
OF_STATEMENT = [
    (400, "sql_syntax|sql_too_complex|statement_not_allowed|function_not_allowed|column_not_found|query_failed", ""),
    (422, "query_timeout|query_memory|query_too_wide|result_too_large", ""),
]
# What these operations answer is reckoned by a query of ours, which a busy machine may not finish.
OF_OUR_QUERY = [(422, "query_timeout|query_memory", "")]
# Tokens are opaque: one that only looks like ours is not one.
OF_TOKEN = [(400, "invalid_page_token", "")]
# The detail is one of a day that its month does not have, which `is_of_no_day` makes sure of.
OF_TIME = [(400, "invalid_parameter", "as_of is ")]

# Well-formed requests that are rightly refused, by operation: status, code and beginning of the detail. A description cannot say
# which of them these are.
REFUSED = {
    "download_dataset": OF_TIME,
    "list_items": OF_TOKEN,
    "list_findings": OF_TOKEN,
    "list_obligations": [*OF_TOKEN, *OF_TIME, *OF_OUR_QUERY],
    "get_query_comparison": OF_OUR_QUERY,
    # The values are JSON within a text.
    "get_sql": [*OF_STATEMENT, *OF_TIME, (400, "invalid_parameter", "parameters is ")],
    "post_sql": [*OF_STATEMENT, *OF_TIME],
    "create_query": [
        *OF_STATEMENT,
        *OF_TIME,
        (400, "invalid_parameter", "the answer depends on the time"),
        # So many are stored a minute for each key, whatever the limit of queries.
        (429, "rate_limited", r"\d+ queries a minute are all"),
    ],
    # Its parameters are expressions of SQL.
    "list_records": [
        *OF_TOKEN,
        *OF_STATEMENT,
        *OF_TIME,
        (400, "invalid_parameter", r"(select|where|group_by|order_by)\b"),
    ],
    # Either of two parameters has to be there, and not both; a rule is JSON within a text.
    "get_deadline": [(400, "invalid_parameter", "(text|rule) is ")],
    "get_log_proof": [(400, "invalid_parameter", "expected either release or from|from is ")],
    # The last cell lies before the first, or there are too many between; the file has no such sheet.
    "get_source_cells": [(400, "invalid_parameter", "range is |no cells: ")],
    # The columns are those of the table that another parameter names.
    "get_provenance": [(400, "column_not_found", "no column "), *OF_OUR_QUERY],
    # Two releases can be compared that are of one partition, and not too large.
    "get_dataset_diff": [
        (400, "invalid_parameter", "from is of partition|release .* takes others back"),
        (422, "result_too_large", ""),
    ],
    # Which regions are declared, and what the time is.
    "create_key": [(400, "invalid_parameter", "region is|group is|expires_at is past")],
    "create_event": [(400, "invalid_parameter", "region_code is|occurred_on is|revokes is|evidence is empty")],
    # Which names lead nowhere else, and what is in a file.
    "create_draft_file": [(422, "bad_file|pii_found", ""), (400, "invalid_parameter", "name is")],
    "create_release": [(422, "bad_file|pii_found", ""), (400, "invalid_parameter", "name is")],
    # Who made a draft is not the one to approve it, and all drafts here are of one key.
    "approve_draft": [(403, "same_person", "")],
}

# A range that the file does not have is answered by the server of files, without a document.
WITHOUT_PROBLEM = {("download_dataset", 416), ("get_release_file", 416)}

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


def is_of_no_day(detail):
    """Whether the instant that a detail names is on a day that its month does not have."""
    found = re.match(r'as_of is "(\d{4})-(\d\d)-(\d\d)', detail)
    if not found:
        return False
    year, month, day = map(int, found.groups())
    # The year 0 has the days of the year 2000, and Python has no year 0.
    return 1 <= month <= 12 and monthrange(year or 2000, month)[1] < day <= 31


def is_rightly_refused(operation, response):
    """Whether the answer to a well-formed request is one of those listed for its operation."""
    code, detail = problem_of(response)
    for of_status, of_code, of_detail in REFUSED.get(operation, []):
        if response.status_code == of_status and re.fullmatch(of_code, code) and re.match(of_detail, detail):
            return of_detail != "as_of is " or is_of_no_day(detail)
    return False


@schemathesis.hook
def filter_case(_context, case):
    """The key that the requests are made with is not revoked."""
    return not (operation_id(case) == "revoke_key" and OWN_KEY in str((case.path_parameters or {}).get("id")))


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
    if isinstance(failure, RejectedPositiveData) and is_rightly_refused(operation, response):
        return False
    # After ten keys that are not valid, further ones are refused without a look for the rest of a minute. Requests without a key
    # are not, and nothing else may be answered so.
    if isinstance(failure, IgnoredAuth) and failure.scenario == AuthScenario.INVALID_AUTH:
        if failure.message.startswith("Expected 401 or 403, got `429 "):
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
def problems_are_problems(_context, response, case):
    """Whatever is refused, wherever, is refused with a problem document that names its request."""
    assert response.headers.get("x-request-id"), "an answer has no request id"
    if response.status_code >= 400 and (operation_id(case), response.status_code) not in WITHOUT_PROBLEM:
        (media_type, *_) = response.headers.get("content-type", [""])
        assert media_type == "application/problem+json", f"{response.status_code} is of type {media_type!r}"
        problem = response.json()
        missing = {"type", "title", "status", "code", "detail", "request_id"} - problem.keys()
        assert not missing and problem["status"] == response.status_code, f"a problem without {missing}: {problem}"
