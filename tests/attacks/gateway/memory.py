"""How much memory a started server holds: its process and every one below it."""

from pathlib import Path


def resident_mib(process_id: int) -> float:
    """Resident MiB of a process and its descendants, except the demo's own backends."""
    return sum(_resident_kib(found) for found in family(process_id)) / 1024


def family(process_id: int) -> list[int]:
    """The process and every living one below it."""
    found = [process_id]
    for member in found:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split() if int(child) not in found]
    return found


def _resident_kib(process_id: int) -> int:
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
