"""The service over HTTP: a REST API and pages made by the server; read-only unless a token says otherwise."""
