"""Runs functions as processes of this machine instead of containers."""

from __future__ import annotations

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import NAMESPACE, StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from .function_process import FunctionProcess, StartFailed

# Given to the SDK as a number, which makes it put the bucket's name into the path: no names need resolving.
ADDRESS = "127.0.0.1"


class ProcessExecutor(RuntimeExecutor):
    """One execution environment of one version of a function."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self.process: FunctionProcess | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        environment = {name: str(value) for name, value in env_vars.items() if value is not None}
        self.process = FunctionProcess(self.function_version.config.code.get_unzipped_code_location(), environment)
        try:
            self.process.start()
        except StartFailed as error:
            self.process.stop()
            raise StatusErrorException("the function did not start", payload=error.args[0]) from error

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        try:
            outcome = self.process.invoke(
                request_id,
                payload["invoked-function-arn"],
                payload["trace-id"],
                payload["payload"].encode(),
                self.function_version.config.timeout,
            )
        except StartFailed as error:
            return InvocationResult(request_id, error.args[0], is_error=True, logs=self.process.log())
        return InvocationResult(request_id, outcome.payload, outcome.is_error, outcome.log)

    def get_logs(self) -> str:
        return self.process.log() if self.process else ""

    def get_address(self) -> str:
        return ADDRESS

    def get_endpoint_from_executor(self) -> str:
        return ADDRESS

    def get_runtime_endpoint(self) -> str:
        return f"http://{ADDRESS}:{config.GATEWAY_LISTEN[0].port}{NAMESPACE}/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """LocalStack itself removes the unpacked code when the function goes."""


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *_: object, **__: object) -> type[RuntimeExecutor]:
        return ProcessExecutor
