import { spawn } from "node:child_process";

/**
 * Runs scripts of package.json at the same time: `node lint/side-by-side.mjs check lint build`. Prints the output of
 * each in one piece, when it is done. The exit code is 1 if one of them failed.
 */
function run(script) {
  return new Promise((resolve, reject) => {
    // One command for a shell: on Windows npm is a script.
    const child = spawn(`npm run --silent ${script}`, { shell: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", reject).once("close", (code) => {
      process.stdout.write(`npm run ${script}: ${code === 0 ? "passed" : "failed"}\n${output}`);
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = passed.every(Boolean) ? 0 : 1;
