"""Bulk operations as the Admin API shows and starts them, and the addresses that files go to and come from."""

from __future__ import annotations

import email
import uuid
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote

from graphql import GraphQLSchema
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storebridge_sandbox.shopify.bulk.checks import mutation_errors, query_errors
from storebridge_sandbox.shopify.bulk.state import BulkOperation, BulkOperations, file_name
from storebridge_sandbox.shopify.call import Call, Resolvers, refused, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of

UPLOADS, OUTPUTS = "/staged-uploads", "/bulk-operation-outputs"
LARGEST_UPLOAD = 100 * 1024 * 1024
MISSING_FILE = (
    "The JSONL file could not be found. Try uploading the file again, and check that you've entered the URL "
    "correctly for the stagedUploadPath mutation argument."
)


class BulkAnswers:
    """Reads and mutations; ``schema_of`` gives the schema of a version."""

    def __init__(self, bulk: BulkOperations, schema_of: Callable[[str], GraphQLSchema], seed: int) -> None:
        self._bulk = bulk
        self._schema_of = schema_of
        self._chance = Random(f"shopify-uploads-{seed}")

    def resolvers(self) -> Resolvers:
        return {
            ("QueryRoot", "bulkOperation"): lambda _s, args, call: self.find(args["id"], call),
            ("QueryRoot", "bulkOperations"): self._list,
            ("QueryRoot", "currentBulkOperation"): lambda _s, args, _c: self._bulk.latest(args.get("type") or "QUERY"),
            ("Mutation", "bulkOperationRunQuery"): self._run_query,
            ("Mutation", "bulkOperationRunMutation"): self._run_mutation,
            ("Mutation", "bulkOperationCancel"): self._cancel,
            ("Mutation", "stagedUploadsCreate"): self._stage,
            **{("BulkOperation", name): shows(name) for name in ("id", "status", "query")},
            ("BulkOperation", "type"): shows("kind"),
            ("BulkOperation", "errorCode"): shows("error_code"),
            ("BulkOperation", "createdAt"): shows_time("created_at"),
            ("BulkOperation", "completedAt"): shows_time("completed_at"),
            ("BulkOperation", "objectCount"): lambda one, _a, _c: str(one.objects),
            ("BulkOperation", "rootObjectCount"): lambda one, _a, _c: str(one.roots),
            ("BulkOperation", "fileSize"): lambda one, _a, _c: (
                None if one.output is None else str(len(one.output.encode()))
            ),
            ("BulkOperation", "url"): _url,
            ("BulkOperation", "partialDataUrl"): lambda _o, _a, _c: None,
        }

    def find(self, global_id: str, _call: Call) -> BulkOperation | None:
        """As it is by now."""
        self._bulk.catch_up()
        return self._bulk.all.get(global_id)

    def routes(self) -> list[Route]:
        """Where uploads go and results come from; neither asks for a token, as signed addresses do not."""
        return [
            Route(f"{UPLOADS}/", self._posted, methods=["POST"]),
            Route(f"{UPLOADS}/{{key:path}}", self._put, methods=["PUT"]),
            Route(f"{OUTPUTS}/{{name}}", self._output, methods=["GET"]),
        ]

    def _list(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        self._bulk.catch_up()
        fields = {
            "id": lambda one: number_of(one.id),
            "status": lambda one: one.status,
            "operation_type": lambda one: one.kind,
            "created_at": lambda one: one.created_at,
        }
        search = compile_search(args.get("query"), fields, call=call)
        found = [one for one in self._bulk.all.values() if search.test(one)]
        rows = [(one.created_at.isoformat(), number_of(one.id), one) for one in found]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _run_query(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        errors = query_errors(args["query"], self._schema_of(call.version))
        if errors:
            return {"userErrors": errors}
        made = self._bulk.start("QUERY", args["query"], call.version)
        return {"bulkOperation": made, "userErrors": []} if isinstance(made, BulkOperation) else {"userErrors": [made]}

    def _run_mutation(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        errors = mutation_errors(args["mutation"], self._schema_of(call.version))
        if errors:
            return {"userErrors": errors}
        held = self._bulk.uploads.get(args["stagedUploadPath"])
        if held is None:
            return refused(None, MISSING_FILE, "NO_SUCH_FILE")
        if not held.strip():
            return refused(None, "The input file is empty.", "INVALID_STAGED_UPLOAD_FILE")
        made = self._bulk.start("MUTATION", args["mutation"], call.version, args["stagedUploadPath"])
        return {"bulkOperation": made, "userErrors": []} if isinstance(made, BulkOperation) else {"userErrors": [made]}

    def _cancel(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        found = self.find(args["id"], call)
        if found is None:
            return refused(["id"], "Bulk operation does not exist")
        if not self._bulk.cancel(found):
            told = f"A bulk operation cannot be canceled when it is {found.status.lower()}"
            return {"bulkOperation": found, "userErrors": [{"field": None, "message": told}]}
        return {"bulkOperation": found, "userErrors": []}

    # -- files -----------------------------------------------------------------------------------------------------

    def _stage(self, _source: Any, args: dict[str, Any], call: Call) -> dict[str, Any]:
        targets = []
        for one in args["input"]:
            key = f"tmp/1/bulk/{uuid.UUID(int=self._chance.getrandbits(128), version=4)}/{one['filename']}"
            self._bulk.uploads[key] = None
            targets.append(_target(key, one, call.origin))
        return {"stagedTargets": targets, "userErrors": []}

    async def _posted(self, request: Request) -> Response:
        """A form with the parameters and the file last."""
        raw = await request.body()
        head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
        parts = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in email.message_from_bytes(head + raw).walk()
            if not part.is_multipart()
        }
        return self._keep(bytes(parts.get("key") or b"").decode(), bytes(parts.get("file") or b""), 201)

    async def _put(self, request: Request) -> Response:
        return self._keep(request.path_params["key"], await request.body(), 200)

    def _keep(self, key: str, content: bytes, status: int) -> Response:
        if key not in self._bulk.uploads:
            return PlainTextResponse("AccessDenied: no such staged upload", 403)
        if len(content) > LARGEST_UPLOAD:
            return PlainTextResponse("EntityTooLarge", 400)
        self._bulk.uploads[key] = content.decode("utf-8", "replace")
        return PlainTextResponse("", status)

    async def _output(self, request: Request) -> Response:
        self._bulk.catch_up()
        for one in self._bulk.all.values():
            if one.output is not None and file_name(one) == request.path_params["name"]:
                return Response(one.output, media_type="application/jsonl")
        return PlainTextResponse("NoSuchKey", 404)


def _size(one: BulkOperation, _args: dict[str, Any], _call: Call) -> str | None:
    return None if one.output is None else str(len(one.output.encode()))


def _url(one: BulkOperation, _args: dict[str, Any], call: Call) -> str | None:
    return None if one.output is None else f"{call.origin}{OUTPUTS}/{file_name(one)}"


def _target(key: str, given: dict[str, Any], origin: str) -> dict[str, Any]:
    base = f"{origin}{UPLOADS}/"
    if given.get("httpMethod") == "POST":
        parameters = {
            "Content-Type": given["mimeType"],
            "success_action_status": "201",
            "acl": "private",
            "key": key,
        }
        url = base
    else:
        parameters = {"content_type": given["mimeType"], "acl": "private"}
        url = base + quote(key)
    shown = [{"name": name, "value": value} for name, value in parameters.items()]
    return {"url": url, "resourceUrl": base if url == base else url, "parameters": shown}
