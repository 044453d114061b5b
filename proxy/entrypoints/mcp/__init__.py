"""Model Context Protocol over Streamable HTTP: messages in, messages out, no policy."""
