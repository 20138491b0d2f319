"""Reads or writes the targets secret of a stack, wherever AWS's settings in the environment say that it is.

    targets.py get --stack NAME                    prints the document
    targets.py put --stack NAME --document FILE    puts it, and has the sweep tell the functions

`cargo xtask targets` runs it, and checks the document before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# The sweep does whatever else is due, too, and may take its five minutes.
PATIENCE = Config(read_timeout=330, retries={"max_attempts": 2})


def secret_of(stack: str) -> str:
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", ())
    found = (o["OutputValue"] for o in outputs if o["OutputKey"] == "TargetsSecretId")
    return next(found, None) or sys.exit(f"the stack {stack} has no output TargetsSecretId: is it Longshore's?")


def sweep(stack: str) -> None:
    """Functions that may not read the secret know what the sweep has told them."""
    resource = boto3.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId="SweepFunction"
    )
    function = resource["StackResourceDetail"]["PhysicalResourceId"]
    answer = boto3.client("lambda", config=PATIENCE).invoke(FunctionName=function, Payload=b"{}")
    if "FunctionError" in answer:
        sys.exit(f"the secret is written, but the sweep failed: {answer['Payload'].read().decode()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["get", "put"])
    parser.add_argument("--stack", required=True)
    parser.add_argument("--document", type=Path)
    args = parser.parse_args()
    try:
        secret, secrets = secret_of(args.stack), boto3.client("secretsmanager")
        if args.what == "get":
            print(secrets.get_secret_value(SecretId=secret)["SecretString"])
        else:
            secrets.put_secret_value(SecretId=secret, SecretString=args.document.read_text())
            sweep(args.stack)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS says: {error}")


if __name__ == "__main__":
    main()
