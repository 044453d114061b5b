"""What others tell this server: the identity provider about its people, Auth0 about its clients."""
