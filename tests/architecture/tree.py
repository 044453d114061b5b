"""What is in the tree: the files that are committed, and the Python among them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def committed() -> tuple[Path, ...]:
    """Every committed file that is still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file but migrations, which Django writes."""
    return tuple(path for path in committed() if path.suffix == ".py" and "migrations" not in path.parts)


@cache
def syntax(path: Path) -> ast.Module:
    """The parsed source of `path`."""
    return ast.parse(path.read_text(encoding="utf-8"))


def shown(path: Path) -> str:
    """`path` as it is written in a message."""
    return str(path.relative_to(ROOT))
