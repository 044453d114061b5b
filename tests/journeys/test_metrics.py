"""Two workers of one server, as they run in production: whichever is scraped answers for both."""

import os
import secrets
import time
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.server import free_port, running
from tests.migrated import NAME, copy_sqlite

pytestmark = pytest.mark.services

CALLS = 40
SHARED_WITHIN_S = 6


def test_one_worker_answers_for_both(tmp_path: Path) -> None:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    variables = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_BASE_URL": issuer,
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "REDIS_URL": os.environ["REDIS_URL"],
        "WEB_CONCURRENCY": "2",
    }
    copy_sqlite(tmp_path / NAME)
    with running("-m", "gateway_project.server", issuer=issuer, log=tmp_path / "log", variables=variables):
        for _ in range(CALLS):
            # Each on a connection of its own, which any worker may take
            assert httpx.get(f"{issuer}/api/v1/nothing", timeout=20).status_code == 401
        deadline = time.monotonic() + SHARED_WITHIN_S
        while (found := [scrape(issuer) for _ in range(10)]) != [found[0]] * 10 or found[0] != (2, CALLS, 2):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


def scrape(issuer: str) -> tuple[float, float, int]:
    """Workers, refused calls, and processes whose memory is told."""
    text = httpx.get(f"{issuer}/metrics", timeout=20).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    workers = sum(each.value for each in samples if each.name == "gatehouse_workers")
    refused = sum(
        each.value for each in samples if each.name == "gatehouse_requests_total" and each.labels["status"] == "401"
    )
    return workers, refused, sum(each.name == "process_resident_memory_bytes" for each in samples)
