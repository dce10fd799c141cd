/** Whether this can be the name of a project: up to 64 letters, digits, `-`, `_` and `.`. */
export function isProjectName(project: unknown): project is string {
  return typeof project === "string" && /^[\w.-]{0,64}$/.test(project);
}
