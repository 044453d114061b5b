"""Revision: a counter that moves whenever what the data plane remembers is no longer true."""

from django.db import models


class Revision(models.Model):
    """`catalogue`: backends, operations, scopes changed. `revocation`: something lost access."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.value}"
