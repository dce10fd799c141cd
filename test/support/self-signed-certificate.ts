import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let made: { readonly key: Buffer; readonly cert: Buffer } | undefined;

/** A certificate for 127.0.0.1, valid for a day and trusted by nobody. Needs the `openssl` program. */
export function selfSignedCertificate(): { readonly key: Buffer; readonly cert: Buffer } {
  return (made ??= make());
}

function make() {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const args = ["req", "-x509", ...curve, "-days", "1", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", cert];
    execFileSync("openssl", args, { stdio: "pipe" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
