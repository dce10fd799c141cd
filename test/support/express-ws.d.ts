/** The few types that the tests need of express-ws, which comes without any. */
declare module "express-ws" {
  import type { Server } from "node:http";
  import type { Express, Request } from "express";
  import type { WebSocket } from "ws";

  function expressWs(app: Express, server: Server): void;
  namespace expressWs {
    type Route = (path: string, handler: (socket: WebSocket, req: Request) => void) => void;
  }
  export = expressWs;
}
