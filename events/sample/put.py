"""Puts the sample world into a local stack, and writes the environment in which functions see it.

    put.py --stack <stack.json> --out <folder> [--again]

The world is what the events in events/ are about: ann with her files and uploads, and bob, whose uploads were left
lying about (ann.json, bob.json). It has a table, a bucket, queues, a replica target and secrets of its own, all
called `longshore-sample...`: the deployed functions never see it, and the sample key is trusted by nobody but
functions that are started with the environment written here. Putting it again makes everything as it was.

With --again it stays and puts the world again for every line that it reads, and answers each with a line.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
NAME = "longshore-sample"
REPLICAS = f"{NAME}-replicas"
COPIES = f"{NAME}-copies"
DEAD_LETTERS = f"{NAME}-dead-letters"
TARGET = "sample"
TARGETS_SECRET = f"{NAME}-targets"
CONTAINER_TARGETS_SECRET = f"{NAME}-targets-for-containers"
# What a container calls the machine that Docker runs on (its default network, on Linux).
DOCKER_HOST = "172.17.0.1"


def local(endpoint: str) -> str:
    """The endpoint, if it is on this machine: the sample's password and key are known to everybody."""
    host = urlsplit(endpoint).hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        sys.exit(f"{endpoint} is not on this machine: the sample is for local stacks only (cargo xtask up)")
    return endpoint


def content(text: str | dict) -> bytes:
    """The bytes of a file: a text, or one that is repeated."""
    if isinstance(text, dict):
        text = text["text"] * text["times"]
    return text.encode()


class World:
    """The sample world in one stack."""

    def __init__(self, stack: dict) -> None:
        self.stack = stack
        self.endpoint = local(stack["endpoint"])
        # In a container the stack has another address.
        self.container = f"http://{DOCKER_HOST}:{urlsplit(self.endpoint).port}"
        session = boto3.Session("test", "test", region_name=stack["region"])
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})

        def client(service: str):
            return session.client(service, endpoint_url=self.endpoint, config=config)

        self.dynamodb, self.s3, self.sqs, self.secrets = map(client, ("dynamodb", "s3", "sqs", "secretsmanager"))
        self.functions = client("lambda")
        resources = session.resource("dynamodb", endpoint_url=self.endpoint, config=config)
        # The functions look whether they understand a table.
        self.format = resources.Table(stack["table"]).get_item(Key={"pk": "FORMAT", "sk": "FORMAT"})["Item"]
        self.table = resources.Table(NAME)
        self.parts = [json.loads((HERE / name).read_text()) for name in ("ann.json", "bob.json")]
        # What was put last: the ids of multipart uploads by their keys, and what `objects` found then.
        self.multipart_ids: dict[str, str] = {}
        self.objects_put: list[tuple] | None = None

    def make(self) -> None:
        """Whatever does not change when the functions run."""
        self.make_table()
        there = {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}
        for bucket in {NAME, REPLICAS} - there:
            self.s3.create_bucket(Bucket=bucket)
        # Nobody reads the messages that the functions send: replication is an event like the others.
        for queue in (NAME, COPIES, DEAD_LETTERS):
            self.sqs.create_queue(QueueName=queue, Attributes={"MessageRetentionPeriod": "60"})
        target = {"name": TARGET, "kind": "ceph", "endpoint": self.endpoint, "region": self.stack["region"],
                  "bucket": REPLICAS, "access_key_id": "test", "secret_access_key": "test"}
        self.put_secret(TARGETS_SECRET, json.dumps({"targets": [target]}))
        self.put_secret(CONTAINER_TARGETS_SECRET, json.dumps({"targets": [target | {"endpoint": self.container}]}))
        self.put_secret(f"{NAME}-signing", (HERE / "signing-secret.json").read_text())

    def make_table(self) -> None:
        """A table like the stack's. One that is there may be like that of an older stack."""

        def shape(table: str) -> dict:
            about = self.dynamodb.describe_table(TableName=table)["Table"]
            index = ("IndexName", "KeySchema", "Projection")
            return {
                "AttributeDefinitions": about["AttributeDefinitions"],
                "KeySchema": about["KeySchema"],
                "GlobalSecondaryIndexes": [{k: i[k] for k in index} for i in about["GlobalSecondaryIndexes"]],
            }

        wanted = shape(self.stack["table"])
        if NAME in self.dynamodb.list_tables()["TableNames"]:
            if shape(NAME) == wanted:
                return
            self.table.delete()
            self.table.wait_until_not_exists()
        self.dynamodb.create_table(TableName=NAME, BillingMode="PAY_PER_REQUEST", **wanted)
        self.table.wait_until_exists()

    def put_secret(self, name: str, text: str) -> None:
        try:
            self.secrets.create_secret(Name=name, SecretString=text)
        except self.secrets.exceptions.ResourceExistsException:
            self.secrets.put_secret_value(SecretId=name, SecretString=text)

    def reset(self) -> None:
        """Everything as it was, whatever the functions have made of it. What is as it was stays: most change little."""
        if self.objects() != self.objects_put:
            self.reset_objects()
        rows = [self.format]
        for row in (row for part in self.parts for row in part["rows"]):
            if "multipart_id" in row:
                row = row | {"multipart_id": self.multipart_ids[f"blobs/{row['blob']}"]}
            rows.append(row)
        there = self.table.scan(ConsistentRead=True)["Items"]
        keys = {(row["pk"], row["sk"]) for row in rows}
        with self.table.batch_writer() as writer:
            for row in there:
                if (row["pk"], row["sk"]) not in keys:
                    writer.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
            for row in rows:
                if row not in there:
                    writer.put_item(Item=row)

    def objects(self) -> list[tuple]:
        """What is in the buckets, and under way there. Whatever is put again has another time or id."""
        found = []
        for bucket in (NAME, REPLICAS):
            for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
                found.append((bucket, upload["Key"], upload["UploadId"]))
            for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
                found.append((bucket, item["Key"], item["ETag"], item["LastModified"]))
        return found

    def reset_objects(self) -> None:
        for bucket in (NAME, REPLICAS):
            for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
                self.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
                self.s3.delete_object(Bucket=bucket, Key=item["Key"])
        for part in self.parts:
            for item in part["store"]:
                self.multipart_ids[item["key"]] = self.store(item)
            for item in part["target"]:
                self.s3.put_object(Bucket=REPLICAS, Key=item["key"], Body=content(item["text"]))
        self.objects_put = self.objects()

    def store(self, item: dict) -> str:
        """Parts as clients send them, made into an object if they are complete. Gives the multipart upload's id."""
        at = {"Bucket": NAME, "Key": item["key"]}
        id = self.s3.create_multipart_upload(**at, ChecksumAlgorithm="SHA256", ChecksumType="COMPOSITE")["UploadId"]
        parts = []
        for number, text in item["parts"].items():
            sent = self.s3.upload_part(
                **at, UploadId=id, PartNumber=int(number), Body=content(text), ChecksumAlgorithm="SHA256"
            )
            parts.append({"PartNumber": int(number), "ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]})
        if item["complete"]:
            self.s3.complete_multipart_upload(**at, UploadId=id, MultipartUpload={"Parts": parts})
        return id

    def queue_url(self, name: str) -> str:
        return self.endpoint + urlsplit(self.sqs.get_queue_url(QueueName=name)["QueueUrl"]).path

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment as deployed, with the sample world's names in it."""
        deployed = self.functions.get_function_configuration(FunctionName=self.stack["functions"][function])
        sample = {
            "TABLE_NAME": NAME,
            "BUCKET_NAME": NAME,
            "REPLICATE_QUEUE_URL": self.queue_url(NAME),
            "COPY_QUEUE_URL": self.queue_url(COPIES),
            "DEAD_LETTER_QUEUE_URL": self.queue_url(DEAD_LETTERS),
            "SIGNING_SECRET_ID": f"{NAME}-signing",
            "TARGETS_SECRET_ID": TARGETS_SECRET,
        }
        return {name: sample.get(name, value) for name, value in deployed["Environment"]["Variables"].items()}


def logical_id(function: str) -> str:
    """What the template calls a function."""
    return "".join(word.capitalize() for word in function.split("-")) + "Function"


def bad_input(event: dict) -> dict:
    """An event with an id of nothing, or where there is no id, with a token that is none."""
    made = json.dumps(event)
    if event["pathParameters"]:
        return json.loads(made.replace(event["pathParameters"]["id"], "not.an.id"))
    return json.loads(made.replace(event["headers"]["Authorization"], "Bearer made.up.token"))


def write_bad_inputs(out: Path) -> None:
    """`bad-input/<function>.json` for each endpoint that has no event of that kind in its folder."""
    folder = out / "bad-input"
    folder.mkdir(parents=True, exist_ok=True)
    for success in HERE.parent.glob("*/success.json"):
        event = json.loads(success.read_text())
        if "httpMethod" in event and not success.with_name("bad-input.json").exists():
            (folder / f"{success.parent.name}.json").write_text(json.dumps(bad_input(event), indent=2) + "\n")


def write_environments(world: World, out: Path) -> None:
    """`env` for cargo-lambda; `sam.json` and `template.yaml` for SAM."""
    environments = {name: world.environment(name) for name in sorted(world.stack["functions"])}
    everything = {}
    for name, variables in environments.items():
        for variable, value in variables.items():
            if everything.setdefault(variable, value) != value:
                sys.exit(f"{name} has another {variable} than the functions before it: one file cannot serve them all")
    everything |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": world.stack["region"],
        "AWS_ENDPOINT_URL": world.endpoint,
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "env").write_text("".join(f"{name}={value}\n" for name, value in sorted(everything.items())))

    sam = {}
    for name, variables in environments.items():
        variables = {k: v.replace(world.endpoint, world.container) for k, v in variables.items()}
        if "TARGETS_SECRET_ID" in variables:
            variables["TARGETS_SECRET_ID"] = CONTAINER_TARGETS_SECRET
        sam[logical_id(name)] = variables | {"AWS_ENDPOINT_URL": world.container}
    (out / "sam.json").write_text(json.dumps(sam, indent=2) + "\n")
    # SAM gives a function only variables that the template declares, and wants to know what to run.
    template = (REPOSITORY / "infra/template.yaml").read_text()
    template = re.sub(r"^( +)RUST_LOG: .*$", r'\g<0>\n\1AWS_ENDPOINT_URL: ""', template, flags=re.MULTILINE)
    built = REPOSITORY / "target/lambda"
    template = re.sub(r"^( +CodeUri: ).*?([a-z-]+)/$", rf"\g<1>{built}/\2/", template, flags=re.MULTILINE)
    (out / "template.yaml").write_text(template)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stack", type=Path, required=True, help="the stack.json that cargo xtask wrote")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write the environment to")
    parser.add_argument("--again", action="store_true", help="stay, and put the world again for every line read")
    args = parser.parse_args()
    world = World(json.loads(args.stack.read_text()))
    world.make()
    world.reset()
    write_environments(world, args.out)
    write_bad_inputs(args.out)
    if args.again:
        print("put", flush=True)
        for _ in sys.stdin:
            world.reset()
            print("put", flush=True)


if __name__ == "__main__":
    main()
