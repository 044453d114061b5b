"""What keeps the code readable, and no linter counts."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import modules, shown, syntax

FILE_LINES = 400
FUNCTION_LINES = 40
# A name that says nothing gathers everything
CATCH_ALLS = {"base", "common", "helpers", "misc", "services", "utils"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method in `tree`."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: length for name, length in lengths.items() if length > FILE_LINES}


def test_no_function_is_longer_than_40_lines() -> None:
    lengths = {
        f"{shown(path)}:{function.lineno} {function.name}": lines(function)
        for path in modules()
        for function in functions(syntax(path))
    }
    assert not {name: length for name, length in lengths.items() if length > FUNCTION_LINES}


def lines(function: Function) -> int:
    """How many lines it takes, from its `def`: the docstring is read with it, the decorators are not."""
    return (function.end_lineno or 0) - function.lineno + 1


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [shown(path) for path in modules() if CATCH_ALLS.intersection((*path.parts, path.stem))]


def test_every_import_stands_at_the_top() -> None:
    hidden = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        for function in functions(syntax(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


def test_every_argument_and_every_answer_is_annotated() -> None:
    bare = [
        f"{shown(path)}:{function.lineno} {function.name}"
        for path in modules()
        for function in functions(syntax(path))
        if function.returns is None or any(argument.annotation is None for argument in arguments(function))
    ]
    assert not bare


def arguments(function: Function) -> list[ast.arg]:
    """The arguments of `function` that a caller passes."""
    parameters = function.args
    named = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
    starred = [argument for argument in (parameters.vararg, parameters.kwarg) if argument]
    return [argument for argument in named if argument.arg not in {"self", "cls"}] + starred
