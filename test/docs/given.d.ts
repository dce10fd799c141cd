/**
 * What the code blocks of README.md and docs/ take as given: the reader's own app around them. A block that declares or
 * imports one of these names has its own. Only the blocks are compiled with this file.
 */
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import type {
  AttributeItem,
  AuditEntry,
  ExpressSessionStore,
  RequestSession,
  Sessions,
  SessionInfo,
  SessionStore,
} from "coatcheck";

declare global {
  /** A user as the reader's app knows one. */
  interface User {
    id: string;
    name: string;
    email: string;
    passwordHash: string;
    roles: string[];
  }
  /** What the reader's cart is. */
  interface Cart {
    items: { name: string; price: number }[];
    total: number;
  }

  const app: Express;
  const req: Request;
  const res: Response;
  const next: NextFunction;
  const session: RequestSession;
  const sessions: Sessions;
  const attributes: RequestSession["attributes"];
  const items: AttributeItem[];

  const requireAdmin: RequestHandler;
  const requireUser: RequestHandler;
  const requireScheduler: RequestHandler;
  const admins: Set<string>;
  function checkPassword(body: unknown): Promise<User>;
  const users: {
    find(id: string): Promise<User | undefined>;
    findByName(name: string): Promise<User | undefined>;
  };
  /** A store that the reader has written. */
  const MyStore: new (options: { now: () => number }) => SessionStore;
  /** keycloak-connect and express-openid-connect, as far as the guides use them. */
  const Keycloak: new (options: { store: ExpressSessionStore }) => { middleware(): RequestHandler[] };
  function auth(options: { session: { store: ExpressSessionStore } }): RequestHandler;
  function render(page: number): Promise<void>;
  function report(info: SessionInfo): void;
  const log: {
    info(entry: object): void;
    error(error: unknown): void;
    about(sessionId: string): Promise<AuditEntry[]>;
  };
}
