import { Router } from "express";
import { formField } from "../form-field";
import { isLanguage } from "../languages";
import { localPath } from "../local-path";

/** The choice of a language, which stays through sign-in and sign-out. */
export function languageRoutes(): Router {
  const router = Router();

  router.post("/language", (req, res) => {
    const language = formField(req, "language");
    if (isLanguage(language)) req.session.language = language;
    res.redirect(303, localPath(formField(req, "next")));
  });

  return router;
}
