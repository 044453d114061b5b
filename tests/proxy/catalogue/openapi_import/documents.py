"""A document as a service publishes it, to be changed by each test."""

import copy
from typing import Any

from oauth_provider.scopes.models import Scope
from proxy.catalogue.models import Backend
from proxy.catalogue.save import save_backend

JsonObject = dict[str, Any]

DOCUMENT: JsonObject = {
    "openapi": "3.0.3",
    "info": {"title": "Jobs", "version": "1"},
    "servers": [{"url": "https://jobs.example/api"}],
    "security": [{"oauth": ["jobs:read"]}],
    "paths": {
        "/jobs": {
            "get": {
                "operationId": "listJobs",
                "summary": "List jobs",
                "description": "All of them.",
                "parameters": [{"name": "place", "in": "query", "schema": {"type": "string", "nullable": True}}],
                "responses": {"200": {"content": {"application/json": {"schema": {
                    "type": "array", "items": {"$ref": "#/components/schemas/Job"},
                }}}}},
            },
            "post": {
                "operationId": "addJob",
                "security": [{"oauth": ["jobs:write", "jobs:read"]}],
                "requestBody": {"required": True, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Job"},
                }}},
                "responses": {"201": {"description": "Made"}},
            },
        },
        "/jobs/{job-id}": {
            "parameters": [{"name": "job-id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {"operationId": "getJob", "responses": {}},
            "delete": {"operationId": "dropJob", "security": [], "responses": {}},
        },
    },
    "components": {
        "schemas": {"Job": {"type": "object", "properties": {"title": {"type": "string"}}}},
        "securitySchemes": {"oauth": {"type": "oauth2", "flows": {}}, "key": {"type": "apiKey"}},
    },
}  # fmt: skip


def document(**changes: Any) -> JsonObject:
    """A copy of it, with whole members replaced."""
    return copy.deepcopy(DOCUMENT) | changes


def with_operation(operation: JsonObject, *, path: str = "/other", method: str = "get", **changes: Any) -> JsonObject:
    """A document with one operation only."""
    return document(paths={path: {method: {"responses": {}} | operation}}, **changes)


def store_backend() -> Backend:
    """The service as a backend, and its two permissions."""
    for name in ("jobs:read", "jobs:write"):
        Scope.objects.create(name=name, title=name)
    made = Backend(name="jobs", prefix="/api/v1/jobs", upstream_url="https://jobs.example/api")
    save_backend(backend=made, actor=None)
    return made
