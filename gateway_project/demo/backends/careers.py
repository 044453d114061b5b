"""The backend `careers`: the five actions of a recruiting GPT, for the user the gateway names."""

import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from gateway_project.demo.backends.answers import answer_json, read_body
from gateway_project.demo.backends.jobs import JOBS, find_job, fitting_jobs, search_jobs

Answer = tuple[int, object]

NOBODY: Answer = (401, {"error": "no_user", "message": "The gateway named no user in X-Clerk-User-Id."})
NO_JOB: Answer = (404, {"error": "no_such_job"})


class Careers:
    """Keeps applications in memory, by the user id in X-Clerk-User-Id; a restart forgets them."""

    def __init__(self) -> None:
        self._applications: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any, *, path: str) -> None:  # noqa: ANN401 - ASGI's own
        """Answer one request for `path` below the base URL."""
        headers = dict(scope["headers"])
        user = headers.get(b"x-clerk-user-id", b"").decode("latin-1")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        body = await read_body(receive)
        status, document = self._answer(scope["method"], path, user, query, body)
        await answer_json(send, document, status=status)

    def _answer(self, method: str, path: str, user: str, query: dict[str, list[str]], body: bytes) -> Answer:
        if not user:
            return NOBODY
        match method, path.strip("/").split("/"):
            case "GET", ["jobs", last]:
                return _search(query) if last == "search" else _read(last)
            case "GET", ["applications"]:
                return 200, {"applications": self._applications[user][::-1]}
            case "POST", ["applications"]:
                return self._apply(user, _object(body))
            case "POST", ["resume", "analyze"]:
                return _analyze(_object(body))
        return 404, {"error": "not_found"}

    def _apply(self, user: str, document: dict[str, Any]) -> Answer:
        job = find_job(str(document.get("job_id", "")))
        if job is None:
            return NO_JOB
        mine = self._applications[user]
        if any(application["job_id"] == job["id"] for application in mine):
            return 409, {"error": "already_applied"}
        application = {
            "id": f"a-{next(self._numbers)}",
            "job_id": job["id"],
            "title": job["title"],
            "company": job["company"],
            "message": str(document.get("message", "")),
            "status": "received",
            "sent_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        mine.append(application)
        return 201, application


def _search(query: dict[str, list[str]]) -> Answer:
    found = search_jobs(keywords=" ".join(query.get("keywords", [])), place=" ".join(query.get("place", [])))
    return 200, {"jobs": found, "total": len(found), "open_positions": len(JOBS)}


def _read(job_id: str) -> Answer:
    job = find_job(job_id)
    return (200, job) if job else NO_JOB


def _analyze(document: dict[str, Any]) -> Answer:
    resume = str(document.get("resume", ""))
    if not resume.strip():
        return 422, {"error": "no_resume", "message": 'Send {"resume": "…"}.'}
    fitting = fitting_jobs(resume)
    return 200, {
        "words": len(resume.split()),
        "skills": sorted({skill for _job, skills in fitting for skill in skills}),
        "fits": [{"job_id": job["id"], "title": job["title"], "shared": skills} for job, skills in fitting[:3]],
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
