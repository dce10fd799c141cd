import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./find-program";
import { freePort } from "./free-port";

/** Where nginx is; undefined where this machine has none. Debian keeps it where only the administrator looks. */
export const nginxPath = () => findProgram("nginx", "/usr/sbin", "/usr/local/sbin");

export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

/** `describe` for tests that need nginx. Where there is none they are skipped, as `global-setup.ts` says loudly. */
export function describeBehindNginx(name: string, body: () => void): void {
  if (nginxPath() === undefined) describe.skip(name, body);
  else describe(name, body);
}

/** Starts an nginx in a temporary folder that passes all on to a port of this machine. `settings` are more lines of its `location`. */
export async function startNginx(target: number, settings = ""): Promise<Nginx> {
  const program = nginxPath();
  if (program === undefined) throw new Error("There is no nginx on this machine.");
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-nginx-"));
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), configuration(folder, port, target, settings));
  const child = spawn(program, ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-4_000)));
  const exited = once(child, "exit");
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`nginx did not start on port ${port}. It said:\n${output}`);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/** All that is not written here is as nginx has it by default. */
function configuration(folder: string, port: number, target: number, settings: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
error_log stderr error;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  gzip on;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${target};
      proxy_set_header Host $http_host;
      ${settings}
    }
  }
}
`;
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  } finally {
    socket.destroy();
  }
}
