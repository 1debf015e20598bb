"""The ION login server: one form in, one token out, and what its refusals mean (reference/cloudsuite.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode, urlsplit

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, NotAuthenticated, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.words import said
from airflow_provider_mlconnector.systems.oauth import Grant, basic, error_code, read_grant
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

_WHO = "Infor's login server"
_ANSWERED = frozenset(range(400, 500)) - {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_SERVICE_ACCOUNT = "the service account (keys `saak` and `sask`)"
_CLIENT = "the client (keys `ci` and `cs`)"
_REFUSED_WHOM = {"invalid_client": _CLIENT, "invalid_grant": _SERVICE_ACCOUNT, "access_denied": _SERVICE_ACCOUNT}


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """How to log in.

    Attributes:
        grant: ``auto`` takes the password grant where the file has a service account, else client credentials.
        client_auth: Client id and secret as HTTP Basic, or in the form's body; both are in use (§2.1).
        margin: Seconds before its end at which a token is renewed.
        revoke: Revoke the tokens when the last client of all workers that uses them is closed. The next one logs in
            anew, so that a tenant's tokens a day go faster: one or more for each run instead of twelve a day.
    """

    grant: Literal["auto", "password", "client_credentials"] = "auto"
    client_auth: Literal["basic", "body"] = "basic"
    margin: float = 60.0
    revoke: bool = False


class CredentialsRefused(NotAuthenticated):
    """The login server knows these credentials and does not take them: nobody tries them again, accounts lock."""


class LoginServer:
    """Asks for tokens.

    Args:
        transport: HTTP client of its host. It should not repeat or wait by itself (``retries=0``, ``wait_budget=0``):
            who asks does so under a lock, and waits outside of it.
        ionapi: The connection's file.
        connection: Its id, for messages.
        auth: How to log in.
        revoking: HTTP client for ending tokens, where ``transport`` keeps a pace: that is one of logins.

    Raises:
        ConfigurationError: The grant chosen needs keys the file does not have.
    """

    def __init__(
        self,
        transport: Transport,
        ionapi: IonApi,
        *,
        connection: str,
        auth: AuthOptions,
        revoking: Transport | None = None,
    ) -> None:
        self._transport = transport
        self._revoking = revoking or transport
        self._ionapi = ionapi
        self._connection = connection
        self._auth = auth
        self.grant = _grant(auth, ionapi, connection)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._revoking.close()

    def refreshed(self, token: str) -> Grant | None:
        """Return what a refresh token is good for, None when it is refused: then log in afresh (§2.2)."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        reply = self._transport.send(self._call(form, "token refresh", self._ionapi.token_path))
        return read_grant(reply, _WHO) if reply.status == HTTPStatus.OK else None

    def granted(self) -> Grant:
        """Log in.

        Raises:
            NotAuthenticated: The credentials were refused; :class:`CredentialsRefused` where the answer says which.
            ConfigurationError: The login server is not there, or the app may not use this grant or these scopes.
            ProtocolError: The answer is no token.
            Retriable: The login server does not answer, or asks to wait.
        """
        form: dict[str, str] = {"grant_type": self.grant}
        if self.grant == "password":
            form |= {"username": self._ionapi.access_key, "password": self._ionapi.secret_key}
        if self._ionapi.scope:
            form["scope"] = self._ionapi.scope
        reply = self._transport.send(self._call(form, "token request", self._ionapi.token_path))
        if reply.status != HTTPStatus.OK:
            raise self._failure(reply)
        return read_grant(reply, _WHO)

    def revoke(self, token: str, hint: str) -> None:
        """End a token before its time (§2.4).

        Args:
            token: Access or refresh token.
            hint: Which of the two (``access_token``, ``refresh_token``).

        Raises:
            MLConnectorError: It may live on.
        """
        path = self._ionapi.revoke_path
        if not path:
            msg = "the .ionapi file names no path to revoke at (key `or`)"
            raise ConfigurationError(msg)
        form = {"token": token, "token_type_hint": hint}
        reply = self._revoking.send(self._call(form, "token revocation", path))
        if reply.status != HTTPStatus.OK:
            msg = f"the login server answered HTTP {reply.status}"
            raise ProtocolError(msg, request_id=reply.request_id)

    def _call(self, form: Mapping[str, str], name: str, path: str) -> Call:
        headers, body = {"Accept": "application/json"}, dict(form)
        client, secret = self._ionapi.client_id, self._ionapi.client_secret
        if self._auth.client_auth == "basic":
            headers["Authorization"] = basic(client, secret)
        else:
            body |= {"client_id": client, "client_secret": secret}
        return Call(
            "POST",
            urlsplit(self._ionapi.login_server).path + path,
            Effect.READ,  # asking twice for a token does no harm
            name,
            headers=headers,
            body=urlencode(body).encode(),
            content_type="application/x-www-form-urlencoded",
            refusals=_ANSWERED,
        )

    def _failure(self, reply: Reply) -> MLConnectorError:
        where = f"connection '{self._connection}'"
        code, words = error_code(reply.body), said(reply.body, hidden=self._ionapi.secrets)
        told = ", ".join(filter(None, (f"HTTP {reply.status}", code, words)))
        if code in _REFUSED_WHOM or (not code and reply.status == HTTPStatus.UNAUTHORIZED):
            whom, doubt = (
                _REFUSED_WHOM.get(code, "the credentials"),
                "" if code else ", or keys `pu` and `ot` are wrong",
            )
            msg = (
                f"{where}: Infor's login server refused {whom} of the .ionapi file ({told}){doubt}; ask the tenant's"
                " administrator whether they are valid, and paste a new file"
            )
            kind = CredentialsRefused if code else NotAuthenticated
            return kind(msg, request_id=reply.request_id)
        if code in {"unauthorized_client", "unsupported_grant_type"}:
            msg = (
                f"{where}: the app may not log in by the grant {self.grant} ({told}); let the tenant's administrator"
                " allow it, or use an .ionapi file with a service account"
            )
            return ConfigurationError(msg, field=f"{where}, field Grant", request_id=reply.request_id)
        if code == "invalid_scope":
            msg = f"{where}: the login server does not grant the scopes of key `sc` ({told})"
            return ConfigurationError(msg, field=f"{where}, key `sc`", request_id=reply.request_id)
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FORBIDDEN} or code:
            msg = f"{where}: the login server does not serve tokens there ({told}); check keys `pu` and `ot`"
            return ConfigurationError(msg, field=f"{where}, keys `pu` and `ot`", request_id=reply.request_id)
        msg = f"{where}: the login server's answer cannot be understood ({told}); check keys `pu` and `ot`"
        return ProtocolError(msg, request_id=reply.request_id)


def _grant(auth: AuthOptions, ionapi: IonApi, connection: str) -> Literal["password", "client_credentials"]:
    if auth.grant == "auto":
        return "password" if ionapi.has_service_account else "client_credentials"
    if auth.grant == "password" and not ionapi.has_service_account:
        where = f"connection '{connection}', field Grant"
        msg = f"{where}: the password grant needs a service account, but the file has no keys `saak` and `sask`"
        raise ConfigurationError(msg, field=where)
    return auth.grant
