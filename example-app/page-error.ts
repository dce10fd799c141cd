/** The errors that have a page with words of their own. */
export type ErrorPage = "notFound" | "forbidden" | "crossOrigin" | "staleForm" | "ended" | "storeDown" | "error";

/** Thrown by a route that answers with an error page. */
export class PageError extends Error {
  readonly status: number;
  readonly page: ErrorPage;

  constructor(status: number, page: ErrorPage) {
    super(`This request is answered with the page "${page}".`);
    this.name = "PageError";
    this.status = status;
    this.page = page;
  }
}
