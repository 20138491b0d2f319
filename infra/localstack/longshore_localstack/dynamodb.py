"""DynamoDB answered by the program in infra/dynamodb, instead of Amazon's Java program, which LocalStack would download.

Requests are forwarded as they came, and answers are handed back as they are: the program speaks as AWS does.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from localstack.aws.api import RequestContext, ServiceRequest
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.forwarder import AwsRequestProxy, ForwardingFallbackDispatcher
from localstack.aws.skeleton import DispatchTable
from localstack.http import Response
from localstack.services.plugins import Service, ServiceLifecycleHook, aws_provider

# The file that says where the program listens.
ADDRESS = "LONGSHORE_DYNAMODB"


class DynamoDb(DynamodbApi, ServiceLifecycleHook):
    """Implements nothing: every operation falls through to the program."""


@aws_provider(api="dynamodb", name="dynoxide")
def dynamodb() -> Service:
    return Service.for_provider(DynamoDb(), dispatch_table_factory=dispatcher)


def dispatcher(provider: object) -> DispatchTable:
    return ForwardingFallbackDispatcher(provider, forward)


def forward(context: RequestContext, _request: ServiceRequest) -> Response:
    # Each time: after a restart the program listens elsewhere.
    answer = proxy(Path(os.environ[ADDRESS]).read_text()).forward(context)
    # LocalStack hands on a response of its own class only.
    return Response(answer.get_data(), answer.status_code, {"Content-Type": answer.content_type})


@functools.cache
def proxy(address: str) -> AwsRequestProxy:
    return AwsRequestProxy(f"http://{address}", parse_response=False)
