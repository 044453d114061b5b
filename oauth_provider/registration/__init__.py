"""Clients that come by themselves: who may (policy, list, invitations), how they register, and when they go."""
