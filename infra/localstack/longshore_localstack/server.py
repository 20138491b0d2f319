"""LocalStack's web server, listening only on the addresses that `GATEWAY_LISTEN` names."""

from __future__ import annotations

from localstack.config import HostAndPort
from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints, reactor


class LocalServer(TwistedRuntimeServer):
    """Plain HTTP: nothing leaves the machine."""

    def register(
        self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None
    ) -> None:
        site = TwistedGateway(gateway)
        for where in listen:
            endpoints.TCP4ServerEndpoint(reactor, where.port, interface=where.host).listen(site)


class LocalServerPlugin(RuntimeServerPlugin):
    name = "local"

    def load(self, *_: object, **__: object) -> RuntimeServer:
        return LocalServer()
