/** Where all sessions of a user are ended. */
export function endUserPath(base: string, user: string): string {
  return `${base}/end/user?${new URLSearchParams({ user }).toString()}`;
}
