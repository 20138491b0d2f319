"""Finds the stack that an API belongs to, and writes down what is deployed as `cargo xtask` does for its own stacks.

The API may be on AWS, at its own address or at a custom domain, or on an emulator on this machine. Needs credentials
that may read the CloudFormation stack and its targets secret (those of boto3: environment, profile, single sign-on).
Prints them, one NAME=value per line, for the tests to sign requests with.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
from botocore.exceptions import BotoCoreError, ClientError

EMULATED = re.compile(r"^/_aws/execute-api/([a-z0-9]+)/[^/]+$")
ON_AWS = re.compile(r"^([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$")


def emulator_at(endpoint: str) -> str:
    """Which emulator it is. MiniStack answers for LocalStack, too, so it is asked first."""
    for name in ("ministack", "localstack"):
        try:
            with urlopen(f"{endpoint}/_{name}/health", timeout=5):
                return name
        except OSError:
            continue
    sys.exit(f"no emulator answers at {endpoint}")


def locate(url: str) -> tuple[boto3.Session, dict, str, str | None]:
    """The session to ask with, what its clients need, the API's id, and the emulator's name."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    emulated = EMULATED.match(parts.path)
    if emulated and host in ("127.0.0.1", "localhost"):
        endpoint = f"{parts.scheme}://{parts.netloc}"
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session, {"endpoint_url": endpoint}, emulated.group(1), emulator_at(endpoint)
    on_aws = ON_AWS.match(host)
    if on_aws:
        return boto3.Session(region_name=on_aws.group(2)), {}, on_aws.group(1), None
    session = boto3.Session()
    if not session.region_name:
        sys.exit(f"{host} is a custom domain: set AWS_REGION to the region of its API")
    base = parts.path.strip("/") or "(none)"
    mappings = session.client("apigateway").get_base_path_mappings(domainName=host)["items"]
    found = next((m["restApiId"] for m in mappings if m.get("basePath", "(none)") == base), None)
    return session, {}, found or sys.exit(f"{host} has no API at the base path {base}"), None


def stack_of(cloudformation, api: str) -> dict:
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}
            if outputs.get("ApiId") == api:
                return {**stack, "Outputs": outputs}
    sys.exit(f"no CloudFormation stack here has the API {api}: are these the right account and region?")


def name_of(logical_id: str) -> str:
    """UploadSignPartsFunction is the program upload-sign-parts."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    session, connection, api, emulator = locate(args.url)
    cloudformation = session.client("cloudformation", **connection)
    stack = stack_of(cloudformation, api)
    outputs = stack["Outputs"]
    endpoint = connection.get("endpoint_url", "")
    for key in ("QueueUrl", "CopyQueueUrl", "DeadLetterUrl"):
        if endpoint:
            outputs[key] = endpoint + urlsplit(outputs[key]).path
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
    functions = {
        name_of(resource["LogicalResourceId"]): resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    secrets = session.client("secretsmanager", **connection)
    configured = json.loads(secrets.get_secret_value(SecretId=outputs["TargetsSecretId"])["SecretString"])
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())}
    document = {
        "api_url": args.url,
        "parameters": parameters,
        "endpoint": endpoint,
        "region": session.region_name,
        "table": outputs["TableName"],
        "bucket": outputs["BucketName"],
        "queue_url": outputs["QueueUrl"],
        "copy_queue_url": outputs["CopyQueueUrl"],
        "dlq_url": outputs["DeadLetterUrl"],
        "targets_secret_id": outputs["TargetsSecretId"],
        "functions": functions,
        "targets": [{"name": target["name"], "kind": target["kind"]} for target in configured["targets"]],
    }
    if emulator:
        document["emulator"] = emulator
    args.out.write_text(json.dumps(document, indent=2) + "\n")

    credentials = session.get_credentials()
    if credentials is None:
        sys.exit("there are no AWS credentials: set them as for any AWS tool")
    frozen = credentials.get_frozen_credentials()
    print(f"AWS_ACCESS_KEY_ID={frozen.access_key}")
    print(f"AWS_SECRET_ACCESS_KEY={frozen.secret_key}")
    print(f"AWS_SESSION_TOKEN={frozen.token or ''}")


if __name__ == "__main__":
    try:
        main()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS says: {error}")
