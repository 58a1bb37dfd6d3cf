"""The page for trying the API."""

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from preprocess_service.api.content_policy import page_headers

# Where FastAPIOffline serves the scripts that it brings along: the host may know no other.
_ASSETS = "/static-offline-docs"


def add_docs_page(app: FastAPI) -> None:
    """Serve `/docs`, which runs its own scripts alone."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_ASSETS}/favicon.png",
            # The script would have the document checked by a server of its maker.
            swagger_ui_parameters={"validatorUrl": None},
        )
        page.headers.update(page_headers(bytes(page.body).decode()))
        return page
