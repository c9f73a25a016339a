"""Schemathesis over the description of a served instance: every check, every phase.

    openapi.py '{"http": "http://127.0.0.1:1", "token": "gk_…", "scratch": "…", "is_deep": false}'

The token is of an administrator, the warehouse one that may be written to. Requests are drawn with a fixed seed. Prints one
JSON line for each failure (`problem`), and one for each operation with the statuses that were seen (`operation`,
`statuses`, `undeclared`). What `openapi_checks.py` does not count as a failure is in its list, with the reason.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SEED = 20_260_601
PHASES = ["examples", "coverage", "fuzzing", "stateful"]

# Every check of Schemathesis but `object_level_authorization`, which needs two users that own objects, and
# `max_response_time`, which needs a machine that is always equally fast.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
]

# How well-formed requests may be answered: whatever they name need not be there (404), may have changed (409) or been withdrawn
# (410). Other checks say of each of these whether its operation may answer so, and count every 5xx as a failure. The requests
# carry a valid key of an administrator, and nothing limits its queries: 401, 403 and 429 are failures but for what
# `openapi_checks.py` lists.
ACCEPTED = ["2xx", "3xx", "404", "409", "410", "5xx"]
# How malformed ones may be: what is too large was refused too. What they name may be looked for first.
REJECTED = ["400", "401", "403", "404", "405", "406", "409", "410", "413", "415", "422", "429", "5xx"]

CONFIGURATION = """
seed = {seed}
continue-on-failure = true
request-timeout = 60
hooks = "openapi_checks"
warnings = false

[generation]
max-examples = {examples}
with-security-parameters = false

[phases.coverage]
# Which of several values holds is not part of the description; all that read them refuse a second one.
generate-duplicate-query-parameters = false

[phases.stateful]
max-steps = {steps}

[auth.openapi.key]
bearer = "${{GONGKAI_TOKEN}}"

[checks.positive_data_acceptance]
expected-statuses = {accepted}

[checks.negative_data_rejection]
expected-statuses = {rejected}
"""

# Each question about obligations reckons all of them, and each withdrawal is a publication: seconds where the program is not
# optimised. With GONGKAI_DEEP they are asked for as often as everything else.
SHORT = """
[[operations]]
include-operation-id = ["list_obligations", "withdraw_release"]
generation = { max-examples = 1 }
phases = { coverage = { enabled = false } }
"""


def main():
    setting = json.loads(sys.argv[1])
    is_deep = setting["is_deep"]
    scratch = Path(setting["scratch"])
    scratch.mkdir(parents=True, exist_ok=True)
    configuration = scratch / "schemathesis.toml"
    configuration.write_text(
        CONFIGURATION.format(
            seed=SEED,
            examples=setting.get("examples", 60 if is_deep else 2),
            steps=8 if is_deep else 3,
            accepted=json.dumps(ACCEPTED),
            rejected=json.dumps(REJECTED),
        )
        + ("" if is_deep else SHORT)
    )
    record = scratch / "record.jsonl"
    record.unlink(missing_ok=True)
    # A description in a file stands in for the one that is served.
    location = setting.get("document") or f"{setting['http']}/openapi.json"
    arguments = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run", location]
    arguments += ["--url", setting["http"], "--no-color", "--checks", ",".join(CHECKS), "--phases", ",".join(PHASES)]
    if is_deep:
        # Without a bound of time the number of requests is bounded, and a busy machine sends as many as an idle one.
        arguments += ["--max-time", str(setting.get("seconds", 900))]
    ended = subprocess.run(
        arguments,
        cwd=scratch,
        env={
            **os.environ,
            "GONGKAI_TOKEN": setting["token"],
            "GONGKAI_RECORD": str(record),
            "PYTHONPATH": str(Path(__file__).resolve().parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    (scratch / "printed.txt").write_text(ended.stdout + ended.stderr)
    report(record, ended)


def report(record, ended):
    """Prints what was recorded, each failure once."""
    seen, declared, problems = {}, {}, {}
    for line in record.read_text().splitlines() if record.exists() else []:
        entry = json.loads(line)
        if "problem" in entry:
            problems.setdefault((entry["operation"], entry["problem"]), entry)
        else:
            of_operation = seen.setdefault(entry["operation"], {})
            status = str(entry["status"])
            of_operation[status] = of_operation.get(status, 0) + 1
            declared[entry["operation"]] = entry["declared"]
    for entry in problems.values():
        print(json.dumps(entry, ensure_ascii=False))
    for operation, statuses in sorted(seen.items()):
        undeclared = sorted(set(statuses) - set(declared[operation]))
        print(json.dumps({"operation": operation, "statuses": dict(sorted(statuses.items())), "undeclared": undeclared}))
    # Requests without an answer, and parts of the description that cannot be read, are told by the exit code alone.
    if ended.returncode != 0 and not problems or not seen:
        print(json.dumps({"operation": "run", "problem": f"exit code {ended.returncode}", "detail": (ended.stdout + ended.stderr)[-3000:]}))


if __name__ == "__main__":
    main()
