"""Connections of ADBC's driver for Arrow Flight SQL to the served instance."""

import adbc_driver_flightsql.dbapi
from served import served

HEADER = "adbc.flight.sql.rpc.call_header."


def connect(token=None, **headers):
    """A connection over TLS, with a key or without; further headers go with every call."""
    with open(served.certificate) as file:
        options = {"adbc.flight.sql.client_option.tls_root_certs": file.read()}
    if token:
        options["adbc.flight.sql.authorization_header"] = f"Bearer {token}"
    options |= {f"{HEADER}{name.replace('_', '-')}": value for name, value in headers.items()}
    return adbc_driver_flightsql.dbapi.connect(f"grpc+tls://{served.flight}", options, autocommit=True)
