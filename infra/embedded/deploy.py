"""Deploys infra/template.yaml, as it is, to an AWS emulator.

What `sam deploy` does on AWS, in a second instead of a minute: packs each function's bootstrap, puts the packs into
an artifact bucket under the hash of their content, points the template's CodeUri lines at them, and creates or
updates the stack through CloudFormation. When neither functions, template nor parameters changed it does nothing.
Then it applies by API what the emulators do not take from CloudFormation, fills the targets secret, has the sweep tell
the functions of it, and writes where everything is to a JSON file. Progress goes to standard output, one line per step that did something.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

CODE_URI = re.compile(r"(\bBinary: ([a-z-]+)\b(?:(?!\bBinary: ).)*?\n\s+CodeUri: )\.\./functions/$", re.MULTILINE | re.DOTALL)
FUNCTION = "AWS::Serverless::Function"
# Where the template is, beside the functions.
TEMPLATE = "template.yaml"
DEPLOYMENT_TAG = "longshore:deployment"
API_TAG = "longshore:api"
# LocalStack takes half a minute for a stack, on a slow machine a few.
SETTLE_SECONDS = 600


def say(words: str) -> None:
    print(words, flush=True)


def pack(bootstrap: bytes) -> bytes:
    """A deployment package. Level 1 takes a tenth of the default's time for a tenth more bytes."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compresslevel=1) as archive:
        archive.writestr(entry, bootstrap, compresslevel=1)
    return buffer.getvalue()


def connect(service: str, endpoint: str, region: str, access_key_id: str, secret_access_key: str):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(
            retries={"max_attempts": 2}, connect_timeout=5, read_timeout=120, s3={"addressing_style": "path"}
        ),
    )


def ensure_bucket(s3, name: str) -> None:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        s3.create_bucket(Bucket=name)


def upload_functions(s3, bucket: str, names: list[str], folder: Path) -> dict[str, str]:
    """Uploads what is not there yet; returns each function's key. Removes what no function uses any more."""
    ensure_bucket(s3, bucket)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {item["Key"] for page in pages for item in page.get("Contents", ())}

    def one(name: str) -> str:
        path = folder / name / "bootstrap"
        if not path.is_file():
            sys.exit(f"{path} is missing: build the functions first (cargo xtask build)")
        code = path.read_bytes()
        key = f"{name}/{hashlib.sha256(code).hexdigest()}.zip"
        if key not in there:
            s3.put_object(Bucket=bucket, Key=key, Body=pack(code))
        return key

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        keys = dict(zip(names, pool.map(one, names)))
    new = sum(key not in there for key in keys.values())
    if new:
        say(f"functions: {new} new, {len(keys) - new} unchanged")
    for key in there - {*keys.values(), TEMPLATE}:
        s3.delete_object(Bucket=bucket, Key=key)
    return keys


def stack_of(cloudformation, name: str) -> dict | None:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def why_failed(cloudformation, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failures = [e for e in events if e["ResourceStatus"].endswith("FAILED") and e.get("ResourceStatusReason")]
    return "; ".join(f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}" for e in reversed(failures))


def settle(cloudformation, name: str) -> dict | None:
    end = time.monotonic() + SETTLE_SECONDS
    while (stack := stack_of(cloudformation, name)) and stack["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > end:
            why = why_failed(cloudformation, name) or "it does not say why"
            sys.exit(f"the stack is stuck in {stack['StackStatus']} ({why}): cargo xtask down, then cargo xtask up")
        time.sleep(0.1)
    return stack


def shape_of_api(resources: dict) -> str:
    """What, when it changes, changes the API itself and not only the functions behind it."""
    routes = [
        (logical, resource["Properties"].get("Events")) for logical, resource in sorted(resources.items())
        if resource["Type"] == FUNCTION
    ]
    return digest([resources["Api"], routes])


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def deploy_stack(
    cloudformation, name: str, url: str, deployment: str, parameters: dict[str, str], api: str | None
) -> dict:
    """Creates or updates the stack by the template at `url`, unless it is already this deployment. Without `api`, the
    shape of its API, the API can be updated as everything else."""
    arguments = {
        "StackName": name,
        "TemplateURL": url,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": [{"Key": DEPLOYMENT_TAG, "Value": deployment}, {"Key": API_TAG, "Value": api or "any"}],
    }
    stack = settle(cloudformation, name)
    if stack and stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        # A stack that never came up cannot be updated; the data it may hold is retained, not deleted.
        cloudformation.delete_stack(StackName=name)
        stack = settle(cloudformation, name)
        stack = None if stack and stack["StackStatus"] == "DELETE_COMPLETE" else stack
    started = time.monotonic()
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())} if stack else {}
    if stack is None:
        word, verb = "created", cloudformation.create_stack
    elif tags.get(DEPLOYMENT_TAG) == deployment and stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return stack
    elif api and tags.get(API_TAG) != api:
        # It would fail with "Stage already exists", and stay stuck in the middle.
        sys.exit("the API changed, and LocalStack cannot update an API: cargo xtask down, then cargo xtask up")
    else:
        word, verb = "updated", cloudformation.update_stack
    verb(**arguments)
    stack = settle(cloudformation, name)
    if stack is None or stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        status = stack["StackStatus"] if stack else "gone"
        sys.exit(f"the stack was not {word} ({status}): {why_failed(cloudformation, name)}")
    say(f"stack: {word} in {time.monotonic() - started:.1f} s")
    return stack


def apply_the_rest(client, resources: dict, outputs: dict[str, str]) -> None:
    """What the template says and the emulators' CloudFormation passes over."""
    ttl = resources["Table"]["Properties"]["TimeToLiveSpecification"]
    dynamodb = client("dynamodb")
    table = outputs["TableName"]
    if dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    rules = [
        {("ID" if key == "Id" else key): value for key, value in rule.items()} | {"Filter": {"Prefix": ""}}
        for rule in resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ]
    client("s3").put_bucket_lifecycle_configuration(
        Bucket=outputs["BucketName"], LifecycleConfiguration={"Rules": rules}
    )


def apply_boundaries(iam, document: dict, physical: dict[str, str]) -> None:
    """The same for the boundaries of the functions' roles."""
    of_all = document["Globals"]["Function"]["PermissionsBoundary"]
    for logical, resource in document["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            role, boundary = logical, properties.get("PermissionsBoundary")
        elif resource["Type"] == FUNCTION and "Role" not in properties:
            role, boundary = f"{logical}Role", properties.get("PermissionsBoundary", of_all)
        else:
            continue
        if boundary:
            arn = physical[boundary["Ref"]]
            iam.put_role_permissions_boundary(RoleName=physical[role], PermissionsBoundary=arn)


def apply_gateway_responses(apigateway, api_id: str, api: dict) -> None:
    """The same for the gateway's own answers, which both take by API only, and show once deployed. LocalStack takes
    over their status and nothing else."""
    there = {r["responseType"]: r for r in apigateway.get_gateway_responses(restApiId=api_id)["items"]}
    changed = False
    for kind, wanted in api["GatewayResponses"].items():
        response = {
            "statusCode": str(wanted["StatusCode"]),
            "responseParameters": {
                f"gatewayresponse.header.{k}": v for k, v in wanted["ResponseParameters"]["Headers"].items()
            },
            "responseTemplates": wanted["ResponseTemplates"],
        }
        if any(there.get(kind, {}).get(key) != value for key, value in response.items()):
            apigateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
            changed = True
    if changed:
        apigateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def make_buckets(targets: list[dict]) -> None:
    """Targets must have their buckets. What speaks OSS here is made with its own."""
    for target in targets:
        endpoint = target.pop("reachable_at", target["endpoint"])
        if target["kind"] == "ceph":
            keys = target["access_key_id"], target["secret_access_key"]
            ensure_bucket(connect("s3", endpoint, target["region"], *keys), target["bucket"])


def fill_targets(secrets, secret_id: str, given: dict[str, list[dict]]) -> list[dict]:
    """Adds or replaces targets by name, and removes those that are gone. What a person put there stays."""
    current = secrets.get_secret_value(SecretId=secret_id)["SecretString"]
    document = json.loads(current)
    names = {target["name"] for target in given["targets"]}
    gone = {(target["name"], target["endpoint"]) for target in given["gone"]}
    # Only this script ever wrote `path_style`, which there is no more.
    others = [
        t for t in document["targets"]
        if t["name"] not in names and (t["name"], t["endpoint"]) not in gone and "path_style" not in t
    ]
    wanted = document | {"targets": others + given["targets"]}
    left = {target["name"] for target in wanted["targets"]}
    for policy in wanted.get("policies", ()):
        policy["targets"] = [name for name in policy["targets"] if name in left]
    if wanted != json.loads(current):
        secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(wanted))
        say(f"targets: {', '.join(t['name'] for t in wanted['targets'])}")
    return wanted["targets"]


def tell_the_functions(functions, sweep: str, data: Path) -> None:
    """Functions that may not read the targets secret know what the sweep wrote down for them, and a new table its format.
    Without waiting for its minute, so that the first file is replicated."""
    answer = functions.invoke(FunctionName=sweep, Payload=b"{}")
    if "FunctionError" in answer:
        said = answer["Payload"].read().decode()
        why = json.loads(said).get("errorMessage", said)
        if why.startswith("the table is in another format: "):
            sys.exit(f"{why}\nTo begin anew on this machine: stop the stack (cargo xtask down; that of tests: cargo xtask test --stop), delete {data}, and start it again")
        sys.exit(f"the sweep failed: {why}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--emulator", choices=["ministack", "localstack"], required=True)
    parser.add_argument("--endpoint", required=True, help="the emulator's URL")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--stack", default="longshore")
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--functions", type=Path, required=True, help="the folder with <name>/bootstrap")
    parser.add_argument("--targets", type=Path, required=True, help="JSON: the targets, and those that are gone; buckets are made, at reachable_at if the endpoint is for containers")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, required=True, help="where to write what was deployed, as JSON")
    return parser.parse_args()


def main() -> None:
    args = arguments()

    def client(service: str):
        return connect(service, args.endpoint, args.region, "test", "test")

    s3, cloudformation = client("s3"), client("cloudformation")
    template = args.template.read_text()
    document = yaml_parse(template)
    resources = document["Resources"]
    names = [match.group(2) for match in CODE_URI.finditer(template)]
    if len(names) != sum(r["Type"] == FUNCTION for r in resources.values()):
        sys.exit(f"{args.template}: each function needs `Binary: <name>` and then a line `CodeUri: ../functions/`")

    bucket = f"{args.stack}-artifacts"
    keys = upload_functions(s3, bucket, names, args.functions)
    packaged = CODE_URI.sub(lambda m: f"{m.group(1)}s3://{bucket}/{keys[m.group(2)]}", template)
    parameters = dict(p.split("=", 1) for p in args.parameter)
    api_shape = shape_of_api(resources) if args.emulator == "localstack" else None
    # It is too long to be sent with the call.
    s3.put_object(Bucket=bucket, Key=TEMPLATE, Body=packaged.encode())
    deployment = digest([packaged, parameters])
    url = f"{args.endpoint}/{bucket}/{TEMPLATE}"
    stack = deploy_stack(cloudformation, args.stack, url, deployment, parameters, api_shape)

    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    for key in ("QueueUrl", "CopyQueueUrl", "DeadLetterUrl"):
        # The emulator says localhost, which may mean ::1; everything listens on the endpoint's address only.
        outputs[key] = args.endpoint + urlsplit(outputs[key]).path
    apply_the_rest(client, resources, outputs)
    api = resources["Api"]["Properties"]
    apply_gateway_responses(client("apigateway"), outputs["ApiId"], api)
    given = json.loads(args.targets.read_text())
    make_buckets(given["targets"])
    targets = fill_targets(client("secretsmanager"), outputs["TargetsSecretId"], given)

    described = cloudformation.describe_stack_resources(StackName=args.stack)["StackResources"]
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in described}
    apply_boundaries(client("iam"), document, physical)
    functions = {r["Metadata"]["BuildProperties"]["Binary"]: physical[logical]
                 for logical, r in resources.items() if r["Type"] == FUNCTION}
    tell_the_functions(client("lambda"), functions["sweep"], args.out.parent / args.emulator)
    about = {
        "emulator": args.emulator,
        "api_url": f"{args.endpoint}/_aws/execute-api/{outputs['ApiId']}/{api['StageName']}",
        "endpoint": args.endpoint,
        "region": args.region,
        "table": outputs["TableName"],
        "bucket": outputs["BucketName"],
        "queue_url": outputs["QueueUrl"],
        "copy_queue_url": outputs["CopyQueueUrl"],
        "dlq_url": outputs["DeadLetterUrl"],
        "targets_secret_id": outputs["TargetsSecretId"],
        "functions": functions,
        "targets": [{k: t.get(k, "") for k in ("name", "kind", "endpoint", "bucket", "prefix")} for t in targets],
    }
    new = args.out.with_suffix(".new")
    new.write_text(json.dumps(about, indent=2) + "\n")
    new.replace(args.out)


if __name__ == "__main__":
    main()
