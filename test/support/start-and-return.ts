import { sessionMiddleware, startClearSessions } from "../../lib";

// Does one thing, as a script of an app may, and does not end the process.
if (process.argv[2] === "middleware") sessionMiddleware({ clearSchedule: "* * * * * *" });
else startClearSessions("* * * * * *");
