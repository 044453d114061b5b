"""The resource server and gateway: carries each call to the right backend as a verified user."""
