"""Who is asking: login by OpenID Connect, sessions, bearer tokens of programs."""
