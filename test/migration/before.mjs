import flash from "connect-flash";
import { RedisStore } from "connect-redis";
import { csrfSync } from "csrf-sync";
import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy } from "passport-local";
import { createClient } from "redis";

const { PORT, PREFIX, REDIS_URL, SESSION_SECRET } = process.env;
const PASSWORDS = { alice: "correct horse", bob: "battery staple" };
const MONTH = 30 * 24 * 3_600_000;

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
app.use(
  express.urlencoded({ extended: false }),
  session({
    store: new RedisStore({ client: redis, prefix: `${PREFIX}:sess:` }),
    secret: SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax", secure: "auto" },
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
    return req.logIn(user, (failure) => {
      if (failure) return next(failure);
      if (req.body.remember === "on") req.session.cookie.maxAge = MONTH;
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
