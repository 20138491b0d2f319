"""Plug-ins for LocalStack: what it needs to run Longshore without Docker.

Stock, LocalStack starts each function in a container, downloads a Java program for DynamoDB, and listens on every
address of the machine. These plug-ins, found by the entry points in pyproject.toml, replace the three:

| module | what it does | chosen by |
|---|---|---|
| `executor` | runs `provided.al2023` functions as processes (with `function_process` and `runtime_api`) | `LAMBDA_RUNTIME_EXECUTOR=process` |
| `dynamodb` | forwards DynamoDB to the program in infra/dynamodb | `PROVIDER_OVERRIDE_DYNAMODB=dynoxide`, `LONGSHORE_DYNAMODB` |
| `server` | listens on the addresses of `GATEWAY_LISTEN` only | `GATEWAY_SERVER=local` |

`function_process` and `runtime_api` know nothing of LocalStack, so their tests need none. `python -m longshore_localstack`
starts it all.
"""
