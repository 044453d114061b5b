"""The positions that the demo's careers backend knows."""

import re
from typing import Any, Final

Job = dict[str, Any]

JOBS: Final[tuple[Job, ...]] = tuple(
    dict(zip(("id", "title", "company", "place", "remote", "salary", "skills", "summary"), row, strict=True))
    for row in (
        ("j-1001", "Backend engineer, Python", "Aurora Pay", "São Paulo", True, "R$ 16.000 to 21.000 a month",
         ["python", "django", "postgresql"], "Builds the services that settle card payments overnight."),
        ("j-1002", "Go developer, logistics", "Rota Certa", "Curitiba", False, "R$ 14.000 to 18.000 a month",
         ["go", "kafka", "postgresql"], "Keeps 4,000 trucks and their routes in step with the weather."),
        ("j-1003", "Data analyst", "Clínica Vida", "Belo Horizonte", True, "R$ 8.500 to 11.000 a month",
         ["sql", "python", "statistics"], "Finds out why patients miss appointments, and what brings them back."),
        ("j-1004", "Front-end engineer", "Livraria Sul", "Porto Alegre", True, "R$ 11.000 to 15.000 a month",
         ["typescript", "css", "accessibility"], "Makes a bookshop that works with a keyboard and a screen reader."),
        ("j-1005", "Site reliability engineer", "Aurora Pay", "Recife", True, "R$ 18.000 to 24.000 a month",
         ["linux", "kubernetes", "postgresql", "go"], "Carries the pager one week in six, and removes what rings it."),
        ("j-1006", "Machine learning engineer", "Campo Verde", "Campinas", False, "R$ 17.000 to 23.000 a month",
         ["python", "pytorch", "statistics"], "Tells soy from weeds in pictures taken by a tractor."),
        ("j-1007", "Product designer", "Rota Certa", "São Paulo", False, "R$ 10.000 to 14.000 a month",
         ["research", "prototyping", "accessibility"], "Rides along with drivers, then redraws their app."),
        ("j-1008", "Security engineer", "Banco Novo", "Brasília", True, "R$ 19.000 to 26.000 a month",
         ["oauth", "python", "linux"], "Reviews every sign-in that touches money."),
    )
)  # fmt: skip


def find_job(job_id: str) -> Job | None:
    """The position with this id."""
    return next((job for job in JOBS if job["id"] == job_id), None)


def search_jobs(*, keywords: str, place: str) -> list[Job]:
    """Positions that mention a word of `keywords`, the most words first; all of them when there is no word."""
    words = _words(keywords)
    here = [job for job in JOBS if place.lower() in str(job["place"]).lower()]
    if not words:
        return here
    ranked = [(len(words & _words(str(job))), job) for job in here]
    return [job for hits, job in sorted(ranked, key=lambda pair: -pair[0]) if hits]


def fitting_jobs(resume: str) -> list[tuple[Job, list[str]]]:
    """Positions that share a skill with `resume` and the skills they share, the most first."""
    words = _words(resume)
    shared = [(job, [skill for skill in job["skills"] if skill in words]) for job in JOBS]
    return sorted((pair for pair in shared if pair[1]), key=lambda pair: -len(pair[1]))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
