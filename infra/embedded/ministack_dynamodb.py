"""MiniStack's DynamoDB, answered by the program in infra/dynamodb, which has its items in a file.

MiniStack goes on seeing each request: it has checked the caller's permissions by then. What tables there are it knows as well, for
CloudFormation and for what the program has not: tags and backups.
"""

from __future__ import annotations

import json
import socket
import threading
import zlib
from pathlib import Path

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from patches import replace, require

# What MiniStack answers itself, from what it knows of its tables.
ITS_OWN = {
    "DescribeContinuousBackups", "DescribeEndpoints", "DescribeLimits", "ListTagsOfResource", "TagResource",
    "UntagResource", "UpdateContinuousBackups",
}
# What changes tables: MiniStack does it, too.
OF_TABLES = {
    "CreateTable": "_create_table", "DeleteTable": "_delete_table", "UpdateTable": "_update_table",
    "UpdateTimeToLive": "_update_ttl",
}
# A query of a large partition is answered in a few milliseconds.
TIMEOUT_SECONDS = 30
BATCH = 25


class Program:
    """A connection to the program for each thread: MiniStack's requests are handled by one, CloudFormation's by others.

    The thread waits for the answer. It comes sooner than another request could be begun.
    """

    def __init__(self, address_file: Path) -> None:
        self.address_file = address_file
        self.local = threading.local()

    def ask(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of the program's answer. What fails is not asked again: it may have been done."""
        connection = getattr(self.local, "connection", None) or self.connect()
        self.local.connection = None
        try:
            connection.sendall(
                b"POST / HTTP/1.1\r\nhost: dynamodb\r\nx-amz-target: DynamoDB_20120810.%b\r\ncontent-length: %d\r\n\r\n%b"
                % (operation.encode("latin-1"), len(body), body)
            )
            answer = self.receive(connection)
        except BaseException:
            connection.close()
            raise
        self.local.connection = connection
        return answer

    def connect(self) -> socket.socket:
        # Each time: after a restart it listens elsewhere.
        host, port = self.address_file.read_text().rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @staticmethod
    def receive(connection: socket.socket) -> tuple[int, bytes]:
        head, received = b"", b""
        while not head:
            more = connection.recv(1 << 16)
            if not more:
                raise ConnectionError("the DynamoDB server has closed the connection")
            received += more
            head, _, body = received.partition(b"\r\n\r\n") if b"\r\n\r\n" in received else (b"", b"", b"")
        status, *headers = head.decode("latin-1").split("\r\n")
        length = next(int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:"))
        chunks, missing = [body], length - len(body)
        while missing > 0:
            more = connection.recv(min(missing, 1 << 20))
            if not more:
                raise ConnectionError("the DynamoDB server has closed the connection")
            chunks.append(more)
            missing -= len(more)
        return int(status.split(" ")[1]), b"".join(chunks)

    def call(self, operation: str, parameters: dict) -> dict:
        """The same for CloudFormation: what is refused is an error."""
        status, answer = self.ask(operation, json.dumps(parameters).encode())
        if status != 200:
            raise ValueError(f"{operation} was refused: {answer.decode()}")
        return json.loads(answer)


def answer_by(program: Program) -> None:
    """Has the program answer what comes by HTTP."""

    def make(original):
        async def handle_request(method, path, headers, body, query_params):
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            if operation in ITS_OWN:
                return await original(method, path, headers, body, query_params)
            status, answer = program.ask(operation, body)
            if status == 200 and operation in OF_TABLES:
                getattr(dynamodb, OF_TABLES[operation])(json.loads(body))
            # What stock MiniStack adds.
            checksum = {"x-amz-crc32": str(zlib.crc32(answer))}
            return status, {"Content-Type": "application/x-amz-json-1.0", **checksum}, answer

        return handle_request

    require(dynamodb, *OF_TABLES.values())
    replace(dynamodb, "handle_request", make)


def let_cloudformation_make_tables(program: Program) -> None:
    def create(original):
        def wrapped(*arguments):
            name, attributes = original(*arguments)
            ensure_table(program, dynamodb._tables[name])
            return name, attributes

        return wrapped

    def update(original):
        def wrapped(data):
            program.call("UpdateTable", data)
            original(data)

        return wrapped

    def delete(original):
        def wrapped(physical_id, props):
            if exists(program, physical_id):
                program.call("DeleteTable", {"TableName": physical_id})
            original(physical_id, props)

        return wrapped

    require(provisioners, "_RESOURCE_HANDLERS")
    replace(provisioners, "_ddb_create", create)
    replace(provisioners, "_ddb_update_call", update)
    replace(provisioners, "_ddb_delete", delete)
    provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"] |= {
        "create": provisioners._ddb_create,
        "delete": provisioners._ddb_delete,
    }


def hand_over_what_it_kept(program: Program) -> None:
    """Items that an earlier version of this stack left in MiniStack's own state, and tables that the program has not."""

    def make(original):
        def wrapped(data):
            original(data)
            for (_, _, name), table in dynamodb._tables.all_items():
                items = [item for by_sort_key in table["items"].values() for item in by_sort_key.values()]
                ensure_table(program, table)
                try:
                    for start in range(0, len(items), BATCH):
                        puts = [{"PutRequest": {"Item": item}} for item in items[start:start + BATCH]]
                        program.call("BatchWriteItem", {"RequestItems": {name: puts}})
                except Exception as error:
                    # MiniStack would go on with half of the items.
                    raise SystemExit(f"the items of {name} cannot be handed over: {error}") from error
                table["items"].clear()

        return wrapped

    replace(dynamodb, "load_persisted_state", make)


def exists(program: Program, name: str) -> bool:
    return program.ask("DescribeTable", json.dumps({"TableName": name}).encode())[0] == 200


def ensure_table(program: Program, table: dict) -> None:
    """Makes a table as MiniStack describes it, unless it is there: it was retained, or MiniStack was killed before it could write
    down that it is there."""
    if exists(program, table["TableName"]):
        return
    wanted = {key: table[key] for key in ("TableName", "KeySchema", "AttributeDefinitions")}
    wanted["BillingMode"] = table["BillingModeSummary"]["BillingMode"]
    if wanted["BillingMode"] == "PROVISIONED":
        wanted["ProvisionedThroughput"] = {
            key: int(table["ProvisionedThroughput"][key]) for key in ("ReadCapacityUnits", "WriteCapacityUnits")
        }
    for key in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = [{part: index[part] for part in ("IndexName", "KeySchema", "Projection")} for index in table[key] or ()]
        if indexes:
            wanted[key] = indexes
    program.call("CreateTable", wanted)


def forward_dynamodb(address_file: Path) -> None:
    program = Program(address_file)
    answer_by(program)
    let_cloudformation_make_tables(program)
    hand_over_what_it_kept(program)
