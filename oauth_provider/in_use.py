"""What others depend on is switched off, or let go of, before it is deleted."""


class InUseError(Exception):
    """It cannot be deleted yet; its words say why.

    InUseError
    ├── ClientInUseError     people are connected to it
    ├── ResourceInUseError   a backend or an MCP server answers under it, or somebody connected to it
    └── ScopeInUseError      clients or operations name it
    """
