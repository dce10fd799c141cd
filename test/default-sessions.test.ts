import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  clearSessions,
  getSession,
  getSessionInfo,
  getSessionUser,
  killAllSessions,
  killSessionByUser,
  sessionMiddleware,
  startClearSessions,
} from "../lib";
import type { SessionMiddleware } from "../lib";
import { newRecord } from "./support/session-records";
import { MemoryStore } from "../lib/stores/memory-store";
import { compileScripts } from "./support/compiled-scripts";
