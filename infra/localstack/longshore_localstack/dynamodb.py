"""DynamoDB answered by moto, in LocalStack's own process, instead of Amazon's Java program, which it would download.

moto is made for one caller at a time. Two things make it fit for many:

1. One operation after the other. moto's conditions and writes are separate steps, so calls at the same time would
   both find a condition true, and reads fail during writes.
2. A transaction is cheap. moto copies the whole table, item by item, once for each item that is written, to be able to
   go back. Here it copies the lists of items, once, and of the items only those that are updated.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections import defaultdict

from localstack.aws.api import RequestContext, ServiceRequest, ServiceResponse
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi
from localstack.aws.forwarder import ForwardingFallbackDispatcher
from localstack.aws.skeleton import DispatchTable
from localstack.services.moto import MotoFallbackDispatcher, call_moto
from localstack.services.plugins import Service, ServiceLifecycleHook, aws_provider
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

ONE_AT_A_TIME = threading.Lock()
# The copies of tables made for the transaction under way, by the tables' ids.
twins: dict[int, Table] = {}


class DynamoDb(DynamodbApi, ServiceLifecycleHook):
    """Implements nothing: every operation falls through to moto."""


class DynamoDbStreams(DynamodbstreamsApi, ServiceLifecycleHook):
    """Implements nothing: every operation falls through to moto."""


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Service:
    make_transactions_cheap()
    return Service.for_provider(DynamoDb(), dispatch_table_factory=serial_dispatcher)


@aws_provider(api="dynamodbstreams", name="moto")
def dynamodbstreams() -> Service:
    return Service.for_provider(DynamoDbStreams(), dispatch_table_factory=MotoFallbackDispatcher)


def serial_dispatcher(provider: object) -> DispatchTable:
    return ForwardingFallbackDispatcher(provider, call_alone)


def call_alone(context: RequestContext, _request: ServiceRequest) -> ServiceResponse:
    with ONE_AT_A_TIME:
        return call_moto(context)


def make_transactions_cheap() -> None:
    """Has moto's `copy.deepcopy(table)` share the items with the table, and copies only those that are updated."""
    if not hasattr(Table, "__deepcopy__"):
        Table.__deepcopy__ = share_items
        DynamoDBBackend.transact_write_items = keep_updated_items(DynamoDBBackend.transact_write_items)


def share_items(table: Table, _memo: dict) -> Table:
    """A copy whose items are the table's own: good as long as nobody changes them, but only adds and removes. A
    transaction asks for it once for each of its items, before it changes any."""
    if id(table) in twins:
        return twins[id(table)]
    twin = twins[id(table)] = copy.copy(table)
    twin.items = defaultdict(dict)
    for key, items in table.items.items():
        twin.items[key] = dict(items) if table.has_range_key else items
    return twin


def keep_updated_items(original):
    """An update is the one thing that changes an item in place. When the transaction fails, those are put back."""

    @functools.wraps(original)
    def wrapped(backend: DynamoDBBackend, transact_items: list[dict]) -> None:
        before = []
        for operation in (item["Update"] for item in transact_items if "Update" in item):
            item = backend.get_item(operation["TableName"], operation["Key"])
            if item:
                before.append((operation["TableName"], copy.deepcopy(item)))
        twins.clear()
        try:
            return original(backend, transact_items)
        except Exception:
            for name, item in before:
                table = backend.get_table(name)
                if table.has_range_key:
                    table.items[item.hash_key][item.range_key] = item
                else:
                    table.items[item.hash_key] = item
            raise
        finally:
            twins.clear()

    return wrapped
