"""Prints, as JSON, what a stack's parameters are and what AWS lets its account have, wherever AWS's settings in the
environment say that it is.

    quotas.py --stack NAME

`cargo xtask deploy` compares the two. What cannot be asked is among "unknown", with the reason.
"""

from __future__ import annotations

import argparse
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# A warning is not worth waiting for.
HASTE = Config(connect_timeout=5, read_timeout=15, retries={"max_attempts": 2})


def concurrent_executions() -> dict[str, float]:
    limit = boto3.client("lambda", config=HASTE).get_account_settings()["AccountLimit"]
    return {"concurrent_executions": limit["UnreservedConcurrentExecutions"]}


def gateway() -> dict[str, float]:
    settings = boto3.client("apigateway", config=HASTE).get_account()["throttleSettings"]
    return {"gateway_rate": settings["rateLimit"], "gateway_burst": settings["burstLimit"]}


def table() -> dict[str, float]:
    limits = boto3.client("dynamodb", config=HASTE).describe_limits()
    return {"table_writes": limits["TableMaxWriteCapacityUnits"], "table_reads": limits["TableMaxReadCapacityUnits"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stack", required=True)
    args = parser.parse_args()
    quotas: dict[str, float] = {}
    unknown: list[str] = []
    for ask in (concurrent_executions, gateway, table):
        try:
            quotas |= ask()
        except (BotoCoreError, ClientError, KeyError) as error:
            unknown.append(f"{ask.__name__}: {error}")
    try:
        stack = boto3.client("cloudformation", config=HASTE).describe_stacks(StackName=args.stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS says: {error}")
    parameters = {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())}
    print(json.dumps({"parameters": parameters, "quotas": quotas, "unknown": unknown}))


if __name__ == "__main__":
    main()
