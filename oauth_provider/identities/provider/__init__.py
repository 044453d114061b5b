"""Sign-in with the company's OpenID provider, through django-allauth."""
