"""DynamoDB of others, for the conformance suite: MiniStack's own, and moto. Each as it comes, in memory, on 127.0.0.1.

    others_dynamodb.py ministack|moto <port>

Each is run by the Python that has it; `tests/conformance/e2e/others.rs` starts both.
"""

import os
import sys


def ministack(port: int) -> None:
    os.environ.update(BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), LOG_LEVEL="ERROR", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    from ministack.app import main

    sys.argv = sys.argv[:1]
    main()


def moto(port: int) -> None:
    from moto.core.exceptions import RESTError
    from moto.dynamodb.responses import DynamoHandler
    from werkzeug import Request, Response, run_simple

    @Request.application
    def answer(request: Request) -> Response:
        try:
            status, headers, body = DynamoHandler.dispatch(request, request.url, request.headers)
        except RESTError as error:
            status, headers, body = error.code, dict(error.get_headers()), error.get_body()
        return Response(body, status, headers)

    # It is made for one caller at a time.
    run_simple("127.0.0.1", port, answer, threaded=False)


if __name__ == "__main__":
    {"ministack": ministack, "moto": moto}[sys.argv[1]](int(sys.argv[2]))
