"""moto as the plug-in has it called: a transaction is atomic, whatever other calls run at the same time."""

import os
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from longshore_localstack import dynamodb
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

KEYS = {"a": {"S": "a"}, "b": {"S": "b"}, "c": {"S": "c"}, "d": {"S": "d"}}


class TransactionsTest(unittest.TestCase):
    def setUp(self) -> None:
        dynamodb.make_transactions_cheap()
        # Settings for a real or emulated AWS would lead there, and not to moto.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = patch.dict(os.environ, clean, clear=True)
        environment.start()
        self.addCleanup(environment.stop)
        mock = mock_aws()
        mock.start()
        self.addCleanup(mock.stop)
        self.client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.client.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        for name in ("a", "b", "c"):
            self.client.put_item(TableName="t", Item={**self.key(name), "n": {"N": "1"}})

    def key(self, name: str) -> dict:
        return {"pk": KEYS[name], "sk": {"S": "x"}}

    def all(self) -> dict[str, str]:
        items = self.client.scan(TableName="t")["Items"]
        return {item["pk"]["S"]: item["n"]["N"] for item in items}

    def write(self, guard: str) -> None:
        """Changes a, puts d, deletes c, if b is `guard`."""
        one = {":one": {"N": "1"}}
        self.client.transact_write_items(
            TransactItems=[
                {"Update": {"TableName": "t", "Key": self.key("a"), "UpdateExpression": "ADD n :one",
                            "ExpressionAttributeValues": one}},
                {"Put": {"TableName": "t", "Item": {**self.key("d"), "n": {"N": "4"}}}},
                {"Delete": {"TableName": "t", "Key": self.key("c")}},
                {"ConditionCheck": {"TableName": "t", "Key": self.key("b"), "ConditionExpression": "n = :n",
                                    "ExpressionAttributeValues": {":n": {"N": guard}}}},
            ]
        )

    def test_a_transaction_that_succeeds_changes_everything(self) -> None:
        self.write("1")
        self.assertEqual(self.all(), {"a": "2", "b": "1", "d": "4"})

    def test_a_transaction_that_fails_changes_nothing(self) -> None:
        for _ in range(2):
            with self.assertRaises(ClientError) as caught:
                self.write("2")
            self.assertEqual(caught.exception.response["Error"]["Code"], "TransactionCanceledException")
            self.assertEqual(self.all(), {"a": "1", "b": "1", "c": "1"})
        # What is there can be changed as before.
        self.write("1")
        self.assertEqual(self.all(), {"a": "2", "b": "1", "d": "4"})

    def test_items_are_not_copied_one_by_one(self) -> None:
        table: Table = next(iter(dynamodb_backends["123456789012"]["us-east-1"].tables.values()))
        twin = dynamodb.share_items(table, {})
        self.addCleanup(dynamodb.twins.clear)
        for hash_key, items in table.items.items():
            self.assertIsNot(twin.items[hash_key], items)
            for range_key, item in items.items():
                self.assertIs(twin.items[hash_key][range_key], item)

    def test_calls_at_the_same_time_wait_for_each_other(self) -> None:
        inside, most = [], []

        def slow(context: object) -> str:
            inside.append(context)
            most.append(len(inside))
            time.sleep(0.005)
            inside.remove(context)
            return "answer"

        with patch.object(dynamodb, "call_moto", slow):
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(dynamodb.call_alone, range(20), [None] * 20))
        self.assertEqual(answers, ["answer"] * 20)
        self.assertEqual(max(most), 1)


if __name__ == "__main__":
    unittest.main()
