"""What must exist before the gateway serves: everything the environment describes, made once, whoever starts first."""

from collections.abc import Callable
from contextlib import closing

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from audit.ledger.kinds import Kind
from audit.ledger.record import record
from oauth_provider.api_keys.bootstrap import bootstrap_api_key
from oauth_provider.clients.bootstrap import bootstrap_client
from oauth_provider.keys.file import adopt_key_file
from oauth_provider.keys.signing import current_signing_key
from oauth_provider.scopes.openid import add_openid_scopes
from proxy.catalogue.from_environment import bring_catalogue_in_line

# Any number that no other program takes on the same database
ADVISORY_LOCK = 7_203_116


class NotReadyToServe(SystemExit):
    """Ends the process before it serves; the message says what to do."""


def bootstrap() -> None:
    """Make the process ready to serve: `follow_environment`, then record the start.

    Raises:
        NotReadyToServe: as there.
    """
    follow_environment()
    record(kind=Kind.SYSTEM_PROCESS_STARTED, target=f"issuer:{settings.PUBLIC_BASE_URL}")
    _let_go_of_databases()


def follow_environment() -> None:
    """Create or update the backends, the client, the API key and the keys it needs; a second run changes nothing.

    Raises:
        NotReadyToServe: the database does not answer or is not migrated, or a variable cannot be followed.
    """
    try:
        _require_migrations()
        for act in (add_openid_scopes, _catalogue, _client, _api_key, _signing_key):
            _in_turn(act)
    except OperationalError as fault:
        raise NotReadyToServe(f"The database of DATABASE_URL does not answer: {fault}") from fault
    except ValidationError as fault:
        raise NotReadyToServe("The environment cannot be followed: " + " ".join(fault.messages)) from fault


def _require_migrations() -> None:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReadyToServe("The database is not up to date. Run: python manage.py migrate")


def _let_go_of_databases() -> None:
    # Workers are forked from this process: a pool they inherited would put several of them on one connection
    for each in connections.all(initialized_only=True):
        each.close()
        if each.vendor == "postgresql":
            each.close_pool()  # type: ignore[attr-defined]  # missing from the stubs


def _in_turn(act: Callable[[], object]) -> None:
    """Run `act` in a transaction of its own while no other process starting on this database does.

    SQLite's write lock is taken when the transaction begins; PostgreSQL needs one that is not tied to a row.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with closing(connection.cursor()) as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        act()


def _catalogue() -> None:
    bring_catalogue_in_line(
        service_urls=settings.SERVICE_URLS,
        internal_service_key=settings.INTERNAL_SERVICE_KEY,
        demo=settings.DEMO,
    )


def _client() -> None:
    if settings.OAUTH_CLIENT_ID and settings.OAUTH_CLIENT_SECRET:
        bootstrap_client(
            client_id=settings.OAUTH_CLIENT_ID,
            secret=settings.OAUTH_CLIENT_SECRET,
            redirect_uris=settings.OAUTH_REDIRECT_URIS,
        )


def _signing_key() -> None:
    if settings.SIGNING_KEY_FILE:
        adopt_key_file(settings.SIGNING_KEY_FILE)
    else:
        current_signing_key()


def _api_key() -> None:
    if settings.GATEWAY_API_KEY:
        bootstrap_api_key(key=settings.GATEWAY_API_KEY)
