"""Asks a stack's function for invitations, wherever AWS's settings in the environment say that the stack is.

    invite.py --stack NAME --payload JSON

prints what the function answers; `null` when the stack has no such function, as stacks of older releases have none.
`cargo xtask invite` and `cargo xtask smoke` run it.
"""

from __future__ import annotations

import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

FUNCTION = "AccountInviteFunction"


def function_of(stack: str) -> str | None:
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = (resource for page in pages for resource in page["StackResourceSummaries"])
    found = (r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == FUNCTION)
    return next(found, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stack", required=True)
    parser.add_argument("--payload", required=True)
    args = parser.parse_args()
    try:
        function = function_of(args.stack)
        if function is None:
            print("null")
            return
        answer = boto3.client("lambda").invoke(FunctionName=function, Payload=args.payload.encode())
        said = answer["Payload"].read().decode()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS says: {error}")
    if "FunctionError" in answer:
        sys.exit(json.loads(said).get("errorMessage", said))
    print(said)


if __name__ == "__main__":
    main()
