"""The OpenAPI document as it is true: errors are problem documents, and wrong parameters are 400, not 422."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.web.problems import PROBLEM

Document = dict[str, Any]


def document_of(app: FastAPI) -> Callable[[], Document]:
    """What `app.openapi` is to be; made once."""

    def made() -> Document:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            for operations in found["paths"].values():
                for operation in operations.values():
                    operation["responses"] = {
                        status: _honest(status, response)
                        for status, response in operation["responses"].items()
                        if status != "422"
                    }
            for name in ("HTTPValidationError", "ValidationError"):
                found["components"]["schemas"].pop(name, None)
            found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = found
        return app.openapi_schema

    return made


def _honest(status: str, response: Document) -> Document:
    content = response.get("content", {})
    if status.startswith(("4", "5")) and "application/json" in content:
        return response | {"content": {PROBLEM: content["application/json"]}}
    return response
