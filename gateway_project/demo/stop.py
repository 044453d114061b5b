"""Stop a process that we started."""

import subprocess


def stop(child: subprocess.Popen[bytes], *, within_s: float) -> None:
    """Ask it to end, and end it when it has not done so in time."""
    child.terminate()
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
