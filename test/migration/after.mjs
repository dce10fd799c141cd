import flash from "connect-flash";
import { parseCookie } from "cookie";
import { unsign } from "cookie-signature";
import { sessionMiddleware } from "coatcheck";
import { RedisStore } from "coatcheck/redis";
import { csrfSync } from "csrf-sync";
import express from "express";
import passport from "passport";
import { Strategy } from "passport-local";
import { createClient } from "redis";

const { PORT, PREFIX, REDIS_URL, SESSION_SECRET } = process.env;
const PASSWORDS = { alice: "correct horse", bob: "battery staple" };

passport.use(
  new Strategy({ usernameField: "name" }, (name, password, done) => {
    if (PASSWORDS[name] === password) done(null, { id: name });
    else done(null, false, { message: "Wrong name or password" });
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, { id }));

const redis = createClient({ url: REDIS_URL });
redis.on("error", console.error);
await redis.connect();
const app = express();

/** Takes over the sessions of express-session; to be taken out once they have run out. */
async function adopt(req) {
  const { "connect.sid": cookie } = parseCookie(req.headers.cookie ?? "");
  const id = cookie?.startsWith("s:") && unsign(cookie.slice(2), SESSION_SECRET);
  if (!id) return undefined;
  const key = `${PREFIX}:sess:${id}`;
  const found = await redis.get(key);
  if (!found) return { id };
  const { cookie: old, ...data } = JSON.parse(found);
  const remember = typeof old.originalMaxAge === "number";
  return { id, data, user: data.passport?.user, remember, ended: () => redis.del(key) };
}

app.use(
  express.urlencoded({ extended: false }),
  sessionMiddleware({
    store: new RedisStore({ client: redis, prefix: PREFIX }),
    secrets: [SESSION_SECRET],
    keepOnLogin: ["language", "passport"],
    adopt,
  }),
  passport.session(),
  flash(),
);

const { generateToken, csrfSynchronisedProtection } = csrfSync({ getTokenFromRequest: (req) => req.body.csrf });
app.use(csrfSynchronisedProtection);

app.get("/", (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  const { views, basket = [] } = req.session;
  res.json({ user: req.user?.id ?? null, views, basket, messages: req.flash("info"), csrf: generateToken(req) });
});

app.post("/sign-in", (req, res, next) => {
  passport.authenticate("local", (error, user, info) => {
    if (error) return next(error);
    if (!user) {
      req.flash("info", info.message);
      return res.redirect("/");
    }
    return req.logIn(user, async (failure) => {
      if (failure) return next(failure);
      if (req.body.remember === "on") await req.session.login(user.id, { remember: true });
      return res.redirect("/");
    });
  })(req, res, next);
});

app.post("/sign-out", (req, res, next) => {
  req.logout((error) => (error ? next(error) : res.redirect("/")));
});

app.post("/basket", (req, res, next) => {
  req.session.basket ??= [];
  req.session.basket.push({ tea: req.body.tea, added: new Date().toISOString() });
  req.flash("info", `${req.body.tea} is in your basket`);
  req.session.save((error) => (error ? next(error) : res.redirect("/")));
});

app.post("/empty", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.redirect("/")));
});

app.listen(PORT, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log("listening");
});
