"""What a recruiting GPT does: the scopes and the five operations of the backends `gpt` and, in the demo, `careers`."""

from typing import Any, Final

from oauth_provider.scopes.add import add_scope
from oauth_provider.scopes.models import Scope, Sensitivity
from proxy.catalogue.models import Backend, Operation
from proxy.catalogue.save import save_operation

# Some services of the first deployment look for the user under the name of their former identity provider
IDENTITY_HEADERS: Final = ("X-Clerk-User-Id", "X-Gpt-Clerk-User-Id")

SCOPES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "jobs:read",
        "title": "Search jobs",
        "description": "Search the open positions and read their details.",
        "translations": {
            "pt-br": {"title": "Buscar vagas", "description": "Pesquisar as vagas abertas e ler os detalhes."}
        },
        "sensitivity": Sensitivity.NORMAL,
    },
    {
        "name": "applications:read",
        "title": "See your applications",
        "description": "See which jobs you applied for and how each application stands.",
        "translations": {
            "pt-br": {
                "title": "Ver suas candidaturas",
                "description": "Ver a quais vagas você se candidatou e a situação de cada uma.",
            }
        },
        "sensitivity": Sensitivity.NORMAL,
    },
    {
        "name": "applications:write",
        "title": "Apply for jobs in your name",
        "description": "Send applications to employers on your behalf.",
        "translations": {
            "pt-br": {
                "title": "Candidatar-se em seu nome",
                "description": "Enviar candidaturas a empregadores por você.",
            }
        },
        "sensitivity": Sensitivity.WRITE,
    },
    {
        "name": "resume:read",
        "title": "Analyse your resume",
        "description": "Read the resume you give it and compare it with jobs.",
        "translations": {
            "pt-br": {
                "title": "Analisar seu currículo",
                "description": "Ler o currículo que você fornecer e compará-lo com vagas.",
            }
        },
        "sensitivity": Sensitivity.SENSITIVE,
    },
)

OPERATIONS: Final[tuple[dict[str, Any], ...]] = (
    {
        "operation_id": "searchJobs",
        "methods": ["GET"],
        "path": "/jobs/search",
        "scopes": ["jobs:read"],
        "title": "Search jobs",
        "description": "Open positions that match keywords and a place. Without either: all of them.",
        "parameters": [
            {
                "name": "keywords",
                "in": "query",
                "description": "Words of the position, such as python remote",
                "schema": {"type": "string", "maxLength": 200},
            },
            {
                "name": "place",
                "in": "query",
                "description": "City, or part of its name",
                "schema": {"type": "string", "maxLength": 100},
            },
        ],
    },
    {
        "operation_id": "getJob",
        "methods": ["GET"],
        "path": "/jobs/{id}",
        "scopes": ["jobs:read"],
        "title": "Read a job",
        "description": "Everything known about one position.",
        "parameters": [{"name": "id", "in": "path", "description": "Id of the position, from a search"}],
    },
    {
        "operation_id": "listApplications",
        "methods": ["GET"],
        "path": "/applications",
        "scopes": ["applications:read"],
        "title": "List my applications",
        "description": "The person's own applications, newest first.",
    },
    {
        "operation_id": "submitApplication",
        "methods": ["POST"],
        "path": "/applications",
        "scopes": ["applications:write"],
        "title": "Apply for a job",
        "description": "Send an application to the employer in the person's name. It cannot be taken back.",
        "consequential": True,
        "request_schema": {
            "type": "object",
            "properties": {
                "job_id": {"type": "string", "description": "Id of the position, from a search", "maxLength": 100},
                "message": {"type": "string", "description": "A few words to the employer", "maxLength": 5000},
            },
            "required": ["job_id"],
        },
    },
    {
        "operation_id": "analyzeResume",
        "methods": ["POST"],
        "path": "/resume/analyze",
        "scopes": ["resume:read"],
        "title": "Analyse a resume",
        "description": "What a resume shows, and which open positions fit it. Changes nothing.",
        "annotations": {"read_only": True},
        "request_schema": {
            "type": "object",
            "properties": {
                "resume": {"type": "string", "description": "The resume as plain text", "maxLength": 50_000}
            },
            "required": ["resume"],
        },
    },
)


def add_recruiting(*, backend: Backend, reason: str) -> None:
    """Give `backend` the scopes and operations it lacks; what staff changed stays."""
    for scope in SCOPES:
        add_scope(scope=Scope(**scope), reason=reason)
    add_operations(backend=backend, operations=OPERATIONS, reason=reason)


def add_operations(*, backend: Backend, operations: tuple[dict[str, Any], ...], reason: str) -> None:
    """Give `backend` those of `operations` it does not have, by operation id."""
    present = set(backend.operations.values_list("operation_id", flat=True))
    for values in operations:
        if values["operation_id"] not in present:
            save_operation(operation=Operation(backend=backend, **values), actor=None, reason=reason)
